// SPDX-License-Identifier: MIT
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <thread>

#include "base/fs.hh"
#include "health/collect.hh"
#include "health/commands.hh"
#include "health/proc.hh"
#include "health/timeline.hh"

namespace tarn::guest {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

constexpr const char* kManager =
    R"({"context":{},"runtime":{"SystemState":"running","NFailedUnits":0,"NNames":300,"NJobs":0,)"
    R"("FirmwareTimestamp":{"realtime":1,"monotonic":3000000},)"
    R"("LoaderTimestamp":{"realtime":1,"monotonic":1000000},)"
    R"("InitRDTimestamp":{"realtime":1,"monotonic":500000},)"
    R"("UserspaceTimestamp":{"realtime":1,"monotonic":1500000},)"
    R"("FinishTimestamp":{"realtime":1,"monotonic":4500000}}})";

ManagerState manager() {
    auto parsed = parse_manager(kManager);
    TARN_CHECK(parsed.has_value());
    return *parsed;
}

TEST(Proc, ReadsPressure) {
    const Pressure one = parse_pressure(
        "some avg10=1.50 avg60=0.10 avg300=0.00 total=2500000\nfull avg10=0.00 avg60=0.00 "
        "avg300=0.00 total=42\n");
    EXPECT_DOUBLE_EQ(one.some_seconds.value(), 2.5);
    EXPECT_DOUBLE_EQ(one.some_avg10.value(), 1.5);
    EXPECT_DOUBLE_EQ(one.full_seconds.value(), 42e-6);
    for (const char* garbage : {"",
                                "some",
                                "some total=",
                                "some total=x",
                                "some total=-5",
                                "none total=5",
                                "some total=1e999"}) {
        EXPECT_FALSE(parse_pressure(garbage).some_seconds) << garbage;
    }
}

TEST(Proc, ReadsStat) {
    const CpuTimes cpu = parse_stat(
        "cpu  100 0 250 1000 5 0 1 7 0 0\ncpu0 1 1 1 1\ncpu1 1 1 1 1\nintr 5 5\nctxt 77\n"
        "btime 1790000000\nprocesses 9\nprocs_running 2\n");
    EXPECT_EQ(cpu.processors, 2U);
    EXPECT_DOUBLE_EQ(cpu.seconds.at("system"), 2.5);
    EXPECT_DOUBLE_EQ(cpu.seconds.at("steal"), 0.07);
    EXPECT_EQ(cpu.counts.at("ctxt"), 77U);
    EXPECT_EQ(parse_stat("cpu\ncpu x\nctxt\n").seconds.size(), 0U);
}

TEST(Proc, ReadsDisksAndLeavesOutLoops) {
    const auto disks = parse_diskstats(
        "   8       0 sda 100 0 2048 500 50 0 4096 250 3 700 750 0 0 0 0 0 0\n"
        "   7       0 loop0 1 0 1 1 1 0 1 1 1 1 1\n 8 1 sdb 5\n");
    ASSERT_THAT(disks, SizeIs(1));
    EXPECT_EQ(disks[0].read_bytes, 2048U * 512);
    EXPECT_DOUBLE_EQ(disks[0].write_seconds, 0.25);
    EXPECT_EQ(disks[0].in_flight, 3U);
}

TEST(Proc, ReadsNetworkDevices) {
    const auto devices = parse_net_dev(
        "Inter-|   Receive |  Transmit\n face |bytes    packets errs drop fifo frame compressed "
        "multicast|bytes packets errs drop fifo colls carrier compressed\n"
        "  eth0:100 2 3 4 0 0 0 0 500 6 7 8 0 0 0 0\n eth0:1: 1 2 3 4 0 0 0 0 5 6 7 8 0 0 0 0\nlo: "
        "1 2\n");
    ASSERT_THAT(devices, SizeIs(2));
    EXPECT_EQ(devices[0].tx_bytes, 500U);
    EXPECT_EQ(devices[1].name, "eth0:1");
}

TEST(Proc, ReadsNetstatByItsOwnNames) {
    const auto values = parse_netstat(
        "TcpExt: SyncookiesSent ListenDrops\nTcpExt: 1 22\nIpExt: InOctets\nIpExt: 9\n"
        "Odd: A B\nEven: 1 2\n");
    EXPECT_EQ(values.at("TcpExt.ListenDrops"), 22U);
    EXPECT_EQ(values.at("IpExt.InOctets"), 9U);
    EXPECT_THAT(values, SizeIs(3));
}

TEST(Proc, ReadsMountsWithEscapes) {
    const auto mounts = parse_mountinfo(
        "22 1 8:1 / / rw,relatime shared:1 master:2 - ext4 /dev/sda1 rw\n"
        "23 22 8:2 / /mnt/a\\040b ro,nosuid - xfs /dev/sdb rw\n24 22 8:2 / /x rw\n25 - - -\n\n");
    ASSERT_THAT(mounts, SizeIs(2));
    EXPECT_EQ(mounts[1].path, "/mnt/a b");
    EXPECT_TRUE(mounts[1].read_only);
    EXPECT_FALSE(mounts[0].read_only);
    EXPECT_EQ(mounts[0].type, "ext4");
}

Metrics few() {
    Metrics metrics;
    metrics.add(MetricType::kCounter, "a_seconds", "Time", 1.5, {{"device", "x\"y\\z\n\xff"}});
    metrics.add(MetricType::kGauge, "b", "B", 3);
    metrics.add(MetricType::kCounter, "a_seconds", "ignored", 2);
    return metrics;
}

TEST(Metrics, PrometheusText) {
    EXPECT_EQ(metrics_text(few(), Exposition::kPrometheus),
              "# HELP a_seconds_total Time\n# TYPE a_seconds_total counter\n"
              "a_seconds_total{device=\"x\\\"y\\\\z\\n?\"} 1.5\na_seconds_total 2\n"
              "# HELP b B\n# TYPE b gauge\nb 3\n");
}

TEST(Metrics, OpenMetricsText) {
    EXPECT_EQ(metrics_text(few(), Exposition::kOpenMetrics),
              "# HELP a_seconds Time\n# TYPE a_seconds counter\n# UNIT a_seconds seconds\n"
              "a_seconds_total{device=\"x\\\"y\\\\z\\n?\"} 1.5\na_seconds_total 2\n"
              "# HELP b B\n# TYPE b gauge\nb 3\n# EOF\n");
}

TEST(Metrics, TheFormIsWhatTheClientPrefers) {
    const auto open = Exposition::kOpenMetrics;
    const auto plain = Exposition::kPrometheus;
    EXPECT_EQ(negotiate(""), plain);
    EXPECT_EQ(negotiate("*/*"), plain);
    EXPECT_EQ(negotiate("application/openmetrics-text"), open);
    EXPECT_EQ(negotiate("application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.3"), open);
    EXPECT_EQ(negotiate("text/plain;q=0.9, application/openmetrics-text;q=0.1"), plain);
    EXPECT_EQ(negotiate("application/openmetrics-text;q=0"), plain);
    EXPECT_EQ(negotiate(",;q=,;;=,"), plain);
}

TEST(Manager, AnswersAreRead) {
    const ManagerState state = manager();
    EXPECT_EQ(state.system_state, "running");
    EXPECT_EQ(state.failed_units, 0U);
    EXPECT_EQ(state.timestamps.at("Finish"), 4'500'000U);
    for (const char* garbage : {"", "[]", "{}", R"({"runtime":5})"}) {
        EXPECT_FALSE(parse_manager(garbage)) << garbage;
    }
    EXPECT_TRUE(parse_manager(R"({"runtime":{"NFailedUnits":"x","KernelTimestamp":5}})"));
    EXPECT_EQ(
        parse_failed_unit(R"({"context":{"ID":"a.service"},"runtime":{"ActiveState":"failed"}})"),
        "a.service");
    EXPECT_FALSE(
        parse_failed_unit(R"({"context":{"ID":"a.service"},"runtime":{"ActiveState":"active"}})"));
    EXPECT_FALSE(parse_failed_unit(R"({"context":{},"runtime":{"ActiveState":"failed"}})"));
    EXPECT_FALSE(parse_failed_unit("5"));
}

Provisioning provisioned(bool platform, bool workload, const std::string& status = "done") {
    Provisioning out;
    out.status = status;
    out.platform_ready = platform;
    out.workload_ready = workload;
    return out;
}

TEST(Health, NothingToBeSeenIsHealthy) {
    EXPECT_EQ(health_body(evaluate({})), "{\"ApplicationHealthState\":\"Healthy\"}\n");
}

TEST(Health, WaitsForProvisioningAndForTheSystem) {
    HealthInputs inputs;
    inputs.manager = manager();
    inputs.provisioning = provisioned(false, false, "running");
    EXPECT_EQ(evaluate(inputs).state, HealthState::kInitializing);
    inputs.provisioning = provisioned(true, false, "running");
    EXPECT_EQ(evaluate(inputs).state, HealthState::kInitializing);
    inputs.provisioning = provisioned(true, true);
    EXPECT_EQ(evaluate(inputs).state, HealthState::kHealthy);
    inputs.manager->system_state = "starting";
    EXPECT_EQ(evaluate(inputs).state, HealthState::kInitializing);
    inputs.manager->system_state = "stopping";
    EXPECT_EQ(evaluate(inputs).state, HealthState::kUnhealthy);
    inputs.manager.reset();
    inputs.provisioning = provisioned(false, false, "disabled");
    EXPECT_EQ(evaluate(inputs).state, HealthState::kHealthy);
}

TEST(Health, AFailureOutweighsAStart) {
    HealthInputs inputs;
    inputs.provisioning = provisioned(false, false, "error");
    inputs.provisioning->errors = {"no metadata"};
    inputs.manager = manager();
    inputs.manager->system_state = "starting";
    inputs.manager->failed_units = 2;
    inputs.failed_units = {"a.service", "b.service"};
    const Health health = evaluate(inputs);
    EXPECT_EQ(health.state, HealthState::kUnhealthy);
    EXPECT_THAT(health.reasons,
                ElementsAre("provisioning failed: no metadata",
                            "the system is starting",
                            "failed: a.service, b.service"));
}

TEST(Health, OpinionsOfOthersCount) {
    const auto state = [](std::string_view text, std::uint64_t age = 0) {
        HealthInputs inputs;
        inputs.opinions = {parse_opinion("db", text, age)};
        return evaluate(inputs);
    };
    EXPECT_EQ(state("Healthy\n").state, HealthState::kHealthy);
    EXPECT_EQ(state("# so\nInitializing warms up\r\n").state, HealthState::kInitializing);
    EXPECT_THAT(state("Unhealthy disk is slow").reasons, ElementsAre("db: disk is slow"));
    EXPECT_EQ(state("Healthy\nmax-age 60\n", 60).state, HealthState::kHealthy);
    EXPECT_THAT(state("Healthy\nmax-age 60\n", 61).reasons, ElementsAre(HasSubstr("nothing new")));
    for (const char* garbage : {"",
                                "healthy",
                                "Healthy\nHealthy",
                                "Healthy\nmax-age",
                                "max-age x",
                                "Healthy\nmax-age -1",
                                "\xff\xfe"}) {
        EXPECT_EQ(state(garbage).state, HealthState::kUnhealthy) << garbage;
    }
}

TEST(Health, StatusOfProvisioningIsReadWhateverItHolds) {
    const auto good = parse_provisioning(
        R"({"version":1,"status":"done","source":"azure","platform_ready":true,"workload_ready":true,)"
        R"("errors":["x",5],"ready_seconds":3.5,"end_seconds":4,"steps":[{"name":"hostname","seconds":0.1},7]})");
    ASSERT_TRUE(good);
    EXPECT_DOUBLE_EQ(good->ready_seconds, 3.5);
    EXPECT_THAT(good->steps, SizeIs(1));
    for (const char* garbage : {"", "[]", "{}", R"({"status":{}})", R"({"status":)"}) {
        EXPECT_FALSE(parse_provisioning(garbage)) << garbage;
    }
}

class RootTest : public testing::Test {
  protected:
    void file(const std::string& path, const std::string& text) {
        const std::string full = root_.path() + "/" + path;
        ASSERT_TRUE(make_directories(parent_path(full)));
        ASSERT_TRUE(write_file_atomic(full, text));
    }
    HealthInputs inputs() const { return read_inputs(root_.path(), root_.path() + "/no-socket"); }
    TempDir root_ = *TempDir::make();
};

TEST_F(RootTest, AbsentPiecesAreAbsent) {
    const HealthInputs none = inputs();
    EXPECT_FALSE(none.provisioning || none.manager);
    const std::string text = metrics_text(collect(root_.path(), none), Exposition::kPrometheus);
    EXPECT_THAT(text, HasSubstr("tarn_health_state{state=\"Healthy\"} 1\n"));
    EXPECT_THAT(text, Not(HasSubstr("node_memory")));
    EXPECT_THAT(text, Not(HasSubstr("tarn_provision")));
}

TEST_F(RootTest, WhatIsThereIsTold) {
    file(
        "run/tarn/provision/status.json",
        R"({"status":"done","platform_ready":true,"workload_ready":true,"steps":[{"name":"a","seconds":2}]})");
    file("etc/tarn/health.d/db", "Healthy\n");
    file("run/tarn/health.d/db", "Unhealthy down\n");
    file("run/tarn/health.d/custom-metrics.json", R"({"RollingUpgrade": {"SkipUpgrade": "true"}})");
    file("proc/meminfo", "MemTotal:       16 kB\nMemFree: 4 kB\n");
    file("proc/vmstat", "oom_kill 3\n");
    file("proc/pressure/io", "some avg10=0.00 avg60=0.00 avg300=0.00 total=1000000\n");
    file("sys/fs/cgroup/system.slice/memory.events", "low 0\noom_kill 7\n");
    file("proc/1/mountinfo",
         "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n30 22 0:9 / /n rw - nfs4 h:/x rw\n");
    const std::string text =
        metrics_text(collect(root_.path(), inputs()), Exposition::kOpenMetrics);
    for (const char* line :
         {"node_memory_MemTotal_bytes 16384\n",
          "tarn_oom_kills_total 3\n",
          "node_pressure_io_waiting_seconds_total 1\n",
          "tarn_cgroup_memory_events_total{cgroup=\"system.slice\",event=\"oom_kill\"} 7\n",
          "node_filesystem_readonly{device=\"/dev/sda1\",fstype=\"ext4\",mountpoint=\"/\"} 0\n",
          "tarn_provision_step_seconds{step=\"a\"} 2\n",
          "tarn_health_state{state=\"Unhealthy\"} 1\n"}) {
        EXPECT_THAT(text, HasSubstr(line));
    }
    EXPECT_THAT(text, Not(HasSubstr("nfs4")));
    const Health health = evaluate(inputs());
    EXPECT_EQ(health_body(health),
              R"({"ApplicationHealthState":"Unhealthy",)"
              R"("CustomMetrics":"{\"RollingUpgrade\":{\"SkipUpgrade\":\"true\"}}"})"
              "\n");
    EXPECT_THAT(health.reasons, ElementsAre("db: down"));
}

TEST_F(RootTest, PathsAnswer) {
    const auto ask = [&](const char* path, const char* query = "") {
        return answer_probe({"GET", path, query, ""}, root_.path(), inputs());
    };
    EXPECT_EQ(ask("/health").status, 200);
    EXPECT_EQ(ask("/ready").status, 200);
    EXPECT_EQ(ask("/live").status, 200);
    EXPECT_EQ(ask("/").status, 404);
    EXPECT_THAT(ask("/metrics").body, HasSubstr("# TYPE"));
    file("run/tarn/health.d/x", "Unhealthy why\n");
    EXPECT_EQ(ask("/health").status, 200);  // the probe reads the body
    EXPECT_EQ(ask("/ready").status, 503);
    EXPECT_THAT(ask("/health", "verbose").body, HasSubstr(R"("Reasons":["x: why"])"));
}

TEST(Commands, WrongUsageIsTwo) {
    using Words = std::vector<std::string>;
    for (const Words& words : {Words{},
                               Words{"statsu"},
                               Words{"status", "--open"},
                               Words{"status", "-O"},
                               Words{"status", "-O", "xml"},
                               Words{"serve", "--listen", "nowhere"},
                               Words{"metrics", "--open=1"},
                               Words{"status", "x"}}) {
        testing::internal::CaptureStderr();
        EXPECT_EQ(run_health(words), 2) << testing::PrintToString(words);
        EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("tarn-health: "));
    }
}

TEST_F(RootTest, MetricsOfThisMachineAreWellFormed) {
    testing::internal::CaptureStdout();
    EXPECT_EQ(run_health({"metrics", "--open", "--manager", root_.path() + "/none"}), 0);
    const std::string text = testing::internal::GetCapturedStdout();
    EXPECT_THAT(text, testing::EndsWith("# EOF\n"));
    EXPECT_THAT(text, HasSubstr("node_cpu_seconds_total{mode=\"idle\"} "));
    EXPECT_THAT(text, HasSubstr("node_memory_MemTotal_bytes "));
}

TEST(Timeline, PhasesAddUp) {
    HealthInputs inputs;
    inputs.manager = manager();
    inputs.provisioning = provisioned(true, true);
    inputs.provisioning->steps = {{"hostname", 0.25}};
    Boot boot = make_boot(inputs);
    std::vector<std::string> phases;
    for (const Phase& phase : boot.phases) {
        phases.push_back(fmt::format("{} {} {}", phase.name, phase.start, phase.seconds));
    }
    EXPECT_THAT(phases,
                ElementsAre("firmware -3 2",
                            "loader -1 1",
                            "kernel 0 0.5",
                            "initrd 0.5 1",
                            "userspace 1.5 3",
                            "provision/hostname 0 0.25"));
    EXPECT_DOUBLE_EQ(boot.total, 7.5);
    EXPECT_THAT(make_boot({}).phases, SizeIs(0));
}

TEST(Timeline, KeepsTheLastBootsAndEachOnce) {
    std::string history = "garbage";
    for (int i = 0; i < 30; ++i) {
        Boot boot;
        boot.boot_id = fmt::format("boot-{}", i / 2 * 2);
        boot.time = i;
        history = add_boot(history, boot);
    }
    EXPECT_THAT(history, HasSubstr("boot-28"));
    std::size_t count = 0;
    for (std::size_t at = 0; (at = history.find("boot_id", at)) != std::string::npos; ++at) {
        ++count;
    }
    EXPECT_EQ(count, 15U);
    for (int i = 100; i < 150; ++i) {
        Boot boot;
        boot.boot_id = fmt::format("boot-{}", i);
        history = add_boot(history, boot);
    }
    EXPECT_THAT(history, Not(HasSubstr("boot-28")));
    EXPECT_THAT(add_boot(R"({"boots":[5,{}]})", Boot()), HasSubstr("\"version\": 1"));
}

TEST(Probe, RequestsAreReadStrictly) {
    const auto good = parse_probe("GET /health?verbose HTTP/1.1\r\nHost: x\r\nACCEPT: a/b");
    ASSERT_TRUE(good);
    EXPECT_EQ(good->path, "/health");
    EXPECT_EQ(good->query, "verbose");
    EXPECT_EQ(good->accept, "a/b");
    for (const char* bad : {"",
                            "GET",
                            "GET /",
                            "GET / HTTP/2",
                            "GET  / HTTP/1.1",
                            "GET x HTTP/1.1",
                            "GET / HTTP/1.1\r\nno colon",
                            " / HTTP/1.1",
                            "GET http://x/ HTTP/1.1"}) {
        EXPECT_FALSE(parse_probe(bad)) << bad;
    }
}

class ProbeServerTest : public testing::Test {
  protected:
    ProbeServerTest() : listener_(*listen_tcp("127.0.0.1:0")), stop_(eventfd(0, EFD_CLOEXEC)) {
        sockaddr_in address{};
        socklen_t size = sizeof address;
        getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size);
        address_ = address;
        limits_.connections = 4;
        limits_.patience = std::chrono::milliseconds(20'000);
    }
    void start() {
        thread_ = std::thread([this] {
            (void)serve_probes(listener_, stop_.get(), limits_, [](const ProbeRequest& request) {
                return ProbeAnswer{200, "text/plain", "you asked " + request.path + "\n"};
            });
        });
    }
    ~ProbeServerTest() override {
        const std::uint64_t one = 1;
        (void)!::write(stop_.get(), &one, sizeof one);
        thread_.join();
    }
    Fd connected() const {
        Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        TARN_CHECK(
            connect(fd.get(), reinterpret_cast<const sockaddr*>(&address_), sizeof address_) == 0);
        return fd;
    }
    static std::string rest(const Fd& fd) {
        std::string out;
        char buffer[4096];
        ssize_t got = 0;
        while ((got = recv(fd.get(), buffer, sizeof buffer, 0)) > 0) {
            out.append(buffer, static_cast<std::size_t>(got));
        }
        return out;
    }
    std::string ask(std::string_view text) const {
        const Fd fd = connected();
        (void)send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL);
        return rest(fd);
    }
    Fd listener_, stop_;
    sockaddr_in address_{};
    ProbeLimits limits_;
    std::thread thread_;
};

TEST_F(ProbeServerTest, Answers) {
    start();
    EXPECT_THAT(ask("GET /health HTTP/1.1\r\nHost: x\r\n\r\n"),
                testing::AllOf(testing::StartsWith("HTTP/1.1 200 OK\r\n"),
                               HasSubstr("you asked /health\n")));
    EXPECT_THAT(ask("HEAD /health HTTP/1.0\r\n\r\n"), testing::EndsWith("\r\n\r\n"));
    EXPECT_THAT(ask("POST / HTTP/1.1\r\n\r\n"), HasSubstr("405"));
    EXPECT_THAT(ask("garbage\r\n\r\n"), HasSubstr("400"));
    EXPECT_THAT(ask("GET /" + std::string(9000, 'a')), HasSubstr("431"));
}

TEST_F(ProbeServerTest, ThoseThatSayNothingDoNotBlockOthersForLong) {
    limits_.patience = std::chrono::milliseconds(500);
    start();
    std::vector<Fd> silent;
    for (int i = 0; i < 10; ++i) {
        silent.push_back(connected());
        (void)send(silent.back().get(), "GET /", 5, MSG_NOSIGNAL);
    }
    std::string answer;  // a slow machine may miss the time itself
    for (int i = 0; i < 20 && answer.empty(); ++i) {
        answer = ask("GET /x HTTP/1.1\r\n\r\n");
    }
    EXPECT_THAT(answer, HasSubstr("you asked /x"));
    EXPECT_EQ(rest(silent[0]), "");
}

TEST(ProbeServer, AddressesAreChecked) {
    for (const char* bad :
         {"", "x", "127.0.0.1", "127.0.0.1:", "127.0.0.1:99999", "localhost:80", "[::1:80"}) {
        EXPECT_FALSE(listen_tcp(bad)) << bad;
    }
}

// A system manager that answers from a list.
class FakeManager {
  public:
    FakeManager(const std::string& path, std::vector<std::string> replies)
        : replies_(std::move(replies)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path.copy(address.sun_path, sizeof address.sun_path - 1);
        listener_ = Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        TARN_CHECK(bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) ==
                   0);
        TARN_CHECK(listen(listener_.get(), 8) == 0);
        thread_ = std::thread([this] {
            for (const std::string& reply : replies_) {
                const Fd client(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
                char buffer[4096];
                (void)recv(client.get(), buffer, sizeof buffer, 0);
                (void)send(client.get(), reply.data(), reply.size(), MSG_NOSIGNAL);
            }
        });
    }
    ~FakeManager() { thread_.join(); }

  private:
    std::vector<std::string> replies_;
    Fd listener_;
    std::thread thread_;
};

TEST_F(RootTest, FailedUnitsAreNamed) {
    std::string first = R"({"parameters":)" + std::string(kManager) + "}";
    first.replace(first.find("\"NFailedUnits\":0"), 16, "\"NFailedUnits\":1");
    const std::string nul(1, '\0');
    const std::string units =
        R"({"parameters":{"context":{"ID":"good.service"},"runtime":{"ActiveState":"active"}},"continues":true})" +
        nul +
        R"({"parameters":{"context":{"ID":"bad.service"},"runtime":{"ActiveState":"failed"}}})" +
        nul;
    const FakeManager fake(root_.path() + "/socket", {first + nul, units});
    const Health health = evaluate(read_inputs(root_.path(), root_.path() + "/socket"));
    EXPECT_THAT(health.reasons, ElementsAre("failed: bad.service"));
}

TEST_F(RootTest, AManagerThatTalksGarbageIsNoManager) {
    const std::string nul(1, '\0');
    const FakeManager fake(root_.path() + "/socket",
                           {"garbage" + nul, R"({"error":"no"})" + nul, ""});
    for (int i = 0; i < 3; ++i) {
        EXPECT_FALSE(read_inputs(root_.path(), root_.path() + "/socket").manager);
    }
}

}  // namespace
}  // namespace tarn::guest
