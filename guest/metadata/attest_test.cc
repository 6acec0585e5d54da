// SPDX-License-Identifier: MIT
// Attested documents, signed by authorities that the test makes.
#include "metadata/attest.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/cms.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/base64.hh"
#include "base/fs.hh"

namespace tarn::guest {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::int64_t kNow = 1'790'000'000;  // 2026-09-21
constexpr const char* kVm = "0f0e0d0c-1111-2222-3333-444455556666";
constexpr const char* kIssuerUrl = "http://issuer.test/one.cer";

struct Party {
    std::shared_ptr<X509> cert;
    std::shared_ptr<EVP_PKEY> key;
};

void extend(X509* cert, X509* issuer, int nid, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, cert, nullptr, nullptr, 0);
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
    TARN_CHECK(extension != nullptr);
    X509_add_ext(cert, extension, -1);
    X509_EXTENSION_free(extension);
}

struct Wish {
    std::string name;
    bool authority = false;
    std::string san, issuer_url;
    std::int64_t from = kNow - 86400, to = kNow + 86400;
};

Party make(const Wish& wish, const Party* issuer) {
    static long serial = 1;
    Party out{{X509_new(), X509_free}, {EVP_EC_gen("P-256"), EVP_PKEY_free}};
    X509* cert = out.cert.get();
    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), serial++);
    ASN1_TIME_set(X509_getm_notBefore(cert), wish.from);
    ASN1_TIME_set(X509_getm_notAfter(cert), wish.to);
    X509_set_pubkey(cert, out.key.get());
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert),
                               "CN",
                               MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(wish.name.c_str()),
                               -1,
                               -1,
                               0);
    X509* by = issuer != nullptr ? issuer->cert.get() : cert;
    X509_set_issuer_name(cert, X509_get_subject_name(by));
    extend(cert, by, NID_basic_constraints, wish.authority ? "critical,CA:TRUE" : "CA:FALSE");
    if (!wish.authority) {
        extend(cert, by, NID_ext_key_usage, "serverAuth");
    }
    if (!wish.san.empty()) {
        extend(cert, by, NID_subject_alt_name, wish.san);
    }
    if (!wish.issuer_url.empty()) {
        extend(cert, by, NID_info_access, "caIssuers;URI:" + wish.issuer_url);
    }
    X509_sign(cert, issuer != nullptr ? issuer->key.get() : out.key.get(), EVP_sha256());
    return out;
}

std::string der_of(const Party& party) {
    unsigned char* bytes = nullptr;
    const int size = i2d_X509(party.cert.get(), &bytes);
    std::string out(reinterpret_cast<char*>(bytes), static_cast<std::size_t>(size));
    OPENSSL_free(bytes);
    return out;
}

std::string pem_of(const Party& party) {
    BIO* memory = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(memory, party.cert.get());
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(memory, &bytes);
    std::string out(bytes, static_cast<std::size_t>(size));
    BIO_free(memory);
    return out;
}

std::string sign(const Party& party, const std::string& text) {
    BIO* memory = BIO_new_mem_buf(text.data(), static_cast<int>(text.size()));
    CMS_ContentInfo* cms = CMS_sign(party.cert.get(), party.key.get(), nullptr, memory, CMS_BINARY);
    TARN_CHECK(cms != nullptr);
    unsigned char* bytes = nullptr;
    const int size = i2d_CMS_ContentInfo(cms, &bytes);
    std::string out(reinterpret_cast<char*>(bytes), static_cast<std::size_t>(size));
    OPENSSL_free(bytes);
    CMS_ContentInfo_free(cms);
    BIO_free(memory);
    return base64(out);
}

std::string payload(const std::string& nonce = "1234567890", const std::string& vm = kVm) {
    return fmt::format(R"({{"nonce":"{}","vmId":"{}","subscriptionId":"s","sku":"x","plan":{{}},)"
                       R"("timeStamp":{{"createdOn":"09/21/26 13:00:00 -0000",)"
                       R"("expiresOn":"09/21/26 19:00:00 -0000"}}}})",
                       nonce,
                       vm);
}

class AttestTest : public testing::Test {
  protected:
    AttestTest() {
        policy_.ca_file = directory_.path() + "/ca.pem";
        EXPECT_TRUE(write_file_atomic(policy_.ca_file, pem_of(root_)));
        policy_.now = kNow;
        policy_.nonce = "1234567890";
        policy_.vm_id =
            "0C0D0E0F-1111-2222-3333-444455556666";  // as firmware of generation 1 has it
        policy_.fetch = [this](const std::string& url) -> Result<std::string> {
            fetched_.push_back(url);
            if (served_.empty()) {
                return fail(ErrorKind::kNetwork, "{}: http 404", url);
            }
            return served_;
        };
    }
    std::string said(const std::string& signature) const {
        const auto done = verify_attested(signature, policy_);
        return done ? "verified" : done.error().message;
    }
    Party leaf(const std::string& san = "DNS:westeurope.metadata.azure.com") const {
        return make({"leaf", false, san, kIssuerUrl}, &middle_);
    }

    TempDir directory_ = *TempDir::make();
    Party root_ = make({"root", true, {}, {}}, nullptr);
    Party middle_ = make({"middle", true, {}, {}}, &root_);
    AttestPolicy policy_;
    std::string served_ = der_of(middle_);
    std::vector<std::string> fetched_;
};

TEST_F(AttestTest, VerifiesWithTheIntermediateThatTheCertificateNames) {
    const auto done = verify_attested(sign(leaf(), payload()), policy_);
    ASSERT_TRUE(done) << done.error().message;
    EXPECT_THAT(fetched_, ElementsAre(kIssuerUrl));
    EXPECT_THAT(done->chain, ElementsAre("/CN=leaf", "/CN=middle", "/CN=root"));
    EXPECT_EQ(done->data.vm_id, kVm);
    EXPECT_EQ(done->data.expires_on - done->data.created_on, 6 * 3600);
}

TEST_F(AttestTest, PemOfTheIntermediateWillDo) {
    served_ = pem_of(middle_);
    EXPECT_EQ(said(sign(leaf(), payload())), "verified");
}

TEST_F(AttestTest, AChangedByteIsNoticed) {
    std::string der = *from_base64(sign(leaf(), payload()));
    const std::size_t at = der.find("1234567890");
    ASSERT_NE(at, std::string::npos);
    der[at] = '9';
    policy_.nonce = "9234567890";
    EXPECT_THAT(said(base64(der)), HasSubstr("signature is wrong"));
}

TEST_F(AttestTest, StrangersAreNotThePlatform) {
    const Party other_root = make({"root", true, {}, {}}, nullptr);  // the same name
    const Party other = make({"leaf", false, "DNS:metadata.azure.com", {}}, &other_root);
    EXPECT_THAT(said(sign(other, payload())), HasSubstr("not trusted"));
    for (const char* san : {"DNS:metadata.azure.com.evil.org",
                            "DNS:evilmetadata.azure.com",
                            "DNS:www.example.org",
                            "email:x@metadata.azure.com",
                            ""}) {
        EXPECT_THAT(said(sign(leaf(san), payload())), HasSubstr("no name of the platform")) << san;
    }
    for (const char* san : {"DNS:metadata.azure.us",
                            "DNS:a.b.metadata.azure.cn",
                            "DNS:x.org,DNS:*.metadata.microsoftazure.de"}) {
        EXPECT_EQ(said(sign(leaf(san), payload())), "verified") << san;
    }
}

TEST_F(AttestTest, ALeafIsNoAuthority) {
    const Party forger = leaf();
    const Party forged = make({"forged", false, "DNS:metadata.azure.com", kIssuerUrl}, &forger);
    served_ = der_of(forger);
    EXPECT_THAT(said(sign(forged, payload())), HasSubstr("not trusted"));
}

TEST_F(AttestTest, IntermediateThatCannotBeHadOrIsNone) {
    served_.clear();
    EXPECT_THAT(said(sign(leaf(), payload())), HasSubstr("http 404"));
    served_ = "<html>";
    EXPECT_THAT(said(sign(leaf(), payload())), HasSubstr("no certificate"));
    served_ = der_of(make({"unrelated", true, {}, {}}, &root_));
    fetched_.clear();
    EXPECT_THAT(said(sign(leaf(), payload())), HasSubstr("not trusted"));
    EXPECT_LE(fetched_.size(), 4U);  // and does not go on for ever
}

TEST_F(AttestTest, OfAnotherMachineQuestionOrTime) {
    EXPECT_THAT(said(sign(leaf(), payload("1"))), HasSubstr("answers nonce `1`"));
    EXPECT_THAT(said(sign(leaf(), payload("1234567890", "ffffffff-1111-2222-3333-444455556666"))),
                HasSubstr("about machine ffff"));
    const std::string signature = sign(leaf(), payload());
    policy_.now = kNow + 43'200;  // certificates are still good
    EXPECT_THAT(said(signature), HasSubstr("not of this time"));
    policy_.now = kNow - 43'200;
    EXPECT_THAT(said(signature), HasSubstr("not of this time"));
    for (const std::int64_t clock : {std::int64_t{0}, std::int64_t{4'102'444'800}}) {  // 1970, 2100
        policy_.now = clock;
        const auto done = verify_attested(signature, policy_);
        ASSERT_FALSE(done);
        EXPECT_THAT(done.error().help, ElementsAre(HasSubstr("clock")));
    }
}

TEST_F(AttestTest, WithoutAuthoritiesNothingIsTrusted) {
    policy_.ca_file = directory_.path() + "/none.pem";
    EXPECT_THAT(said(sign(leaf(), payload())), HasSubstr("no certificate authorities"));
}

TEST_F(AttestTest, GarbageIsNoDocument) {
    for (const std::string& text : {std::string(),
                                    std::string("%%%"),
                                    base64("garbage"),
                                    base64(der_of(root_)),
                                    std::string(500'000, 'A')}) {
        EXPECT_THAT(said(text), HasSubstr("attested document")) << text.substr(0, 20);
    }
    for (const char* text : {"",
                             "garbage",
                             "[]",
                             "{}",
                             R"({"vmId":"x"})",
                             R"({"vmId":"x","timeStamp":{"createdOn":"today"}})",
                             R"({"vmId":"x","timeStamp":"now"})"}) {
        EXPECT_NE(said(sign(leaf(), text)), "verified") << text;
    }
}

TEST(AttestedTime, HasAZone) {
    EXPECT_EQ(parse_attested_time("11/28/18 00:16:17 -0000"), 1'543'364'177);
    EXPECT_EQ(parse_attested_time("11/28/18 01:16:17 +0100"), 1'543'364'177);
    EXPECT_FALSE(parse_attested_time("2018-11-28T00:16:17Z"));
    EXPECT_FALSE(parse_attested_time(""));
}

}  // namespace
}  // namespace tarn::guest
