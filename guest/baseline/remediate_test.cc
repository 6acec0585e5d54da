// SPDX-License-Identifier: MIT
#include "baseline/remediate.hh"

#include "base/fs.hh"
#include "base/strings.hh"

#include "baseline/detail/journal.hh"
#include "baseline/live_target.hh"
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace tarn::guest::baseline {
namespace {

using ::testing::HasSubstr;

const std::string kRules =
    "[[rule]]\nid = \"sysctl\"\ntitle = \"t\"\nsection = \"B1\"\nprocedure = \"sysctl\"\n"
    "keys = [\"a.b\", \"a.c\"]\nexpect = \">= 2\"\n"
    "[[rule]]\nid = \"module\"\ntitle = \"t\"\nsection = \"A8\"\nprocedure = \"module\"\n"
    "modules = [\"x-y\"]\n"
    "[[rule]]\nid = \"mode\"\ntitle = \"t\"\nsection = \"G1\"\nprocedure = \"file\"\n"
    "paths = [\"/etc/secret\"]\nmode = \"0600\"\n"
    "[[rule]]\nid = \"umask\"\ntitle = \"t\"\nsection = \"F12\"\nprocedure = \"setting\"\n"
    "files = [\"/etc/login.defs\"]\nformat = \"words\"\nkey = \"UMASK\"\nexpect = \"027\"\n"
    "[[rule]]\nid = \"unit\"\ntitle = \"t\"\nsection = \"I4\"\nprocedure = \"unit\"\n"
    "risk = \"restart\"\noff = [\"cups.service\"]\n"
    "[[rule]]\nid = \"sshd\"\ntitle = \"t\"\nsection = \"E3\"\nprocedure = \"sshd\"\n"
    "risk = \"lock-out\"\noption = \"PermitRootLogin\"\nexpect = \"no\"\n";

class RemediationTest : public ::testing::Test {
  protected:
    void SetUp() override {
        if (::geteuid() != 0) {
            GTEST_SKIP() << "owners of files are changed, which only root can";
        }
        auto directory = TempDir::make();
        ASSERT_TRUE(directory);
        directory_ = std::make_unique<TempDir>(std::move(*directory));
        put("/etc/secret", "s\n");
        ASSERT_EQ(::chmod((root() + "/etc/secret").c_str(), 0644), 0);
        put("/etc/login.defs", "# x\nUMASK 022\nA 1\n");
        put("/etc/ssh/sshd_config", "Include /etc/ssh/sshd_config.d/*.conf\n");
        put("/usr/lib/systemd/system/cups.service", "");
        put("/etc/systemd/system/m.wants/cups.service", "");
        rules_ = *parse_rules(kRules, "x.toml");
        options_.root = root();
    }
    std::string root() const { return directory_->path(); }
    void put(const std::string& path, const std::string& text) {
        ASSERT_TRUE(make_directories(parent_path(root() + path)));
        ASSERT_TRUE(write_file_atomic(root() + path, text));
    }
    std::string get(const std::string& path) const {
        const auto text = read_file(root() + path);
        return text ? *text : "none";
    }
    Remediated go() {
        const auto target = LiveTarget::open(root());
        EXPECT_TRUE(target);
        auto result = remediate(*target, rules_, options_);
        EXPECT_TRUE(result) << (result ? "" : result.error().message);
        return result ? std::move(*result) : Remediated();
    }
    unsigned mode(const std::string& path) const {
        struct stat st{};
        EXPECT_EQ(::lstat((root() + path).c_str(), &st), 0);
        return st.st_mode & 07777;
    }
    std::unique_ptr<TempDir> directory_;
    std::vector<Rule> rules_;
    RemediateOptions options_;
};

TEST_F(RemediationTest, PutsEverythingRightAndTakesItBack) {
    const Remediated result = go();
    EXPECT_TRUE(result.problems.empty()) << join(result.problems, "\n");
    EXPECT_EQ(result.report.count(Status::kFixed), 6u);
    EXPECT_THAT(get("/etc/sysctl.d/99-tarn-baseline.conf"), HasSubstr("\na.b = 2\na.c = 2\n"));
    EXPECT_THAT(get("/etc/modprobe.d/99-tarn-baseline.conf"),
                HasSubstr("blacklist x-y\ninstall x-y /bin/false\n"));
    EXPECT_EQ(get("/etc/login.defs"), "# x\nUMASK\t027\nA 1\n");
    EXPECT_EQ(mode("/etc/secret"), 0600u);
    EXPECT_EQ(*read_symlink(root() + "/etc/systemd/system/cups.service"), "/dev/null");
    EXPECT_THAT(get("/etc/ssh/sshd_config.d/00-tarn-baseline.conf"),
                HasSubstr("PermitRootLogin no\n"));
    EXPECT_EQ(mode("/etc/ssh/sshd_config.d/00-tarn-baseline.conf"), 0600u);

    // The second time there is nothing to do, and nothing to undo of it.
    EXPECT_TRUE(go().done.empty());

    for (int i = 0; i < 2; ++i) {  // lock-out, then the rest
        const auto undone = undo(options_, false);
        ASSERT_TRUE(undone) << undone.error().message;
        EXPECT_TRUE(undone->left.empty()) << join(undone->left, "\n");
    }
    EXPECT_EQ(get("/etc/login.defs"), "# x\nUMASK 022\nA 1\n");
    EXPECT_EQ(mode("/etc/secret"), 0644u);
    EXPECT_EQ(get("/etc/sysctl.d/99-tarn-baseline.conf"), "none");
    EXPECT_EQ(get("/etc/ssh/sshd_config.d/00-tarn-baseline.conf"), "none");
    EXPECT_FALSE(read_symlink(root() + "/etc/systemd/system/cups.service"));
    EXPECT_EQ(undo(options_, false).error().kind, ErrorKind::kNotFound);
}

TEST_F(RemediationTest, ADryRunAndSafeOnlyLeaveAlone) {
    options_.dry_run = true;
    EXPECT_FALSE(go().done.empty());
    EXPECT_EQ(get("/etc/sysctl.d/99-tarn-baseline.conf"), "none");
    options_.dry_run = false;
    options_.lock_out = false;
    EXPECT_EQ(go().report.count(Status::kFixed), 5u);
    EXPECT_EQ(get("/etc/ssh/sshd_config.d/00-tarn-baseline.conf"), "none");
}

TEST_F(RemediationTest, WhatSomebodyChangedSinceStays) {
    options_.lock_out = false;
    go();
    put("/etc/login.defs", "mine\n");
    const auto undone = undo(options_, false);
    ASSERT_TRUE(undone);
    ASSERT_EQ(undone->left.size(), 1u);
    EXPECT_THAT(undone->left[0], HasSubstr("/etc/login.defs: was changed since"));
    EXPECT_EQ(get("/etc/login.defs"), "mine\n");
    EXPECT_EQ(get("/etc/sysctl.d/99-tarn-baseline.conf"), "none");
}

TEST_F(RemediationTest, AnExceptionKeepsARuleFromBeingTouched) {
    options_.audit.exceptions = {{"umask", "r", "w", "2099-01-01", "x"}};
    options_.audit.today = "2026-11-21";
    go();
    EXPECT_EQ(get("/etc/login.defs"), "# x\nUMASK 022\nA 1\n");
}

TEST_F(RemediationTest, ALinkDoesNotLeadOutOfTheTree) {
    const auto outside = TempDir::make();
    ASSERT_TRUE(outside);
    ASSERT_TRUE(make_symlink(outside->path(), root() + "/etc/modprobe.d"));
    go();
    EXPECT_TRUE(list_directory(outside->path())->empty());
}

TEST_F(RemediationTest, ADirectoryInTheWayIsAProblemAndNothingIsHalfDone) {
    ASSERT_TRUE(make_directories(root() + "/etc/sysctl.d/99-tarn-baseline.conf"));
    const Remediated result = go();
    ASSERT_FALSE(result.problems.empty());
    EXPECT_THAT(result.problems[0], HasSubstr("is no file of its own"));
    EXPECT_TRUE(is_directory(root() + "/etc/sysctl.d/99-tarn-baseline.conf"));
}

TEST_F(RemediationTest, AKillBetweenJournalAndChangeIsTakenBackAsNothing) {
    const auto files = Files::open(root());
    ASSERT_TRUE(files);
    Record record;
    record.name = "000001.json";
    Place made;
    made.path = "/etc/new";
    made.after = "x";
    auto changed = files->look(PlaceKind::kFile, "/etc/login.defs");
    ASSERT_TRUE(changed);
    changed->after = "never written";
    record.places = {made, *changed};
    put("/var/lib/tarn/baseline/changes/000001.json", write_record(record));
    const auto undone = undo(options_, false);
    ASSERT_TRUE(undone) << undone.error().message;
    EXPECT_TRUE(undone->left.empty());
    EXPECT_EQ(get("/etc/login.defs"), "# x\nUMASK 022\nA 1\n");
}

TEST_F(RemediationTest, ConfirmKeepsWhatWaits) {
    EXPECT_EQ(confirm(options_).error().kind, ErrorKind::kNotFound);
    Record record;
    record.unconfirmed = true;
    Place made;
    made.path = "/etc/new";
    made.after = "x";
    record.places = {made};
    put("/var/lib/tarn/baseline/changes/000001.json", write_record(record));
    put("/etc/new", "x");
    ASSERT_TRUE(confirm(options_));
    EXPECT_TRUE(undo(options_, true)->done.empty());
    EXPECT_EQ(get("/etc/new"), "x");
    EXPECT_EQ(undo(options_, false)->done.size(), 1u);
    EXPECT_EQ(get("/etc/new"), "none");
}

TEST_F(RemediationTest, LockOutChangesAreArmedCheckedAndConfirmed) {
    std::vector<std::string> ran;
    std::string failing;
    options_.programs = true;
    options_.runner = [&](const Command& command) -> Result<ProcessResult> {
        ran.push_back(join(command.argv, " "));
        ProcessResult result;
        result.exit_code = command.argv[0] == failing ? 1 : 0;
        result.output = "bad configuration\n";
        return result;
    };
    const std::string drop_in = "/etc/ssh/sshd_config.d/00-tarn-baseline.conf";

    failing = "systemd-run";
    Remediated result = go();
    EXPECT_EQ(get(drop_in), "none");
    EXPECT_FALSE(result.must_confirm);
    EXPECT_THAT(join(result.problems, "\n"),
                HasSubstr("nothing that can lock you out was changed"));

    failing = "sshd";
    result = go();
    EXPECT_EQ(get(drop_in), "none");
    EXPECT_THAT(join(result.problems, "\n"), HasSubstr("taken back, `sshd -t`: bad conf"));

    failing = "";
    ran.clear();
    result = go();
    EXPECT_TRUE(result.must_confirm);
    EXPECT_THAT(get(drop_in), HasSubstr("PermitRootLogin no"));
    ASSERT_GE(ran.size(), 3u);
    EXPECT_THAT(ran[0], HasSubstr("--unit=tarn-baseline-revert --on-active=300"));
    EXPECT_EQ(ran[1], "sshd -t");
    EXPECT_THAT(ran.back(), HasSubstr("try-reload-or-restart sshd.service"));

    // The timer fires.
    const auto undone = undo(options_, true);
    ASSERT_TRUE(undone);
    EXPECT_EQ(undone->done.size(), 1u);
    EXPECT_EQ(get(drop_in), "none");

    go();
    ASSERT_TRUE(confirm(options_));
    EXPECT_EQ(ran.back(), "systemctl stop tarn-baseline-revert.timer");
    EXPECT_TRUE(undo(options_, true)->done.empty());
    EXPECT_THAT(get(drop_in), HasSubstr("PermitRootLogin no"));
}

TEST(Journal, ABrokenRecordIsRefused) {
    for (const char* text : {"",
                             "{}",
                             "[]",
                             "{\"version\":2}",
                             "{\"version\":1}",
                             R"({"version":1,"unconfirmed":false,"activate":[],"places":[{}]})",
                             R"({"version":1,"unconfirmed":false,"activate":[],"places":[{)"
                             R"("kind":"x","path":"/"}]})"}) {
        EXPECT_FALSE(parse_record(text, "n")) << text;
    }
    Record record;
    record.unconfirmed = true;
    record.activate = {{"a", "b"}};
    Place place;
    place.path = "/x";
    place.before = std::string("\0\xff", 2);
    record.places = {place};
    const auto again = parse_record(write_record(record), "n");
    ASSERT_TRUE(again);
    EXPECT_EQ(again->places[0].before, place.before);
    EXPECT_EQ(again->activate, record.activate);
    EXPECT_TRUE(again->unconfirmed);
}

}  // namespace
}  // namespace tarn::guest::baseline
