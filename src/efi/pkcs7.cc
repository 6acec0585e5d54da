// SPDX-License-Identifier: MIT
#include "efi/detail/pkcs7.hh"

#include "base/hash.hh"
#include "efi/detail/der.hh"
#include "efi/detail/openssl.hh"

#include <openssl/pkcs7.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <algorithm>

namespace tarn::efi {
namespace {

using Pkcs7Ptr = std::unique_ptr<PKCS7, Deleter<PKCS7_free>>;
using StorePtr = std::unique_ptr<X509_STORE, Deleter<X509_STORE_free>>;

constexpr std::string_view kSignedData = "1.2.840.113549.1.7.2";
constexpr std::string_view kData = "1.2.840.113549.1.7.1";
constexpr std::string_view kSha256 = "2.16.840.1.101.3.4.2.1";
constexpr std::string_view kRsa = "1.2.840.113549.1.1.1";
constexpr std::string_view kContentType = "1.2.840.113549.1.9.3";
constexpr std::string_view kMessageDigest = "1.2.840.113549.1.9.4";
constexpr std::string_view kSpcIndirectData = "1.3.6.1.4.1.311.2.1.4";
constexpr std::string_view kSpcPeImageData = "1.3.6.1.4.1.311.2.1.15";

std::string raw(const Sha256Sum& sum) {
    return {sum.begin(), sum.end()};
}

// What an SpcIndirectDataContent consists of; its own tag and length are not part of the digest.
std::string indirect_data(std::string_view sha256) {
    std::string obsolete;  // the text every signing tool puts there, UTF-16BE
    for (const char c : std::string_view("<<<Obsolete>>>")) {
        obsolete += '\0';
        obsolete += c;
    }
    const std::string file =
        der::value(der::context(0),
                   der::value(der::context(2), der::value(der::context_primitive(0), obsolete)));
    const std::string image =
        der::value(der::kSequence, der::value(der::kBitString, std::string_view("\0", 1)) + file);
    return der::value(der::kSequence, der::oid(kSpcPeImageData) + image) +
           der::value(der::kSequence,
                      der::algorithm(kSha256) + der::value(der::kOctetString, sha256));
}

std::string attribute(std::string_view type, const std::string& value) {
    return der::value(der::kSequence, der::oid(type) + der::value(der::kSet, value));
}

std::string signed_attributes(std::string_view content) {
    std::vector<std::string> all = {
        attribute(kContentType, der::oid(kSpcIndirectData)),
        attribute(kMessageDigest, der::value(der::kOctetString, raw(sha256(content))))};
    std::ranges::sort(all);  // a SET OF in DER
    return all[0] + all[1];
}

std::string issuer_and_serial(X509* certificate) {
    return der::value(der::kSequence,
                      to_der(X509_get_issuer_name(certificate), i2d_X509_NAME) +
                          to_der(X509_get0_serialNumber(certificate), i2d_ASN1_INTEGER));
}

struct SignedParts {
    std::string content_info;  // a whole ContentInfo
    std::string attributes;    // without tag; empty: none
    std::string signature;
};

Result<std::string> signed_data(const SignedParts& parts, const Certificate& certificate) {
    const X509Ptr parsed = parse_x509(certificate.der);
    if (!parsed) {
        return fail(ErrorKind::kCorrupt, "this is no X.509 certificate");
    }
    const std::string one = der::value(der::kInteger, std::string_view("\1", 1));
    std::string signer = one + issuer_and_serial(parsed.get()) + der::algorithm(kSha256);
    if (!parts.attributes.empty()) {
        signer += der::value(der::context(0), parts.attributes);
    }
    signer += der::algorithm(kRsa) + der::value(der::kOctetString, parts.signature);
    return der::value(der::kSequence,
                      one + der::value(der::kSet, der::algorithm(kSha256)) + parts.content_info +
                          der::value(der::context(0), certificate.der) +
                          der::value(der::kSet, der::value(der::kSequence, signer)));
}

// Another key than the certificate's would make an image that does not boot.
Result<std::string> checked_signature(std::string_view bytes,
                                      const Key& key,
                                      const Certificate& certificate) {
    std::string out = TARN_TRY(key.sign(bytes));
    if (!signature_holds(certificate, bytes, out)) {
        return fail(error(ErrorKind::kFailed,
                          "what was signed is not signed by the key of the certificate `{}`",
                          certificate.subject)
                        .advise("key and certificate of [secure-boot] must belong together"));
    }
    return out;
}

Failure refused(std::string_view why) {
    return fail(ErrorKind::kCorrupt, "the signature does not hold: {}", why);
}

Result<StorePtr> trust_store(const std::vector<Certificate>& trusted) {
    StorePtr store(X509_STORE_new());
    TARN_CHECK(store != nullptr);
    for (const Certificate& certificate : trusted) {
        const X509Ptr parsed = parse_x509(certificate.der);
        if (!parsed || X509_STORE_add_cert(store.get(), parsed.get()) != 1) {
            return fail(ErrorKind::kFailed, "cannot trust `{}`", certificate.subject);
        }
    }
    // As firmware does: what is enrolled is an anchor, whoever issued it; the clock is not trusted.
    X509_STORE_set_flags(store.get(), X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_NO_CHECK_TIME);
    X509_STORE_set_purpose(store.get(), X509_PURPOSE_ANY);
    return store;
}

Result<void> verify_over(PKCS7* pkcs7,
                         std::string_view bytes,
                         const std::vector<Certificate>& trusted) {
    const StorePtr store = TARN_TRY(trust_store(trusted));
    const BioPtr content = memory_bio(bytes);
    const bool holds =
        content != nullptr &&
        PKCS7_verify(pkcs7, nullptr, store.get(), content.get(), nullptr, PKCS7_BINARY) == 1;
    const std::string reason = holds ? "" : openssl_reason();
    ERR_clear_error();
    return holds ? Result<void>{} : Result<void>(refused(reason));
}

Result<Pkcs7Ptr> parse_pkcs7(std::string_view bytes) {
    const unsigned char* at = octets(bytes);
    Pkcs7Ptr out(bytes.size() > (1u << 20)
                     ? nullptr
                     : d2i_PKCS7(nullptr, &at, static_cast<long>(bytes.size())));
    ERR_clear_error();
    if (!out || !PKCS7_type_is_signed(out.get()) || out->d.sign == nullptr ||
        out->d.sign->contents == nullptr || out->d.sign->contents->type == nullptr) {
        return refused("it is no PKCS#7 SignedData");
    }
    return out;
}

// The digest in SpcIndirectDataContent, when it is a SHA-256.
Result<std::string> digest_of(std::string_view content) {
    der::Reader outer(content);
    const auto data = outer.next(der::kSequence);
    const auto info = outer.next(der::kSequence);
    if (!data || !info || !outer.done()) {
        return refused("its content is not understood");
    }
    der::Reader type(data->content);
    const auto image = type.next(der::kOid);
    der::Reader parts(info->content);
    const auto algorithm = parts.next(der::kSequence);
    const auto digest = parts.next(der::kOctetString);
    if (!image || image->whole != der::oid(kSpcPeImageData) || !algorithm || !digest ||
        !parts.done()) {
        return refused("its content is not understood");
    }
    der::Reader name(algorithm->content);
    const auto oid = name.next(der::kOid);
    if (!oid || oid->whole != der::oid(kSha256) || digest->content.size() != 32) {
        return refused("it is not over a SHA-256");
    }
    return std::string(digest->content);
}

}  // namespace

Result<std::string> sign_image_hash(std::string_view sha256,
                                    const Key& key,
                                    const Certificate& certificate) {
    const std::string content = indirect_data(sha256);
    SignedParts parts;
    parts.content_info =
        der::value(der::kSequence,
                   der::oid(kSpcIndirectData) +
                       der::value(der::context(0), der::value(der::kSequence, content)));
    parts.attributes = signed_attributes(content);
    parts.signature =
        TARN_TRY(checked_signature(der::value(der::kSet, parts.attributes), key, certificate));
    const std::string data = TARN_TRY(signed_data(parts, certificate));
    return der::value(der::kSequence, der::oid(kSignedData) + der::value(der::context(0), data));
}

Result<std::string> sign_detached(std::string_view bytes,
                                  const Key& key,
                                  const Certificate& certificate) {
    SignedParts parts;
    parts.content_info = der::value(der::kSequence, der::oid(kData));
    parts.signature = TARN_TRY(checked_signature(bytes, key, certificate));
    return signed_data(parts, certificate);
}

Result<std::string> verified_image_hash(std::string_view pkcs7,
                                        const std::vector<Certificate>& trusted) {
    const Pkcs7Ptr parsed = TARN_TRY(parse_pkcs7(pkcs7));
    const PKCS7* contents = parsed->d.sign->contents;
    const std::string type = to_der(contents->type, i2d_ASN1_OBJECT);
    if (type != der::oid(kSpcIndirectData) || contents->d.other == nullptr ||
        contents->d.other->type != V_ASN1_SEQUENCE) {
        return refused("it is not over a program");
    }
    const ASN1_STRING* sequence = contents->d.other->value.sequence;
    der::Reader reader({reinterpret_cast<const char*>(ASN1_STRING_get0_data(sequence)),
                        static_cast<std::size_t>(std::max(ASN1_STRING_length(sequence), 0))});
    const auto content = reader.next(der::kSequence);
    if (!content || !reader.done()) {
        return refused("its content is not understood");
    }
    TARN_TRY(verify_over(parsed.get(), content->content, trusted));
    return digest_of(content->content);
}

Result<void> verify_detached(std::string_view signed_data,
                             std::string_view bytes,
                             const std::vector<Certificate>& trusted) {
    const std::string whole = der::value(
        der::kSequence, der::oid(kSignedData) + der::value(der::context(0), signed_data));
    const Pkcs7Ptr parsed = TARN_TRY(parse_pkcs7(whole));
    return verify_over(parsed.get(), bytes, trusted);
}

}  // namespace tarn::efi
