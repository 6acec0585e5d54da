// SPDX-License-Identifier: MIT
#include "efi/certificate.hh"

#include "base/fs.hh"
#include "base/hash.hh"
#include "efi/detail/openssl.hh"

#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <limits>

namespace tarn::efi {

std::string openssl_reason() {
    std::string out = "no reason given";
    bool first = true;
    while (const unsigned long code = ERR_get_error()) {
        const char* reason = ERR_reason_error_string(code);
        if (first && reason != nullptr) {
            out = reason;
            first = false;
        }
    }
    return out;
}

X509Ptr parse_x509(std::string_view der) {
    if (der.size() > std::numeric_limits<int>::max()) {
        return nullptr;
    }
    const unsigned char* at = octets(der);
    X509Ptr out(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
    ERR_clear_error();
    if (out && at != octets(der) + der.size()) {
        out.reset();
    }
    return out;
}

BioPtr memory_bio(std::string_view bytes) {
    if (bytes.size() > std::numeric_limits<int>::max()) {
        return nullptr;
    }
    return BioPtr(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
}

namespace {

std::string subject_of(X509* certificate) {
    const BioPtr out(BIO_new(BIO_s_mem()));
    TARN_CHECK(out != nullptr);
    X509_NAME_print_ex(out.get(), X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253);
    char* data = nullptr;
    const long size = BIO_get_mem_data(out.get(), &data);
    return std::string(data, static_cast<std::size_t>(std::max(size, 0L)));
}

X509Ptr parse_any(std::string_view bytes) {
    if (bytes.find("-----BEGIN") == std::string_view::npos) {
        return parse_x509(bytes);
    }
    const BioPtr in = memory_bio(bytes);
    X509Ptr out(in ? PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr) : nullptr);
    ERR_clear_error();
    return out;
}

}  // namespace

Result<Certificate> Certificate::parse(std::string_view bytes) {
    const X509Ptr parsed = parse_any(bytes);
    if (!parsed) {
        return fail(error(ErrorKind::kCorrupt, "this is no X.509 certificate")
                        .advise("give a certificate in PEM or DER"));
    }
    Certificate out;
    out.der = to_der(parsed.get(), i2d_X509);
    out.subject = subject_of(parsed.get());
    EVP_PKEY* key = X509_get0_pubkey(parsed.get());
    out.rsa_bits = key != nullptr && EVP_PKEY_is_a(key, "RSA") == 1
                       ? static_cast<unsigned>(std::max(EVP_PKEY_get_bits(key), 0))
                       : 0;
    if (out.rsa_bits != 2048 && out.rsa_bits != 3072 && out.rsa_bits != 4096) {
        return fail(error(ErrorKind::kCorrupt,
                          "the key of the certificate `{}` is none firmware verifies",
                          out.subject)
                        .advise("Secure Boot takes RSA keys of 2048, 3072 or 4096 bits"));
    }
    return out;
}

Result<Certificate> Certificate::read(const std::string& path) {
    const std::string bytes = TARN_TRY(read_file(path, 1 << 20));
    auto out = parse(bytes);
    if (!out) {
        return fail(std::move(out.error()).context(path));
    }
    return out;
}

bool signature_holds(const Certificate& certificate,
                     std::string_view bytes,
                     std::string_view signature) {
    const X509Ptr parsed = parse_x509(certificate.der);
    EVP_PKEY* key = parsed ? X509_get0_pubkey(parsed.get()) : nullptr;
    const DigestContextPtr context(EVP_MD_CTX_new());
    const bool holds =
        key != nullptr && context != nullptr &&
        EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key) == 1 &&
        EVP_DigestVerify(
            context.get(), octets(signature), signature.size(), octets(bytes), bytes.size()) == 1;
    ERR_clear_error();
    return holds;
}

namespace {

PkeyPtr generate_rsa() {
    const PkeyContextPtr context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
    EVP_PKEY* key = nullptr;
    if (!context || EVP_PKEY_keygen_init(context.get()) != 1 ||
        EVP_PKEY_CTX_set_rsa_keygen_bits(context.get(), 2048) != 1 ||
        EVP_PKEY_generate(context.get(), &key) != 1) {
        return nullptr;
    }
    return PkeyPtr(key);
}

bool add_extension(X509* certificate, int nid, const char* text) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, text);
    const bool added = extension != nullptr && X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return added;
}

X509Ptr self_signed(EVP_PKEY* key, const std::string& common_name, std::int64_t time) {
    X509Ptr out(X509_new());
    std::string serial(16, '\0');
    if (!out || RAND_bytes(octets(serial), static_cast<int>(serial.size())) != 1) {
        return nullptr;
    }
    serial[0] = static_cast<char>((serial[0] & 0x3f) | 0x40);  // positive, no leading zero
    BIGNUM* number = BN_bin2bn(octets(serial), static_cast<int>(serial.size()), nullptr);
    const bool numbered = number != nullptr &&
                          BN_to_ASN1_INTEGER(number, X509_get_serialNumber(out.get())) != nullptr;
    BN_free(number);
    X509_NAME* name = X509_get_subject_name(out.get());
    const std::int64_t day = std::max<std::int64_t>(time, 0) / 86400 * 86400;
    const bool made = numbered && X509_set_version(out.get(), X509_VERSION_3) == 1 &&
                      ASN1_TIME_set(X509_getm_notBefore(out.get()), day) != nullptr &&
                      ASN1_TIME_set_string(X509_getm_notAfter(out.get()), "99991231235959Z") == 1 &&
                      X509_NAME_add_entry_by_txt(name,
                                                 "CN",
                                                 MBSTRING_UTF8,
                                                 octets(common_name),
                                                 static_cast<int>(common_name.size()),
                                                 -1,
                                                 0) == 1 &&
                      X509_set_issuer_name(out.get(), name) == 1 &&
                      X509_set_pubkey(out.get(), key) == 1 &&
                      add_extension(out.get(), NID_basic_constraints, "critical,CA:FALSE") &&
                      add_extension(out.get(), NID_key_usage, "critical,digitalSignature") &&
                      add_extension(out.get(), NID_ext_key_usage, "codeSigning") &&
                      add_extension(out.get(), NID_subject_key_identifier, "hash") &&
                      X509_sign(out.get(), key, EVP_sha256()) > 0;
    return made ? std::move(out) : nullptr;
}

std::string bio_text(BIO* bio) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio, &data);
    return std::string(data, static_cast<std::size_t>(std::max(size, 0L)));
}

}  // namespace

Result<Certificate> create_key(const std::string& directory,
                               const std::string& name,
                               const std::string& common_name,
                               std::int64_t time) {
    const std::string key_path = join_path(directory, name + ".key");
    const std::string certificate_path = join_path(directory, name + ".crt");
    for (const std::string& path : {key_path, certificate_path}) {
        if (path_exists(path)) {
            return fail(error(ErrorKind::kUsage, "there is a key already: {}", path)
                            .advise("images signed with another key do not boot where this one is "
                                    "enrolled: move it away only when nothing needs it"));
        }
    }
    if (common_name.empty() || common_name.size() > 64) {
        return fail(ErrorKind::kUsage, "the name of a certificate has 1 to 64 bytes");
    }
    const PkeyPtr key = generate_rsa();
    const X509Ptr certificate = key ? self_signed(key.get(), common_name, time) : nullptr;
    const BioPtr key_text(BIO_new(BIO_s_secmem()));
    const BioPtr certificate_text(BIO_new(BIO_s_mem()));
    if (!certificate || !key_text || !certificate_text ||
        PEM_write_bio_PrivateKey(
            key_text.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1 ||
        PEM_write_bio_X509(certificate_text.get(), certificate.get()) != 1) {
        return fail(ErrorKind::kFailed, "cannot make a key: {}", openssl_reason());
    }
    const std::string pem = bio_text(certificate_text.get());
    Certificate out = TARN_TRY(Certificate::parse(pem));
    TARN_TRY(make_directories(directory, 0700));
    TARN_TRY(write_file_atomic(key_path, bio_text(key_text.get()), 0600));
    TARN_TRY(write_file_atomic(certificate_path, pem, 0644));
    return out;
}

}  // namespace tarn::efi
