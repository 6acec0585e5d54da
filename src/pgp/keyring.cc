// SPDX-License-Identifier: MIT
#include "base/fs.hh"
#include "base/strings.hh"
#include "pgp/detail/rnp.hh"
#include "pgp/pgp.hh"

#include <algorithm>
#include <mutex>

namespace tarn {

struct Keyring::Impl {
    rnp::Ffi ffi;
    std::vector<KeyInfo> keys;  // primary keys, by fingerprint
    mutable std::mutex mutex;   // checking a signature may update librnp's view of the key
};

namespace {

constexpr std::uint64_t kMaxKeyring = 16u << 20;
constexpr std::size_t kMaxDocument = 256u << 20;
constexpr std::size_t kMaxSignature = 1u << 20;
constexpr std::string_view kCleartextHead = "-----BEGIN PGP SIGNED MESSAGE-----";

Result<std::vector<KeyInfo>> primary_keys(const rnp::Ffi& ffi) {
    rnp_identifier_iterator_t raw = nullptr;
    if (const auto code = rnp_identifier_iterator_create(ffi.get(), &raw, "fingerprint")) {
        return fail(rnp::failure("cannot list keys", code));
    }
    const rnp::Identifiers identifiers(raw);
    std::vector<KeyInfo> keys;
    const char* fingerprint = nullptr;
    while (rnp_identifier_iterator_next(raw, &fingerprint) == RNP_SUCCESS &&
           fingerprint != nullptr) {
        rnp_key_handle_t handle = nullptr;
        if (rnp_locate_key(ffi.get(), "fingerprint", fingerprint, &handle) != RNP_SUCCESS ||
            handle == nullptr) {
            continue;
        }
        const rnp::Key key(handle);
        bool primary = false;
        if (rnp_key_is_primary(handle, &primary) == RNP_SUCCESS && primary) {
            keys.push_back(rnp::key_info(handle));
        }
    }
    std::sort(keys.begin(), keys.end(), [](const KeyInfo& a, const KeyInfo& b) {
        return a.fingerprint < b.fingerprint;
    });
    return keys;
}

struct Verdict {
    std::vector<KeyInfo> signers;    // of the good signatures
    std::vector<std::string> notes;  // what is wrong with the others
};

std::string key_id_of(rnp_op_verify_signature_t signature) {
    rnp_signature_handle_t raw = nullptr;
    if (rnp_op_verify_signature_get_handle(signature, &raw) != RNP_SUCCESS) {
        return "unknown";
    }
    const rnp::Signature handle(raw);
    char* text = nullptr;
    if (rnp_signature_get_keyid(raw, &text) != RNP_SUCCESS || text == nullptr) {
        return "unknown";
    }
    const rnp::Buffer owner(text);
    return text;
}

std::string describe(rnp_result_t status) {
    switch (status) {
        case RNP_ERROR_KEY_NOT_FOUND:
            return "key not in the keyring";
        case RNP_ERROR_SIGNATURE_EXPIRED:
            return "signature has expired";
        case RNP_ERROR_SIGNATURE_INVALID:
            return "signature does not match";
        default:
            return rnp_result_to_string(status);
    }
}

Verdict judge(const rnp::Ffi& ffi, rnp_op_verify_t operation) {
    Verdict verdict;
    std::size_t count = 0;
    rnp_op_verify_get_signature_count(operation, &count);
    for (std::size_t i = 0; i < count; ++i) {
        rnp_op_verify_signature_t signature = nullptr;
        if (rnp_op_verify_get_signature_at(operation, i, &signature) != RNP_SUCCESS) {
            continue;
        }
        const auto status = rnp_op_verify_signature_get_status(signature);
        rnp_key_handle_t raw = nullptr;
        if (status == RNP_SUCCESS &&
            rnp_op_verify_signature_get_key(signature, &raw) == RNP_SUCCESS && raw != nullptr) {
            const rnp::Key key(raw);
            verdict.signers.push_back(rnp::primary_info(ffi, raw));
        } else {
            verdict.notes.push_back(
                fmt::format("signed by key {}: {}", key_id_of(signature), describe(status)));
        }
    }
    return verdict;
}

Failure not_verified(std::string_view what, Verdict verdict, rnp_result_t code) {
    Error problem = error(ErrorKind::kCorrupt, "no signature of {} by a known key is valid", what);
    problem.notes = std::move(verdict.notes);
    if (problem.notes.empty()) {
        problem.notes.emplace_back(code == RNP_SUCCESS ? "there is no signature"
                                                       : rnp_result_to_string(code));
    }
    return fail(std::move(problem));
}

}  // namespace

Keyring::Keyring(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Keyring::Keyring(Keyring&&) noexcept = default;
Keyring& Keyring::operator=(Keyring&&) noexcept = default;
Keyring::~Keyring() = default;

Result<Keyring> Keyring::load(const std::vector<std::string>& files) {
    auto impl = std::make_unique<Impl>();
    impl->ffi = TARN_TRY(rnp::make_ffi());
    for (const std::string& file : files) {
        const std::string bytes = TARN_TRY(read_file(file, kMaxKeyring));
        TARN_TRY(rnp::import_keys(impl->ffi, bytes, RNP_LOAD_SAVE_PUBLIC_KEYS, file));
    }
    impl->keys = TARN_TRY(primary_keys(impl->ffi));
    return Keyring(std::move(impl));
}

Result<Keyring> Keyring::parse(std::string_view bytes) {
    if (bytes.size() > kMaxKeyring) {
        return fail(ErrorKind::kCorrupt, "a keyring of {} is too large", human_size(bytes.size()));
    }
    auto impl = std::make_unique<Impl>();
    impl->ffi = TARN_TRY(rnp::make_ffi());
    TARN_TRY(rnp::import_keys(impl->ffi, bytes, RNP_LOAD_SAVE_PUBLIC_KEYS, "the keyring"));
    impl->keys = TARN_TRY(primary_keys(impl->ffi));
    return Keyring(std::move(impl));
}

std::vector<KeyInfo> Keyring::keys() const {
    return impl_->keys;
}

Result<Keyring::Verified> Keyring::verify_cleartext(std::string_view document) const {
    if (document.size() > kMaxDocument) {
        return fail(ErrorKind::kCorrupt,
                    "a signed document of {} is too large",
                    human_size(document.size()));
    }
    if (!document.starts_with(kCleartextHead)) {
        return fail(ErrorKind::kCorrupt,
                    "the document is not signed: it does not begin with {}",
                    kCleartextHead);
    }
    const std::lock_guard lock(impl_->mutex);
    const rnp::Input input = TARN_TRY(rnp::input_of(document));
    const rnp::Output output = TARN_TRY(rnp::memory_output());
    rnp_op_verify_t raw = nullptr;
    auto code = rnp_op_verify_create(&raw, impl_->ffi.get(), input.get(), output.get());
    if (code != RNP_SUCCESS) {
        return not_verified("the document", {}, code);
    }
    const rnp::VerifyOperation operation(raw);
    rnp::quietly([&] { code = rnp_op_verify_execute(raw); });
    Verdict verdict = judge(impl_->ffi, raw);
    if (verdict.signers.empty()) {
        return not_verified("the document", std::move(verdict), code);
    }
    return Verified{std::string(rnp::bytes_of(output)), std::move(verdict.signers)};
}

Result<std::vector<KeyInfo>> Keyring::verify_detached(std::string_view bytes,
                                                      std::string_view signature) const {
    if (signature.size() > kMaxSignature) {
        return fail(
            ErrorKind::kCorrupt, "a signature of {} is too large", human_size(signature.size()));
    }
    if (signature.empty()) {
        return fail(ErrorKind::kCorrupt, "there is no signature");
    }
    const std::lock_guard lock(impl_->mutex);
    const rnp::Input input = TARN_TRY(rnp::input_of(bytes));
    const rnp::Input signature_input = TARN_TRY(rnp::input_of(signature));
    rnp_op_verify_t raw = nullptr;
    auto code =
        rnp_op_verify_detached_create(&raw, impl_->ffi.get(), input.get(), signature_input.get());
    if (code != RNP_SUCCESS) {
        return not_verified("the data", {}, code);
    }
    const rnp::VerifyOperation operation(raw);
    rnp::quietly([&] { code = rnp_op_verify_execute(raw); });
    Verdict verdict = judge(impl_->ffi, raw);
    if (verdict.signers.empty()) {
        return not_verified("the data", std::move(verdict), code);
    }
    return std::move(verdict.signers);
}

}  // namespace tarn
