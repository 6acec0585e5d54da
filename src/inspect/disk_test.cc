// SPDX-License-Identifier: MIT
#include "inspect/detail/disk.hh"

#include "inspect/detail/content.hh"
#include "inspect/detail/testing.hh"
#include "inspect/detail/uki.hh"
#include "oci/oci.hh"

namespace tarn::inspect {
namespace {

using testing::InspectTest;

class Disk : public InspectTest {
  protected:
    std::string gpt_disk() {
        blank("disk", 8 << 20);
        EXPECT_EQ(tool({"sgdisk",
                        "-n",
                        "1:2048:4095",
                        "-t",
                        "1:ef00",
                        "-c",
                        "1:esp",
                        "-n",
                        "2:4096:8191",
                        "-t",
                        "2:8304",
                        "-c",
                        "2:root",
                        "-u",
                        "2:11111111-2222-3333-4444-555555555555",
                        path("disk")}),
                  "");
        return *read_file(path("disk"));
    }
};

TEST_F(Disk, TableOfSgdiskIsRead) {
    TARN_NEED_TOOL("sgdisk");
    const std::string bytes = gpt_disk();
    const auto table = read_gpt(Region(bytes, "disk"));
    ASSERT_TRUE(table.has_value()) << table.error().message;
    ASSERT_TRUE(table->has_value());
    ASSERT_EQ((*table)->size(), 2U);
    const Partition& root = (*table)->at(1);
    EXPECT_EQ(root.number, 2U);
    EXPECT_EQ(root.label, "root");
    EXPECT_EQ(root.type, "4f68bce3-e8cd-4db1-96e7-fbcaf984b709");
    EXPECT_EQ(root.id, "11111111-2222-3333-4444-555555555555");
    EXPECT_EQ(root.offset, 4096U * 512);
    EXPECT_EQ(root.size, 4096U * 512);
}

TEST_F(Disk, AChangedTableIsCorrupt) {
    TARN_NEED_TOOL("sgdisk");
    const std::string good = gpt_disk();
    for (const std::size_t at : {512U + 40U, 512U + 72U, 1024U + 33U}) {
        std::string bad = good;
        bad[at] = static_cast<char>(bad[at] ^ 1);
        const auto table = read_gpt(Region(bad, "disk"));
        ASSERT_FALSE(table.has_value()) << at;
        EXPECT_EQ(table.error().kind, ErrorKind::kCorrupt);
        EXPECT_NE(table.error().message.find("checksum"), std::string::npos);
    }
    // Cut short: the second partition lies beyond the end.
    EXPECT_FALSE(read_gpt(Region(std::string_view(good).substr(0, 5000 * 512), "disk")));
}

TEST_F(Disk, WithoutATableThereIsNone) {
    EXPECT_FALSE(read_gpt(Region(std::string(8192, '\0'), "x"))->has_value());
    EXPECT_FALSE(read_gpt(Region("", "x"))->has_value());
    EXPECT_EQ(crc32("123456789"), 0xcbf43926U);
}

TEST_F(Disk, FixedVhdGivesItsSizeAndOthersAreRefused) {
    TARN_NEED_TOOL("qemu-img");
    blank("raw", 2 << 20);
    ASSERT_EQ(tool({"qemu-img",
                    "convert",
                    "-f",
                    "raw",
                    "-O",
                    "vpc",
                    "-o",
                    "subformat=fixed,force_size=on",
                    path("raw"),
                    path("vhd")}),
              "");
    std::string bytes = *read_file(path("vhd"));
    EXPECT_EQ(vhd_disk_size(Region(bytes, "vhd"))->value(), 2U << 20);
    bytes[bytes.size() - 512 + 50] ^= 1;
    EXPECT_EQ(vhd_disk_size(Region(bytes, "vhd")).error().kind, ErrorKind::kCorrupt);
    ASSERT_EQ(tool({"qemu-img", "convert", "-f", "raw", "-O", "vpc", path("raw"), path("dynamic")}),
              "");
    bytes = *read_file(path("dynamic"));
    EXPECT_EQ(vhd_disk_size(Region(bytes, "vhd")).error().kind, ErrorKind::kUsage);
    EXPECT_FALSE(vhd_disk_size(Region(*read_file(path("raw")), "raw"))->has_value());
}

TEST_F(Disk, FilesOfNoFormatAreRefusedWithTheFormatsThatAre) {
    put("text", "just words");
    put("empty", "");
    put("qcow2", "QFI\xfb and so on");
    for (const std::string name : {"text", "empty", "qcow2"}) {
        const auto artifact = read_artifact(store_, path(name), {});
        ASSERT_FALSE(artifact.has_value()) << name;
        EXPECT_EQ(artifact.error().kind, ErrorKind::kUsage);
        EXPECT_FALSE(artifact.error().help.empty());
    }
    EXPECT_EQ(read_artifact(store_, path("nothing"), {}).error().kind, ErrorKind::kNotFound);
    EXPECT_EQ(read_artifact(store_, directory_.path(), {}).error().kind, ErrorKind::kUsage);
}

TEST_F(Disk, AWholeDiskIsReadToItsTree) {
    TARN_NEED_TOOL("sgdisk");
    TARN_NEED_TOOL("mke2fs");
    static_cast<void>(gpt_disk());
    put("root/etc/hostname", "tarn\n");
    ASSERT_EQ(tool({"mke2fs",
                    "-q",
                    "-t",
                    "ext4",
                    "-E",
                    "offset=2097152",
                    "-d",
                    path("root"),
                    path("disk"),
                    "2m"}),
              "");
    const auto artifact = read_artifact(store_, path("disk"), {});
    ASSERT_TRUE(artifact.has_value()) << artifact.error().message;
    EXPECT_EQ(artifact->format, "raw");
    EXPECT_EQ(artifact->root_filesystem, "ext4");
    EXPECT_EQ(artifact->partitions.size(), 2U);
    EXPECT_EQ(read(store_, artifact->tree, "etc/hostname").value_or(""), "tarn\n");
}

TEST_F(Disk, ATarArchiveIsReadCompressedOrNot) {
    TARN_NEED_TOOL("tar");
    put("root/etc/hostname", "tarn\n");
    ASSERT_EQ(tool({"tar", "-C", path("root"), "-cf", path("t.tar"), "."}), "");
    ASSERT_EQ(tool({"tar", "-C", path("root"), "-czf", path("t.wsl"), "."}), "");
    for (const std::string name : {"t.tar", "t.wsl"}) {
        const auto artifact = read_artifact(store_, path(name), {});
        ASSERT_TRUE(artifact.has_value()) << artifact.error().message;
        EXPECT_EQ(artifact->format, "tar");
        EXPECT_EQ(read(store_, artifact->tree, "etc/hostname").value_or(""), "tarn\n");
    }
}

TEST_F(Disk, ContainersAreReadAsLayoutAndAsArchive) {
    const Tree tree = *Tree::make({directory("etc"),
                                   file("etc/hostname", "tarn\n"),
                                   file("usr/bin/su", "su", 04755),
                                   link("bin", "usr/bin")});
    oci::Layout layout(store_, 7);
    const auto layer = oci::write_layer(store_, "all", tree, {});
    const auto image = layout.add_image({}, {*layer}, {});
    layout.tag(*image, "1.0");
    ASSERT_TRUE(write_tree(store_, *layout.tree(), path("image.oci")).has_value());
    std::string archive;
    ASSERT_TRUE(oci::write_tar(store_,
                               *layout.docker_tree("image"),
                               {},
                               [&](std::string_view bytes) -> Result<void> {
                                   archive += bytes;
                                   return {};
                               })
                    .has_value());
    put("image.tar", archive);
    for (const auto& [name, format] :
         {std::pair("image.oci", "oci"), std::pair("image.tar", "docker-archive")}) {
        const auto artifact = read_artifact(store_, path(name), {});
        ASSERT_TRUE(artifact.has_value()) << artifact.error().message;
        EXPECT_EQ(artifact->format, format);
        EXPECT_EQ(artifact->tree.find("usr/bin/su")->mode, 04755U);
        EXPECT_EQ(read(store_, artifact->tree, "etc/hostname").value_or(""), "tarn\n");
    }
    // One byte of a layer.
    const std::string blob = path("image.oci/blobs/sha256/" + layer->blob.hex());
    std::string bytes = *read_file(blob);
    bytes.back() = static_cast<char>(bytes.back() ^ 1);
    ASSERT_TRUE(write_file_atomic(blob, bytes).has_value());
    EXPECT_EQ(read_artifact(store_, path("image.oci"), {}).error().kind, ErrorKind::kCorrupt);
}

TEST(TreeMakerLimits, HoldBeyondTheLargestNumber) {
    const Limits limits;
    TreeMaker maker("image", limits);
    ASSERT_TRUE(maker.admit(100).has_value());
    EXPECT_FALSE(maker.admit(~std::uint64_t{0} - 50).has_value());
    EXPECT_TRUE(maker.admit(100).has_value());
    TreeEntry entry;
    entry.path = std::string(5000, 'p');
    EXPECT_FALSE(maker.add(entry, 1).has_value());
    Limits tight;
    tight.text_bytes = 100;
    TreeMaker small("image", tight);
    entry.path = "a";
    entry.xattrs["user.a"] = std::string(100, 'x');
    EXPECT_FALSE(small.add(entry, 1).has_value());
}

std::string le32(std::uint32_t value) {
    std::string out;
    for (unsigned i = 0; i < 4; ++i) {
        out += static_cast<char>(value >> (8 * i) & 0xffU);
    }
    return out;
}

TEST(UkiSections, AreReadAndBoundsKept) {
    const std::vector<std::pair<std::string, std::string>> parts = {
        {".cmdline", "root=x rw\n"},
        {".linux", "kernel"},
        {".initrd", "initrd!"},
        {".uname", std::string("6.18\0\0", 6)}};
    std::string pe = "MZ" + std::string(0x3a, '\0') + le32(0x40) + std::string("PE\0\0", 4) +
                     std::string("\x64\x86\x04\0", 4) + std::string(12, '\0') +
                     std::string("\0\0\0\0", 4);
    std::uint32_t at = 512;
    std::string data;
    for (const auto& [name, bytes] : parts) {
        std::string padded = name;
        padded.resize(8, '\0');
        const auto size = static_cast<std::uint32_t>(bytes.size());
        pe += padded + le32(size) + le32(0) + le32(size) + le32(at) + std::string(16, '\0');
        at += size;
        data += bytes;
    }
    pe.resize(512, '\0');
    pe += data;
    const auto uki = read_uki("EFI/a.efi", pe);
    ASSERT_TRUE(uki.has_value());
    EXPECT_EQ(uki->command_line, "root=x rw");
    EXPECT_EQ(uki->uname, "6.18");
    EXPECT_EQ(uki->kernel_bytes, 6U);
    EXPECT_EQ(uki->initrd_bytes, 7U);
    for (std::size_t cut = 0; cut < pe.size(); cut += 3) {
        static_cast<void>(read_uki("cut", std::string_view(pe).substr(0, cut)));
    }
    EXPECT_FALSE(read_uki("text", "MZ").has_value());
}

}  // namespace
}  // namespace tarn::inspect
