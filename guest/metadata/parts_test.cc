// SPDX-License-Identifier: MIT
// The pure parts: who may, how long, what changed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <thread>

#include "base/fs.hh"
#include "metadata/access.hh"
#include "metadata/document.hh"
#include "metadata/events.hh"
#include "metadata/fakes_test.hh"
#include "metadata/hooks.hh"
#include "metadata/token.hh"

namespace tarn::guest {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

Names names() {
    Names out;
    out.user = [](const std::string& name) -> std::optional<std::uint32_t> {
        return name == "web" ? std::optional<std::uint32_t>(33) : std::nullopt;
    };
    out.group = [](const std::string&) { return std::nullopt; };
    return out;
}

TEST(Access, EveryMistakeIsToldOfAndGrantsNothing) {
    std::vector<std::string> complaints;
    const Access access = Access::parse(
        "token-usr = web\ntoken-user web\ntoken-user =\ntoken-user = nobody-here\n"
        "token-user = web a b\nattest-user = web r\ntoken-unit = web\ntoken-group = 99999999999\n"
        "# token-user = web\n\n",
        "f.conf",
        names(),
        complaints);
    EXPECT_EQ(access.size(), 0U);
    ASSERT_THAT(complaints, SizeIs(8));
    EXPECT_EQ(complaints[0],
              "f.conf:1: unknown key `token-usr`; did you mean `token-user` or `token-unit`?");
    EXPECT_EQ(complaints[3], "f.conf:4: there is no user `nobody-here`");
    Peer peer;
    peer.uid = 33;
    EXPECT_FALSE(access.may(peer, Good::kToken, "r"));
}

TEST(Access, FilesOfADirectoryAddUp) {
    const auto directory = TempDir::make();
    ASSERT_TRUE(directory);
    ASSERT_TRUE(write_file_atomic(directory->path() + "/10.conf", "token-user = web\n"));
    ASSERT_TRUE(write_file_atomic(directory->path() + "/20.conf", "attest-user=web # so\r\n"));
    ASSERT_TRUE(write_file_atomic(directory->path() + "/30.conf.bak", "garbage\n"));
    std::vector<std::string> complaints;
    const Access access = Access::read(directory->path(), names(), complaints);
    EXPECT_THAT(complaints, SizeIs(0));
    EXPECT_EQ(access.size(), 2U);
    Peer peer;
    peer.uid = 33;
    EXPECT_TRUE(access.may(peer, Good::kAttested));
    EXPECT_EQ(Access::read(directory->path() + "/none", names(), complaints).size(), 0U);
    EXPECT_THAT(complaints, SizeIs(0));
}

TEST(Access, UnitIsTheSystemManagersAlone) {
    EXPECT_EQ(unit_of_cgroup("0::/system.slice/web.service\n"), "web.service");
    EXPECT_EQ(unit_of_cgroup("0::/system.slice/web.service/worker/x\n"), "web.service");
    EXPECT_EQ(unit_of_cgroup("0::/a.slice/a-b.slice/web.service\n"), "web.service");
    EXPECT_EQ(
        unit_of_cgroup("0::/user.slice/user-1000.slice/user@1000.service/app.slice/web.service"),
        "user@1000.service");
    EXPECT_EQ(unit_of_cgroup("0::/\n"), "");
    EXPECT_EQ(unit_of_cgroup("0::/web/web.service\n"), "");
    EXPECT_EQ(unit_of_cgroup("3:cpu:/system.slice/web.service\n"), "");
    EXPECT_EQ(unit_of_cgroup(""), "");
}

TEST(Token, TimesComeFromWhicheverClockIsRight) {
    const auto token = [](std::int64_t on, std::int64_t in) {
        Token out;
        out.expires_on = on;
        out.expires_in = in;
        return out;
    };
    const std::int64_t wall = 1'790'000'000;
    const auto left = [](const Token& one, std::int64_t clock) {
        return token_times(one, Millis(0), clock, 0).end.count() / 1000;
    };
    EXPECT_EQ(left(token(wall + 3600, 3600), wall), 3600);
    EXPECT_EQ(left(token(wall + 600, 3600), wall), 600);  // the platform's cached one
    EXPECT_EQ(left(token(wall + 3600, 3600), 0), 3600);   // 1970
    EXPECT_EQ(left(token(wall + 3600, 3600), wall + 4'000'000'000), 300);  // 2100, or an old token
    EXPECT_EQ(left(token(0, 3600), wall), 3600);
    EXPECT_EQ(left(token(wall + 50, 0), wall), 50);
    EXPECT_EQ(left(token(wall - 50, 0), wall), 0);
    EXPECT_EQ(token_times(token(wall + 86400, 86400), Millis(0), wall, 0).refresh.count(),
              43'200'000);
    EXPECT_EQ(token_times(token(wall + 3600, 3600), Millis(0), wall, 0).refresh.count(), 3'300'000);
    EXPECT_LT(token_times(token(wall + 3600, 3600), Millis(0), wall, 0.9).refresh.count(),
              3'300'000);
}

TEST(Token, EveryFieldThatIsWrongIsRefused) {
    EXPECT_TRUE(parse_token(kToken));
    for (const char* text : {"",
                             "null",
                             "[]",
                             "{}",
                             R"({"access_token":""})",
                             R"({"access_token":"a"})",
                             R"({"access_token":"a b","expires_in":"1"})",
                             R"({"access_token":"a\nb","expires_in":"1"})",
                             R"({"access_token":5.5,"expires_in":"x"})",
                             R"({"access_token":"a","expires_in":"-1"})",
                             R"({"access_token":"a","expires_on":"99999999999999999999"})",
                             R"({"access_token":["a"],"expires_in":"1"})"}) {
        EXPECT_FALSE(parse_token(text)) << text;
    }
    EXPECT_TRUE(parse_token(R"({"access_token":"a","expires_in":3600})"));  // a number will do
    EXPECT_FALSE(parse_identity_error("<html>"));
    EXPECT_FALSE(parse_identity_error("{\"error\":{}}"));
}

TEST(Token, KeysDoNotCollide) {
    const auto a = token_key("https://r", "x", "", "");
    const auto b = token_key("https://r", "", "x", "");
    ASSERT_TRUE(a && b);
    EXPECT_NE(a->flight(), b->flight());
    EXPECT_EQ(a->target(),
              "/metadata/identity/oauth2/token?api-version=2018-02-01"
              "&resource=https%3A%2F%2Fr&client_id=x");
}

TEST(Document, MachinesAreTheSameWhateverTheFirmwareSwaps) {
    const char* id = "00112233-4455-6677-8899-aabbccddeeff";
    EXPECT_TRUE(same_vm_id(id, "00112233-4455-6677-8899-AABBCCDDEEFF\n"));
    EXPECT_TRUE(same_vm_id(id, "33221100-5544-7766-8899-aabbccddeeff"));
    EXPECT_FALSE(same_vm_id(id, "33221100-5544-7766-8899-aabbccddeefe"));
    EXPECT_FALSE(same_vm_id("", ""));
    EXPECT_FALSE(same_vm_id("x", "x"));
}

TEST(Document, PrivateMembersAreHiddenInEveryCase) {
    const auto document = Document::parse(R"({"COMPUTE":{"USERDATA":"s","customdata":{"a":"s"}}})");
    ASSERT_TRUE(document);
    EXPECT_EQ(document->find("", Sight::kPublic)->data,
              R"({"COMPUTE":{"USERDATA":"","customdata":""}})");
}

constexpr const char* kEvent =
    R"({"EventId":"A","EventType":"Preempt","EventStatus":"Scheduled","Resources":["web_3","web_4"],)"
    R"("NotBefore":"Mon, 04 May 2026 10:20:00 GMT"})";

EventDocument document(const std::string& events) {
    auto parsed = parse_events(R"({"DocumentIncarnation":7,"Events":[)" + events + "]}");
    TARN_CHECK(parsed.has_value());
    return *parsed;
}

TEST(Events, EveryFieldThatIsWrongIsRefused) {
    for (const char* event :
         {"5",
          "{}",
          R"({"EventId":"../x"})",
          R"({"EventId":"A"})",
          R"({"EventId":"A","EventType":"Reboot"})",
          R"({"EventId":"A","EventType":"Reboot","EventStatus":"Scheduled"})",
          R"({"EventId":"A","EventType":"Reboot","EventStatus":"Scheduled","Resources":"web"})",
          R"({"EventId":"A","EventType":"Reboot","EventStatus":"Scheduled","Resources":[1]})"}) {
        EXPECT_FALSE(parse_events(std::string(R"({"Events":[)") + event + "]}")) << event;
    }
    EXPECT_FALSE(parse_events(""));
    EXPECT_FALSE(parse_events("[]"));
    EXPECT_FALSE(parse_events(R"({"Events":{}})"));
    EXPECT_TRUE(parse_events(R"({"Events":[]})"));
    const EventDocument one = document(kEvent);
    EXPECT_EQ(*parse_events(document_text(one)), one);
    EXPECT_EQ(acknowledgement("A"), R"({"StartRequests":[{"EventId":"A"}]})");
}

TEST(Events, DatesAreOfOneForm) {
    EXPECT_EQ(parse_http_date("Mon, 04 May 2026 10:20:00 GMT"), 1'777'890'000);
    for (const char* text :
         {"", "soon", "Mon, 04 May 2026 10:20:00", "Mon, 04 May 2026 10:20:00 GMT x"}) {
        EXPECT_FALSE(parse_http_date(text)) << text;
    }
}

TEST(Events, AMachineIsToldOncePerStage) {
    const EventDocument scheduled = document(kEvent);
    auto news = changes({}, scheduled, "WEB_3");
    ASSERT_THAT(news, SizeIs(1));
    EXPECT_TRUE(leads(news[0].event, "Web_3"));
    EXPECT_FALSE(leads(news[0].event, "web_4"));
    EXPECT_THAT(changes({}, scheduled, "web_5"), SizeIs(0));
    EXPECT_THAT(changes(news, scheduled, "web_3"), SizeIs(0));
    EventDocument started = scheduled;
    started.events[0].status = "Started";
    const auto next = changes(news, started, "web_3");
    ASSERT_THAT(next, SizeIs(1));
    EXPECT_EQ(next[0].stage, Stage::kStarted);
    EXPECT_THAT(changes(next, started, "web_3"), SizeIs(0));
    EXPECT_THAT(changes(next, scheduled, "web_3"), SizeIs(0));  // back again is no news
    const auto gone = changes(next, EventDocument(), "web_3");
    ASSERT_THAT(gone, SizeIs(1));
    EXPECT_EQ(gone[0].stage, Stage::kGone);
}

TEST(Hooks, TimeIsWhatTheEventLeaves) {
    Change change{document(kEvent).events[0], Stage::kScheduled};
    EXPECT_EQ(drain_time(change, 1'777'890'000 - 60), Millis(55'000));
    EXPECT_EQ(drain_time(change, 1'777'890'000 - 2), Millis(1'000));
    EXPECT_EQ(drain_time(change, 0), Millis(25'000));              // 1970
    EXPECT_EQ(drain_time(change, 4'000'000'000), Millis(25'000));  // 2096
    change.stage = Stage::kStarted;
    EXPECT_EQ(drain_time(change, 0), Millis(30'000));
}

class HooksTest : public testing::Test {
  protected:
    HooksTest() {
        options_.directories = {directory_.path() + "/etc", directory_.path() + "/usr"};
        options_.state = directory_.path() + "/events.json";
        options_.machine = "web_3";
        for (const std::string& one : options_.directories) {
            EXPECT_TRUE(make_directories(one));
        }
    }
    void hook(const std::string& name, const std::string& text, mode_t mode = 0755) {
        const std::string path = directory_.path() + "/" + name;
        ASSERT_TRUE(write_file_atomic(path, "#!/bin/sh\n" + text + "\n"));
        ASSERT_EQ(chmod(path.c_str(), mode), 0);
    }
    std::string out() const {
        return read_file(directory_.path() + "/out").value_or(std::string());
    }
    void run(HookRunner& runner) {
        for (int i = 0; i < 3000 && runner.step(); ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
    }
    HookRunner runner() {
        return HookRunner(
            loop_,
            options_,
            [this](const std::string& id) { acknowledged_.push_back(id); },
            [this](const std::string& line) { log_.push_back(line); });
    }
    TempDir directory_ = *TempDir::make();
    HookOptions options_;
    Loop loop_ = *Loop::make();
    std::vector<std::string> acknowledged_, log_;
};

TEST_F(HooksTest, RunInOrderAndThenTheEventIsAcknowledged) {
    const std::string to = " >> " + directory_.path() + "/out";
    hook("usr/20-b", "echo \"b $TARN_EVENT_STAGE $TARN_EVENT_LEADER\"" + to);
    hook("etc/10-a", "echo \"a $TARN_EVENT_ID $TARN_EVENT_TYPE\"" + to + "; cat" + to);
    hook("usr/10-a", "echo hidden" + to);
    hook("usr/30-c", "echo not executable" + to, 0644);
    HookRunner one = runner();
    one.take(document(kEvent));
    run(one);
    EXPECT_THAT(out(), testing::StartsWith("a A Preempt\n{"));
    EXPECT_THAT(out(), HasSubstr("b Scheduled yes\n"));
    EXPECT_THAT(out(), testing::Not(HasSubstr("hidden")));
    EXPECT_THAT(acknowledged_, ElementsAre("A"));
    HookRunner again = runner();  // another process, after a restart
    again.take(document(kEvent));
    EXPECT_FALSE(again.step());
    again.take(EventDocument());
    run(again);
    EXPECT_THAT(out(), HasSubstr("b Gone yes\n"));
    EXPECT_THAT(acknowledged_, ElementsAre("A"));
}

TEST_F(HooksTest, AFailureIsNoAcknowledgement) {
    hook("etc/a", "exit 3");
    HookRunner one = runner();
    one.take(document(kEvent));
    run(one);
    EXPECT_THAT(acknowledged_, SizeIs(0));
    EXPECT_THAT(log_, testing::Contains(HasSubstr("exit code 3")));
}

TEST_F(HooksTest, WhoIsNotFirstRunsHooksAndDoesNotAcknowledge) {
    options_.machine = "web_4";
    hook("etc/a", "echo $TARN_EVENT_LEADER > " + directory_.path() + "/out");
    HookRunner one = runner();
    one.take(document(kEvent));
    run(one);
    EXPECT_EQ(out(), "no\n");
    EXPECT_THAT(acknowledged_, SizeIs(0));
}

TEST_F(HooksTest, AHookThatHangsIsKilledInTime) {
    options_.longest = Millis(200);
    hook("etc/a", "sleep 1000");
    hook("etc/b", "echo late > " + directory_.path() + "/out");
    HookRunner one = runner();
    one.take(document(kEvent));
    run(one);
    EXPECT_FALSE(one.step());
    EXPECT_THAT(log_, testing::Contains(HasSubstr("killed")));
    EXPECT_EQ(out(), "");
    EXPECT_THAT(acknowledged_, SizeIs(0));
}

TEST_F(HooksTest, OneThatOthersMayWriteIsNotRun) {
    hook("etc/a", "echo > " + directory_.path() + "/out", 0777);
    std::vector<std::string> complaints;
    EXPECT_THAT(find_hooks(options_.directories, complaints), SizeIs(0));
    EXPECT_THAT(complaints, ElementsAre(HasSubstr("others than root")));
}

TEST_F(HooksTest, AStateThatIsGarbageIsNoState) {
    for (const char* text : {"", "garbage", "{}", "[5]", R"([{"event":5}])", R"([{"event":{}}])"}) {
        EXPECT_THAT(parse_told(text), SizeIs(0)) << text;
    }
    const std::vector<Change> told = {{document(kEvent).events[0], Stage::kStarted}};
    const auto again = parse_told(told_text(told));
    ASSERT_THAT(again, SizeIs(1));
    EXPECT_EQ(again[0].event, told[0].event);
    EXPECT_EQ(again[0].stage, Stage::kStarted);
}

}  // namespace
}  // namespace tarn::guest
