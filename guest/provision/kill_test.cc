// SPDX-License-Identifier: MIT
// SIGKILL at any moment, then a reboot: the machine ends up provisioned, or reported as failed.
#include "base/strings.hh"

#include "provision/run.hh"
#include "provision/run_fixture.hh"
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tarn::guest {
namespace {

// One boot in a process of its own; killed after `microseconds` unless that is 0. True when it came
// to its end.
bool boot(const TestMachine& disk, const RunOptions& options, unsigned microseconds) {
    const pid_t child = ::fork();
    TARN_CHECK(child >= 0);
    if (child == 0) {
        const Machine machine = disk.machine();
        static_cast<void>(run_early(machine, options));
        static_cast<void>(run_network(machine, options));
        static_cast<void>(run_workload(machine, options));
        ::_exit(0);
    }
    if (microseconds != 0) {
        ::usleep(microseconds);
        ::kill(child, SIGKILL);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status);
}

// How long a boot takes here, so that the kills are spread over all of it.
unsigned length_of_a_boot(const std::string& ovf) {
    const TestPlatform platform;
    TestMachine disk;
    disk.make_azure();
    disk.give_lease();
    disk.insert_media(ovf);
    const auto begin = std::chrono::steady_clock::now();
    boot(disk, test_options(platform), 0);
    const auto spent = std::chrono::steady_clock::now() - begin;
    return static_cast<unsigned>(
        std::chrono::duration_cast<std::chrono::microseconds>(spent).count());
}

constexpr unsigned kRounds = 50;

TEST(Kill, AtAnyMomentTheNextBootGoesOn) {
    const unsigned length = length_of_a_boot(test_ovf());
    unsigned killed = 0;
    for (unsigned round = 0; round < kRounds; ++round) {
        const TestPlatform platform;
        const RunOptions options = test_options(platform);
        TestMachine disk;
        disk.make_azure();
        disk.insert_media(test_ovf("<UserPassword>s3cret</UserPassword>"));
        // Twice on the way, then to the end.
        for (const unsigned part : {round + 1, kRounds - round}) {
            disk.give_lease();
            killed += boot(disk, options, part * (length / kRounds) + 1) ? 0u : 1u;
            // Password login is set last: never before there is whom it is meant for.
            EXPECT_TRUE(!disk.has("/made/sshd") || disk.has("/made/user:ops"));
            disk.reboot();
        }
        disk.give_lease();
        ASSERT_TRUE(boot(disk, options, 0));
        const auto status = current_status(disk.machine());
        ASSERT_TRUE(status);
        EXPECT_EQ(status->status, "done") << join(status->errors, "; ");
        EXPECT_EQ(disk.get("/made/user:ops"), kTestKey);
        EXPECT_EQ(disk.get("/made/final"), "final");
        EXPECT_TRUE(disk.report().starts_with("result=success|")) << disk.report();
        ASSERT_FALSE(platform.health().empty());
        EXPECT_TRUE(contains(platform.health().back(), "Ready</State></Health>"));
        const auto names = list_directory(disk.root() + kStateDirectory + "/" + kTestVmId);
        for (const std::string& name : *names) {
            EXPECT_FALSE(name.starts_with(".tarn-")) << name;
        }
    }
    EXPECT_GT(killed, kRounds / 2);
}

TEST(Kill, AMachineThatCannotBeProvisionedIsReportedAllTheSame) {
    const std::string ovf = test_ovf("<CustomData>RkFJTA==</CustomData>");  // a step fails
    const unsigned length = length_of_a_boot(ovf);
    for (unsigned round = 0; round < kRounds / 5; ++round) {
        const TestPlatform platform;
        const RunOptions options = test_options(platform);
        TestMachine disk;
        disk.make_azure();
        disk.insert_media(ovf);
        disk.give_lease();
        boot(disk, options, (round + 1) * (length / (kRounds / 5)));
        disk.reboot();
        disk.give_lease();
        ASSERT_TRUE(boot(disk, options, 0));
        EXPECT_EQ(current_status(disk.machine())->status, "error");
        EXPECT_TRUE(contains(disk.report(), "payload: it was told to fail")) << disk.report();
        EXPECT_TRUE(contains(platform.health().back(), "ProvisioningFailed"));
        EXPECT_FALSE(disk.has("/made/sshd"));
    }
}

}  // namespace
}  // namespace tarn::guest
