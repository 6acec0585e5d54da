// SPDX-License-Identifier: MIT
#include "base/process.hh"

#include <gtest/gtest.h>
#include <signal.h>

#include <thread>

namespace tarn {
namespace {

TEST(Process, CapturesBothStreamsAndTheExitCode) {
    Command command;
    command.argv = {"/bin/sh", "-c", "cat; echo oops >&2; exit 3"};
    command.input = "hello";
    auto result = run(command);
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_EQ(result->exit_code, 3);
    EXPECT_EQ(result->output, "hello");
    EXPECT_EQ(result->errors, "oops\n");
}

TEST(Process, EnvironmentIsExactlyWhatIsGiven) {
    Command command;
    command.argv = {"/usr/bin/env"};
    command.environment = std::map<std::string, std::string>{{"A", "1"}};
    auto result = run(command);
    ASSERT_TRUE(result);
    EXPECT_EQ(result->output, "A=1\n");
}

TEST(Process, LargeInputAndOutputDoNotDeadlock) {
    Command command;
    command.argv = {"/bin/cat"};
    command.input = std::string(8 << 20, 'x');
    auto result = run(command);
    ASSERT_TRUE(result);
    EXPECT_EQ(result->output.size(), command.input.size());
}

TEST(Process, TimeoutKillsTheWholeGroup) {
    Command command;
    command.argv = {"/bin/sh", "-c", "sleep 600 & sleep 600"};
    command.timeout = std::chrono::milliseconds(100);
    auto result = run(command);
    ASSERT_TRUE(result);
    EXPECT_TRUE(result->timed_out);
    EXPECT_EQ(result->exit_code, 128 + SIGKILL);
}

TEST(Process, StopRequestInterrupts) {
    std::stop_source stop;
    Command command;
    command.argv = {"/bin/sleep", "600"};
    command.stop = stop.get_token();
    std::jthread later([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        stop.request_stop();
    });
    auto result = run(command);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().kind, ErrorKind::kInterrupted);
}

TEST(Process, MissingProgramSaysSo) {
    Command command;
    command.argv = {"no-such-program-anywhere"};
    auto result = run(command);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().kind, ErrorKind::kNotFound);
    EXPECT_FALSE(result.error().help.empty());
    command.argv = {"/no/such/program"};
    result = run(command);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().message,
              "cannot start /no/such/program: No such file or directory");
}

TEST(Process, DroppedChildIsKilled) {
    int pid = 0;
    {
        Command command;
        command.argv = {"/bin/sleep", "600"};
        auto child = Child::start(command);
        ASSERT_TRUE(child);
        pid = child->pid();
        EXPECT_EQ(::kill(pid, 0), 0);
    }
    EXPECT_NE(::kill(pid, 0), 0);
}

}  // namespace
}  // namespace tarn
