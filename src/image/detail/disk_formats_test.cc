// SPDX-License-Identifier: MIT
// Partition table, VHD footer and GUIDs against the tools that read them.
#include "base/hash.hh"
#include "image/detail/bytes.hh"
#include "image/detail/layout.hh"
#include "image/detail/sparse.hh"
#include "image/detail/testing.hh"
#include "image/detail/vhd.hh"

#include <fcntl.h>
#include <unistd.h>

namespace tarn::image {
namespace {

using testing::run_tool;
using testing::temporary;

Result<Layout> layout_of(std::uint64_t size, std::uint64_t esp) {
    Image image;
    image.name = "vm";
    image.size_bytes = size;
    image.esp_bytes = esp;
    return plan_layout(image, "x86_64", "seed");
}

std::string write_disk(const std::string& path, const DiskLayout& layout) {
    const auto gpt = make_gpt(layout);
    EXPECT_TRUE(gpt.has_value());
    const auto fd = open_file(path, O_RDWR | O_CREAT | O_TRUNC);
    EXPECT_TRUE(fd.has_value());
    EXPECT_EQ(ftruncate(fd->get(), static_cast<off_t>(layout.size)), 0);
    EXPECT_TRUE(pwrite_all(fd->get(), gpt->head, 0, path).has_value());
    EXPECT_TRUE(pwrite_all(fd->get(), gpt->tail, layout.size - gpt->tail.size(), path).has_value());
    return path;
}

TEST(Crc32, KnownAnswer) {
    EXPECT_EQ(crc32("123456789"), 0xcbf43926u);
}

TEST(Guid, DerivedFromSeedAloneAndMarkedVersion8) {
    const Guid a = Guid::derive("seed", "root");
    EXPECT_EQ(a, Guid::derive("seed", "root"));
    EXPECT_NE(a, Guid::derive("seed", "esp"));
    EXPECT_NE(a, Guid::derive("other", "root"));
    EXPECT_EQ(a.to_string()[14], '8');
    EXPECT_EQ(Guid::parse(a.to_string()), a);
}

TEST(Guid, DiskBytesSwapTheFirstThreeGroups) {
    const auto guid = Guid::parse("00112233-4455-6677-8899-aabbccddeeff");
    ASSERT_TRUE(guid);
    EXPECT_EQ(guid->disk_bytes().substr(0, 4), std::string("\x33\x22\x11\x00", 4));
    EXPECT_EQ(guid->wire_bytes().substr(0, 4), std::string("\x00\x11\x22\x33", 4));
    EXPECT_FALSE(Guid::parse("0011223344556677-8899-aabb-ccddeeff0000"));
}

TEST(Gpt, SgdiskFindsNoProblem) {
    TARN_NEED_TOOL("sgdisk");
    const TempDir dir = temporary();
    const auto layout = layout_of(512 * kMiB, 64 * kMiB);
    ASSERT_TRUE(layout.has_value());
    const std::string disk = write_disk(dir.path() + "/disk", layout->table());
    const auto verdict = run_tool({"sgdisk", "-v", disk});
    EXPECT_NE(verdict.text.find("No problems found"), std::string::npos) << verdict.text;
    const auto root = run_tool({"sgdisk", "-i", "2", disk}).text;
    EXPECT_NE(root.find("4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709"), std::string::npos) << root;
    EXPECT_NE(root.find("'root'"), std::string::npos) << root;
    EXPECT_NE(root.find("at 65.0 MiB"), std::string::npos) << root;
}

TEST(Gpt, OverlappingPartitionsAreRefused) {
    auto layout = layout_of(512 * kMiB, 64 * kMiB);
    ASSERT_TRUE(layout.has_value());
    layout->partitions[1].gpt.offset = 32 * kMiB;
    EXPECT_FALSE(make_gpt(layout->table()).has_value());
}

TEST(Vhd, FooterSaysFixedAndItsChecksumHolds) {
    const auto footer = make_vhd_footer(5120 * kMiB, 946684800 + 7, Guid::derive("s", "vhd"));
    ASSERT_TRUE(footer.has_value());
    ASSERT_EQ(footer->size(), 512u);
    EXPECT_EQ(footer->substr(0, 8), "conectix");
    EXPECT_EQ(footer->substr(24, 4), std::string("\0\0\0\7", 4));
    EXPECT_EQ(footer->substr(28, 4), "tarn");
    EXPECT_EQ(footer->substr(56, 4), "\xff\xff\x10\xff");
    EXPECT_EQ(footer->substr(60, 4), std::string("\0\0\0\2", 4));
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i < 512; ++i) {
        sum += i >= 64 && i < 68 ? 0u : static_cast<unsigned char>((*footer)[i]);
    }
    std::string expected(4, '\0');
    put_be(expected, 0, ~sum, 4);
    EXPECT_EQ(footer->substr(64, 4), expected);
}

TEST(Vhd, SizesThatAreNoWholeMiBAreRefused) {
    EXPECT_FALSE(make_vhd_footer(kMiB + 512, 0, Guid{}).has_value());
    EXPECT_FALSE(make_vhd_footer(0, 0, Guid{}).has_value());
}

TEST(Vhd, QemuImgReadsTheExactSize) {
    TARN_NEED_TOOL("qemu-img");
    const TempDir dir = temporary();
    const std::string path = dir.path() + "/disk.vhd";
    for (const std::uint64_t mib : {40u, 512u, 5121u}) {
        const auto footer = make_vhd_footer(mib * kMiB, 1700000000, Guid::derive("s", "vhd"));
        ASSERT_TRUE(footer.has_value());
        const auto fd = open_file(path, O_RDWR | O_CREAT | O_TRUNC);
        ASSERT_TRUE(fd.has_value());
        ASSERT_TRUE(pwrite_all(fd->get(), *footer, mib * kMiB, path).has_value());
        const auto info = run_tool({"qemu-img", "info", "-f", "vpc", path});
        EXPECT_EQ(info.exit_code, 0) << info.text;
        EXPECT_NE(info.text.find("(" + std::to_string(mib * kMiB) + " bytes)"), std::string::npos)
            << info.text;
    }
}

TEST(Sparse, CopyKeepsBytesAndHolesAndHashIsThatOfTheWholeFile) {
    const TempDir dir = temporary();
    const std::string from = dir.path() + "/from";
    const std::uint64_t size = 16 * kMiB + 512;
    auto in = open_file(from, O_RDWR | O_CREAT);
    auto out = open_file(dir.path() + "/to", O_RDWR | O_CREAT);
    ASSERT_TRUE(in && out);
    ASSERT_EQ(ftruncate(in->get(), static_cast<off_t>(size)), 0);
    ASSERT_TRUE(pwrite_all(in->get(), "first", 4096, from).has_value());
    ASSERT_TRUE(pwrite_all(in->get(), "last", size - 4, from).has_value());
    ASSERT_TRUE(copy_sparse(in->get(), out->get(), size, from).has_value());
    const auto a = read_file(from);
    const auto b = read_file(dir.path() + "/to");
    ASSERT_TRUE(a && b);
    EXPECT_EQ(*a, *b);
    const auto sums = SparseHash(out->get(), from, {}).finish(size, "footer");
    ASSERT_TRUE(sums.has_value());
    EXPECT_EQ(sums->sha256, sha256_hex(*a));
    EXPECT_EQ(sums->sha256_extended, sha256_hex(*a + "footer"));
}

TEST(Sparse, AFileThatIsOneHoleHashesAsZeros) {
    const TempDir dir = temporary();
    const std::string path = dir.path() + "/hole";
    auto fd = open_file(path, O_RDWR | O_CREAT);
    ASSERT_TRUE(fd.has_value());
    ASSERT_EQ(ftruncate(fd->get(), 3 * 1024 * 1024 + 1), 0);
    SparseHash hash(fd->get(), path, {});
    for (const std::uint64_t until : {std::uint64_t{0}, kMiB / 2, kMiB / 4, 2 * kMiB + 7}) {
        ASSERT_TRUE(hash.advance(until).has_value());  // in pieces it is the same
    }
    const auto sums = hash.finish(3 * kMiB + 1, "");
    ASSERT_TRUE(sums.has_value());
    EXPECT_EQ(sums->sha256, sha256_hex(std::string(3 * kMiB + 1, '\0')));
}

}  // namespace
}  // namespace tarn::image
