// SPDX-License-Identifier: MIT
#include "metadata/attest.hh"

#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <memory>

#include "base/base64.hh"
#include "base/fs.hh"
#include "base/strings.hh"
#include "metadata/document.hh"
#include "varlink/json.hh"

namespace tarn::guest {

namespace {

template <auto Free>
struct Deleter {
    template <class T>
    void operator()(T* object) const {
        Free(object);
    }
};
using Cms = std::unique_ptr<CMS_ContentInfo, Deleter<CMS_ContentInfo_free>>;
using Cert = std::unique_ptr<X509, Deleter<X509_free>>;
using Store = std::unique_ptr<X509_STORE, Deleter<X509_STORE_free>>;
using StoreContext = std::unique_ptr<X509_STORE_CTX, Deleter<X509_STORE_CTX_free>>;
using Memory = std::unique_ptr<BIO, Deleter<BIO_free>>;

struct FreeCerts {
    void operator()(STACK_OF(X509) * certs) const { sk_X509_pop_free(certs, X509_free); }
};
using Certs = std::unique_ptr<STACK_OF(X509), FreeCerts>;
struct FreeSigners {  // get0: the stack is ours, the certificates are not
    void operator()(STACK_OF(X509) * certs) const { sk_X509_free(certs); }
};

constexpr std::size_t kMaxSignature = 256u << 10;
constexpr int kMaxFetched = 4;
constexpr std::int64_t kClockSlack = 300;

Failure crypto_error(std::string_view what) {
    std::array<char, 256> text{};
    const unsigned long code = ERR_get_error();
    ERR_error_string_n(code, text.data(), text.size());
    ERR_clear_error();
    return fail(
        ErrorKind::kCorrupt, "{}{}{}", what, code != 0 ? ": " : "", code != 0 ? text.data() : "");
}

std::string subject_of(const X509* cert) {
    std::array<char, 512> text{};
    X509_NAME_oneline(X509_get_subject_name(cert), text.data(), static_cast<int>(text.size()));
    return text.data();
}

bool has_platform_name(X509* cert) {
    auto* names =
        static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(cert, NID_subject_alt_name, nullptr, nullptr));
    bool found = false;
    for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
        const GENERAL_NAME* name = sk_GENERAL_NAME_value(names, i);
        if (name->type == GEN_DNS) {
            const auto* text =
                reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName));
            const auto size = static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName));
            found = found || is_platform_name({text, size});
        }
    }
    GENERAL_NAMES_free(names);
    return found;
}

// The first CA Issuers URL of the authority information access extension.
std::string issuer_url(X509* cert) {
    auto* access = static_cast<AUTHORITY_INFO_ACCESS*>(
        X509_get_ext_d2i(cert, NID_info_access, nullptr, nullptr));
    std::string url;
    for (int i = 0; url.empty() && i < sk_ACCESS_DESCRIPTION_num(access); ++i) {
        const ACCESS_DESCRIPTION* one = sk_ACCESS_DESCRIPTION_value(access, i);
        if (OBJ_obj2nid(one->method) == NID_ad_ca_issuers && one->location->type == GEN_URI) {
            const ASN1_STRING* text = one->location->d.uniformResourceIdentifier;
            url.assign(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                       static_cast<std::size_t>(ASN1_STRING_length(text)));
        }
    }
    AUTHORITY_INFO_ACCESS_free(access);
    return url;
}

Result<Store> trust(const AttestPolicy& policy) {
    Store store(X509_STORE_new());
    static constexpr std::array<const char*, 3> kBundles{"/etc/pki/tls/certs/ca-bundle.crt",
                                                         "/etc/ssl/certs/ca-certificates.crt",
                                                         "/etc/ssl/cert.pem"};
    std::string file = policy.ca_file;
    for (const char* bundle : kBundles) {
        if (file.empty() && path_exists(bundle)) {
            file = bundle;
        }
    }
    if (file.empty() || X509_STORE_load_file(store.get(), file.c_str()) != 1) {
        ERR_clear_error();
        return fail(error(ErrorKind::kFailed, "no certificate authorities in `{}`", file)
                        .advise("name a PEM file with --ca-file, or install ca-certificates"));
    }
    return store;
}

// A certificate in DER, or PKCS#7 certs-only as some authorities serve.
Cert parse_cert(const std::string& bytes) {
    const auto* at = reinterpret_cast<const unsigned char*>(bytes.data());
    Cert cert(d2i_X509(nullptr, &at, static_cast<long>(bytes.size())));
    if (!cert) {
        const Memory memory(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
        cert.reset(PEM_read_bio_X509(memory.get(), nullptr, nullptr, nullptr));
    }
    ERR_clear_error();
    return cert;
}

struct Chain {
    int problem = X509_V_OK;
    Cert top;  // the last that was found
    std::vector<std::string> subjects;
};

Chain build_chain(X509_STORE* store, X509* leaf, STACK_OF(X509) * others, std::int64_t now) {
    Chain chain;
    const StoreContext context(X509_STORE_CTX_new());
    X509_STORE_CTX_init(context.get(), store, leaf, others);
    X509_VERIFY_PARAM* parameters = X509_STORE_CTX_get0_param(context.get());
    X509_VERIFY_PARAM_set_time(parameters, now);
    // The platform signs with certificates of TLS servers.
    X509_VERIFY_PARAM_set_purpose(parameters, X509_PURPOSE_ANY);
    X509_VERIFY_PARAM_set_depth(parameters, 8);
    if (X509_verify_cert(context.get()) != 1) {
        chain.problem = X509_STORE_CTX_get_error(context.get());
        chain.problem = chain.problem == X509_V_OK ? X509_V_ERR_UNSPECIFIED : chain.problem;
    }
    const STACK_OF(X509)* found = X509_STORE_CTX_get0_chain(context.get());
    for (int i = 0; i < sk_X509_num(found); ++i) {
        X509* cert = sk_X509_value(found, i);
        chain.subjects.push_back(subject_of(cert));
        X509_up_ref(cert);
        chain.top.reset(cert);
    }
    ERR_clear_error();
    return chain;
}

Result<std::vector<std::string>> verify_chain(X509* leaf,
                                              STACK_OF(X509) * others,
                                              const AttestPolicy& policy) {
    const Store store = TARN_TRY(trust(policy));
    for (int fetched = 0;; ++fetched) {
        Chain chain = build_chain(store.get(), leaf, others, policy.now);
        if (chain.problem == X509_V_OK) {
            return std::move(chain.subjects);
        }
        const bool incomplete = chain.problem == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY ||
                                chain.problem == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE;
        const std::string url =
            incomplete && chain.top ? issuer_url(chain.top.get()) : std::string();
        if (url.empty() || fetched == kMaxFetched || !policy.fetch) {
            Error failed = error(ErrorKind::kCorrupt,
                                 "the signer's certificate is not trusted: {}",
                                 X509_verify_cert_error_string(chain.problem));
            if (chain.problem == X509_V_ERR_CERT_NOT_YET_VALID ||
                chain.problem == X509_V_ERR_CERT_HAS_EXPIRED) {
                failed.help.push_back("is the machine's clock right?");
            }
            return fail(std::move(failed));
        }
        const std::string bytes = TARN_TRY(policy.fetch(url));
        Cert cert = parse_cert(bytes);
        if (!cert) {
            return fail(ErrorKind::kCorrupt, "{}: no certificate", url);
        }
        if (sk_X509_push(others, cert.get()) > 0) {
            (void)cert.release();
        }
    }
}

Result<Cms> parse_cms(std::string_view signature) {
    const auto der = signature.size() <= kMaxSignature ? from_base64(signature) : std::nullopt;
    if (!der) {
        return fail(ErrorKind::kCorrupt, "the attested document's signature is no base64");
    }
    const auto* at = reinterpret_cast<const unsigned char*>(der->data());
    Cms cms(d2i_CMS_ContentInfo(nullptr, &at, static_cast<long>(der->size())));
    if (!cms) {
        return crypto_error("the attested document is no CMS message");
    }
    if (OBJ_obj2nid(CMS_get0_type(cms.get())) != NID_pkcs7_signed) {
        return fail(ErrorKind::kCorrupt, "the attested document is not signed");
    }
    return cms;
}

Result<void> check_data(const AttestedData& data, const AttestPolicy& policy) {
    if (policy.nonce && data.nonce != *policy.nonce) {
        return fail(ErrorKind::kCorrupt,
                    "the attested document answers nonce `{}`, asked was `{}`",
                    data.nonce,
                    *policy.nonce);
    }
    if (!policy.vm_id.empty() && !same_vm_id(data.vm_id, policy.vm_id)) {
        return fail(ErrorKind::kCorrupt,
                    "the attested document is about machine {}, this is {}",
                    data.vm_id,
                    to_lower(policy.vm_id));
    }
    if (data.created_on > policy.now + kClockSlack || data.expires_on < policy.now) {
        return fail(error(ErrorKind::kCorrupt, "the attested document is not of this time")
                        .advise("is the machine's clock right?"));
    }
    return {};
}

}  // namespace

bool is_platform_name(std::string_view dns_name) {
    static constexpr std::array<std::string_view, 4> kNames{"metadata.azure.com",
                                                            "metadata.azure.us",
                                                            "metadata.azure.cn",
                                                            "metadata.microsoftazure.de"};
    const std::string name = to_lower(dns_name);
    return std::ranges::any_of(kNames, [&](std::string_view known) {
        return name == known || (name.size() > known.size() && name.ends_with(known) &&
                                 name[name.size() - known.size() - 1] == '.');
    });
}

std::optional<std::int64_t> parse_attested_time(std::string_view text) {
    tm time{};
    const std::string copy(text.substr(0, 64));
    const char* end = strptime(copy.c_str(), "%m/%d/%y %H:%M:%S %z", &time);
    if (end == nullptr || *end != '\0') {
        return std::nullopt;
    }
    const std::int64_t offset = time.tm_gmtoff;
    return timegm(&time) - offset;
}

Result<AttestedData> parse_attested(std::string_view text) {
    const auto json = parse_json(text);
    if (!json || !json->is_object()) {
        return fail(ErrorKind::kCorrupt, "the attested document holds no JSON object");
    }
    AttestedData data;
    data.nonce = text_member(*json, "nonce");
    data.vm_id = text_member(*json, "vmId");
    data.subscription_id = text_member(*json, "subscriptionId");
    data.sku = text_member(*json, "sku");
    data.license_type = text_member(*json, "licenseType");
    const auto stamps = json->find("timeStamp");
    const nlohmann::json none;
    const nlohmann::json& times = stamps == json->end() ? none : *stamps;
    const auto created = parse_attested_time(text_member(times, "createdOn"));
    const auto expires = parse_attested_time(text_member(times, "expiresOn"));
    if (data.vm_id.empty() || !created || !expires) {
        return fail(ErrorKind::kCorrupt,
                    "the attested document has no {}",
                    data.vm_id.empty() ? "vmId"
                                       : (created ? "timeStamp.expiresOn" : "timeStamp.createdOn"));
    }
    data.created_on = *created;
    data.expires_on = *expires;
    return data;
}

Result<Attested> verify_attested(std::string_view signature, const AttestPolicy& policy) {
    const Cms cms = TARN_TRY(parse_cms(signature));
    // First what was signed and by whom; then whether that one may.
    const Memory payload(BIO_new(BIO_s_mem()));
    if (CMS_verify(cms.get(),
                   nullptr,
                   nullptr,
                   nullptr,
                   payload.get(),
                   CMS_NO_SIGNER_CERT_VERIFY | CMS_BINARY) != 1) {
        return crypto_error("the attested document's signature is wrong");
    }
    const std::unique_ptr<STACK_OF(X509), FreeSigners> signers(CMS_get0_signers(cms.get()));
    if (!signers || sk_X509_num(signers.get()) != 1) {
        return fail(ErrorKind::kCorrupt, "the attested document has not one signer");
    }
    X509* leaf = sk_X509_value(signers.get(), 0);
    if (!has_platform_name(leaf)) {
        return fail(ErrorKind::kCorrupt,
                    "the attested document is signed by {}: no name of the platform",
                    subject_of(leaf));
    }
    Certs others(CMS_get1_certs(cms.get()));
    if (!others) {
        others.reset(sk_X509_new_null());
    }
    Attested attested;
    attested.chain = TARN_TRY(verify_chain(leaf, others.get(), policy));
    attested.signer = subject_of(leaf);
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(payload.get(), &bytes);
    attested.payload.assign(bytes, size > 0 ? static_cast<std::size_t>(size) : 0);
    attested.data = TARN_TRY(parse_attested(attested.payload));
    TARN_TRY(check_data(attested.data, policy));
    return attested;
}

}  // namespace tarn::guest
