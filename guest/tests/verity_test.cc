// SPDX-License-Identifier: MIT
#include "verity.hh"

#include "cmdline.hh"
#include "probe.hh"

#include <gtest/gtest.h>

namespace tarn::initrd {
namespace {

const std::string kRoot = "00112233445566778899aabbccddeeff0123456789abcdeffedcba9876543210";

std::string superblock() {
    std::string out(kVeritySuperblockBytes, '\0');
    out.replace(0, 6, "verity");
    out[8] = 1;
    out[12] = 1;
    for (std::size_t i = 0; i < 16; ++i) {
        out[16 + i] = static_cast<char>(i);
    }
    out.replace(32, 6, "sha256");
    out[65] = 0x10;
    out[69] = 0x10;
    out[72] = 3;
    out[80] = 2;
    out.replace(88, 2, "\xab\xcd");
    return out;
}

TEST(Verity, SuperblockIsRead) {
    const auto read = parse_verity_superblock(superblock());
    ASSERT_TRUE(read);
    EXPECT_EQ(read->uuid, "000102030405060708090a0b0c0d0e0f");
    EXPECT_EQ(read->algorithm, "sha256");
    EXPECT_EQ(read->salt, "abcd");
    EXPECT_EQ(read->data_block, 4096u);
    EXPECT_EQ(read->hash_block, 4096u);
    EXPECT_EQ(read->data_blocks, 3u);
    std::string unsalted = superblock();
    unsalted[80] = 0;
    EXPECT_EQ(parse_verity_superblock(unsalted)->salt, "-");
}

TEST(Verity, SuperblocksThatAreNoneOrLieAreRefused) {
    EXPECT_FALSE(parse_verity_superblock("verity"));
    struct Case {
        std::size_t at;
        char value;
    };
    for (const Case& each : {Case{0, 'V'},
                             Case{8, 2},
                             Case{12, 0},
                             Case{32, ' '},  // would be two words of the table
                             Case{32, 0},
                             Case{64, 1},
                             Case{65, 0},
                             Case{70, 1},
                             Case{72, 0},
                             Case{79, 127},
                             Case{81, 2}}) {
        std::string bad = superblock();
        bad[each.at] = each.value;
        EXPECT_FALSE(parse_verity_superblock(bad)) << each.at;
    }
}

TEST(Verity, TheRootHashNamesItsPartitions) {
    EXPECT_EQ(verity_data_uuid(kRoot), "00112233-4455-6677-8899-aabbccddeeff");
    EXPECT_EQ(verity_hash_uuid(kRoot), "01234567-89ab-cdef-fedc-ba9876543210");
    EXPECT_EQ(verity_data_uuid("0011"), "");
    EXPECT_EQ(verity_hash_uuid(std::string(64, 'x')), "");
}

TEST(Verity, TableAsTheKernelTakesIt) {
    const VerityTable table = verity_table(*parse_verity_superblock(superblock()),
                                           kRoot,
                                           "/dev/vda2",
                                           "/dev/vda3",
                                           {"panic_on_corruption"});
    EXPECT_EQ(table.sectors, 24u);
    EXPECT_EQ(table.parameters,
              "1 /dev/vda2 /dev/vda3 4096 4096 3 1 sha256 " + kRoot +
                  " abcd 1 panic_on_corruption");
    EXPECT_EQ(verity_table(*parse_verity_superblock(superblock()), "r", "a", "b", {}).parameters,
              "1 a b 4096 4096 3 1 sha256 r abcd");
}

TEST(Verity, Options) {
    std::vector<std::string> unknown;
    EXPECT_EQ(verity_options("restart-on-corruption,ignore-zero-blocks", unknown),
              (std::vector<std::string>{"restart_on_corruption", "ignore_zero_blocks"}));
    EXPECT_TRUE(verity_options("", unknown).empty());
    EXPECT_TRUE(unknown.empty());
    verity_options("panic-on-corruption,,tpm2-measure-pcr=yes", unknown);
    EXPECT_EQ(unknown, std::vector<std::string>{"tpm2-measure-pcr=yes"});
}

TEST(Verity, CommandLine) {
    const CommandLine plain = parse_command_line("root=/dev/vda2");
    EXPECT_EQ(plain.root_hash, "");
    const CommandLine line = parse_command_line(
        "roothash=ABCD systemd.verity_root_data=PARTLABEL=a systemd.verity_root_hash=/dev/vdb "
        "systemd.verity_root_options=");
    EXPECT_EQ(line.root_hash, "abcd");
    EXPECT_EQ(line.verity_data.kind, RootKind::kPartLabel);
    EXPECT_EQ(line.verity_hash.value, "/dev/vdb");
    EXPECT_EQ(line.verity_options, "");
    EXPECT_EQ(parse_command_line("roothash=ab").verity_options, "panic-on-corruption");
}

}  // namespace
}  // namespace tarn::initrd
