// SPDX-License-Identifier: MIT
#include "emulator/server.hh"

#include "base/golden_test.hh"
#include "emulator/detail/platform.hh"
#include "emulator/detail/testing.hh"

#include <chrono>

namespace tarn::emulator {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_of(const std::function<void()>& work) {
    const auto begun = Clock::now();
    work();
    return std::chrono::duration<double>(Clock::now() - begun).count();
}

constexpr const char* kWire = "x-ms-version: 2012-11-30\r\nx-ms-agent-name: test/1\r\n";

std::string health(const Instance& instance,
                   const std::string& state,
                   const std::string& incarnation = "1") {
    return "<Health><GoalStateIncarnation>" + incarnation +
           "</GoalStateIncarnation><Container><ContainerId>" + container_id(instance) +
           "</ContainerId><RoleInstanceList><Role><InstanceId>" + role_instance_id(instance) +
           "</InstanceId><Health>" + state +
           "</Health></Role></RoleInstanceList></Container></Health>";
}

TEST(Wireserver, GivesTheGoalStateAndTakesReports) {
    Scenario scenario = Scenario::generated(1, "").value();
    const Instance instance = scenario.instances.front();
    TestServer server(std::move(scenario));
    EXPECT_TRUE(
        contains(server.get("/?comp=versions").body, "<Preferred><Version>2012-11-30</Version>"));
    EXPECT_EQ(server.get("/machine/?comp=goalstate", {}, "").status, 400);
    const Reply goal = server.get("/machine/?comp=goalstate", {}, kWire);
    EXPECT_EQ(goal.status, 200);
    EXPECT_TRUE(contains(goal.body, "<ContainerId>" + container_id(instance) + "</ContainerId>"));

    const std::string target = "/machine?comp=health";
    EXPECT_EQ(server.post(target, "<Health", kWire).status, 400);
    EXPECT_EQ(server.post(target, health(instance, "<State>Fine</State>"), kWire).status, 400);
    EXPECT_EQ(server.post(target, health(instance, "<State>Ready</State>", "7"), kWire).status,
              410);
    const std::string working =
        "<State>NotReady</State><Details><SubStatus>Provisioning</SubStatus>"
        "<Description>a &lt; b</Description></Details>";
    EXPECT_EQ(server.post(target, health(instance, working), kWire).status, 200);
    EXPECT_EQ(server.post(target, health(instance, "<State>Ready</State>"), kWire).status, 200);
    EXPECT_EQ(server.post(target, health(instance, working), kWire).status, 400) << "after ready";

    const auto told = server.get("/emulator/instances/node-1").json();
    ASSERT_EQ(told["health"].size(), 2U) << told;
    EXPECT_EQ(told["health"][0]["substatus"], "Provisioning");
    EXPECT_EQ(told["health"][0]["description"], "a < b");
    EXPECT_EQ(told["health"][1]["state"], "Ready");
    EXPECT_EQ(told["health"][1]["agent"], "test/1");
    EXPECT_EQ(server.get("/emulator/instances").json()["ready"], 1);
    const auto events = server.events();
    ASSERT_EQ(events.size(), 2U);
    EXPECT_EQ(nlohmann::json::parse(events[1])["state"], "Ready");
}

TEST(Wireserver, TakesTheNewerReportsToo) {
    TestServer server("");
    const std::string target = "/provisioning/health";
    EXPECT_EQ(server.post(target, R"({"state":1})").status, 400);
    EXPECT_EQ(server.post(target, "[").status, 400);
    EXPECT_EQ(server.post(target, "[]").status, 400);
    EXPECT_EQ(server.post(target, R"({"state":"Ready","details":7})").status, 201);
    EXPECT_EQ(server.get(target).status, 405);
    const auto told = server.get("/emulator/instances/node-1").json();
    EXPECT_EQ(told["health"][0]["form"], "json");
}

TEST(Wireserver, KnowsNoEntities) {
    EXPECT_FALSE(parse_health_xml("<!DOCTYPE x [<!ENTITY e \"x\">]><Health/>"));
    EXPECT_FALSE(parse_health_xml(""));
    EXPECT_FALSE(parse_health_xml("<Other/>"));
}

TEST(ScheduledEvents, ComeAreAcknowledgedAndGo) {
    const TestServer server(R"(
rate-limits = false
compression = 1200
[instances.a]
[[events]]
type = "Reboot"
after-seconds = 120
notice-seconds = 72000
lasts-seconds = 600
)");
    const std::string target = "/metadata/scheduledevents?api-version=2020-07-01";
    const auto document = [&] { return server.get(target).json(); };
    nlohmann::json first;
    EXPECT_GE(seconds_of([&] { first = document(); }), 0.09) << "switching on takes its time";
    EXPECT_EQ(first["Events"].size(), 0U);
    nlohmann::json later;
    for (int i = 0; i < 500 && (later = document())["Events"].empty(); ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    ASSERT_EQ(later["Events"].size(), 1U);
    EXPECT_GT(later["DocumentIncarnation"], first["DocumentIncarnation"]);
    const auto event = later["Events"][0];
    EXPECT_EQ(event["EventStatus"], "Scheduled");
    EXPECT_EQ(event["Resources"][0], "a");
    EXPECT_TRUE(event["NotBefore"].get<std::string>().ends_with(" GMT"));
    EXPECT_EQ(server.post(target, "nothing").status, 400);
    EXPECT_EQ(server.post(target, R"({"StartRequests":[{"EventId":"other"}]})").status, 400);
    EXPECT_EQ(server
                  .post(target,
                        R"({"StartRequests":[{"EventId":")" + event["EventId"].get<std::string>() +
                            "\"}]}")
                  .status,
              200);
    const auto started = document()["Events"];
    // It lasts half a second here: on a slow machine it may be gone already.
    EXPECT_TRUE(started.empty() ||
                (started[0]["EventStatus"] == "Started" && started[0]["NotBefore"] == ""));
    for (int i = 0; i < 500 && !(later = document())["Events"].empty(); ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    EXPECT_TRUE(later["Events"].empty());
}

TEST(Faults, AreWhatTheScriptSays) {
    const TestServer server(R"(
rate-limits = false
[instances.a]
nics = [{ mac = "000000000001" }, { mac = "000000000002" }]
[[faults]]
path = "/metadata/instance"
nth = 1
status = 410
[[faults]]
path = "/metadata/instance"
nth = 2
cut-after = 40
[[faults]]
path = "/metadata/instance"
nth = 3
garbage = true
[[faults]]
path = "/metadata/instance"
nth = 4
drop = true
[[faults]]
path = "/metadata/instance"
nth = 5
latency-ms = 60
slow-pause-ms = 1
slow-piece = 200
[[faults]]
path = "/metadata/instance"
nth = 6
reorder-nics = true
set = { "compute/vmId" = "lies", "compute/none" = "nothing" }
)");
    EXPECT_EQ(server.get(kInstanceTarget).status, 410);
    const Reply cut = server.get(kInstanceTarget);
    EXPECT_EQ(cut.raw.size(), 40U);
    const Reply garbage = server.get(kInstanceTarget);
    EXPECT_EQ(garbage.status, 0);
    EXPECT_GT(garbage.raw.size(), 100U);
    const Reply dropped = server.get(kInstanceTarget);
    EXPECT_EQ(dropped.raw, "");
    EXPECT_EQ(dropped.error, ECONNRESET);
    Reply slow;
    EXPECT_GE(seconds_of([&] { slow = server.get(kInstanceTarget); }), 0.06);
    EXPECT_EQ(slow.json()["compute"]["name"], "a");
    const auto lies = server.get(kInstanceTarget).json();
    EXPECT_EQ(lies["compute"]["vmId"], "lies");
    EXPECT_EQ(lies["network"]["interface"][0]["macAddress"], "000000000002");
    const auto truth = server.get(kInstanceTarget).json();
    EXPECT_NE(truth["compute"]["vmId"], "lies");
    EXPECT_EQ(truth["network"]["interface"][0]["macAddress"], "000000000001");
    EXPECT_EQ(server.get("/emulator/instances/a").json()["faulted"], 6);
}

TEST(Faults, OfAShareAreAlwaysTheSame) {
    const auto statuses = [](int seed) {
        const TestServer server(
            fmt::format("rate-limits = false\nseed = {}\n[[faults]]\npath = "
                        "\"/metadata/**\"\npercent = 50\nstatus = 500\n",
                        seed));
        std::string out;
        for (int i = 0; i < 64; ++i) {
            out += server.get(kInstanceTarget).status == 500 ? 'x' : '.';
        }
        return out;
    };
    const std::string first = statuses(1);
    EXPECT_EQ(first, statuses(1));
    EXPECT_NE(first, statuses(2));
    const auto failed = std::count(first.begin(), first.end(), 'x');
    EXPECT_TRUE(failed > 16 && failed < 48) << first;
}

TEST(Server, KeepsAConnectionAndAnswersInOrder) {
    const TestServer server("rate-limits = false\n");
    const std::string one = "GET /metadata/versions HTTP/1.1\r\nMetadata: true\r\n\r\n";
    const std::string last = "GET /none HTTP/1.1\r\nConnection: close\r\n\r\n";
    std::string many;
    for (int i = 0; i < 2000; ++i) {
        many += one;
    }
    const Reply reply = server.raw(many + last);
    std::size_t count = 0;
    for (std::size_t at = 0; (at = reply.raw.find("HTTP/1.1 200 OK", at)) != std::string::npos;
         ++at) {
        ++count;
    }
    EXPECT_EQ(count, 2000U);
    EXPECT_TRUE(contains(reply.raw, "HTTP/1.1 404"));
}

TEST(Server, RolesKeepThePlatformsServersApart) {
    const TestServer server(
        Scenario::generated(1, "").value(),
        {{"127.0.0.1", 0, Role::kMetadata}, {"127.0.0.1", 0, Role::kWireserver}});
    EXPECT_EQ(server.get(kInstanceTarget, {}, "Metadata: true\r\n", 0).status, 200);
    EXPECT_EQ(server.get(kInstanceTarget, {}, "Metadata: true\r\n", 1).status, 404);
    EXPECT_EQ(server.get("/?comp=versions", {}, "", 0).status, 404);
    EXPECT_EQ(server.get("/?comp=versions", {}, "", 1).status, 200);
    EXPECT_EQ(server.get("/emulator/instances", {}, "", 0).status, 404);
    EXPECT_EQ(server.get("/emulator/ca/intermediate.cer", {}, "", 0).status, 200);
}

TEST(Server, TenThousandInstancesAreOneProcess) {
    const TestServer server(Scenario::generated(10'000, "127.7.0.0/16").value());
    for (std::uint32_t i = 0; i < 10'000; ++i) {
        const std::string source = ipv4_text(0x7f070001 + i);
        const Reply reply = server.get(
            "/metadata/instance/compute/name?api-version=2021-02-01&format=text", source);
        ASSERT_EQ(reply.body, fmt::format("node-{}", i + 1)) << source << reply.raw;
    }
    EXPECT_EQ(server.get(kInstanceTarget, "127.8.0.1").status, 404);
    EXPECT_EQ(server.get("/emulator/instances").json()["instances"], 10'000);
}

TEST(Server, ManyAtOnce) {
    const TestServer server(Scenario::generated(500, "127.7.0.0/16").value());
    std::vector<Fd> open;
    const std::string request = std::string("GET ") + kInstanceTarget +
                                " HTTP/1.1\r\nMetadata: true\r\nConnection: close\r\n\r\n";
    for (std::uint32_t i = 0; i < 400; ++i) {
        open.push_back(server.connected(ipv4_text(0x7f070001 + i)));
        ASSERT_TRUE(open.back());
        ASSERT_GT(::send(open.back().get(), request.data(), 30, 0), 0);
    }
    for (const Fd& fd : open) {
        ASSERT_GT(::send(fd.get(), request.data() + 30, request.size() - 30, 0), 0);
    }
    for (const Fd& fd : open) {
        char head[16]{};
        ASSERT_GT(::recv(fd.get(), head, sizeof head, MSG_WAITALL), 0);
        EXPECT_EQ(std::string(head, 12), "HTTP/1.1 200");
    }
}

TEST(Server, SaysNoToWhatIsNoRequest) {
    const TestServer server("rate-limits = false\n");
    const auto status = [&](const std::string& bytes) { return server.raw(bytes).status; };
    EXPECT_EQ(status("\r\n\r\n"), 400);
    EXPECT_EQ(status("GET\r\n\r\n"), 400);
    EXPECT_EQ(status("GET / HTTP/2.0\r\n\r\n"), 400);
    EXPECT_EQ(status("GET http://x/ HTTP/1.1\r\n\r\n"), 400);
    EXPECT_EQ(status("GET /%zz HTTP/1.1\r\n\r\n"), 400);
    EXPECT_EQ(status("GET /%00 HTTP/1.1\r\n\r\n"), 400);
    EXPECT_EQ(status("GET /?a=%4 HTTP/1.1\r\n\r\n"), 400);
    EXPECT_EQ(status("GET / HTTP/1.1\r\nno header\r\n\r\n"), 400);
    EXPECT_EQ(status("GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n"), 400);
    EXPECT_EQ(status("GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"), 400);
    EXPECT_EQ(status("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"), 501);
    EXPECT_EQ(status("POST / HTTP/1.1\r\nContent-Length: 999999999\r\n\r\n"), 413);
    EXPECT_EQ(status("GET / HTTP/1.1\r\nA: " + std::string(20'000, 'x')), 431);
    EXPECT_EQ(status(std::string(20'000, '\0')), 431);
    EXPECT_EQ(server.get("/metadata/versions").status, 200) << "and goes on";
}

TEST(Server, SaysWhereItCannotListen) {
    const TestServer server("");
    ServerOptions options;
    options.scenario = Scenario::generated(1, "").value();
    options.listeners = {{"127.0.0.1", server.port()}};
    const auto second = Server::start(std::move(options));
    ASSERT_FALSE(second);
    EXPECT_TRUE(contains(second.error().message, fmt::format("127.0.0.1:{}", server.port())));
    EXPECT_FALSE(Listener::parse("localhost:80"));
    EXPECT_FALSE(Listener::parse("127.0.0.1"));
    EXPECT_FALSE(Listener::parse("127.0.0.1:70000"));
    EXPECT_EQ(Listener::parse("127.0.0.1:80")->port, 80);
}

// ---- scenarios --------------------------------------------------------------------------------

TEST(Scenario, MakesUpWhatIsNotSaidAndAlwaysTheSame) {
    const Scenario one = TestServer::scenario_of(
        "[generate]\ncount = 3\nsubnet = \"10.7.0.0/16\"\n[defaults]\nzone = \"2\"\n");
    ASSERT_EQ(one.instances.size(), 3U);
    EXPECT_EQ(one.instances[2].name, "node-3");
    EXPECT_EQ(one.instances[2].source, "10.7.0.3");
    EXPECT_EQ(one.instances[2].nics[0].address, "10.7.0.3");
    EXPECT_EQ(one.instances[2].zone, "2");
    EXPECT_EQ(one.instances[2].vm_id.size(), 36U);
    EXPECT_EQ(one.instances[2].vm_id, Scenario::generated(3, "10.7.0.0/16")->instances[2].vm_id);
    EXPECT_NE(one.instances[2].vm_id, one.instances[1].vm_id);
    EXPECT_FALSE(Scenario::generated(300, "10.0.0.0/24"));
    EXPECT_FALSE(Scenario::generated(2, ""));
    EXPECT_FALSE(Scenario::generated(1, "10.0.0.0"));
}

class ScenarioMistakes : public testing::TestWithParam<std::string> {};

TEST_P(ScenarioMistakes, AreSaid) {
    const golden::Case each("emulator", GetParam());
    const auto scenario = Scenario::parse(each.file("scenario.toml"), "scenario.toml", "/nowhere");
    ASSERT_FALSE(scenario);
    EXPECT_EQ(scenario.error().kind, ErrorKind::kUsage);
    each.expect(golden::printed(scenario.error()), "/nowhere");
}

INSTANTIATE_TEST_SUITE_P(Golden,
                         ScenarioMistakes,
                         testing::ValuesIn(golden::cases("emulator")),
                         golden::test_name);

}  // namespace
}  // namespace tarn::emulator
