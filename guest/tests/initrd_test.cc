// SPDX-License-Identifier: MIT
// What the initrd's init decides from texts and bytes alone.
#include "cmdline.hh"
#include "modules.hh"
#include "probe.hh"
#include "text.hh"
#include <gtest/gtest.h>

namespace tarn::initrd {
namespace {

TEST(CommandLine, RootTypeFlagsAndInit) {
    const CommandLine line = parse_command_line(
        "console=ttyS0 root=PARTUUID=0075728F-AC21 rootfstype=ext4 rootflags=noatime,discard rw "
        "init=/usr/bin/bash panic=10 rootdelay=300\n");
    EXPECT_EQ(line.root.kind, RootKind::kPartUuid);
    EXPECT_EQ(line.root.value, "0075728f-ac21");
    EXPECT_EQ(line.filesystem, "ext4");
    EXPECT_EQ(line.flags, "noatime,discard");
    EXPECT_TRUE(line.read_write);
    EXPECT_EQ(line.init, "/usr/bin/bash");
    EXPECT_EQ(line.panic, 10);
    EXPECT_EQ(line.root_wait, 300);
}

TEST(CommandLine, LaterWordsWinAndDefaultsHold) {
    EXPECT_TRUE(parse_command_line("ro rw").read_write);
    EXPECT_FALSE(parse_command_line("rw ro").read_write);
    const CommandLine empty = parse_command_line("");
    EXPECT_FALSE(empty.read_write);
    EXPECT_EQ(empty.root.kind, RootKind::kNone);
    EXPECT_EQ(empty.root_wait, 30);
    EXPECT_EQ(empty.panic, 0);
    EXPECT_EQ(parse_command_line("rootdelay=5").root_wait, 30);
    EXPECT_EQ(parse_command_line("rootwait rootdelay=5").root_wait, -1);
    EXPECT_EQ(parse_command_line("panic=-1").panic, -1);
    EXPECT_EQ(parse_command_line("panic=99999999999999999999").panic, 0);
}

TEST(CommandLine, QuotesHoldWordsTogether) {
    const CommandLine line = parse_command_line("root=\"PARTLABEL=my root\" init=\"/a b\"");
    EXPECT_EQ(line.root.kind, RootKind::kPartLabel);
    EXPECT_EQ(line.root.value, "my root");
    EXPECT_EQ(line.init, "/a b");
}

TEST(CommandLine, WhatFollowsTwoDashesIsForInit) {
    EXPECT_EQ(parse_command_line("root=LABEL=a -- root=LABEL=b").root.value, "a");
}

TEST(CommandLine, EveryFormOfRoot) {
    EXPECT_EQ(parse_root("UUID=ABC").value, "abc");
    EXPECT_EQ(parse_root("LABEL=Root").value, "Root");
    EXPECT_EQ(parse_root("/dev/vda2").kind, RootKind::kDevice);
    EXPECT_EQ(parse_root("/dev/../etc").kind, RootKind::kNone);
    EXPECT_EQ(parse_root("/dev/").kind, RootKind::kNone);
    EXPECT_EQ(parse_root("UUID=").kind, RootKind::kNone);
    EXPECT_EQ(parse_root("8:2").kind, RootKind::kNone);
    EXPECT_EQ(parse_root("8:2").text, "8:2");
}

TEST(CommandLine, ModuleParametersUseEitherDash) {
    const CommandLine line =
        parse_command_line("nvme-core.io_timeout=240 nvme_core.x=1 rd.shell=0 other.y=2");
    EXPECT_EQ(parameters_of(line, "nvme_core"), "io_timeout=240 x=1");
    EXPECT_EQ(parameters_of(line, "nvme"), "");
    EXPECT_FALSE(line.shell_asked);
    EXPECT_TRUE(parse_command_line("rd.break=pre-mount").shell_asked);
    EXPECT_TRUE(parse_command_line("rd.shell").shell_asked);
}

TEST(Glob, AsInModulesAlias) {
    EXPECT_TRUE(glob("pci:v*d*sv*sd*bc01sc08i02*", "pci:v00001B36d00000010sv00sd00bc01sc08i02"));
    EXPECT_FALSE(glob("pci:v*d*sv*sd*bc01sc08i02*", "pci:v00001B36d00000010sv00sd00bc02sc00i00"));
    EXPECT_TRUE(glob("virtio:d00000002v*", "virtio:d00000002v00001AF4"));
    EXPECT_TRUE(glob("a[0-9]?", "a5x"));
    EXPECT_FALSE(glob("a[!0-9]", "a5"));
    EXPECT_TRUE(glob("[", "["));
    EXPECT_TRUE(glob("*", ""));
    EXPECT_FALSE(glob("", "a"));
    EXPECT_TRUE(glob("of:N*T*Cacme,x", "of:NfooTbarCacme,x"));
}

TEST(Glob, ManyStarsAreNoTrap) {
    EXPECT_FALSE(glob("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b", std::string(5000, 'a')));
}

TEST(Modules, WantedOnesComeInListOrderWithWhatTheyNeed) {
    ModuleTable table("nvme_core\nnvme nvme_core\nscsi_mod\nsd_mod scsi_mod\nvirtio_net\n",
                      "pci:*bc01sc08i02* nvme\nscsi:t-0x00* sd_mod\nvirtio:d00000001v* virtio-net\n"
                      "a line that is none\n");
    EXPECT_EQ(table.size(), 5u);
    EXPECT_TRUE(table.next().empty());
    table.device("virtio:d00000001v00001AF4");
    table.device("pci:v1d1bc01sc08i02");
    EXPECT_EQ(table.next(), (std::vector<std::string>{"nvme_core", "nvme"}));
    EXPECT_EQ(table.next(), (std::vector<std::string>{"virtio_net"}));
    EXPECT_TRUE(table.next().empty());
    table.device("pci:v1d1bc01sc08i02");  // again: nothing new
    EXPECT_TRUE(table.next().empty());
    table.device("scsi:t-0x00");
    EXPECT_EQ(table.next(), (std::vector<std::string>{"scsi_mod", "sd_mod"}));
}

TEST(Modules, WantedByNameOrAlias) {
    ModuleTable table("crc\next4 crc\n", "fs-ext4 ext4\n");
    table.want("fs-ext4");
    EXPECT_EQ(table.next(), (std::vector<std::string>{"crc", "ext4"}));
    ModuleTable other("erofs\n", "");
    other.want("erofs");
    EXPECT_EQ(other.next(), (std::vector<std::string>{"erofs"}));
}

TEST(Modules, EmptyAndOddListsAreHarmless) {
    ModuleTable table("\n\nself self\nunknown nothing\n", "x\n");
    table.want("self");
    EXPECT_EQ(table.next(), (std::vector<std::string>{"self"}));
}

void put(std::string& out, std::size_t at, std::uint64_t value, unsigned width) {
    for (unsigned i = 0; i < width; ++i) {
        out[at + i] = static_cast<char>((value >> (8 * i)) & 0xff);
    }
}

std::uint32_t crc(std::string_view bytes) {
    std::uint32_t value = 0xffffffffu;
    for (const char c : bytes) {
        value ^= static_cast<unsigned char>(c);
        for (int bit = 0; bit < 8; ++bit) {
            value = (value & 1u) != 0 ? (value >> 1) ^ 0xedb88320u : value >> 1;
        }
    }
    return ~value;
}

std::string small_gpt() {
    std::string disk(kGptHeadBytes, '\0');
    const std::size_t second = 1024 + 128;
    put(disk, second, 0x1122334455667788, 8);  // a type
    for (unsigned i = 0; i < 16; ++i) {
        put(disk, second + 16 + i, i, 1);
    }
    put(disk, second + 56, 'r', 2);
    put(disk, second + 58, 0x416, 2);  // not ASCII
    disk.replace(512, 8, "EFI PART");
    put(disk, 512 + 12, 92, 4);
    put(disk, 512 + 72, 2, 8);
    put(disk, 512 + 80, 128, 4);
    put(disk, 512 + 84, 128, 4);
    put(disk, 512 + 88, crc(std::string_view(disk).substr(1024, 128 * 128)), 4);
    put(disk, 512 + 16, crc(std::string_view(disk).substr(512, 92)), 4);
    return disk;
}

TEST(Gpt, PartitionsWithTheirNumbers) {
    const auto entries = parse_gpt(small_gpt());
    ASSERT_EQ(entries.size(), 1u);
    EXPECT_EQ(entries[0].number, 2u);
    EXPECT_EQ(entries[0].uuid, "03020100-0504-0706-0809-0a0b0c0d0e0f");
    EXPECT_EQ(entries[0].label, "r?");
    EXPECT_EQ(entries[0].type, "55667788-3344-1122-0000-000000000000");
}

TEST(Gpt, AnyFlippedByteOfTheTableIsNoticed) {
    const std::string whole = small_gpt();
    for (const std::size_t at :
         {512u, 530u, 512u + 72, 1024u, 1024u + 128 + 20, 1024u + 128 * 127}) {
        std::string bad = whole;
        bad[at] = static_cast<char>(bad[at] ^ 1);
        EXPECT_TRUE(parse_gpt(bad).empty()) << at;
    }
    EXPECT_TRUE(parse_gpt(std::string_view(whole).substr(0, 1000)).empty());
    EXPECT_TRUE(parse_gpt(std::string(kGptHeadBytes, '\xff')).empty());
}

TEST(Superblock, Ext4AndErofs) {
    std::string ext4(kSuperblockBytes, '\0');
    put(ext4, 1024 + 0x38, 0xef53, 2);
    put(ext4, 1024 + 0x68, 0xab, 1);
    ext4.replace(1024 + 0x78, 4, "root");
    EXPECT_EQ(parse_superblock(ext4).type, "ext4");
    EXPECT_EQ(parse_superblock(ext4).uuid, "ab000000-0000-0000-0000-000000000000");
    EXPECT_EQ(parse_superblock(ext4).label, "root");
    std::string erofs(kSuperblockBytes, '\0');
    put(erofs, 1024, 0xe0f5e1e2, 4);
    put(erofs, 1024 + 48, 0xcd, 1);
    erofs.replace(1024 + 64, 16, "sixteen letters!");
    EXPECT_EQ(parse_superblock(erofs).type, "erofs");
    EXPECT_EQ(parse_superblock(erofs).uuid, "cd000000-0000-0000-0000-000000000000");
    EXPECT_EQ(parse_superblock(erofs).label, "sixteen letters!");
}

TEST(Superblock, NothingKnownIsEmpty) {
    EXPECT_EQ(parse_superblock(std::string(kSuperblockBytes, '\0')).type, "");
    EXPECT_EQ(parse_superblock("short").type, "");
}

}  // namespace
}  // namespace tarn::initrd
