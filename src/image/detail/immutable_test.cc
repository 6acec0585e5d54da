// SPDX-License-Identifier: MIT
#include "image/detail/immutable.hh"

#include "image/detail/fixture.hh"

#include <gmock/gmock.h>

namespace tarn::image {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class ImmutableTest : public testing::StoreTest {};

Layout verified_layout() {
    Image image;
    image.name = "edge";
    image.integrity = "verity";
    image.size_bytes = 4096 * kMiB;
    return *plan_layout(image, "x86_64", "seed");
}

TEST(RepartDefinitions, WhatIsThereAndASecondSlotAndVar) {
    std::string all;
    for (const auto& [path, text] : repart_definitions(verified_layout())) {
        all += path + ":" + text.substr(text.find("[Partition]") + 11);
    }
    EXPECT_EQ(all,
              "usr/lib/repart.d/10-esp.conf:\nType=esp\n"
              "SizeMinBytes=134217728\nSizeMaxBytes=134217728\n"
              "usr/lib/repart.d/20-root.conf:\nType=root\n"
              "SizeMinBytes=1073741824\nSizeMaxBytes=1073741824\n"
              "usr/lib/repart.d/30-root-verity.conf:\nType=root-verity\n"
              "SizeMinBytes=9437184\nSizeMaxBytes=9437184\n"
              "usr/lib/repart.d/40-root-next.conf:\nType=root\nLabel=_empty\n"
              "SizeMinBytes=1073741824\nSizeMaxBytes=1073741824\n"
              "usr/lib/repart.d/50-root-verity-next.conf:\nType=root-verity\nLabel=_empty\n"
              "SizeMinBytes=9437184\nSizeMaxBytes=9437184\n"
              "usr/lib/repart.d/60-var.conf:\nType=var\nLabel=var\n"
              "SizeMinBytes=268435456\nFormat=ext4\nGrowFileSystem=yes\n");
}

TEST(RepartDefinitions, NothingThatTheImageHasAlready) {
    Image image;
    image.name = "edge";
    image.integrity = "verity";
    image.partitions.resize(6);
    const char* types[] = {"esp", "root", "root-verity", "root", "root-verity", "var"};
    for (std::size_t i = 0; i < 6; ++i) {
        image.partitions[i].type = types[i];
        image.partitions[i].size = i == 0 || types[i] == std::string("root") ? 64 * kMiB : 0;
        image.partitions[i].label = i == 3 || i == 4 ? "_empty" : "";
    }
    image.partitions[5].grow = true;
    image.partitions[5].filesystem = "ext4";
    const auto layout = plan_layout(image, "x86_64", "seed");
    ASSERT_TRUE(layout);
    EXPECT_EQ(repart_definitions(*layout).size(), 6u);
}

TEST(SysupdateTransfers, UkiLastAndCounted) {
    const TextFiles files = sysupdate_transfers({"edge", "1.2"}, "http://updates.invalid/edge/");
    ASSERT_EQ(files.size(), 3u);
    EXPECT_EQ(files[1].second,
              "# Written when the image `edge` was composed.\n"
              "[Transfer]\nProtectVersion=%A\n"
              "\n[Source]\nType=url-file\nPath=http://updates.invalid/edge/\n"
              "MatchPattern=edge_@v_@u.root.zst\n"
              "\n[Target]\nInstancesMax=2\nType=partition\nPath=auto\nMatchPattern=edge_@v\n"
              "MatchPartitionType=root\nReadOnly=1\n");
    EXPECT_EQ(files[2].first, "usr/lib/sysupdate.d/30-uki.transfer");
    EXPECT_THAT(files[2].second, HasSubstr("TriesLeft=3\n"));
    EXPECT_THAT(files[2].second, Not(HasSubstr("Mode=")));  // the loader renames it
    EXPECT_THAT(files[2].second, HasSubstr("edge_@v+@l-@d.efi edge_@v+@l.efi edge_@v.efi\n"));
}

TEST(SystemVersion, NamesThatUpdatesCannotCarryAreRefused) {
    Image image;
    image.name = "edge";
    EXPECT_EQ(system_version(image, "1.0")->entry(), "edge_1.0");
    image.version = "2~rc1";
    EXPECT_EQ(system_version(image, "1.0")->entry(), "edge_2~rc1");
    image.version = "2 3";
    EXPECT_THAT(system_version(image, "1.0").error().message, HasSubstr("which no update"));
    image.version = "2+1";
    EXPECT_FALSE(system_version(image, "1.0"));
    image.version = std::string(30, '1');
    EXPECT_THAT(system_version(image, "1.0").error().message, HasSubstr("42 characters"));
    image = {};
    image.name = "a_b";
    EXPECT_FALSE(system_version(image, "1.0"));
}

TEST_F(ImmutableTest, VarComesBackThroughTmpfiles) {
    TreeEntry spool;
    spool.path = "var/spool/a b%";
    spool.kind = EntryKind::kDirectory;
    spool.mode = 02775;
    spool.gid = 8;
    TreeEntry state = file("var/lib/x/state", "kept", 0640);
    state.uid = 7;
    const Tree before =
        tree({file("usr/lib/os-release", "ID=tarn\nIMAGE_ID=old\n"),
              file("usr/lib/tmpfiles.d/p.conf", "d /var/log 0755 - - -\n# d /var/lib/x\n"),
              spool,
              state,
              symlink("var/run", "../run"),
              file("var/log", "made by another line"),
              file("var/lib/rpm/rpmdb.sqlite", "packages")});
    const auto made = make_immutable(
        store_, before, {"edge", "2"}, {{"usr/lib/repart.d/10-esp.conf", "x"}}, "ring", 5);
    ASSERT_TRUE(made) << made.error().message;
    EXPECT_EQ(text(*made, "usr/lib/tmpfiles.d/zz-tarn-var.conf"),
              "# What the image has in /var, for a machine whose /var is new.\n"
              "L+ /var/lib/rpm - - - - ../../usr/lib/sysimage/rpm\n"
              "C /var/lib/x/state 0640 7 0 - /usr/share/factory/var/lib/x/state\n"
              "L /var/run - - - - ../run\n"
              "d /var/spool/a\\x20b%% 2775 0 8 -\n");
    EXPECT_EQ(text(*made, "usr/share/factory/var/lib/x/state"), "kept");
    EXPECT_EQ(text(*made, "usr/lib/sysimage/rpm/rpmdb.sqlite"), "packages");
    EXPECT_EQ(text(*made, "usr/lib/os-release"), "ID=tarn\nIMAGE_ID=edge\nIMAGE_VERSION=2\n");
    EXPECT_EQ(text(*made, "usr/lib/systemd/import-pubring.pgp"), "ring");
    EXPECT_EQ(text(*made, "usr/lib/repart.d/10-esp.conf"), "x");
    for (const TreeEntry& entry : made->entries()) {
        EXPECT_FALSE(entry.path.starts_with("var/")) << entry.path;
    }
}

TEST_F(ImmutableTest, ATreeWithoutOsReleaseIsRefused) {
    EXPECT_FALSE(make_immutable(store_, tree({}), {"edge", "2"}, {}, "", 5));
}

TEST(Dearmor, BytesOfAnArmor) {
    const auto bytes = dearmor(
        "text\n-----BEGIN PGP PUBLIC KEY BLOCK-----\nComment: x\n\nAAEC\nAwQ=\n=abcd\n"
        "-----END PGP PUBLIC KEY BLOCK-----\n");
    ASSERT_TRUE(bytes);
    EXPECT_EQ(*bytes, std::string("\0\1\2\3\4", 5));
    EXPECT_FALSE(dearmor("no armor"));
    EXPECT_FALSE(dearmor("-----BEGIN PGP X-----\n\nAA*C\n-----END PGP X-----\n"));
    EXPECT_FALSE(dearmor("-----BEGIN PGP X-----\n\nAAEC\n"));
}

}  // namespace
}  // namespace tarn::image
