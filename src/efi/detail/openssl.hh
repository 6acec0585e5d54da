// SPDX-License-Identifier: MIT
// Handles of libcrypto, and what it says when it fails.
#pragma once

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <string_view>

namespace tarn::efi {

template <auto kFree>
struct Deleter {
    template <class T>
    void operator()(T* pointer) const {
        kFree(pointer);
    }
};
using BioPtr = std::unique_ptr<BIO, Deleter<BIO_free_all>>;
using X509Ptr = std::unique_ptr<X509, Deleter<X509_free>>;
using PkeyPtr = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using PkeyContextPtr = std::unique_ptr<EVP_PKEY_CTX, Deleter<EVP_PKEY_CTX_free>>;
using DigestContextPtr = std::unique_ptr<EVP_MD_CTX, Deleter<EVP_MD_CTX_free>>;

inline const unsigned char* octets(std::string_view bytes) {
    return reinterpret_cast<const unsigned char*>(bytes.data());
}
inline unsigned char* octets(std::string& bytes) {
    return reinterpret_cast<unsigned char*>(bytes.data());
}

// Takes all that is queued: the first reason, or "no reason given".
std::string openssl_reason();
// nullptr when it is no certificate, or has bytes behind it.
X509Ptr parse_x509(std::string_view der);
// A read-only memory BIO; `bytes` must outlive it and fit an int.
BioPtr memory_bio(std::string_view bytes);

// What i2d_* functions write.
template <class T, class Encode>
std::string to_der(const T* value, Encode encode) {
    unsigned char* out = nullptr;
    const int size = encode(value, &out);
    std::string bytes;
    if (size > 0) {
        bytes.assign(reinterpret_cast<const char*>(out), static_cast<std::size_t>(size));
    }
    OPENSSL_free(out);
    return bytes;
}

}  // namespace tarn::efi
