// SPDX-License-Identifier: MIT
#include "workspace/detail/lock_files.hh"

#include "project/component_lock.hh"
#include "workspace/detail/testing.hh"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

namespace tarn {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Locks : public testing::Test {
  protected:
    std::string path(const std::string& name) const { return join_path(directory_.path(), name); }
    std::string text(const std::string& name) const { return read_file(path(name)).value_or("-"); }
    void put(const std::string& name, const std::string& content) const {
        ASSERT_TRUE(write_file_atomic(path(name), content).has_value());
    }
    Result<LockFiles> open(std::stop_token stop = {}) const {
        NullReporter quiet;
        return LockFiles::open(directory_.path(), stop, quiet);
    }
    std::vector<std::string> names() const { return list_directory(directory_.path()).value(); }
    TempDir directory_ = TempDir::make().value();
};

TEST_F(Locks, NothingShowsBeforeTheEnd) {
    put("b", "old");
    {
        auto files = open().value();
        ASSERT_TRUE(files.write("a", "new").has_value());
        ASSERT_TRUE(files.write("b", "new").has_value());
        EXPECT_EQ(text("a") + text("b"), "-old");
        ASSERT_TRUE(files.commit().has_value());
        EXPECT_EQ(text("a") + text("b"), "newnew");
    }
    EXPECT_THAT(names(), ElementsAre("a", "b"));
}

TEST_F(Locks, WhatIsNotCommittedIsDropped) {
    {
        auto files = open().value();
        ASSERT_TRUE(files.write("a", "new").has_value());
    }
    EXPECT_THAT(names(), testing::IsEmpty());
}

TEST_F(Locks, OneThatCannotBeWrittenPutsTheOthersBack) {
    put("b", "old");
    ASSERT_TRUE(make_directories(path("c/full")).has_value());
    auto files = open().value();
    for (const char* name : {"a", "b", "c", "d"}) {
        ASSERT_TRUE(files.write(name, "new").has_value());
    }
    const auto done = files.commit();
    ASSERT_FALSE(done.has_value());
    EXPECT_THAT(done.error().message, HasSubstr("a directory is there"));
    EXPECT_EQ(text("a") + text("b") + text("d"), "-old-");
    EXPECT_TRUE(is_directory(path("c/full")));
}

TEST_F(Locks, WhatAKillLeftIsSwept) {
    ASSERT_TRUE(make_directories(path(".tarn-update")).has_value());
    put(".tarn-update/a", "half");
    EXPECT_TRUE(open().has_value());
    EXPECT_THAT(names(), testing::IsEmpty());
}

TEST_F(Locks, OneUpdateAtATime) {
    const Fd held = open_file(directory_.path(), O_RDONLY | O_DIRECTORY).value();
    ASSERT_EQ(::flock(held.get(), LOCK_EX), 0);
    std::stop_source stop;
    stop.request_stop();
    const auto files = open(stop.get_token());
    ASSERT_FALSE(files.has_value());
    EXPECT_EQ(files.error().kind, ErrorKind::kInterrupted);
}

// Killed anywhere: every lock is as before or as after, and the next update leaves all as after.
TEST(KilledUpdate, LeavesEveryLockWhole) {
    TestProject made;
    std::string declared;
    for (int i = 0; i < 30; ++i) {
        const std::string name = fmt::format("own{}", i);
        made.add_local(name, spec_text(name, "1"));
        declared += fmt::format(
            "[components.{0}]\nspec = {{ type = \"local\", path = \"{0}/{0}.spec\" }}\n", name);
    }
    made.declare(declared);
    ASSERT_TRUE(made.update().has_value());
    const auto bumps = [&] {
        std::vector<unsigned> all;
        for (int i = 0; i < 30; ++i) {
            const std::string file = fmt::format("locks/own{}.lock", i);
            const auto lock = ComponentLock::parse(made.read(file), file);
            EXPECT_TRUE(lock.has_value()) << file << ": " << made.read(file);
            all.push_back(lock ? lock->manual_bump : 0);
        }
        return all;
    };
    for (int round = 0; round < 12; ++round) {
        const auto before = bumps();
        const pid_t pid = ::fork();
        if (pid == 0) {
            UpdateRequest bump;
            bump.bump = true;
            ::_exit(made.update(bump).has_value() ? 0 : 1);
        }
        ASSERT_GT(pid, 0);
        std::this_thread::sleep_for(std::chrono::milliseconds(3 * round));
        ::kill(pid, SIGKILL);
        int status = 0;
        ASSERT_EQ(::waitpid(pid, &status, 0), pid);
        const auto after = bumps();
        for (std::size_t i = 0; i < after.size(); ++i) {
            EXPECT_TRUE(after[i] == before[i] || after[i] == before[i] + 1) << i;
        }
    }
    const auto outcome = made.update();
    ASSERT_TRUE(outcome.has_value()) << outcome.error().message;
    EXPECT_FALSE(outcome->failed);
    EXPECT_EQ(list_directory(made.path("locks"))->size(), 30U) << "nothing is left over";
}

}  // namespace
}  // namespace tarn
