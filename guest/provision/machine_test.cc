// SPDX-License-Identifier: MIT
#include "provision/machine.hh"

#include "base/fs.hh"
#include "base/strings.hh"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tarn::guest {
namespace {

class MachineTest : public testing::Test {
  protected:
    MachineTest() : dir_(std::move(*TempDir::make())), machine_(std::move(*Machine::open(root()))) {
        EXPECT_TRUE(write_file_atomic(dir_.path() + "/outside", "secret"));
    }
    std::string root() {
        EXPECT_TRUE(make_directories(dir_.path() + "/root"));
        return dir_.path() + "/root";
    }
    std::string path(const std::string& inside) { return root() + inside; }
    Owner me_{::getuid(), ::getgid()};
    TempDir dir_;
    Machine machine_;
};

TEST_F(MachineTest, WritesWholeWithModeAndOwner) {
    ASSERT_TRUE(machine_.make_directory("/etc/ssh", 0755, me_));
    ASSERT_TRUE(machine_.write("/etc/ssh/key", "abc", 0640, me_));
    ASSERT_TRUE(machine_.write("/etc/ssh/key", "defg", 0600, me_));
    EXPECT_EQ(*machine_.read("/etc/ssh/key"), "defg");
    struct stat status{};
    ASSERT_EQ(::stat(path("/etc/ssh/key").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777u, 0600u);
    EXPECT_EQ(*machine_.list("/etc/ssh"), std::vector<std::string>{"key"});
}

TEST_F(MachineTest, TheModeDoesNotDependOnTheUmask) {
    const mode_t before = ::umask(0777);
    const bool written = machine_.write("/file", "x", 0644, me_).has_value();
    const bool made = machine_.make_directory("/d", 0755, me_).has_value();
    ::umask(before);
    ASSERT_TRUE(written && made);
    struct stat status{};
    ASSERT_EQ(::stat(path("/file").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777u, 0644u);
    ASSERT_EQ(::stat(path("/d").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777u, 0755u);
}

TEST_F(MachineTest, NoPathLeavesTheRoot) {
    ASSERT_TRUE(make_symlink("../outside", path("/relative")));
    ASSERT_TRUE(make_symlink(dir_.path() + "/outside", path("/absolute")));
    EXPECT_FALSE(machine_.read("/../outside"));
    EXPECT_FALSE(machine_.read("/relative"));
    EXPECT_FALSE(machine_.read("/absolute"));
    ASSERT_TRUE(machine_.write("/relative", "x", 0600, me_));  // below the root: /outside
    EXPECT_EQ(*read_file(dir_.path() + "/outside"), "secret");
    EXPECT_EQ(*machine_.read("/outside"), "x");
    EXPECT_FALSE(machine_.write("/absolute", "x", 0600, me_));
}

TEST_F(MachineTest, FollowsLinksBelowTheRootAndKeepsThem) {
    ASSERT_TRUE(machine_.make_directory("/run/x", 0755, me_));
    ASSERT_TRUE(machine_.make_directory("/etc", 0755, me_));
    ASSERT_TRUE(make_symlink("/run/x/target", path("/etc/link")));
    ASSERT_TRUE(machine_.write("/etc/link", "text", 0644, me_));
    EXPECT_EQ(*machine_.read("/run/x/target"), "text");
    EXPECT_EQ(*read_symlink(path("/etc/link")), "/run/x/target");
}

TEST_F(MachineTest, RefusesLinksWhereTheyAreRefused) {
    ASSERT_TRUE(machine_.make_directory("/home/eve", 0700, me_));
    ASSERT_TRUE(machine_.make_directory("/root", 0700, me_));
    ASSERT_TRUE(make_symlink("/root", path("/home/eve/.ssh")));
    ASSERT_TRUE(make_symlink("/root/x", path("/home/eve/file")));
    for (const char* name : {"/home/eve/.ssh/authorized_keys", "/home/eve/file"}) {
        const auto written = machine_.write(name, "x", 0600, me_, Links::kRefuse);
        ASSERT_FALSE(written) << name;
        EXPECT_TRUE(contains(written.error().message, "symbolic link")) << written.error().message;
    }
    EXPECT_FALSE(machine_.make_directory("/home/eve/.ssh/d", 0700, me_, Links::kRefuse));
    EXPECT_TRUE(machine_.list("/root")->empty());
}

TEST_F(MachineTest, EndlessLinksAndOddFilesAreErrors) {
    ASSERT_TRUE(make_symlink("b", path("/a")));
    ASSERT_TRUE(make_symlink("a", path("/b")));
    EXPECT_FALSE(machine_.write("/a", "x", 0600, me_));
    EXPECT_FALSE(machine_.read("/a"));
    ASSERT_EQ(::mkfifo(path("/fifo").c_str(), 0600), 0);
    EXPECT_FALSE(machine_.write("/fifo", "x", 0600, me_));
    EXPECT_FALSE(machine_.read("/fifo"));
    EXPECT_FALSE(machine_.write("/", "x", 0600, me_));
    EXPECT_FALSE(machine_.write("/d/..", "x", 0600, me_));
    EXPECT_FALSE(machine_.write(std::string("/nul\0x", 6), "x", 0600, me_));
    EXPECT_FALSE(machine_.make_directory("/x/../y", 0700, me_));
    EXPECT_FALSE(machine_.write("/missing/file", "x", 0600, me_));
}

TEST_F(MachineTest, NamesMayBeAsLongAsTheFileSystemAllows) {
    ASSERT_TRUE(machine_.write("/file", "x", 0600, me_));
    ASSERT_TRUE(machine_.write("/" + std::string(255, 'n'), "x", 0600, me_));
    EXPECT_EQ(machine_.list("/")->size(), 2u);
}

TEST_F(MachineTest, AFullDiskLeavesTheOldFile) {
    ASSERT_TRUE(machine_.write("/file", "old", 0600, me_));
    rlimit before{};
    ::getrlimit(RLIMIT_FSIZE, &before);
    const rlimit small{10, before.rlim_max};
    const auto handler = ::signal(SIGXFSZ, SIG_IGN);
    ::setrlimit(RLIMIT_FSIZE, &small);
    const auto written = machine_.write("/file", std::string(100, 'x'), 0600, me_);
    ::setrlimit(RLIMIT_FSIZE, &before);
    ::signal(SIGXFSZ, handler);
    EXPECT_FALSE(written);
    EXPECT_EQ(*machine_.read("/file"), "old");
    EXPECT_EQ(machine_.list("/")->size(), 1u);
}

TEST_F(MachineTest, ReadHasALimit) {
    ASSERT_TRUE(machine_.write("/file", std::string(100, 'x'), 0600, me_));
    EXPECT_EQ(machine_.read("/file", 100)->size(), 100u);
    EXPECT_FALSE(machine_.read("/file", 99));
}

TEST_F(MachineTest, RemovesLinksNotTheirTargets) {
    ASSERT_TRUE(machine_.write("/file", "x", 0600, me_));
    ASSERT_TRUE(make_symlink("file", path("/link")));
    ASSERT_TRUE(machine_.remove("/link"));
    EXPECT_TRUE(machine_.exists("/file"));
    EXPECT_TRUE(machine_.remove("/link"));
    EXPECT_TRUE(machine_.remove("/no/such/directory/file"));
}

}  // namespace
}  // namespace tarn::guest
