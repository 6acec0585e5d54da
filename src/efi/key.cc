// SPDX-License-Identifier: MIT
// The ways to sign: a key file, a token, a program.
#define OPENSSL_SUPPRESS_DEPRECATED  // engines: how Debian 12's OpenSSL reaches tokens
#include "base/base64.hh"
#include "base/fs.hh"
#include "base/hash.hh"
#include "base/process.hh"
#include "base/strings.hh"
#include "efi/certificate.hh"
#include "efi/detail/openssl.hh"

#include <openssl/engine.h>
#include <openssl/pem.h>
#include <sys/stat.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace tarn::efi {
namespace {

constexpr std::size_t kMaxSignature = 512;  // RSA-4096

class PrivateKey final : public Key {
  public:
    PrivateKey(PkeyPtr key, std::string what) : key_(std::move(key)), what_(std::move(what)) {}

    Result<std::string> sign(std::string_view bytes) const override {
        const DigestContextPtr context(EVP_MD_CTX_new());
        std::size_t size = 0;
        std::string out;
        bool done =
            context != nullptr &&
            EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get()) == 1 &&
            EVP_DigestSignUpdate(context.get(), bytes.data(), bytes.size()) == 1 &&
            EVP_DigestSignFinal(context.get(), nullptr, &size) == 1;
        if (done) {
            out.resize(size);
            done = EVP_DigestSignFinal(context.get(), octets(out), &size) == 1;
        }
        if (!done) {
            return fail(ErrorKind::kFailed, "{} does not sign: {}", what_, openssl_reason());
        }
        out.resize(size);
        return out;
    }

  private:
    PkeyPtr key_;
    std::string what_;
};

// No terminal prompt: what a build needs is in its declaration.
int no_passphrase(char*, int, int, void*) {
    return -1;
}

class CommandKey final : public Key {
  public:
    CommandKey(std::vector<std::string> argv, std::string certificate)
        : argv_(std::move(argv)), certificate_(std::move(certificate)) {}

    Result<std::string> sign(std::string_view bytes) const override;

  private:
    std::vector<std::string> argv_;
    std::string certificate_;  // SHA-256
};

// Programs break long lines.
std::string without_breaks(std::string_view text) {
    std::string packed;
    std::ranges::copy_if(text, std::back_inserter(packed), [](char c) {
        return c != '\n' && c != '\r' && c != ' ';
    });
    return packed;
}

bool signature_size(std::size_t size) {
    return size == 256 || size == 384 || size == 512;
}

Result<std::string> CommandKey::sign(std::string_view bytes) const {
    Command command;
    command.argv = argv_;
    command.input = std::string(bytes);
    command.environment = std::map<std::string, std::string>{};
    for (char** each = environ; *each != nullptr; ++each) {
        const std::string_view variable(*each);
        const std::size_t equals = variable.find('=');
        if (equals != std::string_view::npos) {
            (*command.environment)[std::string(variable.substr(0, equals))] =
                std::string(variable.substr(equals + 1));
        }
    }
    (*command.environment)["TARN_SIGN_ALGORITHM"] = "rsa-pkcs1-sha256";
    (*command.environment)["TARN_SIGN_SHA256"] = sha256_hex(bytes);
    (*command.environment)["TARN_SIGN_CERTIFICATE"] = certificate_;
    command.timeout = std::chrono::minutes(10);
    command.capture_limit = 1 << 20;
    const ProcessResult result = TARN_TRY(run(command));
    if (result.exit_code != 0 || result.timed_out) {
        Error problem = error(ErrorKind::kFailed,
                              "the signing program {} {}",
                              argv_[0],
                              result.timed_out ? "did not end in ten minutes"
                                               : fmt::format("ended with {}", result.exit_code));
        for (const std::string_view line :
             split_lines(std::string_view(result.errors).substr(0, 2000))) {
            problem.notes.emplace_back(line);
        }
        return fail(std::move(problem));
    }
    if (signature_size(result.output.size())) {
        return result.output;
    }
    if (result.output.size() <= 4 * kMaxSignature) {
        if (auto decoded = from_base64(without_breaks(result.output));
            decoded && signature_size(decoded->size())) {
            return std::move(*decoded);
        }
    }
    return fail(error(ErrorKind::kFailed,
                      "the signing program {} wrote {} bytes that are no RSA signature",
                      argv_[0],
                      result.output.size())
                    .advise("it writes the signature of what it reads to stdout: 256, 384 or 512 "
                            "bytes, or these in base64"));
}

// ---- PKCS#11 ------------------------------------------------------------------------------------

struct EngineFree {
    void operator()(ENGINE* engine) const {
        ENGINE_finish(engine);
        ENGINE_free(engine);
    }
};

// "pkcs11:...?module-path=/x&pin-source=..." -> the URI without module-path, and that.
std::pair<std::string, std::string> take_module_path(const std::string& uri) {
    const std::size_t query = uri.find('?');
    if (query == std::string::npos) {
        return {uri, ""};
    }
    std::string module;
    std::vector<std::string> rest;
    for (const std::string_view part : split(std::string_view(uri).substr(query + 1), '&')) {
        if (part.starts_with("module-path=")) {
            module = part.substr(12);
        } else if (!part.empty()) {
            rest.emplace_back(part);
        }
    }
    return {uri.substr(0, query) + (rest.empty() ? "" : "?" + join(rest, "&")), module};
}

Error no_token(std::string reason) {
    return error(ErrorKind::kFailed, "the PKCS#11 key cannot be used: {}", reason)
        .advise(
            "check token, object and pin-source of the URI, and module-path or "
            "PKCS11_MODULE_PATH; the package libengine-pkcs11-openssl must be there");
}

}  // namespace

Result<std::unique_ptr<Key>> open_key_file(const std::string& path) {
    struct stat info{};
    if (stat(path.c_str(), &info) != 0) {
        Error problem = sys_error("read", path);
        problem.help.emplace_back("`tarn key new --secure-boot` makes a key");
        return fail(std::move(problem));
    }
    if ((info.st_mode & 0077) != 0) {
        return fail(error(ErrorKind::kUsage,
                          "others can read the private key {} (mode {:04o})",
                          path,
                          info.st_mode & 07777)
                        .advise("chmod 600 " + path));
    }
    const std::string text = TARN_TRY(read_file(path, 1 << 20));
    const BioPtr in = memory_bio(text);
    PkeyPtr key(in ? PEM_read_bio_PrivateKey(in.get(), nullptr, no_passphrase, nullptr) : nullptr);
    ERR_clear_error();
    if (!key || EVP_PKEY_is_a(key.get(), "RSA") != 1) {
        return fail(
            error(ErrorKind::kCorrupt, "{} holds no RSA key in PEM without a passphrase", path)
                .advise("`tarn key new --secure-boot` makes one"));
    }
    return std::make_unique<PrivateKey>(std::move(key), path);
}

Result<std::unique_ptr<Key>> open_pkcs11_key(const std::string& uri) {
    if (!uri.starts_with("pkcs11:")) {
        return fail(error(ErrorKind::kUsage, "`{}` is no PKCS#11 URI", uri)
                        .advise("like \"pkcs11:token=tarn;object=secure-boot\" (RFC 7512)"));
    }
    const auto [key_uri, module] = take_module_path(uri);
    ENGINE_load_builtin_engines();
    ENGINE* found = ENGINE_by_id("pkcs11");
    if (found == nullptr) {
        return fail(no_token(openssl_reason()));
    }
    if (!module.empty() && ENGINE_ctrl_cmd_string(found, "MODULE_PATH", module.c_str(), 0) != 1) {
        ENGINE_free(found);
        return fail(no_token(openssl_reason()));
    }
    if (ENGINE_init(found) != 1) {
        ENGINE_free(found);
        return fail(no_token(openssl_reason()));
    }
    const std::unique_ptr<ENGINE, EngineFree> engine(found);
    // The key holds a reference of its own to the engine.
    PkeyPtr key(ENGINE_load_private_key(engine.get(), key_uri.c_str(), nullptr, nullptr));
    if (!key) {
        return fail(no_token(openssl_reason()));
    }
    ERR_clear_error();
    return std::make_unique<PrivateKey>(std::move(key), "the PKCS#11 key");
}

Result<std::unique_ptr<Key>> open_command_key(std::vector<std::string> argv,
                                              const Certificate& certificate) {
    if (argv.empty() || argv[0].empty()) {
        return fail(ErrorKind::kUsage, "the signing program has no name");
    }
    return std::make_unique<CommandKey>(std::move(argv), sha256_hex(certificate.der));
}

}  // namespace tarn::efi
