// SPDX-License-Identifier: MIT
// X.509 certificates and RSA keys of Secure Boot, and the ways to sign with such a key: a file, a
// token (PKCS#11), a program of the project's own.
#pragma once

#include "base/result.hh"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::efi {

struct Certificate {
    std::string der;
    std::string subject;  // "CN=Tarn Secure Boot"
    unsigned rsa_bits = 0;
    // PEM (the first certificate in it) or DER; kCorrupt when it is neither, or its key is not RSA
    // of 2048, 3072 or 4096 bits: what firmware verifies.
    static Result<Certificate> parse(std::string_view bytes);
    static Result<Certificate> read(const std::string& path);
    bool operator==(const Certificate& other) const { return der == other.der; }
};

// Signs bytes: RSASSA-PKCS1-v1_5 with SHA-256, the same signature every time.
class Key {
  public:
    virtual ~Key() = default;
    virtual Result<std::string> sign(std::string_view bytes) const = 0;
};

// A PEM private key. kUsage when others than its owner can read the file.
Result<std::unique_ptr<Key>> open_key_file(const std::string& path);

// A PKCS#11 URI (RFC 7512): "pkcs11:token=tarn;object=secure-boot;type=private". The PIN comes with
// the URI: `pin-source=file:/path` (or `pin-value=`). Needs OpenSSL's pkcs11 provider or engine.
Result<std::unique_ptr<Key>> open_pkcs11_key(const std::string& uri);

// A program (argv, no shell) that reads the bytes to be signed from stdin and writes the signature,
// raw or in base64, to stdout. TARN_SIGN_ALGORITHM is "rsa-pkcs1-sha256", TARN_SIGN_SHA256 the
// digest of stdin in hex, TARN_SIGN_CERTIFICATE the SHA-256 of the certificate in DER.
Result<std::unique_ptr<Key>> open_command_key(std::vector<std::string> argv,
                                              const Certificate& certificate);

// Whether `signature` is what Key::sign makes of `bytes`.
bool signature_holds(const Certificate& certificate,
                     std::string_view bytes,
                     std::string_view signature);

// A new RSA-2048 key (random) and a certificate of its own: <directory>/<name>.key (PEM, 0600) and
// <name>.crt (PEM). Valid from the day of `time` for ever: firmware does not look at dates. kUsage
// when one of the files is there.
Result<Certificate> create_key(const std::string& directory,
                               const std::string& name,
                               const std::string& common_name,
                               std::int64_t time);

}  // namespace tarn::efi
