// SPDX-License-Identifier: MIT
#include "efi/signer.hh"

#include "base/fs.hh"
#include "efi/detail/bytes.hh"
#include "efi/detail/openssl.hh"
#include "store/store.hh"

#include <algorithm>
#include <mutex>

namespace tarn::efi {
namespace {

std::string hex(const Sha256Sum& sum) {
    return to_hex({reinterpret_cast<const char*>(sum.data()), sum.size()});
}

std::string signature_path(const std::string& directory, const Sha256Sum& hash) {
    return join_path(directory, hex(hash) + ".p7s");
}

// What was signed before stays as it is: a second signature beside it.
class KeySigner final : public ImageSigner {
  public:
    KeySigner(KeySource source, Certificate certificate)
        : source_(std::move(source)), certificate_(std::move(certificate)) {}

    Result<std::string> sign(std::string_view name, std::string_view pe) const override {
        const std::scoped_lock lock(mutex_);
        if (!key_) {
            key_ = TARN_TRY(open_key(source_, certificate_));
        }
        auto signature = make_signature(pe, *key_, certificate_);
        if (!signature) {
            return fail(std::move(signature.error()).context("cannot sign " + std::string(name)));
        }
        return attach_signature(pe, *signature);
    }

    Digest identity() const override {
        return KeyBuilder("secure-boot", 1)
            .field("certificate", Digest::of(certificate_.der))
            .key();
    }

  private:
    KeySource source_;
    Certificate certificate_;
    mutable std::mutex mutex_;
    mutable std::unique_ptr<Key> key_;
};

class DetachedSigner final : public ImageSigner {
  public:
    DetachedSigner(std::string directory, Certificate certificate)
        : directory_(std::move(directory)), certificate_(std::move(certificate)) {}

    Result<std::string> sign(std::string_view name, std::string_view pe) const override {
        const Sha256Sum hash = TARN_TRY(image_hash(pe));
        const std::string path = signature_path(directory_, hash);
        auto signature = read_file(path, 1 << 20);
        if (!signature && signature.error().kind == ErrorKind::kNotFound) {
            return fail(error(ErrorKind::kNotFound,
                              "there is no signature for {} (image hash {})",
                              name,
                              hex(hash))
                            .advise("`tarn image export-unsigned` writes what is to be signed, "
                                    "`tarn image inject` takes the signatures back"));
        }
        const std::string bytes = TARN_TRY(std::move(signature));
        auto verdict = verify_signature(bytes, hash, {certificate_});
        if (!verdict) {
            return fail(std::move(verdict.error()).context(path));
        }
        return attach_signature(pe, bytes);
    }

    Digest identity() const override {
        KeyBuilder key("secure-boot-detached", 1);
        key.field("certificate", Digest::of(certificate_.der));
        const auto names = list_directory(directory_);
        for (const std::string& name : names ? *names : std::vector<std::string>{}) {
            const auto bytes = read_file(join_path(directory_, name), 1 << 20);
            key.field("name", name).field("signature", Digest::of(bytes ? *bytes : ""));
        }
        return key.key();
    }

  private:
    std::string directory_;
    Certificate certificate_;
};

}  // namespace

Result<std::unique_ptr<Key>> open_key(const KeySource& source, const Certificate& certificate) {
    if (!source.key_file.empty()) {
        return open_key_file(source.key_file);
    }
    if (!source.pkcs11.empty()) {
        return open_pkcs11_key(source.pkcs11);
    }
    if (!source.command.empty()) {
        return open_command_key(source.command, certificate);
    }
    return fail(error(ErrorKind::kUsage, "[secure-boot] has no key at hand")
                    .advise("set `key`, `pkcs11` or `command`"));
}

Result<std::unique_ptr<ImageSigner>> open_signer(const KeySource& source) {
    const int ways = (source.key_file.empty() ? 0 : 1) + (source.pkcs11.empty() ? 0 : 1) +
                     (source.command.empty() ? 0 : 1) + (source.signatures.empty() ? 0 : 1);
    if (source.certificate.empty() || ways != 1) {
        return fail(error(ErrorKind::kUsage,
                          "[secure-boot] names {}",
                          source.certificate.empty() ? "no certificate"
                          : ways == 0                ? "no way to sign"
                                                     : "several ways to sign")
                        .advise("it has `certificate` and one of `key`, `pkcs11`, `command` and "
                                "`signatures`"));
    }
    auto certificate = Certificate::read(source.certificate);
    if (!certificate) {
        return fail(std::move(certificate.error())
                        .advise("`tarn key new --secure-boot` makes a key and its certificate"));
    }
    if (!source.signatures.empty()) {
        return std::make_unique<DetachedSigner>(source.signatures, std::move(*certificate));
    }
    return std::make_unique<KeySigner>(source, std::move(*certificate));
}

}  // namespace tarn::efi
