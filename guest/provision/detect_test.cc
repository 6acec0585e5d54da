// SPDX-License-Identifier: MIT
#include "provision/detect.hh"

#include "base/strings.hh"

#include "provision/dhcp.hh"
#include "provision/media.hh"
#include "provision/medium_fixture.hh"
#include "provision/nocloud.hh"
#include "provision/run_fixture.hh"
#include "provision/text.hh"
#include <gtest/gtest.h>

namespace tarn::guest {
namespace {

TEST(Detect, AzureByTheChassisTag) {
    TestMachine disk;
    EXPECT_EQ(detect(disk.machine()).platform, Platform::kNone);
    disk.make_azure("0F0E0D0C-0B0A-4908-8706-050403020100");
    const Detection found = detect(disk.machine());
    EXPECT_EQ(found.platform, Platform::kAzure);
    EXPECT_EQ(found.vm_id, kTestVmId);
}

TEST(Detect, FirmwareOfTheFirstGenerationIsSwapped) {
    TestMachine disk;
    disk.put("/sys/class/dmi/id/chassis_asset_tag", "7783-7084-3265-9085-8269-3286-77\n");
    disk.put("/sys/class/dmi/id/product_uuid", "0C0D0E0F-0A0B-0849-8706-050403020100\n");
    EXPECT_EQ(detect(disk.machine()).vm_id, kTestVmId);
}

TEST(Detect, AnUnreadableOrEmptyUuidIsNone) {
    TestMachine disk;
    for (const char* uuid : {"",
                             "x",
                             "00000000-0000-0000-0000-000000000000",
                             "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF",
                             "Not Settable"}) {
        disk.make_azure(uuid);
        EXPECT_EQ(detect(disk.machine()).vm_id, "") << uuid;
    }
}

TEST(Detect, SeedsOfSmbiosAndTheCommandLine) {
    TestMachine disk;
    disk.put("/sys/class/dmi/id/product_serial", "ds=nocloud-net;h=web;i=i-1;s=http://10.0.2.2/\n");
    Detection found = detect(disk.machine());
    EXPECT_EQ(found.platform, Platform::kNoCloud);
    EXPECT_EQ(found.seed.at("local-hostname"), "web");
    EXPECT_EQ(found.seed.at("instance-id"), "i-1");
    EXPECT_EQ(found.seed.at("seedfrom"), "http://10.0.2.2/");
    disk.put("/sys/class/dmi/id/product_serial", "S-12345\n");
    EXPECT_EQ(detect(disk.machine()).platform, Platform::kNone);
    disk.put("/proc/cmdline", "quiet ds=nocloud;i=i-2\n");
    EXPECT_EQ(detect(disk.machine()).seed.at("instance-id"), "i-2");
    EXPECT_FALSE(parse_seed_text("ds=ec2;x=y"));
    EXPECT_FALSE(parse_seed_text(""));
    EXPECT_TRUE(parse_seed_text("ds=nocloud;;=;x"));
}

TEST(Uuid, SameInInAnyCaseAndOrder) {
    EXPECT_TRUE(same_instance(kTestVmId, "0F0E0D0C-0B0A-4908-8706-050403020100"));
    EXPECT_TRUE(same_instance(kTestVmId, swapped_uuid(kTestVmId)));
    EXPECT_EQ(swapped_uuid(swapped_uuid(kTestVmId)), kTestVmId);
    EXPECT_FALSE(same_instance(kTestVmId, "0f0e0d0c-0b0a-4908-8706-050403020101"));
    EXPECT_TRUE(same_instance("i-1", "i-1"));
    EXPECT_FALSE(same_instance("i-1", "I-1"));
    EXPECT_FALSE(same_instance("", ""));
}

TEST(DirectoryName, NeverLeavesItsParent) {
    EXPECT_EQ(directory_name("i-1_a.b"), "i-1_a.b");
    for (const char* id : {"", ".", "..", "../x", "a/b", "a b", "instance\n"}) {
        EXPECT_TRUE(directory_name(id).starts_with(".id-")) << id;
        EXPECT_FALSE(contains(directory_name(id), "/"));
    }
    EXPECT_TRUE(directory_name(std::string(65, 'a')).starts_with(".id-"));
}

constexpr const char* kLease =
    "# This is private data. Do not parse.\nADDRESS=10.1.0.7\nNETMASK=255.255.255.0\n"
    "ROUTER=10.1.0.1\nROUTES=168.63.129.16/32,10.1.0.1 169.254.169.254/32,10.1.0.1\n";

TEST(Lease, OptionAndRoutesMakeAnInterfacePrimary) {
    const auto plain = parse_lease("2", "ADDRESS=10.0.2.15\nROUTER=10.0.2.2\n");
    ASSERT_TRUE(plain);
    EXPECT_FALSE(plain->is_primary());
    EXPECT_TRUE(parse_lease("2", kLease)->is_primary());
    const auto option = parse_lease("2", "ADDRESS=10.0.2.15\nOPTION_245=a8:3f:81:10\n");
    EXPECT_EQ(option->wireserver, "168.63.129.16");
    EXPECT_TRUE(option->is_primary());
}

TEST(Lease, BrokenLinesAreSkipped) {
    EXPECT_FALSE(parse_lease("2", ""));
    EXPECT_FALSE(parse_lease("2", "ADDRESS=\n"));
    EXPECT_FALSE(parse_lease("2", "ADDRESS=::1\n"));
    EXPECT_FALSE(parse_lease("2", "ADDRESS=999.1.1.1\n"));
    EXPECT_FALSE(parse_lease("2", std::string("ADDRESS=10.1.0.0\0x\n", 19)));
    for (const char* option : {"a83f81", "a83f811000", "zzzzzzzz", "00000000", ""}) {
        const auto lease =
            parse_lease("2", std::string("ADDRESS=10.0.2.15\nOPTION_245=") + option + "\n");
        ASSERT_TRUE(lease);
        EXPECT_EQ(lease->wireserver, "") << option;
    }
}

TEST(Lease, ThePrimaryInterfaceIsPreferred) {
    TestMachine disk;
    EXPECT_FALSE(wait_for_lease(disk.machine(), std::chrono::milliseconds(10)));
    disk.put("/run/systemd/netif/leases/2", "ADDRESS=10.9.0.7\n");
    disk.put("/run/systemd/netif/leases/.#3abc", kLease);  // being written
    EXPECT_EQ(current_lease(disk.machine())->address, "10.9.0.7");
    disk.put("/run/systemd/netif/leases/3", kLease);
    EXPECT_EQ(current_lease(disk.machine())->address, "10.1.0.7");
}

TEST(Lease, IsSeenWhenItComes) {
    for (const bool directory : {false, true}) {
        TestMachine disk;
        if (directory) {
            ASSERT_TRUE(make_directories(disk.root() + "/run/systemd/netif/leases"));
        }
        std::thread later([&] {
            std::this_thread::sleep_for(std::chrono::milliseconds(30));
            disk.give_lease();
        });
        const auto lease = wait_for_lease(disk.machine(), std::chrono::seconds(20));
        later.join();
        ASSERT_TRUE(lease);
        EXPECT_EQ(lease->wireserver, "168.63.129.16");
    }
}

TEST(Online, IsWhatNetworkdSays) {
    TestMachine disk;
    EXPECT_FALSE(wait_until_online(disk.machine(), std::chrono::hours(1)));  // no networkd
    disk.put("/run/systemd/netif/state", "OPER_STATE=carrier\n");
    EXPECT_FALSE(wait_until_online(disk.machine(), std::chrono::milliseconds(10)));
    disk.put("/run/systemd/netif/state", "OPER_STATE=routable\n");
    EXPECT_TRUE(wait_until_online(disk.machine(), std::chrono::hours(1)));
}

TEST(Media, ADriveIsWaitedFor) {
    TestMachine disk;
    EXPECT_FALSE(wait_for_drive(disk.machine(), std::chrono::milliseconds(10)));
    std::thread later([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(30));
        disk.insert_media("x");
    });
    EXPECT_TRUE(wait_for_drive(disk.machine(), std::chrono::seconds(20)));
    later.join();
}

TEST(Media, AnEmptyDriveIsNoError) {
    TestMachine disk;
    EXPECT_FALSE(*find_azure_media(disk.machine()));
    disk.put("/sys/class/block/sr0/size", "8\n");
    EXPECT_FALSE(*find_azure_media(disk.machine()));  // the device is gone
    disk.put("/dev/sr0", "");
    EXPECT_FALSE(*find_azure_media(disk.machine()));
    disk.put("/dev/sr0", std::string(100'000, 'x'));
    EXPECT_FALSE(*find_azure_media(disk.machine()));  // another disc
}

TEST(Media, TheSecondDriveMayHaveThem) {
    TestMachine disk;
    disk.put("/sys/class/block/sr0/size", "8\n");
    disk.put("/dev/sr0", udf_image("x", {{"a", "b"}}).substr(0, 600'000));  // broken
    const auto broken = find_azure_media(disk.machine());
    ASSERT_FALSE(broken);
    EXPECT_TRUE(contains(broken.error().message, "/dev/sr0")) << broken.error().message;
    disk.put("/sys/class/block/sr1/size", "8\n");
    disk.put("/dev/sr1",
             iso_image("x", {{"ovf-env.xml", "<a/>"}, {"CustomData.bin", "c"}}, IsoNames::kPlain));
    const auto media = find_azure_media(disk.machine());
    ASSERT_TRUE(media);
    EXPECT_EQ((*media)->device, "/dev/sr1");
    EXPECT_EQ((*media)->custom_data, "c");
}

TEST(NoCloud, OnlyAVolumeOfItsNameIsASeed) {
    TestMachine disk;
    disk.put("/sys/class/block/vdb1/size", "8\n");
    disk.put("/dev/vdb1", fat_image("DATA", {{"meta-data", "instance-id: x\n"}}));
    EXPECT_FALSE(*find_nocloud_seed(disk.machine()));
    disk.put("/dev/vdb1", fat_image("CIDATA", {{"meta-data", "instance-id: x\n"}}));
    const auto seed = find_nocloud_seed(disk.machine());
    ASSERT_TRUE(seed && *seed);
    EXPECT_EQ((*seed)->metadata, "instance-id: x\n");
}

Result<Settings> settings_of(const std::string& metadata) {
    return nocloud_settings({"seed", metadata, {}, {}, {}}, {});
}

TEST(NoCloud, ReadsYamlAndJson) {
    const std::string key = kTestKey;
    for (const std::string& text :
         {"instance-id: i-1\nlocal-hostname: web\npublic-keys:\n  - " + key + "\n",
          "{\"instance-id\": \"i-1\", \"local-hostname\": \"web\", \"public-keys\": {\"a\": \"" +
              key + "\"}}",
          "instance-id: i-1\nhostname: web\npublic-keys: " + key + "\n"}) {
        const auto settings = settings_of(text);
        ASSERT_TRUE(settings) << settings.error().message;
        EXPECT_EQ(settings->instance_id, "i-1");
        EXPECT_EQ(settings->hostname, "web");
        EXPECT_EQ(settings->ssh_keys, std::vector<std::string>{key});
    }
    const auto junk = settings_of("instance-id: i-1\npublic-keys: [x]\n");
    ASSERT_TRUE(junk);
    EXPECT_EQ(junk->warnings.size(), 1u);
}

TEST(NoCloud, MistakesAreNamed) {
    for (const char* text : {"",
                             "a: b\n",
                             "- x\n",
                             "instance-id: [1]\n",
                             "instance-id: {a: b}\n",
                             "instance-id: x\nlocal-hostname: 'a b'\n",
                             "{",
                             "instance-id: &a x\n",
                             "instance-id: x\npublic-keys: [[1]]\npublic-keys: {a: {b: c}}\n"}) {
        const auto settings = settings_of(text);
        EXPECT_FALSE(settings) << text;
    }
}

TEST(NoCloud, FetchesFromANumericAddress) {
    TestServer server([](const SeenRequest& request) {
        if (contains(request.line(), "/seed/meta-data")) {
            return TestServer::reply(200, "instance-id: i-9\n");
        }
        return contains(request.line(), "/seed/user-data") ? TestServer::reply(200, "#!/bin/sh\n")
                                                           : TestServer::reply(404, "");
    });
    RetryPolicy policy;
    policy.total = std::chrono::milliseconds(50);
    policy.first_pause = std::chrono::milliseconds(5);
    const std::string base = fmt::format("http://127.0.0.1:{}/", server.endpoint().port);
    const auto seed = fetch_nocloud_seed(base + "seed/", policy);
    ASSERT_TRUE(seed) << seed.error().message;
    EXPECT_EQ(seed->metadata, "instance-id: i-9\n");
    EXPECT_EQ(seed->user_data, "#!/bin/sh\n");
    EXPECT_FALSE(fetch_nocloud_seed(base + "none/", policy));
    for (const char* url :
         {"https://127.0.0.1/", "http://name/", "file:///etc/", "", "http://127.0.0.1:99999/"}) {
        EXPECT_FALSE(fetch_nocloud_seed(url, policy)) << url;
    }
}

}  // namespace
}  // namespace tarn::guest
