// SPDX-License-Identifier: MIT
#include "emulator/detail/authority.hh"

#include "base/base64.hh"
#include "base/hash.hh"
#include "base/strings.hh"

#include <openssl/bn.h>
#include <openssl/cms.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <map>

namespace tarn::emulator {

namespace {

template <auto free_it>
struct Free {
    template <class T>
    void operator()(T* object) const {
        free_it(object);
    }
};
using Pkey = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using X509Ptr = std::unique_ptr<X509, Free<X509_free>>;
using BioPtr = std::unique_ptr<BIO, Free<BIO_free_all>>;
using CmsPtr = std::unique_ptr<CMS_ContentInfo, Free<CMS_ContentInfo_free>>;
using BnPtr = std::unique_ptr<BIGNUM, Free<BN_free>>;

constexpr long kDay = 86400;

Error problem(std::string_view what) {
    char text[200] = "no reason given";
    if (const unsigned long code = ERR_get_error(); code != 0) {
        ERR_error_string_n(code, text, sizeof text);
    }
    return error(ErrorKind::kFailed, "cannot {}: {}", what, text);
}

std::string base64url(std::string_view bytes) {
    std::string out = base64(bytes);
    for (char& c : out) {
        c = c == '+' ? '-' : c == '/' ? '_' : c;
    }
    return out.substr(0, out.find('='));
}

std::string taken(BIO* bio) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio, &data);
    return std::string(data, static_cast<std::size_t>(size));
}

struct Wanted {
    std::string name;
    bool authority = false;
    std::string dns{};                      // subjectAltName
    std::string issuer_url{};               // authorityInfoAccess
    long from = -kDay, until = 365 * kDay;  // seconds from now
    std::uint64_t serial = 1;
};

bool extend(X509* certificate, X509* issuer, int nid, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
    if (extension == nullptr) {
        return false;
    }
    const bool added = X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return added;
}

// Signed by `issuer_key`; without an issuer by itself.
Result<X509Ptr> certificate(const Wanted& wanted,
                            EVP_PKEY* key,
                            X509* issuer,
                            EVP_PKEY* issuer_key) {
    X509Ptr made(X509_new());
    X509* x = made.get();
    bool fine = x != nullptr && X509_set_version(x, X509_VERSION_3) == 1 &&
                ASN1_INTEGER_set_uint64(X509_get_serialNumber(x), wanted.serial) == 1 &&
                X509_gmtime_adj(X509_getm_notBefore(x), wanted.from) != nullptr &&
                X509_gmtime_adj(X509_getm_notAfter(x), wanted.until) != nullptr &&
                X509_set_pubkey(x, key) == 1;
    if (fine) {
        const std::string& text = wanted.name;
        X509_NAME* name = X509_get_subject_name(x);
        fine =
            X509_NAME_add_entry_by_txt(name,
                                       "CN",
                                       MBSTRING_ASC,
                                       reinterpret_cast<const unsigned char*>(text.data()),
                                       static_cast<int>(text.size()),
                                       -1,
                                       0) == 1 &&
            X509_set_issuer_name(x, issuer != nullptr ? X509_get_subject_name(issuer) : name) == 1;
    }
    X509* signer = issuer != nullptr ? issuer : x;
    fine =
        fine &&
        extend(x,
               signer,
               NID_basic_constraints,
               wanted.authority ? "critical,CA:TRUE" : "critical,CA:FALSE") &&
        extend(x,
               signer,
               NID_key_usage,
               wanted.authority ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature") &&
        extend(x, signer, NID_subject_key_identifier, "hash") &&
        extend(x, signer, NID_authority_key_identifier, "keyid:always");
    if (!wanted.dns.empty()) {
        fine = fine && extend(x, signer, NID_subject_alt_name, "DNS:" + wanted.dns) &&
               extend(x, signer, NID_ext_key_usage, "serverAuth,clientAuth");
    }
    if (!wanted.issuer_url.empty()) {
        fine = fine && extend(x, signer, NID_info_access, "caIssuers;URI:" + wanted.issuer_url);
    }
    fine = fine && X509_sign(x, issuer_key != nullptr ? issuer_key : key, EVP_sha256()) > 0;
    if (!fine) {
        return fail(problem("make a certificate"));
    }
    return made;
}

std::string number_of(EVP_PKEY* key, const char* name) {
    BIGNUM* raw = nullptr;
    if (EVP_PKEY_get_bn_param(key, name, &raw) != 1) {
        return {};
    }
    const BnPtr number(raw);
    std::string bytes(static_cast<std::size_t>(BN_num_bytes(raw)), '\0');
    BN_bn2bin(raw, reinterpret_cast<unsigned char*>(bytes.data()));
    return base64url(bytes);
}

}  // namespace

struct Authority::Impl {
    std::string issuer_url;
    Pkey token_key, leaf_key, root_key, intermediate_key;
    X509Ptr root, intermediate;
    std::map<Flaw, X509Ptr> leaves;
    std::string modulus, exponent, key_id;

    Result<X509*> leaf(Flaw flaw) {
        X509Ptr& made = leaves[flaw];
        if (made != nullptr) {
            return made.get();
        }
        Wanted wanted{"metadata.azure.com"};
        wanted.serial = 100 + static_cast<std::uint64_t>(flaw);
        wanted.issuer_url = issuer_url;
        wanted.dns = flaw == Flaw::kWrongName ? "metadata.azure.com.example.org"
                                              : "emulated.metadata.azure.com";
        if (flaw == Flaw::kExpired) {
            wanted.from = -2 * kDay;
            wanted.until = -kDay;
        }
        if (flaw == Flaw::kUntrusted) {  // a key of the same name that nobody knows
            const Pkey stranger(EVP_EC_gen("P-256"));
            if (stranger == nullptr) {
                return fail(problem("make a key"));
            }
            made =
                TARN_TRY(certificate(wanted, leaf_key.get(), intermediate.get(), stranger.get()));
        } else {
            made = TARN_TRY(
                certificate(wanted, leaf_key.get(), intermediate.get(), intermediate_key.get()));
        }
        return made.get();
    }
};

Authority::Authority(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Authority::Authority(Authority&&) noexcept = default;
Authority::~Authority() = default;

Result<Authority> Authority::make(const std::string& issuer_url) {
    auto impl = std::make_unique<Impl>();
    impl->issuer_url = issuer_url;
    impl->token_key.reset(EVP_RSA_gen(2048));
    impl->leaf_key.reset(EVP_RSA_gen(2048));
    impl->root_key.reset(EVP_EC_gen("P-256"));
    impl->intermediate_key.reset(EVP_EC_gen("P-256"));
    for (const Pkey* key :
         {&impl->token_key, &impl->leaf_key, &impl->root_key, &impl->intermediate_key}) {
        if (*key == nullptr) {
            return fail(problem("make a key"));
        }
    }
    Wanted root{"Emulated Platform Root", true};
    impl->root = TARN_TRY(certificate(root, impl->root_key.get(), nullptr, nullptr));
    Wanted intermediate{"Emulated Platform CA 1", true};
    intermediate.serial = 2;
    impl->intermediate = TARN_TRY(certificate(
        intermediate, impl->intermediate_key.get(), impl->root.get(), impl->root_key.get()));
    impl->modulus = number_of(impl->token_key.get(), OSSL_PKEY_PARAM_RSA_N);
    impl->exponent = number_of(impl->token_key.get(), OSSL_PKEY_PARAM_RSA_E);
    impl->key_id = sha256_hex(impl->modulus).substr(0, 27);
    return Authority(std::move(impl));
}

Result<std::string> Authority::token(const std::string& claims) const {
    const std::string header =
        fmt::format(R"({{"typ":"JWT","alg":"RS256","kid":"{}"}})", impl_->key_id);
    const std::string text = base64url(header) + "." + base64url(claims);
    const std::unique_ptr<EVP_MD_CTX, Free<EVP_MD_CTX_free>> context(EVP_MD_CTX_new());
    std::size_t size = 256;
    std::string signature(size, '\0');
    if (context == nullptr ||
        EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, impl_->token_key.get()) !=
            1 ||
        EVP_DigestSign(context.get(),
                       reinterpret_cast<unsigned char*>(signature.data()),
                       &size,
                       reinterpret_cast<const unsigned char*>(text.data()),
                       text.size()) != 1) {
        return fail(problem("sign a token"));
    }
    return text + "." + base64url(signature.substr(0, size));
}

Result<std::string> Authority::attest(const std::string& payload, Flaw flaw) {
    X509* const signer = TARN_TRY(impl_->leaf(flaw));
    const BioPtr in(BIO_new_mem_buf(payload.data(), static_cast<int>(payload.size())));
    const CmsPtr cms(
        CMS_sign(signer, impl_->leaf_key.get(), nullptr, in.get(), CMS_BINARY | CMS_NOSMIMECAP));
    const BioPtr out(BIO_new(BIO_s_mem()));
    if (cms == nullptr || out == nullptr || i2d_CMS_bio(out.get(), cms.get()) != 1) {
        return fail(problem("sign a document"));
    }
    return taken(out.get());
}

std::string Authority::jwks() const {
    return fmt::format(
        R"({{"keys":[{{"kty":"RSA","use":"sig","alg":"RS256","kid":"{}","n":"{}","e":"{}"}}]}})",
        impl_->key_id,
        impl_->modulus,
        impl_->exponent);
}

std::string Authority::root_pem() const {
    const BioPtr out(BIO_new(BIO_s_mem()));
    PEM_write_bio_X509(out.get(), impl_->root.get());
    return taken(out.get());
}

std::string Authority::intermediate_der() const {
    const BioPtr out(BIO_new(BIO_s_mem()));
    i2d_X509_bio(out.get(), impl_->intermediate.get());
    return taken(out.get());
}

}  // namespace tarn::emulator
