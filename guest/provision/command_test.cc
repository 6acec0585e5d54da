// SPDX-License-Identifier: MIT
#include "provision/command.hh"

#include "base/strings.hh"

#include "provision/run_fixture.hh"
#include <gtest/gtest.h>

namespace tarn::guest {
namespace {

struct Said {
    int code;
    std::string out, err;
};

Said command(std::vector<std::string> words) {
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const int code = provision_main(words);
    std::fflush(nullptr);
    return {code, testing::internal::GetCapturedStdout(), testing::internal::GetCapturedStderr()};
}

TEST(Command, SaysWhatIsWrongWithIt) {
    const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
        {{}, "a command is expected"},
        {{"erly"}, "there is no command `erly`; did you mean `early`?"},
        {{"early", "late"}, "one command is expected, `late` is another"},
        {{"early", "network"}, "one command is expected"},
        {{"early", "--rot=/"}, "there is no option `--rot=/`"},
        {{"early", "--root"}, "--root needs a value"},
        {{"network", "--imds", "localhost"}, "--imds: `localhost` is no numeric IPv4 address"},
        {{"network", "--wireserver=1.2.3.4:0"}, "--wireserver: "},
        {{"network", "--health", "yaml"}, "--health is xml or json"},
        {{"network", "--timeout", "soon"}, "--timeout is a number of seconds"},
        {{"status", "-O", "xml"}, "-O is text or json"},
    };
    for (const auto& [words, text] : cases) {
        const Said said = command(words);
        EXPECT_EQ(said.code, 2) << text;
        EXPECT_TRUE(contains(said.err, text)) << said.err;
        EXPECT_EQ(said.out, "");
    }
}

TEST(Command, HelpAndVersion) {
    const Said help = command({"--help"});
    EXPECT_EQ(help.code, 0);
    EXPECT_TRUE(contains(help.out, "usage: tarn-provision early|network|workload"));
    EXPECT_EQ(command({"-V"}).out, "tarn-provision 0.1.0\n");
}

TEST(Command, StatusHasStableExitCodes) {
    TestMachine disk;
    const auto machine = disk.machine();
    const auto status = [&] { return command({"status", "--root", disk.root()}); };
    EXPECT_EQ(status().code, 0);
    EXPECT_EQ(status().out, "status: not run\n");
    Status now;
    now.source = "azure";
    now.status = "error";
    now.stage = "network";
    now.errors = {"http 500"};
    ASSERT_TRUE(write_status(machine, now));
    EXPECT_EQ(status().code, 1);
    EXPECT_TRUE(contains(status().out, "error: http 500\n"));
    now.status = "done";
    now.errors.clear();
    ASSERT_TRUE(write_status(machine, now));
    EXPECT_EQ(status().code, 0);
    now.warnings = {"a key is left out"};
    ASSERT_TRUE(write_status(machine, now));
    EXPECT_EQ(status().code, 2);
    EXPECT_TRUE(contains(command({"status", "-O", "json", "--root", disk.root()}).out,
                         "\"status\": \"done\""));
}

TEST(Command, StatusWaitsForTheEnd) {
    TestMachine disk;
    const auto machine = disk.machine();
    Status now;
    ASSERT_TRUE(write_status(machine, now));
    std::thread later([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        now.status = "disabled";
        EXPECT_TRUE(write_status(machine, now));
    });
    const Said said = command({"status", "--wait", "--root", disk.root()});
    later.join();
    EXPECT_EQ(said.code, 0);
    EXPECT_TRUE(contains(said.out, "status: disabled"));
}

TEST(Command, CleanForgetsTheInstance) {
    TestMachine disk;
    const auto machine = disk.machine();
    ASSERT_TRUE(State::open(machine, kTestVmId));
    EXPECT_TRUE(disk.has(std::string(kStateDirectory) + "/instance"));
    EXPECT_EQ(command({"clean", "--root", disk.root()}).code, 0);
    EXPECT_FALSE(disk.has(kStateDirectory));
    EXPECT_FALSE(disk.has(kRunDirectory));
}

TEST(Command, ARootThatIsNotThereIsAFailure) {
    EXPECT_EQ(command({"early", "--root", "/no/such/directory"}).code, 1);
}

}  // namespace
}  // namespace tarn::guest
