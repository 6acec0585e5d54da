// SPDX-License-Identifier: MIT
#include "metadata/broker.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "metadata/fakes_test.hh"

namespace tarn::guest {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

Peer root() {
    Peer peer;
    peer.uid = peer.gid = 0;
    return peer;
}
Peer user(uid_t uid, std::string unit = {}) {
    Peer peer;
    peer.uid = peer.gid = uid;
    peer.unit = std::move(unit);
    return peer;
}

class BrokerTest : public testing::Test {
  protected:
    using Log = std::vector<std::string>;

    BrokerTest() {
        transport_.answer = [this](const HttpRequest& request) {
            if (request.target.starts_with("/metadata/instance")) {
                return status(200, instance_);
            }
            if (request.target.starts_with("/metadata/identity")) {
                return status(200, kToken);
            }
            return status(404);
        };
    }
    // What was answered so far goes to a place of its own.
    std::shared_ptr<Log> call(const Peer& peer,
                              const std::string& method,
                              const std::string& parameters = "{}",
                              bool more = false) {
        auto answers = std::make_shared<Log>();
        const auto parsed = parse_call(call_text(method, parameters, more));
        EXPECT_TRUE(parsed);
        ticket_ = broker_.call(
            peer, *parsed, [answers](const std::string& text, bool) { answers->push_back(text); });
        return answers;
    }
    std::string ask(const Peer& peer,
                    const std::string& method,
                    const std::string& parameters = "{}",
                    Millis time = Millis(200'000)) {
        const auto answers = call(peer, method, parameters);
        for (Millis passed(0); answers->empty() && passed < time; passed += Millis(50)) {
            scheduler_.pass(Millis(50));
        }
        return answers->empty() ? "nothing" : answers->back();
    }
    std::string get(const Peer& peer, const std::string& key) {
        return ask(peer, "org.tarn.Metadata.Get", R"({"key":")" + key + R"("})");
    }
    static std::string resource(const std::string& more = {}) {
        return R"({"resource":"https://vault.azure.net")" + more + "}";
    }
    std::size_t asked(std::string_view part) const {
        std::size_t count = 0;
        for (const auto& one : transport_.sent) {
            count += one.request.target.find(part) != std::string::npos ? 1U : 0U;
        }
        return count;
    }
    static Access access(const char* text) {
        std::vector<std::string> complaints;
        Access out = Access::parse(text, "x", system_names(), complaints);
        EXPECT_THAT(complaints, SizeIs(0));
        return out;
    }

    std::string instance_ = kInstance;
    FakeScheduler scheduler_;
    FakeTransport transport_{scheduler_};
    Gate gate_{scheduler_, transport_};
    Fetcher fetcher_{scheduler_, gate_, Endpoint{"127.0.0.1", 80}};
    std::vector<std::string> log_;
    std::uint64_t ticket_ = 0;
    Broker broker_{
        scheduler_, fetcher_, Access(), BrokerOptions(), [this](const std::string& line) {
            log_.push_back(line);
        }};
};

TEST_F(BrokerTest, AnswersLeavesAsTextAndTheRestAsJson) {
    EXPECT_THAT(get(root(), "/instance/compute/name"), HasSubstr(R"("data":"web_3","leaf":true)"));
    EXPECT_THAT(get(root(), "instance/compute/tagsList/0"),
                HasSubstr(R"("data":"{\"name\":\"ring\",\"value\":\"canary\"}","leaf":false)"));
    EXPECT_THAT(get(root(), "/metadata/instance/compute/ZONE?x=y"), HasSubstr(R"("data":"")"));
    EXPECT_EQ(asked("/metadata/instance"), 1U);
}

TEST_F(BrokerTest, TellsOfKeysThatAreNotThere) {
    for (const char* key : {"/instance/compute/nmae",
                            "/nothing",
                            "",
                            "/instance/network/interface/7",
                            "/instancex",
                            "/instance/compute/name/0"}) {
        EXPECT_THAT(get(root(), key), HasSubstr("org.tarn.Metadata.KeyNotFound")) << key;
    }
}

TEST_F(BrokerTest, UserDataIsForRoot) {
    EXPECT_THAT(get(root(), "/instance/compute/userData"), HasSubstr("c2VjcmV0"));
    EXPECT_THAT(get(user(1000), "/instance/compute/userData"),
                HasSubstr(R"("data":"","leaf":true)"));
    EXPECT_THAT(get(user(1000), "/instance/compute/USERDATA"), HasSubstr(R"("data":"")"));
    EXPECT_THAT(get(user(1000), "/instance"), testing::Not(HasSubstr("c2VjcmV0")));
    const char* systemd = "io.systemd.InstanceMetadata.Get";
    EXPECT_THAT(ask(root(), systemd, R"({"wellKnown":"userdata"})"), HasSubstr("c2VjcmV0"));
    EXPECT_THAT(ask(user(1000), systemd, R"({"wellKnown":"userdata"})"),
                HasSubstr("WellKnownKeyUnset"));
}

TEST_F(BrokerTest, AnswersTheInterfaceOfSystemd) {
    const char* systemd = "io.systemd.InstanceMetadata.Get";
    EXPECT_THAT(ask(user(7), systemd, R"({"wellKnown":"hostname","wait":true,"interface":null})"),
                HasSubstr(R"("data":"d2ViMDAwMDAz")"));
    EXPECT_THAT(ask(user(7), systemd, R"({"key":"/instance/compute/location"})"),
                HasSubstr(R"("data":"d2VzdGV1cm9wZQ==")"));
    EXPECT_THAT(ask(user(7), systemd, R"({"key":"/instance/x"})"), HasSubstr("KeyNotFound"));
    EXPECT_THAT(ask(user(7), systemd, R"({"wellKnown":"shoe_size"})"), HasSubstr("NotSupported"));
}

TEST_F(BrokerTest, OldDocumentServesWhileTheNewOneComes) {
    get(root(), "/instance/compute/name");
    instance_ = R"({"compute":{"name":"renamed","vmId":"0f0e0d0c-1111-2222-3333-444455556666"}})";
    scheduler_.pass(Millis(301'000));
    EXPECT_THAT(*call(root(), "org.tarn.Metadata.Get", R"({"key":"/instance/compute/name"})"),
                testing::ElementsAre(HasSubstr("web_3")));
    scheduler_.pass(Millis(100));
    EXPECT_THAT(get(root(), "/instance/compute/name"), HasSubstr("renamed"));
    EXPECT_EQ(asked("/metadata/instance"), 2U);
    scheduler_.pass(Millis(4 * 300'000));
    EXPECT_THAT(*call(root(), "org.tarn.Metadata.Get", R"({"key":"/instance/compute/name"})"),
                SizeIs(0));  // too old: waits
}

TEST_F(BrokerTest, OldDocumentServesWhileTheServiceFails) {
    get(root(), "/instance/compute/name");
    transport_.answer = [](const HttpRequest&) { return status(500); };
    scheduler_.pass(Millis(1'300'000));
    EXPECT_THAT(get(root(), "/instance/compute/name"), HasSubstr("Timeout"));
    call(root(), "org.tarn.Metadata.Get", R"({"key":"/instance/compute/name"})");
    scheduler_.pass(Millis(3000));
    EXPECT_THAT(get(root(), "/instance/compute/name"), HasSubstr("web_3"));
}

TEST_F(BrokerTest, GarbageIsNoDocument) {
    const std::vector<std::string> bodies = {
        "", "garbage", "[]", "{\"compute\":", "\"x\"", std::string(100, '[')};
    for (const std::string& body : bodies) {
        instance_ = body;
        EXPECT_THAT(get(root(), "/instance"), HasSubstr("NotAvailable")) << body;
        scheduler_.pass(Millis(6000));
    }
}

TEST_F(BrokerTest, AMachineThatIsCalledAnotherLosesItsTokens) {
    get(root(), "/instance");
    ask(root(), "org.tarn.Metadata.GetToken", resource());
    EXPECT_EQ(broker_.tokens(), 1U);
    instance_ = R"({"compute":{"vmId":"ffffffff-1111-2222-3333-444455556666"}})";
    ask(root(), "org.tarn.Metadata.Get", R"({"key":"/instance","cache":false})");
    EXPECT_EQ(broker_.tokens(), 0U);
    EXPECT_THAT(log_, testing::Contains(HasSubstr("calls this machine")));
}

TEST_F(BrokerTest, OnlyRootSpendsQuestionsAtWill) {
    for (int i = 0; i < 20; ++i) {
        ask(user(1), "org.tarn.Metadata.Get", R"({"key":"/instance","cache":false})");
    }
    EXPECT_EQ(asked("/metadata/instance"), 1U);
}

TEST_F(BrokerTest, OneFlightForAll) {
    std::vector<std::shared_ptr<Log>> all;
    for (int i = 0; i < 500; ++i) {
        all.push_back(call(root(), "org.tarn.Metadata.GetToken", resource()));
        all.push_back(call(user(5), "org.tarn.Metadata.Get", R"({"key":"/instance"})"));
    }
    scheduler_.pass(Millis(100));
    for (const auto& answers : all) {
        EXPECT_THAT(*answers, SizeIs(1));
    }
    EXPECT_THAT(transport_.sent, SizeIs(2));
    EXPECT_TRUE(broker_.idle());
}

TEST_F(BrokerTest, NeverMoreThanThePlatformAllows) {
    transport_.latency = Millis(400);
    std::vector<std::shared_ptr<Log>> all;
    for (int i = 0; i < 100; ++i) {
        all.push_back(call(root(),
                           "org.tarn.Metadata.GetToken",
                           resource(fmt::format(R"(,"clientId":"c{}")", i))));
        all.push_back(
            call(root(), "org.tarn.Metadata.GetAttested", fmt::format(R"({{"nonce":"{}"}})", i)));
    }
    scheduler_.pass(Millis(60'000));
    EXPECT_LE(transport_.peak("/identity/"), 20U);
    EXPECT_LE(transport_.peak("/attested/"), 5U);
    EXPECT_LE(transport_.most_running, 10U);
    EXPECT_EQ(asked("/identity/"), 100U);
}

TEST_F(BrokerTest, TokensAreForThoseWhoAreNamed) {
    const std::string method = "org.tarn.Metadata.GetToken";
    EXPECT_THAT(ask(user(33), method, resource()), HasSubstr("PermissionDenied"));
    EXPECT_THAT(transport_.sent, SizeIs(0));
    broker_.set_access(
        access("token-user = 33\ntoken-unit = web.service https://vault.azure.net/\n"
               "token-group = 50"));
    EXPECT_THAT(ask(user(33), method, resource()), HasSubstr("eyJ0.a.b"));
    EXPECT_THAT(ask(user(34), method, resource()), HasSubstr("PermissionDenied"));
    EXPECT_THAT(ask(user(34, "web.service"), method, resource()), HasSubstr("eyJ0"));
    EXPECT_THAT(ask(user(34, "web.service"), method, R"({"resource":"https://other"})"),
                HasSubstr("PermissionDenied"));
    Peer member = user(40);
    member.groups = {7, 50};
    EXPECT_THAT(ask(member, method, resource()), HasSubstr("eyJ0"));
    EXPECT_THAT(ask(user(33), "org.tarn.Metadata.GetAttested"), HasSubstr("PermissionDenied"));
    EXPECT_EQ(asked("/identity/"), 1U);
}

TEST_F(BrokerTest, ATokenIsAskedForAgainBeforeItEndsAndServesUntilThen) {
    const std::string method = "org.tarn.Metadata.GetToken";
    EXPECT_THAT(ask(root(), method, resource()), HasSubstr(R"("expiresIn":3600)"));
    scheduler_.pass(Millis(2900'000));
    EXPECT_THAT(ask(root(), method, resource()), HasSubstr("eyJ0"));
    EXPECT_EQ(asked("/identity/"), 1U);
    transport_.answer = [](const HttpRequest&) { return status(500); };
    scheduler_.pass(Millis(450'000));  // within its last five minutes
    for (int i = 0; i < 8; ++i) {
        EXPECT_THAT(ask(root(), method, resource(), Millis(0)), HasSubstr("eyJ0"));
        scheduler_.pass(Millis(20'000));
    }
    EXPECT_GT(asked("/identity/"), 4U);
    EXPECT_LT(asked("/identity/"), 15U);
    scheduler_.pass(Millis(100'000));
    EXPECT_THAT(ask(root(), method, resource()), HasSubstr("NotAvailable"));
    transport_.answer = [](const HttpRequest&) { return status(200, kToken); };
    EXPECT_THAT(ask(root(), method, resource()), HasSubstr("eyJ0"));
}

TEST_F(BrokerTest, ARefusalIsFinalAndRememberedForAWhile) {
    transport_.answer = [](const HttpRequest&) {
        return status(400, R"({"error":"invalid_resource","error_description":"AADSTS500011"})");
    };
    const std::string method = "org.tarn.Metadata.GetToken";
    for (int i = 0; i < 5; ++i) {
        EXPECT_THAT(
            ask(root(), method, resource()),
            HasSubstr(R"("status":400,"code":"invalid_resource","description":"AADSTS500011")"));
    }
    EXPECT_EQ(asked("/identity/"), 1U);
    scheduler_.pass(Millis(11'000));
    ask(root(), method, resource());
    EXPECT_EQ(asked("/identity/"), 2U);
}

TEST_F(BrokerTest, FiveTriesAtTheTimesTheDocumentationNames) {
    transport_.answer = [](const HttpRequest&) { return status(429); };
    EXPECT_THAT(ask(root(), "org.tarn.Metadata.GetToken", resource()), HasSubstr("NotAvailable"));
    ASSERT_THAT(transport_.sent, SizeIs(5));
    const Millis first = transport_.sent[0].when;
    const std::array<int, 5> at{0, 2, 6, 14, 30};
    for (std::size_t i = 0; i < 5; ++i) {
        const auto after = (transport_.sent[i].when - first).count();
        EXPECT_GE(after, at[i] * 1000);
        EXPECT_LE(after, at[i] * 1250 + 100);
    }
}

TEST_F(BrokerTest, WaitsOutGone) {
    int left = 6;
    transport_.answer = [&left](const HttpRequest&) {
        return left-- > 0 ? status(410) : status(200, kToken);
    };
    EXPECT_THAT(ask(root(), "org.tarn.Metadata.GetToken", resource()), HasSubstr("eyJ0"));
    left = 1000;
    const auto parameters = resource(R"(,"objectId":"o")");
    const auto before = transport_.sent.size();
    EXPECT_THAT(ask(root(), "org.tarn.Metadata.GetToken", parameters), HasSubstr("\"status\":410"));
    scheduler_.pass(Millis(60'000));
    EXPECT_LE(transport_.sent.size() - before, 11U);
}

TEST_F(BrokerTest, AnswersOfEveryStatusEndInAnAnswer) {
    for (const int code : {0, 100, 204, 301, 400, 401, 403, 404, 405, 410, 418, 429, 500, 503}) {
        transport_.answer = [code](const HttpRequest&) -> Result<HttpResponse> {
            if (code == 0) {
                return fail(ErrorKind::kNetwork, "cut off");
            }
            return status(code, "<html>");
        };
        const auto id = fmt::format(R"(,"clientId":"c{}")", code);
        EXPECT_THAT(ask(root(), "org.tarn.Metadata.GetToken", resource(id)),
                    testing::AnyOf(HasSubstr("NotAvailable"), HasSubstr("Timeout")))
            << code;
        EXPECT_THAT(get(root(), "/instance"),
                    testing::AnyOf(HasSubstr("NotAvailable"), HasSubstr("Timeout")))
            << code;
        scheduler_.pass(Millis(400'000));
    }
}

TEST_F(BrokerTest, AsksAnOlderVersionOnce) {
    transport_.answer = [](const HttpRequest& request) {
        return request.target.find("2019-06-01") != std::string::npos ? status(200, kInstance)
                                                                      : status(400);
    };
    EXPECT_THAT(get(root(), "/instance/compute/name"), HasSubstr("web_3"));
    EXPECT_THAT(transport_.sent, SizeIs(2));
}

TEST_F(BrokerTest, AClientThatWentAwayIsNotAnswered) {
    transport_.answer = [](const HttpRequest&) { return status(500); };
    const auto answers = call(root(), "org.tarn.Metadata.GetToken", resource());
    scheduler_.pass(Millis(500));
    broker_.forget(ticket_);
    EXPECT_TRUE(broker_.idle());
    scheduler_.pass(Millis(100'000));
    EXPECT_THAT(*answers, SizeIs(0));
    EXPECT_THAT(transport_.sent, SizeIs(1));  // nobody waits: no more tries
}

TEST_F(BrokerTest, ACallThatFollowsAnAnswerHasATicketOfItsOwn) {
    std::uint64_t first = 0, second = 0;
    const auto one = parse_call(call_text("org.tarn.Metadata.GetToken", resource()));
    const auto two =
        parse_call(call_text("org.tarn.Metadata.GetToken", resource(R"(,"clientId":"two")")));
    std::vector<std::string> answers;
    first = broker_.call(root(), *one, [&](const std::string& text, bool) {
        answers.push_back(text);
        // As a connection whose next call has come already.
        second = broker_.call(
            root(), *two, [&](const std::string& next, bool) { answers.push_back(next); });
    });
    scheduler_.pass(Millis(1000));
    EXPECT_THAT(answers, SizeIs(2));
    EXPECT_NE(first, second);
    EXPECT_TRUE(broker_.idle());
}

TEST_F(BrokerTest, TokensDoNotGrowWithoutEnd) {
    for (int i = 0; i < 300; ++i) {
        ask(root(), "org.tarn.Metadata.GetToken", resource(fmt::format(R"(,"clientId":"c{}")", i)));
    }
    EXPECT_EQ(broker_.tokens(), 128U);
}

TEST_F(BrokerTest, RefusesParametersThatMakeNoSense) {
    const std::string token = "org.tarn.Metadata.GetToken";
    EXPECT_THAT(ask(root(), token), HasSubstr(R"("parameter":"resource")"));
    EXPECT_THAT(ask(root(), token, R"({"resource":5})"), HasSubstr("InvalidParameter"));
    EXPECT_THAT(ask(root(), token, R"({"resource":{}})"), HasSubstr(R"("parameter":"resource")"));
    EXPECT_THAT(ask(root(), token, resource(R"(,"tenant":"x")")),
                HasSubstr(R"("parameter":"tenant")"));
    EXPECT_THAT(ask(root(), token, resource(R"(,"clientId":"a","objectId":"b")")),
                HasSubstr("InvalidParameter"));
    EXPECT_THAT(ask(root(), token, R"({"resource":"a b"})"), HasSubstr("InvalidParameter"));
    EXPECT_THAT(ask(root(), token, R"({"resource":"x\r\nHost: y"})"),
                HasSubstr("InvalidParameter"));
    for (const char* nonce : {"12345678901", "x", "1&a=b"}) {
        EXPECT_THAT(
            ask(root(), "org.tarn.Metadata.GetAttested", fmt::format(R"({{"nonce":"{}"}})", nonce)),
            HasSubstr("InvalidParameter"));
    }
    EXPECT_THAT(transport_.sent, SizeIs(0));
}

TEST_F(BrokerTest, DescribesItself) {
    EXPECT_THAT(ask(user(1), "org.varlink.service.GetInfo"), HasSubstr("org.tarn.Metadata"));
    EXPECT_THAT(ask(user(1),
                    "org.varlink.service.GetInterfaceDescription",
                    R"({"interface":"org.tarn.Metadata"})"),
                HasSubstr("method GetToken("));
    EXPECT_THAT(
        ask(user(1), "org.varlink.service.GetInterfaceDescription", R"({"interface":"x.y"})"),
        HasSubstr("InterfaceNotFound"));
    EXPECT_THAT(ask(user(1), "org.tarn.Metadata.Nothing"), HasSubstr("MethodNotFound"));
    EXPECT_THAT(ask(user(1), "a.b.C"), HasSubstr("InterfaceNotFound"));
    EXPECT_THAT(ask(user(1), ""), HasSubstr("InterfaceNotFound"));
    EXPECT_THAT(ask(user(1), "org.tarn.Metadata.GetStatus"), HasSubstr(R"("identity":"unknown")"));
}

TEST_F(BrokerTest, LoadBalancerIsBelowItsOwnName) {
    transport_.answer = [](const HttpRequest&) {
        return status(
            200, R"({"loadbalancer":{"publicIpAddresses":[{"frontendIpAddress":"1.2.3.4"}]}})");
    };
    EXPECT_THAT(get(user(1), "/loadbalancer/publicIpAddresses/0/frontendIpAddress"),
                HasSubstr("1.2.3.4"));
    EXPECT_THAT(get(user(1), "/loadbalancer"), HasSubstr("publicIpAddresses"));
}

TEST_F(BrokerTest, AMachineWithoutALoadBalancerIsNotAskedAgainAtOnce) {
    transport_.answer = [](const HttpRequest&) { return status(404); };
    for (int i = 0; i < 10; ++i) {
        EXPECT_THAT(get(user(1), "/loadbalancer"), HasSubstr(R"("status":404)"));
    }
    EXPECT_THAT(transport_.sent, SizeIs(1));
}

TEST_F(BrokerTest, AttestedDocumentIsPassedOn) {
    transport_.answer = [](const HttpRequest& request) {
        EXPECT_THAT(request.target, HasSubstr("&nonce=1234567890"));
        return status(200, R"({"encoding":"pkcs7","signature":"AAAA"})");
    };
    EXPECT_THAT(ask(root(), "org.tarn.Metadata.GetAttested", R"({"nonce":"1234567890"})"),
                HasSubstr(R"({"encoding":"pkcs7","signature":"AAAA"})"));
    transport_.answer = [](const HttpRequest&) { return status(200, "{}"); };
    EXPECT_THAT(ask(root(), "org.tarn.Metadata.GetAttested"), HasSubstr("no `signature`"));
}

class EventsTest : public BrokerTest {
  protected:
    EventsTest() {
        transport_.answer = [this](const HttpRequest& request) {
            if (request.method == "POST") {
                posts_.push_back(request.body);
                return status(200, "");
            }
            return request.target.starts_with("/metadata/scheduledevents") ? status(200, events_)
                                                                           : status(200, kInstance);
        };
    }
    static std::string document(int incarnation,
                                const std::string& resources,
                                const std::string& state = "Scheduled") {
        return fmt::format(
            R"({{"DocumentIncarnation":{},"Events":[{{"EventId":"E-1","EventType":"Reboot",)"
            R"("ResourceType":"VirtualMachine","Resources":[{}],"EventStatus":"{}",)"
            R"("NotBefore":"Mon, 04 May 2026 10:20:00 GMT","DurationInSeconds":-1}}]}})",
            incarnation,
            resources,
            state);
    }
    std::string ack(const std::string& more = {}) {
        return ask(root(), "org.tarn.Metadata.Acknowledge", R"({"eventId":"E-1")" + more + "}");
    }
    std::string events_ = R"({"DocumentIncarnation":1,"Events":[]})";
    std::vector<std::string> posts_;
};

TEST_F(EventsTest, AskedForOnceASecondWhileSomebodyListensOnly) {
    scheduler_.pass(Millis(60'000));
    EXPECT_EQ(asked("scheduledevents"), 0U);
    const auto answers = call(user(9), "org.tarn.Metadata.GetEvents", "{}", true);
    scheduler_.pass(Millis(60'000));
    EXPECT_NEAR(static_cast<double>(asked("scheduledevents")), 60, 2);
    EXPECT_THAT(*answers, SizeIs(1));  // nothing changed
    events_ = document(2, R"("web_3")");
    scheduler_.pass(Millis(2'000));
    ASSERT_THAT(*answers, SizeIs(2));
    EXPECT_THAT(answers->back(), HasSubstr(R"("EventId":"E-1")"));
    EXPECT_THAT(answers->back(), HasSubstr(R"("continues":true)"));
    broker_.forget(ticket_);
    const auto before = asked("scheduledevents");
    scheduler_.pass(Millis(60'000));
    EXPECT_LE(asked("scheduledevents"), before + 1);
    EXPECT_TRUE(broker_.idle());
}

TEST_F(EventsTest, GoesOnAfterFaultsMoreSlowly) {
    const auto answers = call(root(), "org.tarn.Metadata.GetEvents", "{}", true);
    scheduler_.pass(Millis(1'500));
    for (const char* garbage : {"", "{}", "{\"Events\":[{}]}", "[[[["}) {
        events_ = garbage;
        scheduler_.pass(Millis(20'000));
    }
    EXPECT_LT(asked("scheduledevents"), 20U);
    events_ = document(3, R"("web_3")");
    scheduler_.pass(Millis(12'000));
    EXPECT_THAT(answers->back(), HasSubstr("E-1"));
}

TEST_F(EventsTest, TheFirstOfTheResourcesAcknowledges) {
    events_ = document(2, R"("web_3","web_4")");
    EXPECT_EQ(ack(), R"({"parameters":{}})");
    EXPECT_THAT(posts_, testing::ElementsAre(R"({"StartRequests":[{"EventId":"E-1"}]})"));
}

TEST_F(EventsTest, OthersDoNotUnlessForced) {
    events_ = document(2, R"("web_4","web_3")");
    EXPECT_THAT(ack(), HasSubstr(R"("leader":"web_4")"));
    EXPECT_THAT(posts_, SizeIs(0));
    EXPECT_EQ(ack(R"(,"force":true)"), R"({"parameters":{}})");
    EXPECT_THAT(posts_, SizeIs(1));
}

TEST_F(EventsTest, AcknowledgesOnlyWhatIsScheduled) {
    EXPECT_THAT(ack(), HasSubstr("EventNotFound"));
    scheduler_.pass(Millis(3000));
    events_ = document(2, R"("web_3")", "Started");
    EXPECT_EQ(ack(), R"({"parameters":{}})");
    EXPECT_THAT(posts_, SizeIs(0));
    EXPECT_THAT(ask(user(1), "org.tarn.Metadata.Acknowledge", R"({"eventId":"E-1"})"),
                HasSubstr("PermissionDenied"));
    EXPECT_THAT(ask(root(), "org.tarn.Metadata.Acknowledge", R"({"eventId":"../x y"})"),
                HasSubstr("InvalidParameter"));
}

}  // namespace
}  // namespace tarn::guest
