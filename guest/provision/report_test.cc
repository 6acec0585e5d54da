// SPDX-License-Identifier: MIT
#include "provision/report.hh"

#include "base/strings.hh"

#include "provision/health.hh"
#include "provision/kvp.hh"
#include "provision/run_fixture.hh"
#include "provision/text.hh"
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>

namespace tarn::guest {
namespace {

Report report_of(const std::string& reason) {
    Report report;
    report.reason = reason;
    report.vm_id = "id";
    report.seconds = 301.25;
    report.timestamp = "2026-05-04T10:11:12+00:00";
    return report;
}

TEST(Report, IsTheLineThePlatformReads) {
    Report report = report_of("");
    report.success = true;
    EXPECT_EQ(report_text(report, 512),
              "result=success|agent=tarn-provision/0.1.0|pps_type=None|vm_id=id|"
              "timestamp=2026-05-04T10:11:12+00:00");
    EXPECT_EQ(report_text(report_of("http error 500"), 512),
              "result=error|reason=http error 500|agent=tarn-provision/0.1.0|duration=301.2|"
              "pps_type=None|vm_id=id|timestamp=2026-05-04T10:11:12+00:00|"
              "documentation_url=https://aka.ms/linuxprovisioningerror");
}

TEST(Report, QuotesWhatWouldBreakTheLine) {
    const std::string text = report_text(report_of("it's a|b\nc"), 512);
    EXPECT_TRUE(contains(text, "|'reason=it''s a|b c'|")) << text;
}

TEST(Report, CutsTheReasonNotTheRest) {
    for (const char* piece : {"x", "'", "|", "\xc3\xa9"}) {
        std::string reason;
        for (int i = 0; i < 2000; ++i) {
            reason += piece;
        }
        const std::string text = report_text(report_of(reason), 512);
        EXPECT_LE(text.size(), 512u);
        EXPECT_GE(text.size(), 400u);
        EXPECT_TRUE(text.ends_with("linuxprovisioningerror")) << text;
    }
}

class KvpTest : public testing::Test {
  protected:
    Result<void> write(const std::string& key, const std::string& value, std::int64_t boot = 0) {
        return write_kvp(disk_.machine(), key, value, boot);
    }
    KvpRecords records() { return parse_kvp(disk_.get(kKvpPool)); }
    TestMachine disk_;
};

TEST_F(KvpTest, ReplacesAndAppendsRecords) {
    ASSERT_TRUE(write("A", "1"));
    ASSERT_TRUE(write("B", "2"));
    ASSERT_TRUE(write("A", "3"));
    EXPECT_EQ(records(), (KvpRecords{{"A", "3"}, {"B", "2"}}));
    EXPECT_EQ(disk_.get(kKvpPool).size(), 2 * kKvpRecord);
}

TEST_F(KvpTest, CutsWhatIsTooLong) {
    ASSERT_TRUE(write(std::string(600, 'k'), std::string(3000, 'v')));
    EXPECT_EQ(records().at(0).first.size(), 254u);
    EXPECT_EQ(records().at(0).second.size(), 1022u);
    ASSERT_TRUE(write(std::string(600, 'k'), "w"));
    EXPECT_EQ(records().size(), 1u);
}

TEST_F(KvpTest, RecordsFromBeforeThisBootAreDropped) {
    ASSERT_TRUE(write("OLD", "1"));
    ASSERT_TRUE(write("NEW", "2", ::time(nullptr) + 100));
    EXPECT_EQ(records(), (KvpRecords{{"NEW", "2"}}));
    // A clock that was set back to 1970 meanwhile drops nothing.
    ASSERT_TRUE(write("NEWER", "3", 0));
    EXPECT_EQ(records().size(), 2u);
}

TEST_F(KvpTest, ACutRecordIsWrittenOver) {
    disk_.put(kKvpPool, std::string(kKvpRecord, 'x') + "PROVISIONING_REP");
    ASSERT_TRUE(write("A", "1"));
    EXPECT_EQ(records().size(), 2u);
    EXPECT_EQ(records().at(1).first, "A");
}

TEST_F(KvpTest, AFullPoolIsAnError) {
    std::string pool;
    for (int i = 0; i < 1024; ++i) {
        std::string record = fmt::format("key{}", i);
        record.resize(kKvpRecord, '\0');
        pool += record;
    }
    disk_.put(kKvpPool, pool);
    EXPECT_TRUE(write("key7", "x"));
    const auto written = write("another", "x");
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().kind, ErrorKind::kNoSpace);
    EXPECT_EQ(disk_.get(kKvpPool).size(), pool.size());
}

TEST_F(KvpTest, AFifoInItsPlaceDoesNotHang) {
    ASSERT_TRUE(make_directories(disk_.root() + "/var/lib/hyperv"));
    ASSERT_EQ(::mkfifo((disk_.root() + kKvpPool).c_str(), 0600), 0);
    EXPECT_FALSE(write("A", "1"));
}

TEST(BootEpoch, IsReadFromTheKernel) {
    TestMachine disk;
    EXPECT_EQ(boot_epoch(disk.machine()), 1000);
    disk.put("/proc/stat", "btime x\n");
    EXPECT_EQ(boot_epoch(disk.machine()), 0);
}

HealthPolicy quick() {
    HealthPolicy policy;
    policy.total = std::chrono::milliseconds(2000);
    policy.pause = policy.longest_pause = std::chrono::milliseconds(2);
    return policy;
}

TEST(Health, TellsReadyWithTheGoalStatesNames) {
    TestPlatform platform;
    ASSERT_TRUE(report_health(platform.endpoint(), {true, {}}, quick()));
    const auto seen = platform.seen();
    ASSERT_EQ(seen.size(), 2u);
    EXPECT_EQ(seen[0].line(), "GET /machine/?comp=goalstate HTTP/1.1");
    EXPECT_TRUE(seen[0].has("x-ms-version: 2012-11-30"));
    EXPECT_TRUE(seen[1].has("Content-Type: text/xml; charset=utf-8"));
    EXPECT_EQ(seen[1].line(), "POST /machine?comp=health HTTP/1.1");
    for (const char* part : {"<GoalStateIncarnation>7<",
                             "<ContainerId>c-1<",
                             "<InstanceId>_web_3<",
                             "<Health><State>Ready</State></Health>"}) {
        EXPECT_TRUE(contains(seen[1].body, part)) << seen[1].body;
    }
}

TEST(Health, TellsAFailureInAtMost512Characters) {
    TestPlatform platform;
    ASSERT_TRUE(report_health(platform.endpoint(), {false, "<" + std::string(600, 'x')}, quick()));
    const std::string body = platform.health().at(0);
    EXPECT_TRUE(contains(body,
                         "<State>NotReady</State><Details><SubStatus>ProvisioningFailed</SubStatus>"
                         "<Description>&lt;" +
                             std::string(511, 'x') + "</Description>"))
        << body;
}

TEST(Health, TriesAgainUntilItsTimeIsOver) {
    TestPlatform platform;
    platform.goal_status = 503;
    HealthPolicy policy = quick();
    policy.total = std::chrono::milliseconds(50);
    const auto told = report_health(platform.endpoint(), {true, {}}, policy);
    ASSERT_FALSE(told);
    EXPECT_TRUE(contains(told.error().message, "goal state: http 503")) << told.error().message;
    EXPECT_GT(platform.seen().size(), 1u);
}

TEST(Health, DoesNotRepeatWhatIsRefused) {
    TestPlatform platform;
    platform.health_status = 403;
    ASSERT_FALSE(report_health(platform.endpoint(), {true, {}}, quick()));
    EXPECT_EQ(platform.seen().size(), 2u);
}

TEST(Health, JsonFallsBackToXml) {
    TestPlatform platform;
    HealthPolicy policy = quick();
    policy.json = true;
    ASSERT_TRUE(report_health(platform.endpoint(), {true, {}}, policy));
    ASSERT_EQ(platform.seen().size(), 3u);
    EXPECT_EQ(platform.seen()[0].body, "{\"state\":\"Ready\"}");
    EXPECT_TRUE(platform.seen()[0].has("x-ms-guest-agent-name: tarn-provision/0.1.0"));

    TestPlatform newer;
    newer.json_status = 201;
    ASSERT_TRUE(report_health(newer.endpoint(), {false, "why"}, policy));
    EXPECT_EQ(newer.health().at(0),
              "{\"details\":{\"description\":\"why\",\"subStatus\":\"ProvisioningFailed\"},"
              "\"state\":\"NotReady\"}");
}

TEST(GoalState, WhatIsMissingIsNamed) {
    const std::string whole =
        "<GoalState><Incarnation>1</Incarnation><Container><ContainerId>c</ContainerId>"
        "<RoleInstanceList><RoleInstance><InstanceId>i</InstanceId></RoleInstance></"
        "RoleInstanceList>"
        "</Container></GoalState>";
    ASSERT_TRUE(parse_goal_state(whole));
    for (const char* name : {"Incarnation", "ContainerId", "InstanceId"}) {
        const auto broken =
            parse_goal_state(replace_all(whole, std::string("<") + name + ">", "<X>"));
        EXPECT_FALSE(broken);  // no well-formed XML
        const auto missing = parse_goal_state(replace_all(whole, std::string(name) + ">", "X>"));
        ASSERT_FALSE(missing);
        EXPECT_EQ(missing.error().message, fmt::format("goal state: there is no <{}>", name));
    }
    for (const char* text : {"", "x", "<GoalState/>", "<a/>", "<!DOCTYPE a><GoalState/>"}) {
        EXPECT_FALSE(parse_goal_state(text)) << text;
    }
}

}  // namespace
}  // namespace tarn::guest
