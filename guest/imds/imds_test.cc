// SPDX-License-Identifier: MIT
#include "imds/imds.hh"

#include "http/test_server.hh"
#include <gtest/gtest.h>

#include <atomic>
#include <set>

namespace tarn::guest {
namespace {

using std::chrono::milliseconds;

RetryPolicy quick() {
    RetryPolicy policy;
    policy.total = milliseconds(5000);
    policy.first_pause = milliseconds(1);
    policy.longest_pause = milliseconds(4);
    policy.after_5xx = milliseconds(1);
    return policy;
}

// Answers the n-th request with the n-th status, the last one for ever; 200 has the body "done".
class Script {
  public:
    explicit Script(std::vector<int> statuses)
        : statuses_(std::move(statuses)), server_([this](const SeenRequest&) { return next(); }) {}
    TestServer& server() { return server_; }

  private:
    TestServer::Answer next() {
        const int status = statuses_[std::min(at_++, statuses_.size() - 1)];
        return status == 0 ? TestServer::Answer{}
                           : TestServer::reply(status, status == 200 ? "done" : "why");
    }
    std::vector<int> statuses_;
    std::size_t at_ = 0;
    TestServer server_;
};

TEST(ImdsGet, SendsWhatTheServiceAsksFor) {
    Script script({200});
    const auto body = imds_get(script.server().endpoint(), kInstanceTarget, "", quick());
    ASSERT_TRUE(body) << body.error().message;
    EXPECT_EQ(*body, "done");
    const SeenRequest seen = script.server().seen().at(0);
    EXPECT_EQ(seen.line(), "GET /metadata/instance?api-version=2023-11-15&extended=true HTTP/1.1");
    EXPECT_TRUE(seen.has("Metadata: true"));
    EXPECT_FALSE(contains(seen.head, "X-Forwarded-For"));
}

TEST(ImdsGet, TriesAgainWithAFreshRequestId) {
    Script script({404, 410, 429, 500, 503, 0, 200});
    std::vector<std::string> told;
    const auto body =
        imds_get(script.server().endpoint(), "/x", "", quick(), {}, [&](const std::string& text) {
            told.push_back(text);
        });
    ASSERT_TRUE(body) << body.error().message;
    EXPECT_EQ(told.size(), 7u);
    EXPECT_TRUE(told[3].starts_with("http 500 after ")) << told[3];
    std::set<std::string> ids;
    for (const SeenRequest& seen : script.server().seen()) {
        const std::size_t at = seen.head.find("x-ms-client-request-id: ");
        ASSERT_NE(at, std::string::npos);
        ids.insert(seen.head.substr(at + 24, 36));
    }
    EXPECT_EQ(ids.size(), 7u);
}

TEST(ImdsGet, FallsBackToTheOlderVersionOnce) {
    Script script({400, 200});
    ASSERT_TRUE(imds_get(script.server().endpoint(), "/new", "/old", quick()));
    EXPECT_TRUE(script.server().seen().at(1).line().starts_with("GET /old "));

    Script both({400, 400, 200});
    const auto body = imds_get(both.server().endpoint(), "/new", "/old", quick());
    ASSERT_FALSE(body);
    EXPECT_TRUE(contains(body.error().message, "/old: http 400 (2 tries)")) << body.error().message;
    EXPECT_EQ(body.error().notes.at(0), "the service says: why");
}

TEST(ImdsGet, DoesNotRepeatWhatIsRefused) {
    for (const int status : {401, 403, 405, 400, 418, 301}) {
        Script script({status, 200});
        const auto body = imds_get(script.server().endpoint(), "/x", "", quick());
        ASSERT_FALSE(body) << status;
        EXPECT_EQ(script.server().seen().size(), 1u) << status;
        EXPECT_TRUE(contains(body.error().message, fmt::format("http {}", status)));
    }
}

TEST(ImdsGet, EndsWithItsTimeAndSaysTheLastStatus) {
    Script script({500});
    RetryPolicy policy = quick();
    policy.total = milliseconds(60);
    const auto body = imds_get(script.server().endpoint(), "/x", "", policy);
    ASSERT_FALSE(body);
    EXPECT_TRUE(contains(body.error().message, "/x: http 500 (")) << body.error().message;
}

TEST(ImdsGet, BelievesGoneForALimitedTime) {
    Script script({410});
    RetryPolicy policy = quick();
    policy.gone = milliseconds(30);
    const auto body = imds_get(script.server().endpoint(), "/x", "", policy);
    ASSERT_FALSE(body);
    EXPECT_TRUE(contains(body.error().message, "http 410")) << body.error().message;
}

TEST(Judge, IsTheTableOfTheService) {
    EXPECT_EQ(judge(200), Verdict::kDone);
    EXPECT_EQ(judge(400), Verdict::kOlderVersion);
    for (const int status : {401, 403, 405, 301, 204}) {
        EXPECT_EQ(judge(status), Verdict::kFinal) << status;
    }
    for (const int status : {0, 404, 408, 410, 429, 500, 502, 503, 504}) {
        EXPECT_EQ(judge(status), Verdict::kAgain) << status;
    }
}

constexpr std::string_view kDocument = R"({
 "compute":{"azEnvironment":"AzurePublicCloud","location":"westeurope","name":"web_3","vmId":"0F0E0D0C-0B0A-0908-0706-050403020100",
  "vmSize":"Standard_D4s_v5","vmScaleSetName":"web","zone":"2","platformFaultDomain":"0","priority":"Spot",
  "osProfile":{"adminUsername":"ops","computerName":"web000003","disablePasswordAuthentication":"false"},
  "publicKeys":[{"keyData":"ssh-ed25519 AAAA ops\r\n","path":"/home/ops/.ssh/authorized_keys"},{"keyData":""}],
  "userData":"I2Nsb3VkLWNvbmZpZwo=","customData":"",
  "securityProfile":{"secureBootEnabled":"true","virtualTpmEnabled":"false"},
  "tagsList":[{"name":"ring","value":"canary"}]},
 "extended":{"compute":{"hasCustomData":"true","ppsType":"None"}},
 "network":{"interface":[{"macAddress":"000D3A112233",
   "ipv4":{"ipAddress":[{"privateIpAddress":"10.1.0.7","publicIpAddress":""},{"privateIpAddress":"10.1.0.8"}],
           "subnet":[{"address":"10.1.0.0","prefix":"20"}]},
   "ipv6":{"ipAddress":[{"privateIpAddress":"fd00::7"}]}}]},"unknown":{"x":[1,2,{}]}})";

TEST(Instance, ReadsWhatIsNeeded) {
    const auto parsed = parse_instance(kDocument);
    ASSERT_TRUE(parsed) << parsed.error().message;
    EXPECT_EQ(parsed->vm_id, "0f0e0d0c-0b0a-0908-0706-050403020100");
    EXPECT_EQ(parsed->admin_user, "ops");
    EXPECT_EQ(parsed->computer_name, "web000003");
    EXPECT_FALSE(parsed->disable_password_authentication);
    EXPECT_EQ(parsed->public_keys, std::vector<std::string>{"ssh-ed25519 AAAA ops\r\n"});
    EXPECT_EQ(parsed->user_data, "#cloud-config\n");
    EXPECT_TRUE(parsed->has_custom_data);
    EXPECT_EQ(parsed->pps_type, "None");
    EXPECT_EQ(parsed->secure_boot_enabled, "true");
    EXPECT_EQ(parsed->tags.at("ring"), "canary");
    ASSERT_EQ(parsed->nics.size(), 1u);
    EXPECT_EQ(parsed->nics[0].mac, "00:0d:3a:11:22:33");
    ASSERT_EQ(parsed->nics[0].ipv4.size(), 2u);
    EXPECT_EQ(parsed->nics[0].ipv4[1].address, "10.1.0.8");
    EXPECT_EQ(parsed->nics[0].ipv4[1].prefix, 20u);
    EXPECT_EQ(parsed->nics[0].ipv6.at(0).prefix, 128u);
}

TEST(Instance, EverythingMayBeMissing) {
    const auto parsed = parse_instance("{}");
    ASSERT_TRUE(parsed);
    EXPECT_TRUE(parsed->disable_password_authentication);
    EXPECT_FALSE(parsed->has_custom_data);
    EXPECT_TRUE(parse_instance(R"({"compute":null,"network":{"interface":null}})"));
}

TEST(Instance, EveryMemberOfAnotherTypeIsNamed) {
    const std::vector<std::pair<std::string, std::string>> cases = {
        {R"([])", "not a JSON object"},
        {R"({"compute":1})", "`compute`"},
        {R"({"compute":{"vmId":{}}})", "`compute.vmId`"},
        {R"({"compute":{"name":[]}})", "`compute.name`"},
        {R"({"compute":{"userData":"%%%"}})", "`compute.userData`"},
        {R"({"compute":{"osProfile":[]}})", "`compute.osProfile`"},
        {R"({"compute":{"osProfile":{"adminUsername":{}}}})", "`compute.osProfile.adminUsername`"},
        {R"({"compute":{"osProfile":{"disablePasswordAuthentication":"maybe"}}})",
         "`compute.osProfile.disablePasswordAuthentication`"},
        {R"({"compute":{"publicKeys":{}}})", "`compute.publicKeys`"},
        {R"({"compute":{"publicKeys":["x"]}})", "`compute.publicKeys[0]`"},
        {R"({"compute":{"publicKeys":[{"keyData":[]}]}})", "`compute.publicKeys[0].keyData`"},
        {R"({"compute":{"tagsList":[[]]}})", "`compute.tagsList[0]`"},
        {R"({"compute":{"securityProfile":"x"}})", "`compute.securityProfile`"},
        {R"({"extended":"x"})", "`extended`"},
        {R"({"extended":{"compute":{"hasCustomData":"7"}}})", "`extended.compute.hasCustomData`"},
        {R"({"network":[]})", "`network`"},
        {R"({"network":{"interface":[1]}})", "`network.interface[0]`"},
        {R"({"network":{"interface":[{}]}})", "`network.interface[0].macAddress`"},
        {R"({"network":{"interface":[{"macAddress":"000D3A11223"}]}})",
         "`network.interface[0].macAddress`"},
        {R"({"network":{"interface":[{"macAddress":"000D3A112233","ipv4":{"ipAddress":[{"privateIpAddress":"a\nb"}]}}]}})",
         "`network.interface[0].ipv4.ipAddress[0].privateIpAddress`"},
        {R"({"network":{"interface":[{"macAddress":"000D3A112233","ipv4":{"subnet":[{"prefix":"33"}]}}]}})",
         "`network.interface[0].ipv4.subnet[0].prefix`"},
        {R"({"compute":)", "no JSON at byte"},
        {"{\"compute\":{\"name\":\"\xff\"}}", "no JSON at byte"},
    };
    for (const auto& [text, words] : cases) {
        const auto parsed = parse_instance(text);
        ASSERT_FALSE(parsed) << text;
        EXPECT_EQ(parsed.error().kind, ErrorKind::kCorrupt);
        EXPECT_TRUE(contains(parsed.error().message, words)) << parsed.error().message;
    }
}

TEST(Instance, HasLimits) {
    EXPECT_FALSE(parse_instance(std::string(100'000, '[')));
    EXPECT_FALSE(parse_instance("{\"a\":\"" + std::string(5u << 20, 'x') + "\"}"));
    std::string nics = "{\"network\":{\"interface\":[";
    for (int i = 0; i < 65; ++i) {
        nics += std::string(i == 0 ? "" : ",") + "{\"macAddress\":\"000D3A112233\"}";
    }
    const auto parsed = parse_instance(nics + "]}}");
    ASSERT_FALSE(parsed);
    EXPECT_TRUE(contains(parsed.error().message, "more than 64")) << parsed.error().message;
}

}  // namespace
}  // namespace tarn::guest
