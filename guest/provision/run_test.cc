// SPDX-License-Identifier: MIT
#include "provision/run.hh"

#include "base/process.hh"

#include "provision/medium_fixture.hh"
#include "provision/run_fixture.hh"
#include "provision/text.hh"
#include <gtest/gtest.h>
#include <sys/file.h>

namespace tarn::guest {
namespace {

std::string said(const Result<void>& result) {
    return result ? "done" : result.error().message;
}

class RunTest : public testing::Test {
  protected:
    void azure(const std::string& ovf = test_ovf()) {
        disk_.make_azure();
        disk_.give_lease();
        if (!ovf.empty()) {
            disk_.insert_media(ovf);
        }
    }
    std::string early() { return said(run_early(disk_.machine(), options())); }
    std::string network() { return said(run_network(disk_.machine(), options())); }
    std::string workload() { return said(run_workload(disk_.machine(), options())); }
    std::string boot() {
        std::string all = early();
        all += ", " + network();
        all += ", " + workload();
        return all == "done, done, done" ? "done" : all;
    }
    RunOptions options() {
        RunOptions options = test_options(platform_);
        options.applied = [this] { ++applied_; };
        return options;
    }
    Status status() { return current_status(disk_.machine()).value_or(Status{}); }

    TestPlatform platform_;
    TestMachine disk_;
    int applied_ = 0;
};

TEST_F(RunTest, AMachineOfNoPlatformIsLeftAlone) {
    EXPECT_EQ(boot(), "done");
    EXPECT_EQ(status().status, "disabled");
    EXPECT_FALSE(disk_.has("/var"));
    EXPECT_FALSE(disk_.has("/log"));
    EXPECT_TRUE(platform_.seen().empty());
    EXPECT_GT(applied_, 0);  // what waits is let go
}

TEST_F(RunTest, TheKernelCommandLineSwitchesItOff) {
    azure();
    disk_.put("/proc/cmdline", "quiet tarn.provision=off\n");
    EXPECT_EQ(boot(), "done");
    EXPECT_EQ(status().status, "disabled");
    EXPECT_FALSE(disk_.has("/log"));
}

TEST_F(RunTest, MediaAreAppliedBeforeTheNetworkAndReportedAfterwards) {
    azure();
    EXPECT_EQ(early(), "done");
    EXPECT_EQ(disk_.get("/log"), "hostname\nhost-keys\nuser:ops\nsshd\n");
    EXPECT_TRUE(platform_.seen().empty());
    EXPECT_EQ(network(), "done");
    EXPECT_EQ(disk_.get("/log"), "hostname\nhost-keys\nuser:ops\nsshd\n");  // nothing twice
    ASSERT_EQ(platform_.health().size(), 1u);
    EXPECT_TRUE(contains(platform_.health()[0], "<State>Ready</State>"));
    EXPECT_TRUE(disk_.report().starts_with("result=success|agent=tarn-provision/"))
        << disk_.report();
    EXPECT_TRUE(status().platform_ready);
    EXPECT_EQ(workload(), "done");
    EXPECT_EQ(status().status, "done");
    EXPECT_EQ(disk_.get("/log"), "hostname\nhost-keys\nuser:ops\nsshd\nruncmd\nfinal\n");
    // One request to the metadata service, two to the wireserver.
    EXPECT_EQ(platform_.seen().size(), 3u);
}

TEST_F(RunTest, WithoutMediaTheMetadataServiceSays) {
    azure("");
    EXPECT_EQ(boot(), "done");
    EXPECT_EQ(disk_.get("/made/hostname"), "web000003");
    EXPECT_EQ(disk_.get("/made/user:ops"), kTestKey);
    EXPECT_TRUE(status().warnings.empty());
}

TEST_F(RunTest, KeysOfBothSourcesCount) {
    azure();
    platform_.instance = test_instance(
        R"(,"publicKeys":[{"keyData":"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIP////////////////////////////////////////// two"}])");
    EXPECT_EQ(boot(), "done");
    EXPECT_TRUE(contains(disk_.get("/made/user:ops"), kTestKey));
    EXPECT_TRUE(contains(disk_.get("/made/user:ops"), "two"));
    // The user was done again with both, the rest was not.
    EXPECT_EQ(disk_.get("/log"), "hostname\nhost-keys\nuser:ops\nsshd\nuser:ops\nruncmd\nfinal\n");
}

TEST_F(RunTest, WithoutTheMetadataServiceTheMediaAreEnough) {
    azure();
    platform_.instance_status = 500;
    EXPECT_EQ(boot(), "done");
    EXPECT_EQ(disk_.get("/made/hostname"), "web000003");
    ASSERT_EQ(status().warnings.size(), 1u);
    EXPECT_TRUE(contains(status().warnings[0], "http 500")) << status().warnings[0];
    EXPECT_TRUE(contains(platform_.health().at(0), "Ready"));
}

TEST_F(RunTest, WithoutEitherItIsReportedAsFailed) {
    azure("");
    platform_.instance_status = 500;
    EXPECT_EQ(early(), "done");
    EXPECT_TRUE(contains(network(), "http 500"));
    EXPECT_EQ(status().status, "error");
    ASSERT_GE(platform_.health().size(), 1u);
    EXPECT_TRUE(contains(platform_.health()[0], "<SubStatus>ProvisioningFailed</SubStatus>"));
    EXPECT_TRUE(contains(platform_.health()[0], "http 500"));
    EXPECT_TRUE(disk_.report().starts_with("result=error|reason=")) << disk_.report();
    EXPECT_TRUE(contains(workload(), "not provisioned"));
    EXPECT_FALSE(disk_.has("/log"));
}

TEST_F(RunTest, AFailedMachineIsTriedAgainOnTheNextBoot) {
    azure("");
    platform_.instance_status = 500;
    EXPECT_EQ(early(), "done");
    EXPECT_NE(network(), "done");
    disk_.reboot();
    platform_.instance_status = 200;
    EXPECT_EQ(boot(), "done");
    EXPECT_TRUE(contains(platform_.health().back(), "Ready"));
}

TEST_F(RunTest, PoolsAreDeclinedClearly) {
    azure("");
    platform_.instance = test_instance("", R"("ppsType":"Savable")");
    EXPECT_EQ(early(), "done");
    EXPECT_TRUE(contains(network(), "pre-provisioned pool (Savable)"));
    EXPECT_TRUE(contains(platform_.health().at(0), "pre-provisioned pool (Savable)"));
    EXPECT_FALSE(disk_.has("/log"));
}

TEST_F(RunTest, APoolOfTheMediaIsDeclinedBeforeAnythingIsDone) {
    azure(test_ovf("", "<PreprovisionedVMType>Running</PreprovisionedVMType>"));
    EXPECT_TRUE(contains(early(), "pre-provisioned pool (Running)"));
    EXPECT_TRUE(contains(disk_.report(), "pre-provisioned pool (Running)"));
    EXPECT_FALSE(disk_.has("/log"));
}

TEST_F(RunTest, CustomDataThatIsSaidToBeThereMustBe) {
    azure("");
    platform_.instance = test_instance("", R"("hasCustomData":"true")");
    EXPECT_EQ(early(), "done");
    EXPECT_TRUE(contains(network(), "hasCustomData=true but customData unreadable"));
    EXPECT_FALSE(disk_.has("/made/user:ops"));
}

TEST_F(RunTest, BrokenMediaAreReportedWithTheirReason) {
    azure("<Environment><wa:x/></Environment>");
    const std::string why = early();
    EXPECT_TRUE(contains(why, "ovf-env.xml:1:")) << why;
    EXPECT_TRUE(contains(disk_.report(), "ovf-env.xml:1:")) << disk_.report();
    EXPECT_NE(network(), "done");
    EXPECT_TRUE(contains(platform_.health().at(0), "ovf-env.xml:1:"));
}

TEST_F(RunTest, ABrokenPayloadAppliesNothing) {
    azure(test_ovf("<CustomData>QlJPS0VO</CustomData>"));
    EXPECT_NE(early(), "done");
    EXPECT_NE(network(), "done");
    EXPECT_FALSE(disk_.has("/log"));
    EXPECT_TRUE(contains(platform_.health().at(0), "custom-data:1:1: it is broken"));
}

TEST_F(RunTest, ThePasswordIsWrittenNowhere) {
    azure(test_ovf("<UserPassword>s3cret-word</UserPassword>"));
    EXPECT_EQ(boot(), "done");
    const auto kept =
        disk_.get("/var/lib/tarn/provision/" + std::string(kTestVmId) + "/ovf-env.xml");
    EXPECT_TRUE(contains(kept, "REDACTED")) << kept;
    const auto found = tarn::run(Command{{"grep", "-r", "-l", "s3cret-word", disk_.root()}});
    ASSERT_TRUE(found);
    EXPECT_EQ(found->output, disk_.root() + "/dev/sr0\n");
}

TEST_F(RunTest, LaterBootsDoOnlyWhatBelongsToThem) {
    azure();
    EXPECT_EQ(boot(), "done");
    disk_.reboot();
    disk_.eject_media();
    EXPECT_EQ(boot(), "done");
    EXPECT_EQ(disk_.get("/log"),
              "hostname\nhost-keys\nuser:ops\nsshd\nruncmd\nfinal\nhostname\nfinal\n");
    EXPECT_EQ(platform_.health().size(), 1u);
    EXPECT_TRUE(status().platform_ready);
}

TEST_F(RunTest, ALaterBootWithoutNetworkIsNoFailure) {
    azure();
    EXPECT_EQ(boot(), "done");
    disk_.reboot();
    platform_.instance_status = 500;
    EXPECT_EQ(boot(), "done");
}

TEST_F(RunTest, AReportThatDidNotArriveIsSentOnTheNextBoot) {
    azure();
    platform_.health_status = 500;
    EXPECT_EQ(early(), "done");
    EXPECT_TRUE(contains(network(), "http 500"));
    EXPECT_EQ(workload(), "done");  // login works, and so may the workload
    EXPECT_FALSE(current_told(disk_.machine())->ready);
    disk_.reboot();
    platform_.health_status = 200;
    EXPECT_EQ(boot(), "done");
    EXPECT_TRUE(contains(platform_.health().back(), "Ready"));
    EXPECT_TRUE(current_told(disk_.machine())->ready);
}

TEST_F(RunTest, AnotherCaseOrByteOrderIsTheSameInstance) {
    azure();
    EXPECT_EQ(boot(), "done");
    for (const std::string& uuid :
         {std::string("0F0E0D0C-0B0A-4908-8706-050403020100"), swapped_uuid(kTestVmId)}) {
        disk_.reboot();
        disk_.make_azure(uuid);
        EXPECT_EQ(boot(), "done");
    }
    EXPECT_EQ(disk_.get("/made/host-keys"), "keys");
    EXPECT_EQ(disk_.get("/log").find("host-keys"), disk_.get("/log").rfind("host-keys"));
    EXPECT_EQ(platform_.health().size(), 1u);
}

TEST_F(RunTest, ACapturedDiskIsAnotherInstance) {
    azure();
    EXPECT_EQ(boot(), "done");
    disk_.reboot();
    const std::string other = "11111111-2222-4333-8444-555555555555";
    disk_.make_azure(other);
    platform_.instance = replace_all(test_instance(), kTestVmId, other);
    EXPECT_EQ(boot(), "done");
    EXPECT_NE(disk_.get("/log").find("host-keys"), disk_.get("/log").rfind("host-keys"));
    EXPECT_EQ(platform_.health().size(), 2u);
    EXPECT_FALSE(disk_.has("/var/lib/tarn/provision/" + std::string(kTestVmId)));
    EXPECT_EQ(disk_.get("/var/lib/tarn/provision/instance"), other + "\n");
}

TEST_F(RunTest, AWorkloadThatFailsIsAnErrorAndIsNotTriedTwice) {
    azure(test_ovf("<CustomData>V09SSw==</CustomData>"));
    EXPECT_EQ(early(), "done");
    EXPECT_EQ(network(), "done");
    EXPECT_TRUE(contains(workload(), "runcmd: it was told to fail"));
    EXPECT_EQ(status().status, "error");
    EXPECT_TRUE(disk_.has("/made/final"));  // the others had their turn
    EXPECT_EQ(platform_.health().size(), 1u);
    disk_.reboot();
    EXPECT_EQ(boot(), "done");
}

TEST_F(RunTest, AStepThatFailsIsNamedInTheReport) {
    azure(test_ovf("<CustomData>RkFJTA==</CustomData>"));
    EXPECT_EQ(early(), "payload: it was told to fail");
    EXPECT_NE(network(), "done");
    EXPECT_TRUE(contains(platform_.health().at(0), "payload: it was told to fail"));
    EXPECT_FALSE(disk_.has("/made/sshd"));  // password login stays as the image has it
}

TEST_F(RunTest, WhatOnlyThePayloadAskedForDoesNotKeepTheMachineFromItsPlatform) {
    azure(test_ovf("<CustomData>TUVTUw==</CustomData>"));
    EXPECT_EQ(early(), "done");
    EXPECT_EQ(network(), "done");
    EXPECT_TRUE(disk_.has("/made/sshd"));
    EXPECT_TRUE(contains(platform_.health().at(0), "Ready"));
    EXPECT_EQ(workload(), "bootcmd: it was told to fail");
    EXPECT_EQ(status().status, "error");
    EXPECT_EQ(status().errors, std::vector<std::string>{"bootcmd: it was told to fail"});
    EXPECT_TRUE(disk_.has("/made/final"));
}

TEST_F(RunTest, NoLeaseIsSaidInTheReason) {
    disk_.make_azure();
    platform_.instance_status = 404;
    EXPECT_EQ(early(), "done");
    const std::string why = network();
    EXPECT_TRUE(contains(why, "no DHCP lease")) << why;
    EXPECT_TRUE(contains(disk_.report(), "no DHCP lease")) << disk_.report();
}

TEST_F(RunTest, TwoRunsAtOnceDoNotMix) {
    azure();
    ASSERT_EQ(early(), "done");
    const auto machine = disk_.machine();
    const auto held = lock_machine(machine, std::chrono::milliseconds(0));
    ASSERT_TRUE(held);
    RunOptions options = this->options();
    options.lock = std::chrono::milliseconds(50);
    const std::string why = said(run_network(machine, options));
    EXPECT_TRUE(contains(why, "another tarn-provision")) << why;
    EXPECT_TRUE(platform_.seen().empty());
}

TEST_F(RunTest, AFullDiskIsReported) {
    azure();
    // A file stands where the state's directory should be.
    disk_.put("/var/lib/tarn", "");
    const std::string why = early();
    EXPECT_TRUE(contains(why, "/var/lib/tarn")) << why;
    EXPECT_TRUE(contains(disk_.report(), "result=error")) << disk_.report();
    EXPECT_NE(network(), "done");
    EXPECT_TRUE(contains(platform_.health().at(0), "ProvisioningFailed"));
}

TEST_F(RunTest, ANoCloudSeedIsApplied) {
    disk_.put("/sys/class/block/vdb/size", "8\n");
    disk_.put("/dev/vdb",
              iso_image("cidata",
                        {{"meta-data", "instance-id: i-1\nlocal-hostname: web\n"},
                         {"user-data", "#cloud-config\n"}},
                        IsoNames::kRockRidge));
    EXPECT_EQ(boot(), "done");
    EXPECT_EQ(status().source, "nocloud");
    EXPECT_EQ(disk_.get("/log"), "hostname\nhost-keys\npayload\nsshd\nruncmd\nfinal\n");
    EXPECT_EQ(disk_.get("/made/hostname"), "web");
    EXPECT_TRUE(platform_.seen().empty());
    EXPECT_EQ(disk_.report(), "");
    disk_.reboot();
    EXPECT_EQ(boot(), "done");
    EXPECT_EQ(disk_.get("/log"),
              "hostname\nhost-keys\npayload\nsshd\nruncmd\nfinal\nhostname\nfinal\n");
}

TEST_F(RunTest, SmbiosAloneIsASeed) {
    disk_.put("/sys/class/dmi/id/product_serial", "ds=nocloud;h=db;i=i-7\n");
    EXPECT_EQ(boot(), "done");
    EXPECT_EQ(disk_.get("/made/hostname"), "db");
    EXPECT_EQ(status().instance_id, "i-7");
}

}  // namespace
}  // namespace tarn::guest
