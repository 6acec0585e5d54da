// SPDX-License-Identifier: MIT
#include "base/fs.hh"
#include "base/strings.hh"
#include "pgp/detail/ed25519.hh"
#include "pgp/detail/rnp.hh"
#include "pgp/pgp.hh"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <mutex>

namespace tarn {

struct SigningKey::Impl {
    rnp::Ffi ffi;  // first: destroyed after the key
    rnp::Key key;
    KeyInfo info;
    std::string public_armored;
    // librnp's rings are not made for several threads; a signature takes well under a millisecond.
    mutable std::mutex mutex;
};

namespace {

constexpr std::uint64_t kMaxKeyFile = 1u << 20;
constexpr std::string_view kSecretSuffix = ".key";
constexpr std::string_view kPublicSuffix = ".asc";

// A string that leaves nothing of a private key behind in memory.
struct SecretText {
    std::string text;
    explicit SecretText(std::string value) : text(std::move(value)) {}
    SecretText(const SecretText&) = delete;
    SecretText& operator=(const SecretText&) = delete;
    ~SecretText() { explicit_bzero(text.data(), text.size()); }
};

Result<void> check_name(const std::string& name) {
    const bool good = !name.empty() && name.size() <= 64 && name.front() != '.' &&
                      name.front() != '-' && std::all_of(name.begin(), name.end(), [](char c) {
                          return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                                 (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
                      });
    if (!good) {
        return fail(error(ErrorKind::kUsage, "`{}` is no name for a key", name)
                        .advise("use letters, digits, `.`, `-` and `_`, a letter or digit first"));
    }
    return {};
}

Result<void> private_directory(const std::string& directory) {
    if (!path_exists(directory)) {
        return make_directories(directory, 0700);
    }
    struct stat status{};
    if (::stat(directory.c_str(), &status) != 0) {
        return fail(sys_error("look at", directory));
    }
    if ((status.st_mode & 077) != 0) {
        return fail(error(ErrorKind::kUsage,
                          "{} may be entered by others: no private key is put there",
                          directory)
                        .advise(fmt::format("chmod 700 {}", directory)));
    }
    return {};
}

// Generates inside `ffi`; the key belongs to its rings.
Result<rnp::Key> generate(const rnp::Ffi& ffi,
                          const std::string& user_id,
                          KeyAlgorithm algorithm,
                          std::uint32_t created) {
    rnp_set_timestamp(ffi.get(), created);
    rnp_op_generate_t raw = nullptr;
    const char* name = algorithm == KeyAlgorithm::kRsa4096 ? "RSA" : "EDDSA";
    auto code = rnp_op_generate_create(&raw, ffi.get(), name);
    if (code != RNP_SUCCESS) {
        return fail(rnp::failure("cannot make a key", code));
    }
    const rnp::GenerateOperation operation(raw);
    if (algorithm == KeyAlgorithm::kRsa4096) {
        code = rnp_op_generate_set_bits(raw, 4096);
    }
    for (const auto step : {code,
                            rnp_op_generate_set_userid(raw, user_id.c_str()),
                            rnp_op_generate_set_hash(raw, "SHA256"),
                            rnp_op_generate_set_expiration(raw, 0),
                            rnp_op_generate_add_usage(raw, "sign"),
                            rnp_op_generate_add_usage(raw, "certify"),
                            rnp_op_generate_execute(raw)}) {
        if (step != RNP_SUCCESS) {
            return fail(rnp::failure("cannot make a key", step));
        }
    }
    rnp_key_handle_t key = nullptr;
    code = rnp_op_generate_get_key(raw, &key);
    if (code != RNP_SUCCESS) {
        return fail(rnp::failure("cannot make a key", code));
    }
    return rnp::Key(key);
}

// Like AtomicFile, but never over a file that is there: a private key is not to be lost to a race.
Result<void> write_new(const std::string& path, std::string_view bytes) {
    const std::string aside = fmt::format("{}.{}.new", path, ::getpid());
    const Fd fd = TARN_TRY(open_file(aside, O_WRONLY | O_CREAT | O_EXCL, 0600));
    auto written = write_all(fd.get(), bytes, aside);
    if (written && (::fchmod(fd.get(), 0600) != 0 || ::fsync(fd.get()) != 0)) {
        written = fail(sys_error("write", aside));
    }
    if (written && ::link(aside.c_str(), path.c_str()) != 0) {
        written = fail(sys_error("write", path));
    }
    ::unlink(aside.c_str());
    return written;
}

// The first primary key with a private part.
Result<rnp::Key> secret_key(const rnp::Ffi& ffi, const std::string& path) {
    rnp_identifier_iterator_t raw = nullptr;
    if (const auto code = rnp_identifier_iterator_create(ffi.get(), &raw, "fingerprint")) {
        return fail(rnp::failure(path, code));
    }
    const rnp::Identifiers identifiers(raw);
    const char* fingerprint = nullptr;
    while (rnp_identifier_iterator_next(raw, &fingerprint) == RNP_SUCCESS &&
           fingerprint != nullptr) {
        rnp_key_handle_t handle = nullptr;
        if (rnp_locate_key(ffi.get(), "fingerprint", fingerprint, &handle) != RNP_SUCCESS ||
            handle == nullptr) {
            continue;
        }
        rnp::Key key(handle);
        bool secret = false;
        bool primary = false;
        bool is_protected = false;
        rnp_key_have_secret(handle, &secret);
        rnp_key_is_primary(handle, &primary);
        if (!secret || !primary) {
            continue;
        }
        if (rnp_key_is_protected(handle, &is_protected) != RNP_SUCCESS || is_protected) {
            return fail(error(ErrorKind::kUsage, "the private key {} has a passphrase", path)
                            .advise("Tarn signs unattended: use a key without one, kept 0600"));
        }
        return key;
    }
    return fail(ErrorKind::kCorrupt, "{} holds no private key", path);
}

}  // namespace

SigningKey::SigningKey(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SigningKey::SigningKey(SigningKey&&) noexcept = default;
SigningKey& SigningKey::operator=(SigningKey&&) noexcept = default;
SigningKey::~SigningKey() = default;

Result<SigningKey> SigningKey::create(const std::string& directory,
                                      const std::string& name,
                                      const std::string& user_id,
                                      KeyAlgorithm algorithm,
                                      std::int64_t created) {
    TARN_TRY(check_name(name));
    if (algorithm == KeyAlgorithm::kOther) {
        return fail(ErrorKind::kUsage, "a signing key is Ed25519 or RSA");
    }
    if (created <= 0 || created > 0xffffffffLL || user_id.empty()) {
        return fail(ErrorKind::kUsage, "a key needs a user id and a time of creation");
    }
    TARN_TRY(private_directory(directory));
    const std::string path = join_path(directory, name);
    const std::string secret_path = path + std::string(kSecretSuffix);
    if (path_exists(secret_path)) {
        return fail(error(ErrorKind::kFailed, "there is a key `{}` already: {}", name, secret_path)
                        .advise("choose another name; an old key is still needed to verify what "
                                "it signed"));
    }
    const rnp::Ffi ffi = TARN_TRY(rnp::make_ffi());
    const rnp::Key key =
        TARN_TRY(generate(ffi, user_id, algorithm, static_cast<std::uint32_t>(created)));
    const SecretText secret(
        TARN_TRY(rnp::export_key(key.get(), RNP_KEY_EXPORT_SECRET | RNP_KEY_EXPORT_SUBKEYS)));
    TARN_TRY(write_new(secret_path, secret.text));
    return load(directory, name);
}

Result<SigningKey> SigningKey::load(const std::string& directory, const std::string& name) {
    TARN_TRY(check_name(name));
    const std::string base = join_path(directory, name);
    const std::string path = base + std::string(kSecretSuffix);
    struct stat status{};
    if (::stat(path.c_str(), &status) != 0) {
        auto problem = sys_error("read the private key", path);
        if (problem.kind == ErrorKind::kNotFound) {
            problem.help.push_back(fmt::format("tarn key new {}", name));
        }
        return fail(std::move(problem));
    }
    if ((status.st_mode & 077) != 0) {
        return fail(error(ErrorKind::kUsage, "the private key {} may be read by others", path)
                        .advise(fmt::format("chmod 600 {}", path)));
    }
    const SecretText secret(TARN_TRY(read_file(path, kMaxKeyFile)));
    auto impl = std::make_unique<Impl>();
    impl->ffi = TARN_TRY(rnp::make_ffi());
    TARN_TRY(rnp::import_keys(
        impl->ffi, secret.text, RNP_LOAD_SAVE_SECRET_KEYS | RNP_LOAD_SAVE_PUBLIC_KEYS, path));
    impl->key = TARN_TRY(secret_key(impl->ffi, path));
    impl->info = rnp::key_info(impl->key.get());
    impl->public_armored =
        TARN_TRY(rnp::export_key(impl->key.get(), RNP_KEY_EXPORT_PUBLIC | RNP_KEY_EXPORT_SUBKEYS));
    // Also mends what a crash between the two files left.
    const std::string public_path = base + std::string(kPublicSuffix);
    if (!path_exists(public_path)) {
        TARN_TRY(write_file_atomic(public_path, impl->public_armored));
    }
    return SigningKey(std::move(impl));
}

const KeyInfo& SigningKey::info() const {
    return impl_->info;
}

std::string SigningKey::public_key_armored() const {
    return impl_->public_armored;
}

namespace {

Result<std::string> sign(const rnp::Ffi& ffi,
                         const rnp::Key& key,
                         std::string_view bytes,
                         std::uint32_t when,
                         bool armored) {
    const rnp::Input input = TARN_TRY(rnp::input_of(bytes));
    const rnp::Output output = TARN_TRY(rnp::memory_output());
    // Validity of the key is judged at the time of the signature, not at that of this run.
    rnp_set_timestamp(ffi.get(), when);
    rnp_op_sign_t raw = nullptr;
    auto code = rnp_op_sign_detached_create(&raw, ffi.get(), input.get(), output.get());
    if (code != RNP_SUCCESS) {
        return fail(rnp::failure("cannot sign", code));
    }
    const rnp::SignOperation operation(raw);
    for (const auto step : {rnp_op_sign_set_armor(raw, armored),
                            rnp_op_sign_set_hash(raw, "SHA256"),
                            rnp_op_sign_set_creation_time(raw, when),
                            rnp_op_sign_set_expiration_time(raw, 0),
                            rnp_op_sign_add_signature(raw, key.get(), nullptr),
                            rnp_op_sign_execute(raw)}) {
        if (step != RNP_SUCCESS) {
            return fail(rnp::failure("cannot sign", step));
        }
    }
    return std::string(rnp::bytes_of(output));
}

std::uint32_t signature_time(const KeyInfo& info, std::int64_t when) {
    return static_cast<std::uint32_t>(std::clamp<std::int64_t>(when, info.created, 0xffffffffLL));
}

}  // namespace

Result<std::string> SigningKey::sign_detached(std::string_view bytes, std::int64_t when) const {
    const std::lock_guard lock(impl_->mutex);
    return sign(impl_->ffi, impl_->key, bytes, signature_time(impl_->info, when), false);
}

Result<std::string> SigningKey::sign_detached_armored(std::string_view bytes,
                                                      std::int64_t when) const {
    const std::lock_guard lock(impl_->mutex);
    return sign(impl_->ffi, impl_->key, bytes, signature_time(impl_->info, when), true);
}

Result<std::string> SigningKey::sign_ed25519(std::string_view bytes) const {
    if (impl_->info.algorithm != KeyAlgorithm::kEd25519) {
        return fail(ErrorKind::kUsage, "the key {} is not of Ed25519", impl_->info.key_id);
    }
    const std::lock_guard lock(impl_->mutex);
    const SecretText packet(TARN_TRY(
        rnp::export_key(impl_->key.get(), RNP_KEY_EXPORT_SECRET, rnp::Armor::kNo)));
    pgp::Ed25519Numbers numbers = TARN_TRY(pgp::parse_ed25519_key(packet.text));
    const SecretText seed(std::move(numbers.seed));
    return pgp::ed25519_sign(seed.text, bytes);
}

Result<std::vector<NamedKey>> list_keys(const std::string& directory) {
    std::vector<NamedKey> keys;
    if (!path_exists(directory)) {
        return keys;
    }
    for (const std::string& file : TARN_TRY(list_directory(directory))) {
        if (!file.ends_with(kSecretSuffix)) {
            continue;
        }
        const std::string name = file.substr(0, file.size() - kSecretSuffix.size());
        if (!check_name(name)) {
            continue;
        }
        const SigningKey key = TARN_TRY(SigningKey::load(directory, name));
        keys.push_back({name, key.info()});
    }
    return keys;
}

}  // namespace tarn
