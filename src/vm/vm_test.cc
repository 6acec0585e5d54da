// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>

#include "base/fs.hh"
#include "base/process.hh"
#include "vm/detail/console.hh"
#include "vm/detail/guest_checks.hh"
#include "vm/detail/machine.hh"
#include "vm/detail/provisioning.hh"
#include "vm/detail/results.hh"

namespace tarn {
namespace {

TEST(Qemu, NeverWritesTheImageAndKeepsCredentialsOutOfIt) {
    vm::Machine machine;
    machine.disk = "/d/vm.raw";
    machine.variables = "/v";
    machine.credentials = {{"x", "secret"}};
    const auto argv = vm::qemu_command(machine, {"/code", "/vars"});
    std::string all;
    for (const std::string& each : argv) {
        all += each + " ";
    }
    EXPECT_NE(all.find("snapshot=on,discard=unmap,file=/d/vm.raw"), std::string::npos);
    EXPECT_NE(all.find("io.systemd.credential.binary:x=c2VjcmV0"), std::string::npos);
    EXPECT_NE(all.find("readonly=on,file=/code"), std::string::npos);
}

TEST(Qemu, SecureBootKeepsTheVariablesOutOfTheSystemsReach) {
    const auto words = [](bool secure_boot) {
        vm::Machine machine;
        machine.secure_boot = secure_boot;
        std::string all;
        for (const std::string& each : vm::qemu_command(machine, {"/code", "/vars"})) {
            all += each + " ";
        }
        return all;
    };
    EXPECT_NE(words(true).find("smm=on"), std::string::npos);
    EXPECT_NE(words(true).find("cfi.pflash01,property=secure,value=on"), std::string::npos);
    EXPECT_NE(words(false).find("smm=off"), std::string::npos);
    EXPECT_EQ(words(false).find("property=secure"), std::string::npos);
}

TEST(Qemu, HasABoardForEachArchitecture) {
    vm::Machine machine;
    machine.architecture = "aarch64";
    machine.results = "file,path=/r";
    const auto argv = vm::qemu_command(machine, {"/code", "/vars"});
    EXPECT_EQ(argv.front(), "qemu-system-aarch64");
    std::string all;
    for (const std::string& each : argv) {
        all += each + " ";
    }
    EXPECT_NE(all.find("-machine virt "), std::string::npos);
    EXPECT_NE(all.find("virtserialport,chardev=results,name=tarn.results"), std::string::npos);
    EXPECT_EQ(all.find("chardev:results"), std::string::npos);
    EXPECT_EQ(vm::results_port("aarch64"), "/dev/virtio-ports/tarn.results");
    EXPECT_EQ(vm::results_port("x86_64"), "/dev/ttyS1");
}

TEST(Qemu, SaysWhoTheMachineIs) {
    vm::Machine machine;
    const auto words = [&] {
        std::string all;
        for (const std::string& each : vm::qemu_command(machine, {"/code", "/vars"})) {
            all += each + " ";
        }
        return all;
    };
    EXPECT_EQ(words().find("medium"), std::string::npos);
    machine.uuid = "0f0e0d0c-1111-4222-8333-444455556666";
    machine.asset_tag = vm::kAssetTag;
    machine.medium = "/a,b";
    EXPECT_NE(words().find("-uuid 0f0e0d0c-1111-4222-8333-444455556666 "), std::string::npos);
    EXPECT_NE(words().find("-smbios type=3,asset=7783-7084-3265-9085-8269-3286-77 "),
              std::string::npos);
    EXPECT_NE(words().find("readonly=on,file=/a,,b -device ide-cd,drive=medium"), std::string::npos);
    EXPECT_NE(words().find("virtio-net-pci,netdev=net,romfile="), std::string::npos);
    emulator::Instance instance;
    instance.nics.resize(2);
    instance.nics[0].mac = "000D3A112233";
    instance.nics[1].mac = "000D3AFFFFFF";
    machine.macs = vm::macs_of(instance);
    EXPECT_NE(words().find("user,id=net1,net=10.0.3.0/24 -device "
                           "virtio-net-pci,netdev=net1,mac=00:0d:3a:ff:ff:ff,romfile= "),
              std::string::npos);
    EXPECT_EQ(words().find("netdev=net,"), std::string::npos);
    machine.architecture = "aarch64";
    EXPECT_NE(words().find("-device virtio-scsi-pci -device scsi-cd,drive=medium"),
              std::string::npos);
}

TEST(Provisioning, MakesAKeyAMediumAndAnEmulator) {
    const TempDir work = TempDir::make().value();
    BootRequest request;
    request.work_dir = work.path();
    request.metadata = false;
    EXPECT_FALSE(vm::prepare_provisioning(request, work.path(), "tarn")->has_value());
    request.metadata = true;
    const auto made = vm::prepare_provisioning(request, work.path(), "tarn").value();
    ASSERT_TRUE(made);
    EXPECT_EQ(made->instance.ssh_keys.front(), made->key.public_line);
    EXPECT_EQ(read_file(made->medium)->size() % 2048, 0U);
    EXPECT_NE(read_file(made->medium)->find(made->key.public_line), std::string::npos);
    EXPECT_EQ(made->emulator.argv.back(), "--name=tarn-boot");

    request.metadata_file = work.path() + "/scenario.toml";
    ASSERT_TRUE(write_file_atomic(request.metadata_file, "[instances.a]\nmedia = \"none\"\n"));
    EXPECT_EQ(vm::prepare_provisioning(request, work.path(), "tarn").value()->medium, "");
    ASSERT_TRUE(write_file_atomic(request.metadata_file, "[generate]\ncount = 2\nsubnet = \"10.0.0.0/24\"\n"));
    const auto two = vm::prepare_provisioning(request, work.path(), "tarn");
    ASSERT_FALSE(two);
    EXPECT_EQ(two.error().kind, ErrorKind::kUsage);
}

TEST(Provisioning, WhatThePlatformWasToldIsReadFromItsLog) {
    EXPECT_FALSE(vm::parse_told("").ready);
    EXPECT_FALSE(vm::parse_told("{\"event\":\"listening\"}\nnot json\n[1]\n").ready);
    const auto failed = vm::parse_told(
        R"({"event":"health","state":"NotReady","substatus":"ProvisioningFailed","description":"why"})");
    EXPECT_FALSE(failed.ready);
    EXPECT_EQ(failed.last, "NotReady: ProvisioningFailed: why");
    const auto ready = vm::parse_told(
        "{\"event\":\"health\",\"state\":\"Ready\",\"agent\":\"a\",\"time\":5.5}\n"
        "{\"event\":\"health\",\"state\":\"Ready\",\"agent\":\"a\",\"time\":9}\n");
    EXPECT_TRUE(ready.ready);
    EXPECT_EQ(ready.at, 5.5);
    EXPECT_EQ(ready.last, "Ready by a");
}

#if defined(__x86_64__)
TEST(Probe, EmulatesWhatTheMachineIsNot) {
    const AcceleratorProbe probe = probe_accelerator("aarch64");
    EXPECT_EQ(probe.accelerator, Accelerator::kTcg);
    EXPECT_EQ(probe.why, "aarch64 is emulated here");
}
#endif

TEST(GuestChecks, LookAtSecureBootWhenTheImageIsSigned) {
    Image image;
    const auto script = [&] { return vm::check_credentials(image, {}).at("tarn.check"); };
    EXPECT_NE(script().find("secure_boot='no'"), std::string::npos);
    image.secure_boot = true;
    EXPECT_NE(script().find("secure_boot='yes'"), std::string::npos);
}

TEST(GuestChecks, LookAtProvisioningOnlyWhereThereIsSome) {
    Image image;
    const auto without = vm::check_credentials(image, {});
    EXPECT_FALSE(without.contains("tarn.check-key"));
    EXPECT_NE(without.at("tarn.check").find("user=''\n"), std::string::npos);
    const auto with =
        vm::check_credentials(image, {}, vm::Provisioned{"o'ps", "host", true, "KEY"});
    EXPECT_EQ(with.at("tarn.check-key"), "KEY");
    EXPECT_NE(with.at("tarn.check").find("user='o'\\''ps'\nhostname='host'\npassword=set\n"),
              std::string::npos);
}

TEST(Results, AGuestMaySayAnything) {
    const auto results = vm::parse_results(
        "garbage\n\nBEGIN\r\nCHECK a pass fine thing\nCHECK b fail\nCHECK\nCHECK x\nDATA\n"
        "DATA rpm bash 5.3-2 x86_64\nEND\n");
    EXPECT_TRUE(results.begun);
    EXPECT_TRUE(results.ended);
    ASSERT_EQ(results.checks.size(), 2U);
    EXPECT_TRUE(results.checks[0].passed);
    EXPECT_EQ(results.checks[0].detail, "fine thing");
    EXPECT_FALSE(results.checks[1].passed);
    EXPECT_EQ(results.data.at("rpm").front(), "bash 5.3-2 x86_64");
}

TEST(Results, WatchedUntilTheGuestHasBegunAndNotBeyondTheLimit) {
    const TempDir directory = TempDir::make().value();
    const std::string path = directory.path() + "/results.log";
    int begun = 0;
    ASSERT_TRUE(write_file_atomic(path, "firmware\nBEGIN\n"));
    std::stop_source done;
    EXPECT_FALSE(vm::watch_results(path, 20, done.get_token(), [&] {
        ++begun;
        done.request_stop();
    }));
    EXPECT_EQ(begun, 1);
    ASSERT_TRUE(write_file_atomic(path, std::string(21, 'x')));
    EXPECT_TRUE(vm::watch_results(path, 20, std::stop_source().get_token(), [&] { ++begun; }));
    EXPECT_EQ(begun, 1);
}

TEST(Console, LogTakesNoMoreThanItsLimit) {
    const TempDir directory = TempDir::make().value();
    const std::string path = directory.path() + "/console.log";
    vm::CappedLog log(open_file(path, O_WRONLY | O_CREAT, 0644).value(), 8);
    log.write("12345");
    log.write("67890");
    log.write("more");
    EXPECT_EQ(read_file(path).value(), "12345678");
}

TEST(Boot, TwoTestsDoNotShareOneLog) {
    const TempDir directory = TempDir::make().value();
    const Fd other = open_file(directory.path() + "/.lock", O_RDWR | O_CREAT, 0644).value();
    ASSERT_EQ(flock(other.get(), LOCK_EX), 0);
    BootRequest request;
    request.work_dir = directory.path();
    NullReporter reporter;
    const auto report = boot_test(request, reporter);
    ASSERT_FALSE(report);
    EXPECT_NE(report.error().message.find("another boot test"), std::string::npos);
}

Manifest manifest_of(const std::vector<rpm::Nevra>& packages) {
    Manifest manifest;
    for (const rpm::Nevra& nevra : packages) {
        ManifestPackage package;
        package.nevra = nevra;
        manifest.packages.push_back(package);
    }
    return manifest;
}

TEST(HostChecks, ComparePackagesFloorsAndExceptions) {
    vm::GuestResults guest;
    guest.data["rpm"] = {"bash 5.3-2 x86_64", "glibc 1:2.43-7 x86_64"};
    guest.data["verify"] = {"S.5....T.  c /etc/machine-id", "missing     /usr/bin/x"};
    Image image;
    image.version_floors = {{"glibc", "2.42"}, {"bash", "6"}, {"rpm", "6"}};
    image.verify_exceptions = {{"/etc/machine-id", "made on first boot"}};
    const Manifest manifest =
        manifest_of({{"bash", {{}, "5.3", "2"}, "x86_64"}, {"glibc", {1, "2.43", "7"}, "x86_64"}});
    std::map<std::string, BootCheck> by_name;
    for (const BootCheck& check : vm::host_checks(guest, manifest, image)) {
        by_name[check.name] = check;
    }
    EXPECT_TRUE(by_name["packages-equal-manifest"].passed) << by_name["packages-equal-manifest"].detail;
    EXPECT_TRUE(by_name["version-glibc"].passed);
    EXPECT_FALSE(by_name["version-bash"].passed);
    EXPECT_FALSE(by_name["version-rpm"].passed);
    EXPECT_FALSE(by_name["rpm-verify"].passed);
    EXPECT_EQ(by_name["rpm-verify"].detail, "missing     /usr/bin/x");
}

TEST(HostChecks, AnImageWithoutRpmIsNotAskedForItsPackages) {
    vm::GuestResults guest;
    guest.data["no-rpm"] = {"yes"};
    Image image;
    image.version_floors = {{"bash", "5"}};
    const auto checks =
        vm::host_checks(guest, manifest_of({{"bash", {{}, "5.3", "2"}, "x86_64"}}), image);
    ASSERT_EQ(checks.size(), 3u);
    EXPECT_TRUE(checks[0].skipped && checks[1].skipped);
    EXPECT_EQ(checks[2].name, "version-bash");
    EXPECT_TRUE(checks[2].passed);
}

TEST(HostChecks, ALostRpmIsNoReasonToSkip) {
    vm::GuestResults guest;
    guest.data["no-rpm"] = {"yes"};
    const auto checks =
        vm::host_checks(guest, manifest_of({{"rpm", {{}, "6.1", "2"}, "x86_64"}}), Image{});
    ASSERT_FALSE(checks.empty());
    EXPECT_FALSE(checks[0].passed || checks[0].skipped);
}

TEST(Console, PhasesFollowTheKernelsOwnWords) {
    vm::Console console(vm::Console::Clock::now() - std::chrono::seconds(10));
    console.feed("BdsDxe: starting\r\n[    0.000000] Linux ver");
    EXPECT_FALSE(console.kernel_seen());
    console.feed("sion 6.18\r\n");
    EXPECT_TRUE(console.kernel_seen());
    console.feed("[    5.1] Kernel panic - not syncing: VFS\n[ 9] reboot: Power down\n");
    EXPECT_TRUE(console.panicked());
    EXPECT_TRUE(console.powered_down());
    const auto phases = console.phases(30);
    ASSERT_EQ(phases.size(), 2U);
    EXPECT_EQ(phases[0].name, "firmware");
    EXPECT_NEAR(phases[0].seconds, 10, 2);
}

TEST(Report, FailsWithoutChecks) {
    BootReport report;
    EXPECT_FALSE(report.passed());
    report.checks.push_back({"a", true, false, ""});
    report.checks.push_back({"b", false, true, "no KVM"});
    EXPECT_TRUE(report.passed());
    report.checks.push_back({"c", false, false, "bad"});
    EXPECT_FALSE(report.passed());
    EXPECT_NE(report.to_json().find("\"passed\": false"), std::string::npos);
}

}  // namespace
}  // namespace tarn
