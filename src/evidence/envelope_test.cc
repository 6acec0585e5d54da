// SPDX-License-Identifier: MIT
#include "base/fs.hh"
#include "base/process.hh"
#include "base/base64.hh"
#include "evidence/evidence.hh"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace tarn::evidence {
namespace {

constexpr std::int64_t kCreated = 1'700'000'000;

Provenance provenance() {
    Provenance out;
    out.subjects = {{"vm.raw", std::string(64, 'a')}};
    out.parameters_json = "{\"name\":\"vm\"}";
    out.internal = {{"seed", "1"}};
    out.dependencies = {{"bash", "pkg:rpm/tarn/bash@5.3-4", std::string(64, 'b')}};
    out.tool = "tarn 0.1";
    out.byproducts = {{"manifest.json", std::string(64, 'c')}};
    return out;
}

class Envelope : public ::testing::Test {
  protected:
    SigningKey key(const std::string& name, KeyAlgorithm algorithm = KeyAlgorithm::kEd25519) {
        auto made = SigningKey::create(
            directory_.path() + "/keys", name, "T <t@example.org>", algorithm, kCreated);
        EXPECT_TRUE(made.has_value());
        return std::move(*made);
    }
    static Keyring ring(const SigningKey& key) { return *Keyring::parse(key.public_key_armored()); }
    TempDir directory_ = *TempDir::make();
};

TEST(Statement, SaysWhatTheFormatsAsk) {
    const auto text = provenance_statement(provenance());
    ASSERT_TRUE(text.has_value());
    const auto json = nlohmann::json::parse(*text);
    EXPECT_EQ(json["_type"], "https://in-toto.io/Statement/v1");
    EXPECT_EQ(json["predicateType"], "https://slsa.dev/provenance/v1");
    EXPECT_EQ(json["subject"][0]["digest"]["sha256"], std::string(64, 'a'));
    const auto& definition = json["predicate"]["buildDefinition"];
    EXPECT_EQ(definition["externalParameters"]["image"]["name"], "vm");
    EXPECT_EQ(definition["resolvedDependencies"][0]["uri"], "pkg:rpm/tarn/bash@5.3-4");
    EXPECT_FALSE(json["predicate"]["runDetails"]["builder"]["id"].get<std::string>().empty());
    const auto read = parse_statement(*text);
    ASSERT_TRUE(read.has_value()) << read.error().message;
    EXPECT_EQ(read->subjects.at(0).first, "vm.raw");
    EXPECT_EQ(read->dependencies, 1U);
    EXPECT_EQ(read->builder, kBuilder);
    EXPECT_EQ(read->build_type, kBuildType);
}

TEST(Statement, RefusesParametersThatAreNoObject) {
    Provenance input = provenance();
    input.parameters_json = "[";
    EXPECT_EQ(provenance_statement(input).error().kind, ErrorKind::kUsage);
}

TEST(Statement, RefusesWhatIsNone) {
    const std::string good = *provenance_statement(provenance());
    EXPECT_TRUE(parse_statement(good).has_value());
    for (const auto& [key, value] : std::vector<std::pair<std::string, std::string>>{
             {"_type", "\"https://in-toto.io/Statement/v0.1\""},
             {"subject", "1"},
             {"subject", "[1]"},
             {"subject", "[{\"name\":\"x\",\"digest\":{\"sha256\":\"short\"}}]"},
             {"predicateType", "\"other\""},
             {"predicate", "[]"},
             {"predicate", "{}"}}) {
        auto json = nlohmann::json::parse(good);
        json[key] = nlohmann::json::parse(value);
        EXPECT_FALSE(parse_statement(json.dump()).has_value()) << key << " " << value;
    }
}

TEST_F(Envelope, IsSignedRawByAnEd25519Key) {
    const SigningKey signer = key("a");
    const std::string payload = *provenance_statement(provenance());
    const auto envelope = sign_envelope(payload, signer, kCreated);
    ASSERT_TRUE(envelope.has_value()) << envelope.error().message;
    EXPECT_EQ(*envelope, *sign_envelope(payload, signer, kCreated));
    const auto verified = verify_envelope(*envelope, ring(signer));
    ASSERT_TRUE(verified.has_value()) << verified.error().message;
    EXPECT_EQ(verified->payload, payload);
    EXPECT_EQ(verified->signer.fingerprint, signer.info().fingerprint);
    const auto json = nlohmann::json::parse(*envelope);
    EXPECT_EQ(json["signatures"][0]["keyid"], raw_key_id(signer.info().point));
}

TEST_F(Envelope, OtherKeysSignAsOpenPgp) {
    const SigningKey signer = key("a", KeyAlgorithm::kRsa4096);
    EXPECT_EQ(signer.sign_ed25519("").error().kind, ErrorKind::kUsage);
    const auto envelope = sign_envelope("{}", signer, kCreated);
    ASSERT_TRUE(envelope.has_value()) << envelope.error().message;
    EXPECT_TRUE(verify_envelope(*envelope, ring(signer)).has_value());
    const auto json = nlohmann::json::parse(*envelope);
    EXPECT_EQ(json["signatures"][0]["keyid"], signer.info().fingerprint);
}

TEST_F(Envelope, AnotherKeyOrPayloadIsRefused) {
    const SigningKey signer = key("a");
    const std::string envelope = *sign_envelope("{\"a\":1}", signer, kCreated);
    const auto other = verify_envelope(envelope, ring(key("b")));
    ASSERT_FALSE(other.has_value());
    EXPECT_EQ(other.error().kind, ErrorKind::kCorrupt);
    EXPECT_NE(other.error().notes.at(0).find(raw_key_id(signer.info().point)), std::string::npos);
    auto json = nlohmann::json::parse(envelope);
    json["payload"] = base64("{\"a\":2}");
    EXPECT_FALSE(verify_envelope(json.dump(), ring(signer)).has_value());
    json = nlohmann::json::parse(envelope);
    json["payloadType"] = "text/plain";
    EXPECT_FALSE(verify_envelope(json.dump(), ring(signer)).has_value());
    for (const std::string text : {"", "{}", "{\"payload\":\"!\"}", "[]"}) {
        EXPECT_FALSE(verify_envelope(text, ring(signer)).has_value()) << text;
    }
}

// An independent verifier, with the PEM key and the encoding of DSSE alone.
TEST_F(Envelope, OpensslAcceptsTheSignature) {
    if (!find_program("openssl")) {
        GTEST_SKIP() << "openssl is not installed here";
    }
    const SigningKey signer = key("a");
    const auto json = nlohmann::json::parse(*sign_envelope("{}", signer, kCreated));
    const std::string at = directory_.path();
    ASSERT_TRUE(write_file_atomic(at + "/key.pem", public_key_pem(signer.info().point)));
    ASSERT_TRUE(write_file_atomic(at + "/pae", "DSSEv1 28 application/vnd.in-toto+json 2 {}"));
    ASSERT_TRUE(write_file_atomic(
        at + "/sig", *from_base64(json["signatures"][0]["sig"].get<std::string>())));
    Command command;
    command.argv = {"openssl", "pkeyutl", "-verify", "-pubin", "-inkey", at + "/key.pem",
                    "-rawin", "-in", at + "/pae", "-sigfile", at + "/sig"};
    command.merge_error = true;
    const auto result = run(command);
    ASSERT_TRUE(result.has_value());
    EXPECT_EQ(result->exit_code, 0) << result->output;
}

}  // namespace
}  // namespace tarn::evidence
