// SPDX-License-Identifier: MIT
#include "base/base64.hh"
#include "emulator/detail/testing.hh"

#include <openssl/bn.h>
#include <openssl/cms.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <set>

namespace tarn::emulator {
namespace {

constexpr const char* kQuiet = "rate-limits = false\n";

TEST(Metadata, OneCallSaysEverything) {
    const TestServer server(std::string(kQuiet) + R"(
[instances.web-3]
admin-user = "ops"
computer-name = "web000003"
ssh-keys = ["ssh-ed25519 AAAA ops"]
custom-data = "secret"
user-data = "#cloud-config\n"
tags = { ring = "canary" }
nics = [{ mac = "000D3A112233", address = "10.1.0.7", secondary = ["10.1.0.8"], ipv6 = ["fd00::7"] }]
)");
    const Reply reply = server.get(kInstanceTarget);
    ASSERT_EQ(reply.status, 200);
    const auto json = reply.json();
    const auto& compute = json["compute"];
    EXPECT_EQ(compute["name"], "web-3");
    EXPECT_EQ(compute["osProfile"]["adminUsername"], "ops");
    EXPECT_EQ(compute["osProfile"]["computerName"], "web000003");
    EXPECT_EQ(compute["osProfile"]["disablePasswordAuthentication"], "true");
    EXPECT_EQ(compute["publicKeys"][0]["keyData"], "ssh-ed25519 AAAA ops");
    EXPECT_EQ(compute["customData"], "");
    EXPECT_EQ(compute["userData"], base64("#cloud-config\n"));
    EXPECT_EQ(compute["tagsList"][0]["value"], "canary");
    EXPECT_EQ(json["extended"]["compute"]["hasCustomData"], "true");
    EXPECT_EQ(json["extended"]["compute"]["ppsType"], "None");
    const auto& nic = json["network"]["interface"][0];
    EXPECT_EQ(nic["macAddress"], "000D3A112233");
    EXPECT_EQ(nic["ipv4"]["ipAddress"][1]["privateIpAddress"], "10.1.0.8");
    EXPECT_EQ(nic["ipv4"]["subnet"][0]["address"], "10.1.0.0");
    EXPECT_EQ(nic["ipv6"]["ipAddress"][0]["privateIpAddress"], "fd00::7");
    EXPECT_FALSE(contains(reply.body, "secret"));
}

TEST(Metadata, EveryPrimitiveIsAString) {
    const TestServer server(kQuiet);
    std::function<void(const nlohmann::json&)> check = [&](const nlohmann::json& node) {
        EXPECT_TRUE(node.is_structured() || node.is_string()) << node;
        if (node.is_structured()) {
            for (const auto& each : node) {
                check(each);
            }
        }
    };
    for (const char* version : {"2025-04-07", "2021-08-01", "2019-06-01", "2017-03-01"}) {
        const Reply reply =
            server.get(std::string("/metadata/instance?extended=true&api-version=") + version);
        ASSERT_EQ(reply.status, 200) << version;
        check(reply.json());
    }
}

TEST(Metadata, OldVersionsKnowLess) {
    const TestServer server(kQuiet);
    const auto compute = [&](const std::string& version) {
        return server.get("/metadata/instance/compute?api-version=" + version).json();
    };
    EXPECT_FALSE(compute("2017-08-01").contains("publicKeys"));
    EXPECT_TRUE(compute("2018-04-02").contains("publicKeys"));
    EXPECT_FALSE(compute("2020-06-01").contains("osProfile"));
    EXPECT_FALSE(compute("2020-09-01")["osProfile"].contains("disablePasswordAuthentication"));
    EXPECT_FALSE(compute("2020-12-01").contains("userData"));
    EXPECT_TRUE(compute("2021-01-01").contains("userData"));
}

TEST(Metadata, LeavesAreText) {
    const TestServer server(std::string(kQuiet) + "[instances.web-3]\n");
    const auto text = [&](const std::string& path) {
        return server.get("/metadata/instance/" + path + "?api-version=2021-02-01&format=text");
    };
    EXPECT_EQ(text("compute/name").body, "web-3");
    EXPECT_EQ(text("network/interface/0/macAddress").body, "000D3A000000");
    EXPECT_EQ(text("network/interface").body, "0/\n");
    EXPECT_EQ(text("").body, "compute/\nnetwork/\n");
    EXPECT_EQ(text("compute/none").status, 404);
    EXPECT_EQ(text("network/interface/1").status, 404);
    EXPECT_EQ(text("compute/name/more").status, 404);
    EXPECT_EQ(server.get("/metadata/instance/compute/name?api-version=2021-02-01").status, 400);
    EXPECT_EQ(server.get("/metadata/instance?api-version=2021-02-01&format=yaml").status, 400);
}

TEST(Metadata, RulesForCallersAreKept) {
    const TestServer server(kQuiet);
    const std::string target = kInstanceTarget;
    const Reply bare = server.get(target, {}, "");
    EXPECT_EQ(bare.status, 400);
    EXPECT_EQ(bare.json()["error"], "Bad request. Required metadata header not specified");
    EXPECT_EQ(server.get(target, {}, "Metadata: false\r\n").status, 400);
    EXPECT_EQ(server.get(target, {}, "metadata: True\r\n").status, 200);
    EXPECT_EQ(server.get(target, {}, "Metadata: true\r\nX-Forwarded-For: 1.2.3.4\r\n").status, 400);
    EXPECT_EQ(server.get(target + "&API-version=2021-02-01").status, 400);
    EXPECT_EQ(server.get(target + "&format=json&format=json").status, 400);
    EXPECT_EQ(server.post(target, "{}").status, 405);
    EXPECT_EQ(server.get("/metadata/nothing?api-version=2021-02-01").status, 404);
    EXPECT_EQ(server.get("/metadata/reprovisiondata?api-version=2019-06-01").status, 404);
    const Reply versionless = server.get("/metadata/instance");
    EXPECT_EQ(versionless.status, 400);
    EXPECT_EQ(versionless.json()["newest-versions"][0], "2025-04-07");
    EXPECT_EQ(server.get("/metadata/instance?api-version=2022-13-01").status, 400);
    const Reply versions = server.get("/metadata/versions");
    EXPECT_EQ(versions.status, 200);
    EXPECT_GT(versions.json()["apiVersions"].size(), 30U);
}

TEST(Metadata, LoadBalancerHasThePublicAddresses) {
    const TestServer server(std::string(kQuiet) +
                            "[instances.a]\nnics = [{ public-address = \"20.1.2.3\" }]\n");
    const auto json = server.get("/metadata/loadbalancer?api-version=2020-10-01").json();
    EXPECT_EQ(json["loadbalancer"]["publicIpAddresses"][0]["frontendIpAddress"], "20.1.2.3");
}

TEST(Metadata, AsksForLessThanFiveASecond) {
    const TestServer server("");
    int throttled = 0;
    for (int i = 0; i < 12; ++i) {
        const Reply reply = server.get(kInstanceTarget);
        throttled += reply.status == 429 ? 1 : 0;
        EXPECT_TRUE(reply.status == 200 || contains(reply.head, "Retry-After: 1")) << reply.raw;
    }
    EXPECT_GE(throttled, 5);  // however slow the machine is: 5 at once and 5 a second
    // Identity has a budget of its own.
    EXPECT_EQ(
        server.get("/metadata/identity/oauth2/token?api-version=2018-02-01&resource=r").status,
        200);
}

// ---- identity ---------------------------------------------------------------------------------

std::string token_target(const std::string& more) {
    return "/metadata/identity/oauth2/"
           "token?api-version=2018-02-01&resource=https%3A%2F%2Fvault.azure.net" +
           more;
}

bool verifies(const std::string& token, const nlohmann::json& jwks) {
    const auto parts = split(token, '.');
    if (parts.size() != 3) {
        return false;
    }
    const std::string n = *from_base64(jwks["keys"][0]["n"].get<std::string>());
    const std::string e = *from_base64(jwks["keys"][0]["e"].get<std::string>());
    const auto number = [](const std::string& bytes) {
        return BN_bin2bn(reinterpret_cast<const unsigned char*>(bytes.data()),
                         static_cast<int>(bytes.size()),
                         nullptr);
    };
    BIGNUM* modulus = number(n);
    BIGNUM* exponent = number(e);
    OSSL_PARAM_BLD* build = OSSL_PARAM_BLD_new();
    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, modulus);
    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, exponent);
    OSSL_PARAM* parameters = OSSL_PARAM_BLD_to_param(build);
    EVP_PKEY_CTX* maker = EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr);
    EVP_PKEY* key = nullptr;
    EVP_PKEY_fromdata_init(maker);
    EVP_PKEY_fromdata(maker, &key, EVP_PKEY_PUBLIC_KEY, parameters);
    const std::string signature = *from_base64(parts[2]);
    const std::string text = std::string(parts[0]) + "." + std::string(parts[1]);
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    const bool good = EVP_DigestVerifyInit(context, nullptr, EVP_sha256(), nullptr, key) == 1 &&
                      EVP_DigestVerify(context,
                                       reinterpret_cast<const unsigned char*>(signature.data()),
                                       signature.size(),
                                       reinterpret_cast<const unsigned char*>(text.data()),
                                       text.size()) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    EVP_PKEY_CTX_free(maker);
    OSSL_PARAM_free(parameters);
    OSSL_PARAM_BLD_free(build);
    BN_free(modulus);
    BN_free(exponent);
    return good;
}

TEST(Identity, TokensAreSignedAndSayWhoTheyAreFor) {
    const TestServer server("token-seconds = 3600\n");
    const Reply reply = server.get(token_target(""));
    ASSERT_EQ(reply.status, 200);
    const auto json = reply.json();
    EXPECT_EQ(json["resource"], "https://vault.azure.net");
    EXPECT_EQ(json["token_type"], "Bearer");
    EXPECT_EQ(json["refresh_token"], "");
    const long left = std::stol(json["expires_in"].get<std::string>());
    EXPECT_TRUE(left > 3500 && left <= 3600) << left;
    const std::string token = json["access_token"];
    const auto jwks = server.get("/emulator/keys").json();
    EXPECT_TRUE(verifies(token, jwks));
    std::string altered = token;
    altered[token.find('.') + 5] ^= 1;
    EXPECT_FALSE(verifies(altered, jwks));
    const auto claims = nlohmann::json::parse(*from_base64(split(token, '.')[1]));
    EXPECT_EQ(claims["aud"], "https://vault.azure.net");
    EXPECT_EQ(std::to_string(claims["exp"].get<long>()), json["expires_on"]);
    // The platform gives the same one again.
    EXPECT_EQ(server.get(token_target("")).json()["access_token"], token);
}

TEST(Identity, EachUserAssignedOneIsChosenByOneSelector) {
    const TestServer server(R"(
[instances.a]
system-identity = false
identities = [
    { client-id = "11111111-1111-1111-1111-111111111111", resource-id = "/subscriptions/s/one" },
    { client-id = "22222222-2222-2222-2222-222222222222" },
]
)");
    const auto error = [&](const std::string& more) {
        const Reply reply = server.get(token_target(more));
        EXPECT_EQ(reply.status, 400) << reply.body;
        return reply.json()["error_description"].get<std::string>();
    };
    EXPECT_TRUE(contains(error(""), "Multiple user assigned identities"));
    EXPECT_EQ(error("&client_id=33333333-3333-3333-3333-333333333333"), "Identity not found");
    EXPECT_TRUE(contains(error("&client_id=a&object_id=b"), "At most one"));
    EXPECT_EQ(server.get(token_target("&client_id=22222222-2222-2222-2222-222222222222"))
                  .json()["client_id"],
              "22222222-2222-2222-2222-222222222222");
    EXPECT_EQ(
        server.get(token_target("&msi_res_id=%2FSubscriptions%2Fs%2Fone")).json()["client_id"],
        "11111111-1111-1111-1111-111111111111");
}

TEST(Identity, ErrorsAreThoseOfThePlatform) {
    const TestServer server(kQuiet);
    EXPECT_EQ(server.get(token_target(""), {}, "").json()["error"], "bad_request_102");
    EXPECT_EQ(server.get("/metadata/identity/oauth2/token?api-version=2018-02-01").json()["error"],
              "invalid_request");
    EXPECT_EQ(server.get("/metadata/identity/oauth2/token?api-version=2018-02-01&resource=a%20b")
                  .json()["error"],
              "invalid_resource");
    EXPECT_EQ(
        server.get("/metadata/identity/oauth2/token?api-version=2001-01-01&resource=a").status,
        400);
}

// ---- attested document ------------------------------------------------------------------------

struct Verified {
    bool good = false;
    std::string payload, issuer_url, why;
    std::set<std::string> names;
};

Verified verify(const TestServer& server, const Reply& reply) {
    Verified out;
    const std::string der = *from_base64(reply.json()["signature"].get<std::string>());
    BIO* in = BIO_new_mem_buf(der.data(), static_cast<int>(der.size()));
    CMS_ContentInfo* cms = d2i_CMS_bio(in, nullptr);
    const std::string root_pem = server.server().root_certificate();
    BIO* root_in = BIO_new_mem_buf(root_pem.data(), static_cast<int>(root_pem.size()));
    X509* root = PEM_read_bio_X509(root_in, nullptr, nullptr, nullptr);
    const std::string issuer = server.get("/emulator/ca/intermediate.cer").body;
    const auto* raw = reinterpret_cast<const unsigned char*>(issuer.data());
    X509* intermediate = d2i_X509(nullptr, &raw, static_cast<long>(issuer.size()));
    X509_STORE* store = X509_STORE_new();
    X509_STORE_add_cert(store, root);
    X509_STORE_set_purpose(store, X509_PURPOSE_ANY);
    BIO* content = BIO_new(BIO_s_mem());
    STACK_OF(X509)* certificates = CMS_get1_certs(cms);
    EXPECT_EQ(sk_X509_num(certificates), 1);
    CMS_add1_cert(cms, intermediate);
    ERR_clear_error();
    out.good = CMS_verify(cms, nullptr, store, nullptr, content, CMS_BINARY) == 1;
    char why[200] = "";
    ERR_error_string_n(ERR_peek_last_error(), why, sizeof why);
    out.why = why;
    char* data = nullptr;
    const long size = BIO_get_mem_data(content, &data);
    out.payload.assign(data, static_cast<std::size_t>(size));
    X509* leaf = sk_X509_value(certificates, 0);
    auto* names =
        static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(leaf, NID_subject_alt_name, nullptr, nullptr));
    for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
        const ASN1_STRING* text = sk_GENERAL_NAME_value(names, i)->d.dNSName;
        out.names.insert(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)));
    }
    auto* access = static_cast<AUTHORITY_INFO_ACCESS*>(
        X509_get_ext_d2i(leaf, NID_info_access, nullptr, nullptr));
    const ASN1_STRING* url =
        sk_ACCESS_DESCRIPTION_value(access, 0)->location->d.uniformResourceIdentifier;
    out.issuer_url = reinterpret_cast<const char*>(ASN1_STRING_get0_data(url));
    AUTHORITY_INFO_ACCESS_free(access);
    GENERAL_NAMES_free(names);
    sk_X509_pop_free(certificates, X509_free);
    BIO_free(content);
    X509_STORE_free(store);
    X509_free(intermediate);
    X509_free(root);
    BIO_free(root_in);
    CMS_ContentInfo_free(cms);
    BIO_free(in);
    return out;
}

constexpr const char* kAttested =
    "/metadata/attested/document?api-version=2021-02-01&nonce=1234567890";

TEST(Attested, IsSignedByAChainThatCanBeFollowed) {
    const TestServer server(std::string(kQuiet) +
                            "[instances.a]\nvm-id = \"0F0E0D0C-1111-4222-8333-444455556666\"\n");
    const Reply reply = server.get(kAttested);
    ASSERT_EQ(reply.status, 200);
    EXPECT_EQ(reply.json()["encoding"], "pkcs7");
    const Verified verified = verify(server, reply);
    EXPECT_TRUE(verified.good) << verified.why;
    EXPECT_TRUE(verified.names.contains("emulated.metadata.azure.com"));
    EXPECT_EQ(verified.issuer_url,
              fmt::format("http://127.0.0.1:{}/emulator/ca/intermediate.cer", server.port()));
    const auto payload = nlohmann::json::parse(verified.payload);
    EXPECT_EQ(payload["nonce"], "1234567890");
    EXPECT_EQ(payload["vmId"], "0f0e0d0c-1111-4222-8333-444455556666");
    const std::string created = payload["timeStamp"]["createdOn"];
    EXPECT_EQ(created.size(), std::string("05/04/26 10:20:00 -0000").size());
    EXPECT_EQ(
        server.get("/metadata/attested/document?api-version=2021-02-01&nonce=12345678901").status,
        400);
    EXPECT_EQ(server.get("/metadata/attested/document?api-version=2021-02-01&nonce=x").status, 400);
}

TEST(Attested, IsWrongInTheWayThatIsAskedFor) {
    const auto faulty = [](const std::string& what) {
        const TestServer server(std::string(kQuiet) +
                                "[[faults]]\npath = \"/metadata/attested/**\"\ncertificate = \"" +
                                what + "\"\n");
        return verify(server, server.get(kAttested));
    };
    EXPECT_FALSE(faulty("untrusted").good);
    EXPECT_FALSE(faulty("expired").good);
    EXPECT_FALSE(faulty("altered").good);
    const Verified name = faulty("wrong-name");
    EXPECT_TRUE(name.good);
    EXPECT_FALSE(name.names.begin()->ends_with(".metadata.azure.com"));
    const Verified nonce = faulty("wrong-nonce");
    EXPECT_TRUE(nonce.good);
    EXPECT_FALSE(contains(nonce.payload, "\"1234567890\""));
    EXPECT_TRUE(faulty("wrong-vm-id").good);
}

}  // namespace
}  // namespace tarn::emulator
