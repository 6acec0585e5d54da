// SPDX-License-Identifier: MIT
// What needs no sandbox: keys, checks and advice.
#include "exec/action.hh"

#include "base/fs.hh"
#include "base/strings.hh"
#include "exec/detail/advice.hh"
#include "exec/detail/mounts.hh"

#include <gtest/gtest.h>

#include <cstdlib>

namespace tarn {
namespace {

Action sample() {
    Action action;
    action.name = "sample";
    action.argv = {"rpmbuild", "-ba", "a b.spec"};
    action.environment = {{"LANG", "C.UTF-8"}};
    action.directory = "/build";
    action.inputs = {{"/", Digest::of("root"), false}, {"/build", Digest::of("src"), true}};
    action.outputs = {"/build/RPMS", "/build/SRPMS"};
    return action;
}

TEST(Action, ExplainsItselfOneFieldALine) {
    const std::string root = Digest::of("root").to_string();
    const std::string src = Digest::of("src").to_string();
    EXPECT_EQ(sample().explain(),
              "tarn-key exec 1\n"
              "argv[3]: rpmbuild -ba a\\x20b.spec\n"
              "env.HOME: /root\n"
              "env.LANG: C.UTF-8\n"
              "env.PATH: /usr/bin:/usr/sbin:/bin:/sbin\n"
              "directory: /build\n"
              "input./#: " +
                  root +
                  "\n"
                  "writable./build#: " +
                  src +
                  "\n"
                  "outputs[2]: /build/RPMS /build/SRPMS\n"
                  "timeout: 3600\n");
    EXPECT_EQ(sample().digest(), Digest::of(sample().explain()));
}

TEST(Action, DigestDependsOnAllButNameAndOrder) {
    Action same = sample();
    same.name = "other";
    std::swap(same.inputs[0], same.inputs[1]);
    std::swap(same.outputs[0], same.outputs[1]);
    same.environment["HOME"] = "/root";  // the default, given
    EXPECT_EQ(same.digest(), sample().digest());
    std::vector<Action> changed(8, sample());
    changed[0].argv.emplace_back("x");
    changed[1].environment["LANG"] = "C";
    changed[2].directory = "/";
    changed[3].inputs[1].writable = false;
    changed[4].inputs[1].tree = Digest::of("src2");
    changed[5].outputs.pop_back();
    changed[6].timeout_seconds = 1;
    changed[7].unprivileged = true;
    for (const Action& action : changed) {
        EXPECT_NE(action.digest(), sample().digest()) << action.explain();
    }
}

TEST(Action, BrokenOnesAreRefusedBeforeAnythingRuns) {
    const TempDir home = *TempDir::make();
    const Store store = *Store::open(home.path() + "/store");
    std::vector<Action> broken(12, sample());
    broken[0].argv.clear();
    broken[1].argv = {""};
    broken[2].argv.emplace_back("a\0b", 3);
    broken[3].environment["A=B"] = "c";
    broken[4].environment[""] = "c";
    broken[5].environment["A"] = std::string("\0", 1);
    broken[6].directory = "build";
    broken[7].inputs.erase(broken[7].inputs.begin());  // no root
    broken[8].inputs.push_back(broken[8].inputs[1]);   // twice
    broken[9].inputs[1].path = "/a/../b";
    broken[10].outputs = {"relative"};
    broken[11].outputs = {"/a/"};
    for (std::size_t i = 0; i < broken.size(); ++i) {
        const Result<ActionResult> result = LocalExecutor(store).run(broken[i], {});
        ASSERT_FALSE(result.has_value()) << i;
        EXPECT_TRUE(contains(result.error().message, "`sample`")) << result.error().message;
    }
    EXPECT_TRUE(list_directory(store.temporary_directory())->empty());
}

TEST(Sandbox, MissingBubblewrapComesWithAdvice) {
    const char* before = std::getenv("PATH");
    const std::string path = before == nullptr ? "" : before;
    ASSERT_EQ(::setenv("PATH", "/nonexistent", 1), 0);
    const Result<void> probed = probe_sandbox();
    Sandbox sandbox;
    sandbox.root = "/";
    sandbox.argv = {"true"};
    const Result<ProcessResult> ran = run_in_sandbox(sandbox, {});
    ASSERT_EQ(::setenv("PATH", path.c_str(), 1), 0);
    ASSERT_FALSE(probed.has_value());
    EXPECT_TRUE(contains(probed.error().message, "bubblewrap"));
    ASSERT_EQ(probed.error().help.size(), 1U);
    EXPECT_TRUE(contains(probed.error().help[0], "apt-get install bubblewrap"));
    EXPECT_FALSE(ran.has_value());
}

TEST(Sandbox, ForbiddenNamespacesComeWithAdvice) {
    const TempDir proc = *TempDir::make();
    const char* said = "warning\nbwrap: setting up uid map: Permission denied\n";
    const Error container = detail::setup_failed(proc.path(), said);
    EXPECT_EQ(container.message,
              "cannot set up a sandbox: bwrap: setting up uid map: Permission denied");
    ASSERT_EQ(container.help.size(), 1U);
    EXPECT_TRUE(contains(container.help[0], "container"));
    ASSERT_TRUE(make_directories(proc.path() + "/sys/kernel").has_value());
    ASSERT_TRUE(make_directories(proc.path() + "/sys/user").has_value());
    const auto advice = [&](const std::string& file, const char* text) {
        EXPECT_TRUE(write_file_atomic(proc.path() + "/sys/" + file, text).has_value());
        const Error error = detail::setup_failed(proc.path(), said);
        EXPECT_TRUE(write_file_atomic(proc.path() + "/sys/" + file, "2\n").has_value());
        return error.help.empty() ? std::string() : error.help[0];
    };
    EXPECT_TRUE(contains(advice("kernel/unprivileged_userns_clone", "0\n"),
                         "sysctl -w kernel.unprivileged_userns_clone=1"));
    EXPECT_TRUE(
        contains(advice("user/max_user_namespaces", "0\n"), "sysctl -w user.max_user_namespaces"));
    EXPECT_TRUE(contains(advice("kernel/apparmor_restrict_unprivileged_userns", "1\n"),
                         "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"));
}

class MountsTest : public testing::Test {
  protected:
    void SetUp() override {
        ASSERT_TRUE(make_directories(root_ + "/usr/bin").has_value());
        ASSERT_TRUE(make_directories(root_ + "/etc").has_value());
        ASSERT_TRUE(write_file_atomic(root_ + "/etc/f", "").has_value());
        ASSERT_TRUE(make_symlink("usr/bin", root_ + "/bin").has_value());
        ASSERT_TRUE(make_symlink("/etc/../../../up", root_ + "/out").has_value());
        ASSERT_TRUE(make_symlink("loop", root_ + "/loop").has_value());
        sandbox_.root = root_;
        sandbox_.argv = {"x"};
    }
    TempDir home_ = *TempDir::make();
    std::string root_ = home_.path() + "/root";
    Sandbox sandbox_;
};

TEST_F(MountsTest, LinksNeverLeadOutOfTheRoot) {
    EXPECT_EQ(*detail::resolve_in_root(root_, "/bin/x"), "/usr/bin/x");
    EXPECT_EQ(*detail::resolve_in_root(root_, "/out/y"), "/up/y");
    EXPECT_EQ(*detail::resolve_in_root(root_, "/new/y"), "/new/y");
    EXPECT_EQ(*detail::resolve_in_root(root_, "/"), "/");
    EXPECT_FALSE(detail::resolve_in_root(root_, "/loop/y").has_value());
}

TEST_F(MountsTest, MissingMountPointOpensTheDirectoriesOnTheWay) {
    sandbox_.binds = {{home_.path(), "/usr/new/deep", false}};
    const std::vector<std::string> words = *detail::mount_arguments(sandbox_);
    const std::string text = join(words, " ");
    EXPECT_TRUE(contains(text, "--symlink usr/bin /bin")) << text;
    EXPECT_TRUE(contains(text, "--ro-bind " + root_ + "/etc /etc")) << text;
    EXPECT_TRUE(contains(text, "--dir /usr --ro-bind " + root_ + "/usr/bin /usr/bin")) << text;
    EXPECT_TRUE(contains(text, "--ro-bind " + home_.path() + " /usr/new/deep")) << text;
    EXPECT_TRUE(text.ends_with("--remount-ro /")) << text;
}

TEST_F(MountsTest, CompleteRootIsBoundAsItIs) {
    for (const char* path : {"/proc", "/dev", "/tmp", "/run", "/var/tmp"}) {
        ASSERT_TRUE(make_directories(root_ + path).has_value());
    }
    const std::string text = join(*detail::mount_arguments(sandbox_), " ");
    EXPECT_TRUE(text.starts_with("--ro-bind " + root_ + " / ")) << text;
    EXPECT_FALSE(contains(text, "--remount-ro")) << text;
}

TEST_F(MountsTest, MountsThatCannotBeAreRefused) {
    const std::string file = root_ + "/etc/f";
    const std::vector<std::vector<Bind>> bad = {
        {{root_, "relative", false}},
        {{root_, "/", false}},
        {{root_, "/usr/bin/..", false}, {root_, "/bin/..", false}},     // one place twice
        {{root_, "/etc/f", false}},                                     // directory over file
        {{file, "/etc", false}},                                        // file over directory
        {{root_ + "/none", "/x", false}},                               // no source
        {{root_ + "/etc", "/x", false}, {root_, "/x/missing", false}},  // no place in a mount
    };
    for (const std::vector<Bind>& binds : bad) {
        sandbox_.binds = binds;
        EXPECT_FALSE(detail::mount_arguments(sandbox_).has_value()) << binds[0].target;
    }
}

}  // namespace
}  // namespace tarn
