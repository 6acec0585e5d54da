// SPDX-License-Identifier: MIT
// LocalExecutor and the sandbox, for real: skipped where no sandbox can be made.
#include "base/fs.hh"
#include "base/strings.hh"
#include "exec/action.hh"
#include "exec/sandbox.hh"

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <thread>

namespace tarn {
namespace {

// A shell and a few tools of this machine with their libraries: their paths.
Result<std::set<std::string>> find_tools() {
    std::set<std::string> paths;
    Command command;
    command.argv = {"ldd"};
    for (const char* name : {"sh",
                             "cat",
                             "env",
                             "id",
                             "ln",
                             "ls",
                             "mkdir",
                             "rm",
                             "sleep",
                             "touch",
                             "uname",
                             "chmod"}) {
        const std::optional<std::string> program = find_program(name);
        if (!program) {
            return fail(ErrorKind::kNotFound, "this machine has no {}", name);
        }
        paths.insert(*program);
        command.argv.push_back(*program);
    }
    const ProcessResult listed = TARN_TRY(run(command));
    for (const std::string_view line : split_lines(listed.output)) {
        for (const std::string_view word : split_words(line)) {
            if (word.starts_with('/') && !word.ends_with(':')) {
                paths.insert(std::string(word));
            }
        }
    }
    return paths;
}

// A tree of them, at the paths they have here.
Result<Tree> tools_tree(const Store& store) {
    static const Result<std::set<std::string>> tools = find_tools();
    if (!tools) {
        return fail(tools.error());
    }
    std::vector<TreeEntry> entries;
    for (const std::string& path : *tools) {
        TreeEntry entry;
        entry.path = path.substr(1);
        entry.mode = 0755;
        entry.content = TARN_TRY(store.put_file(path));
        entries.push_back(std::move(entry));
    }
    return Tree::make(std::move(entries));
}

TreeEntry directory(std::string path) {
    TreeEntry entry;
    entry.path = std::move(path);
    entry.kind = EntryKind::kDirectory;
    entry.mode = 0755;
    return entry;
}

bool some_process_has(std::string_view argument) {
    const Result<std::vector<std::string>> names = list_directory("/proc");
    for (const std::string& name : *names) {
        const Result<std::string> line = read_file("/proc/" + name + "/cmdline");
        if (line && contains(*line, argument)) {
            return true;
        }
    }
    return false;
}

class ExecTest : public testing::Test {
  protected:
    void SetUp() override {
        if (const Result<void> probed = probe_sandbox(); !probed) {
            GTEST_SKIP() << probed.error().message;
        }
        const Result<Tree> tools = tools_tree(store_);
        ASSERT_TRUE(tools.has_value()) << tools.error().message;
        tools_ = *tools;
        root_ = *store_.put_tree(tools_);
    }

    Digest put(std::vector<TreeEntry> entries) const {
        return *store_.put_tree(*Tree::make(std::move(entries)));
    }
    TreeEntry file(std::string path, std::string_view content, std::uint32_t mode = 0644) const {
        TreeEntry entry;
        entry.path = std::move(path);
        entry.mode = mode;
        entry.content = *store_.put(content);
        return entry;
    }
    Action shell(std::string script) const {
        Action action;
        action.name = "test";
        const auto sh = find_program("sh");
        action.argv = {*sh, "-ec", std::move(script)};
        action.inputs = {{"/", root_, false}};
        action.timeout_seconds = 60;
        return action;
    }
    ActionResult run_it(const Action& action, const RunOptions& options = {}) {
        Result<ActionResult> result = executor_.run(action, options);
        EXPECT_TRUE(result.has_value()) << result.error().message;
        return result.value_or(ActionResult{-1, {}, {}, 0, 0, false});
    }
    // The log of a script that must succeed.
    std::string log_of(const std::string& script) {
        const ActionResult result = run_it(shell(script));
        const std::string log = store_.read(result.log).value_or("no log");
        EXPECT_EQ(result.exit_code, 0) << log;
        return log;
    }
    void expect_no_leftovers() const {
        EXPECT_EQ(*list_directory(store_.temporary_directory()), std::vector<std::string>());
    }

    TempDir home_ = *TempDir::make();
    Store store_ = *Store::open(home_.path() + "/store");
    LocalExecutor executor_{store_};
    Tree tools_;
    Digest root_{};
};

TEST_F(ExecTest, LogHoldsBothStreamsAndIsToldAsItComes) {
    std::string seen;
    RunOptions options;
    options.on_output = [&](std::string_view piece) { seen += piece; };
    const ActionResult result = run_it(shell("echo out; echo err >&2"), options);
    EXPECT_EQ(result.exit_code, 0);
    EXPECT_EQ(*store_.read(result.log), "out\nerr\n");
    EXPECT_EQ(seen, "out\nerr\n");
    EXPECT_FALSE(result.cached);
    EXPECT_GT(result.wall_seconds, 0);
    expect_no_leftovers();
}

TEST_F(ExecTest, SecondRunIsTakenFromTheStore) {
    Action action = shell("echo once; mkdir -p /out/d; echo r > /out/d/f");
    action.outputs = {"/out"};
    const ActionResult first = run_it(action);
    action.name = "another name";
    const ActionResult second = run_it(action);
    EXPECT_TRUE(second.cached);
    EXPECT_EQ(second.outputs, first.outputs);
    EXPECT_EQ(second.log, first.log);
    EXPECT_TRUE(verify_store(store_, 1, {})->empty());
    RunOptions again;
    again.cache = CachePolicy::kIgnore;
    EXPECT_FALSE(run_it(action, again).cached);
    // A kept result whose output is gone is none.
    ASSERT_EQ(::unlink(store_.blob_path(Digest::of("r\n")).c_str()), 0);
    const ActionResult third = run_it(action);
    EXPECT_FALSE(third.cached);
    EXPECT_EQ(third.outputs, first.outputs);
}

TEST_F(ExecTest, EnvironmentIsExactlyTheGivenOne) {
    ASSERT_EQ(::setenv("TARN_TEST_LEAK", "1", 1), 0);
    Action action = shell("exec env");
    action.environment = {{"A", "with space\nand line"}, {"HOME", "/elsewhere"}};
    std::string log = *store_.read(run_it(action).log);
    for (const char* expected : {"A=with space\nand line\n",
                                 "HOME=/elsewhere\n",
                                 "PATH=/usr/bin:/usr/sbin:/bin:/sbin\n",
                                 "PWD=/\n"}) {
        EXPECT_TRUE(contains(log, expected)) << log;
        log = replace_all(log, expected, "");
    }
    EXPECT_EQ(log, "");
}

TEST_F(ExecTest, SandboxIsPrivate) {
    EXPECT_EQ(log_of("id -u; id -g; uname -n; umask"), "0\n0\ntarn\n0022\n");
    const std::string devices = log_of("cat /proc/net/dev");
    EXPECT_EQ(std::count(devices.begin(), devices.end(), ':'), 1) << devices;  // lo alone
    EXPECT_TRUE(contains(log_of("cat /proc/self/status"), "CapEff:\t0000000000000000"));
    EXPECT_EQ(log_of("echo x > /tmp/f; cat /tmp/f; echo y > /var/tmp/f; echo z > /run/f"), "x\n");
    EXPECT_EQ(log_of("echo gone > /dev/null; ls /tmp /var/tmp"), "/tmp:\n\n/var/tmp:\n");
    EXPECT_EQ(log_of("exec ls /proc/self/fd"), "0\n1\n2\n3\n");
    EXPECT_FALSE(contains(log_of("echo /proc/[0-9]*"), std::to_string(::getpid())));
}

TEST_F(ExecTest, RootIsReadOnlyHoweverItIsComposed) {
    // The tools have no /proc, /dev or /tmp: this root is composed.
    log_of("! touch /new; ! touch /usr/new; ! mkdir /var/new; ! rm -f /usr/bin/env");
    // This one has every mount point and is bound as it is.
    std::vector<TreeEntry> entries = tools_.entries();
    for (const char* path : {"proc", "dev", "tmp", "run", "var/tmp"}) {
        entries.push_back(directory(path));
    }
    root_ = put(std::move(entries));
    log_of("! touch /new; ! touch /usr/new; touch /tmp/ok /run/ok /var/tmp/ok; ls /proc/self/fd");
    for (const TreeEntry& entry : tools_.entries()) {
        EXPECT_TRUE(store_.has(entry.content));
    }
}

TEST_F(ExecTest, MountPointsMayBeMissingAtAnyDepth) {
    Action action = shell("cat /usr/share/in/put/f; cat /build/f; ls /usr/bin/env /usr/share");
    action.inputs.push_back({"/usr/share/in/put", put({file("f", "deep\n")}), false});
    action.inputs.push_back({"/build", put({file("f", "top\n")}), false});
    action.outputs = {"/usr/lib/made"};
    const ActionResult result = run_it(action);
    EXPECT_EQ(*store_.read(result.log), "deep\ntop\n/usr/bin/env\n\n/usr/share:\nin\n");
}

TEST_F(ExecTest, LinksOfTheRootAreFollowedWithinIt) {
    std::vector<TreeEntry> entries = tools_.entries();
    TreeEntry link = file("data", "");
    link.kind = EntryKind::kSymlink;
    link.target = "/../../srv/data";
    entries.push_back(link);
    link.path = "round";
    link.target = "round";
    entries.push_back(link);
    root_ = put(std::move(entries));
    Action action = shell("cat /data/f /srv/data/f");
    action.inputs.push_back({"/data", put({file("f", "here\n")}), false});
    EXPECT_EQ(*store_.read(run_it(action).log), "here\nhere\n");
    action.inputs.back().path = "/round/x";
    EXPECT_FALSE(executor_.run(action, {}).has_value());
}

TEST_F(ExecTest, WritableInputIsAPrivateCopy) {
    const Digest input = put({file("d/f", "before", 0640), file("d/tool", "t", 0711)});
    Action action = shell(
        "cd /build/d; echo after > f; ln f g; ln -s f h; rm tool; "
        "mkdir closed; touch closed/in; chmod 0 closed");
    action.inputs.push_back({"/build", input, true});
    action.outputs = {"/build/d", "/build/none", "/build/d/f"};
    action.environment["SOURCE_DATE_EPOCH"] = "1234567890";
    const ActionResult result = run_it(action);
    ASSERT_EQ(result.exit_code, 0) << *store_.read(result.log);
    const Tree out = *store_.read_tree(result.outputs);
    ASSERT_EQ(out.entries().size(), 6U) << out.serialize();
    EXPECT_EQ(out.find("build/d/f")->content, Digest::of("after\n"));
    EXPECT_EQ(out.find("build/d/f")->mode, 0640U);
    EXPECT_EQ(out.find("build/d/g")->hardlink, "build/d/f");
    EXPECT_EQ(out.find("build/d/h")->target, "f");
    EXPECT_EQ(out.find("build/d/closed")->mode, 0U);
    for (const TreeEntry& entry : out.entries()) {
        EXPECT_EQ(entry.mtime, 1234567890) << entry.path;
    }
    EXPECT_EQ(*store_.read(Digest::of("before")), "before");
    expect_no_leftovers();
}

TEST_F(ExecTest, WritableRootGivesBackWhatWasChangedAndNoMountPoints) {
    Action action = shell("echo new > /usr/new; echo x > /tmp/x");
    action.inputs = {{"/", root_, true}, {"/mnt/in", put({file("f", "1")}), false}};
    action.outputs = {"/"};
    const ActionResult result = run_it(action);
    ASSERT_EQ(result.exit_code, 0) << *store_.read(result.log);
    const TreeDiff found = diff(tools_, store_.read_tree(result.outputs)->filter([](const auto& e) {
        return e.kind != EntryKind::kDirectory || e.path == "proc" || e.path == "mnt";
    }));
    EXPECT_EQ(found.added, std::vector<std::string>{"usr/new"}) << result.outputs.hex();
    EXPECT_TRUE(found.removed.empty());
}

TEST_F(ExecTest, OutputInNothingWritableGetsADirectory) {
    Action action = shell("echo a > /out/a; mkdir /tmp/res; echo b > /tmp/res/b; echo c > /tmp/c");
    action.outputs = {"/out", "/tmp/res"};
    const Tree out = *store_.read_tree(run_it(action).outputs);
    EXPECT_NE(out.find("out/a"), nullptr);
    EXPECT_NE(out.find("tmp/res/b"), nullptr);
    EXPECT_EQ(out.find("tmp/c"), nullptr);
    EXPECT_EQ(out.find("out")->mode, 0755U);
    action.outputs = {"/usr/bin"};
    const Result<ActionResult> over = executor_.run(action, {});
    ASSERT_FALSE(over.has_value());
    EXPECT_FALSE(over.error().help.empty());
    expect_no_leftovers();
}

TEST_F(ExecTest, SameActionElsewhereGivesTheSameOutputs) {
    Action action = shell(
        "mkdir -p /out/x; echo 1 > /out/x/b; echo 2 > /out/a; ls -ln --full-time "
        "/usr/bin/env | { read a b c d e f; echo $a $f > /out/seen; }; cat /out/seen");
    action.outputs = {"/out"};
    const ActionResult first = run_it(action);
    EXPECT_TRUE(contains(*store_.read(first.log), "-r-xr-xr-x 1980-01-02"))
        << *store_.read(first.log);
    const mode_t before = ::umask(077);
    const Store other = *Store::open(home_.path() + "/elsewhere/store");
    ASSERT_TRUE(other.put_tree(*tools_tree(other)).has_value());
    const ActionResult second = *LocalExecutor(other).run(action, {});
    ::umask(before);
    EXPECT_EQ(second.outputs, first.outputs);
    EXPECT_EQ(second.log, first.log);
}

TEST_F(ExecTest, FailureIsAValueAndItsSandboxIsKept) {
    Action action = shell("echo broken > /build/state; echo why >&2; exit 3");
    action.inputs.push_back({"/build", put({file("f", "1")}), true});
    action.outputs = {"/build/state"};
    EXPECT_EQ(failed_sandbox_directory(store_, action.digest()), "");
    const ActionResult result = run_it(action);
    EXPECT_EQ(result.exit_code, 3);
    EXPECT_NE(store_.read_tree(result.outputs)->find("build/state"), nullptr);
    EXPECT_EQ(store_.result("exec", action.digest()), std::nullopt);
    const std::string kept = failed_sandbox_directory(store_, action.digest());
    ASSERT_NE(kept, "");
    EXPECT_EQ(*read_file(kept + "/log"), "why\n");
    EXPECT_TRUE(contains(*read_file(kept + "/action.json"), "\"exit_code\": 3"));
    EXPECT_TRUE(Tree::parse(*read_file(kept + "/input0.tree")).has_value());
    expect_no_leftovers();

    Result<Sandbox> sandbox = failed_sandbox(store_, action.digest());
    ASSERT_TRUE(sandbox.has_value()) << sandbox.error().message;
    EXPECT_EQ(sandbox->argv, action.argv);
    sandbox->argv = {action.argv[0], "-c", "cat /build/state"};
    EXPECT_EQ(run_in_sandbox(*sandbox, {})->output, "broken\n");
    EXPECT_EQ(run_it(action).exit_code, 3);  // again, in place of the one kept
    EXPECT_EQ(list_directory(store_.directory() + "/failed")->size(), 1U);
    EXPECT_EQ(failed_sandbox(store_, Digest::of("x")).error().kind, ErrorKind::kNotFound);
}

TEST_F(ExecTest, TenFailedSandboxesAreKept) {
    std::vector<Digest> actions;
    for (int i = 0; i < 12; ++i) {
        const Action action = shell(fmt::format("exit {}", i + 1));
        actions.push_back(action.digest());
        EXPECT_EQ(run_it(action).exit_code, i + 1);
    }
    EXPECT_EQ(list_directory(store_.directory() + "/failed")->size(), 10U);
    EXPECT_EQ(failed_sandbox_directory(store_, actions[1]), "");
    EXPECT_NE(failed_sandbox_directory(store_, actions[2]), "");
    EXPECT_NE(failed_sandbox_directory(store_, actions[11]), "");
    expect_no_leftovers();
}

TEST_F(ExecTest, MissingCommandFailsAndSaysSo) {
    Action action = shell("");
    action.argv = {"/no/such/command"};
    const ActionResult result = run_it(action);
    EXPECT_EQ(result.exit_code, 127);
    EXPECT_TRUE(contains(*store_.read(result.log), "/no/such/command"));
}

TEST_F(ExecTest, TimeoutKillsTheWholeTree) {
    Action action = shell(
        "echo begun; (sleep 98761.5 &) ; (sleep 98761.5 > /dev/null 2>&1 &); "
        "sleep 98761.5");
    action.timeout_seconds = 1;
    const ActionResult result = run_it(action);
    EXPECT_EQ(result.exit_code, kTimedOut);
    EXPECT_EQ(*store_.read(result.log), "begun\n\ntarn: killed, not done after 1 s\n");
    EXPECT_FALSE(some_process_has("98761.5"));
    EXPECT_NE(failed_sandbox_directory(store_, action.digest()), "");
    expect_no_leftovers();
}

TEST_F(ExecTest, StopEndsItAndLeavesNothing) {
    Action action = shell("echo begun; sleep 98762.5 & sleep 98762.5");
    action.inputs.push_back({"/build", put({file("f", "1")}), true});
    std::stop_source source;
    RunOptions options;
    options.stop = source.get_token();
    options.on_output = [&](std::string_view) { source.request_stop(); };
    const Result<ActionResult> result = executor_.run(action, options);
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().kind, ErrorKind::kInterrupted);
    EXPECT_FALSE(some_process_has("98762.5"));
    EXPECT_EQ(failed_sandbox_directory(store_, action.digest()), "");
    expect_no_leftovers();
}

TEST_F(ExecTest, BackgroundProcessesEndWithTheCommand) {
    EXPECT_EQ(log_of("sleep 98763.5 & echo done"), "done\n");
    EXPECT_FALSE(some_process_has("98763.5"));
}

// Also while the sandbox is being set up: the moments are spread over the first tenth of a second.
TEST_F(ExecTest, KillOfTheRunnerAtAnyMomentEndsTheSandbox) {
    const Action action = shell("echo begun; sleep 98764.5 & sleep 98764.5");
    ASSERT_TRUE(store_.root_of(tools_).has_value());
    for (int moment = 0; moment < 30; ++moment) {
        const pid_t child = ::fork();
        if (child == 0) {
            static_cast<void>(executor_.run(action, {}));
            ::_exit(0);
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(2 + moment * 4));
        ::kill(child, SIGKILL);
        ::waitpid(child, nullptr, 0);
    }
    for (int i = 0; i < 500 && some_process_has("98764.5"); ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    EXPECT_FALSE(some_process_has("98764.5"));
    EXPECT_EQ(store_.result("exec", action.digest()), std::nullopt);
    EXPECT_TRUE(verify_store(store_, 1, {})->empty());
}

TEST_F(ExecTest, StopAtAnyMomentEndsTheSandbox) {
    const Action action = shell("echo begun; sleep 98765.5 & sleep 98765.5");
    ASSERT_TRUE(store_.root_of(tools_).has_value());
    for (int moment = 0; moment < 20; ++moment) {
        std::stop_source source;
        RunOptions options;
        options.stop = source.get_token();
        const std::jthread stopper([&] {
            std::this_thread::sleep_for(std::chrono::milliseconds(2 + moment * 6));
            source.request_stop();
        });
        const Result<ActionResult> result = executor_.run(action, options);
        ASSERT_FALSE(result.has_value());
        EXPECT_EQ(result.error().kind, ErrorKind::kInterrupted);
        EXPECT_FALSE(some_process_has("98765.5"));
        expect_no_leftovers();
    }
}

TEST_F(ExecTest, AbsentInputIsNotFound) {
    Action action = shell("true");
    action.inputs = {{"/", Digest::of("no tree"), false}};
    EXPECT_EQ(executor_.run(action, {}).error().kind, ErrorKind::kNotFound);
    expect_no_leftovers();
}

// All of the above holds for a user without privileges; as root it is tried as `nobody`.
TEST_F(ExecTest, WorksForAnOrdinaryUser) {
    if (::getuid() != 0) {
        GTEST_SKIP() << "not root: every other test has shown it";
    }
    const std::string place = home_.path() + "/nobody";
    ASSERT_TRUE(make_directories(place).has_value());
    ASSERT_EQ(::chmod(home_.path().c_str(), 0755), 0);
    ASSERT_EQ(::chown(place.c_str(), 65534, 65534), 0);
    const pid_t child = ::fork();
    if (child == 0) {
        if (::setgroups(0, nullptr) != 0 || ::setgid(65534) != 0 || ::setuid(65534) != 0) {
            ::_exit(1);
        }
        if (!probe_sandbox()) {
            ::_exit(77);
        }
        const Result<Store> store = Store::open(place + "/store");
        const Result<Tree> tools = store ? tools_tree(*store) : Result<Tree>(fail(store.error()));
        if (!tools || !store->put_tree(*tools)) {
            ::_exit(2);
        }
        TreeEntry closed = directory("closed");
        closed.mode = 0500;
        TreeEntry inner;
        inner.path = "closed/f";
        inner.mode = 0400;
        inner.content = *store->put("inner");
        Action action = shell(
            "id -u; cat /build/closed/f; echo x > /build/x; ! touch /new 2> /dev/null; "
            "cat /proc/self/status > /build/status; chmod 0 /build/closed");
        action.inputs.push_back({"/build", *store->put_tree(*Tree::make({closed, inner})), true});
        action.outputs = {"/build"};
        const Result<ActionResult> result = LocalExecutor(*store).run(action, {});
        if (!result || result->exit_code != 0) {
            ::_exit(3);
        }
        const Tree out = *store->read_tree(result->outputs);
        if (*store->read(result->log) != "0\ninner" || out.find("build/x") == nullptr ||
            out.find("build/closed")->mode != 0 || out.find("build/closed/f") == nullptr ||
            !contains(*store->read(out.find("build/status")->content),
                      "CapEff:\t0000000000000000")) {
            ::_exit(4);
        }
        ::_exit(list_directory(store->temporary_directory())->empty() ? 0 : 5);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77) {
        GTEST_SKIP() << "users may not make namespaces here";
    }
    EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace tarn
