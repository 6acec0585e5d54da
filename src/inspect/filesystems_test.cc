// SPDX-License-Identifier: MIT
// What others' programs wrote, read back.
#include "inspect/detail/disk.hh"
#include "inspect/detail/erofs.hh"
#include "inspect/detail/ext4.hh"
#include "inspect/detail/fat.hh"
#include "inspect/detail/testing.hh"

#include <fcntl.h>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <sys/xattr.h>

namespace tarn::inspect {
namespace {

using testing::InspectTest;

class Filesystems : public InspectTest {
  protected:
    // A directory with all that may lie in a root file system and needs no root to make.
    void make_root() {
        put("root/etc/os-release", "ID=tarn\n");
        put("root/usr/bin/tool", std::string(10'000, 't'), 0755);
        ASSERT_EQ(::chmod(path("root/usr/bin/tool").c_str(), 04755), 0);
        put("root/usr/share/empty", "");
        std::string text;
        for (int i = 0; i < 200'000; ++i) {
            text += std::to_string(i * 7 % 1000) + "\n";
        }
        put("root/usr/share/long", text);
        std::string noise;
        std::uint32_t state = 1;
        for (int i = 0; i < 100'000; ++i) {
            state = state * 1664525 + 1013904223;
            noise += static_cast<char>(state >> 24U);
        }
        put("root/usr/share/noise", noise);
        put("root/usr/share/odd\nname \xff", "odd");
        ASSERT_EQ(::link(path("root/usr/share/long").c_str(), path("root/usr/share/same").c_str()),
                  0);
        ASSERT_TRUE(make_symlink("../bin/tool", path("root/usr/share/short-link")).has_value());
        ASSERT_TRUE(
            make_symlink(std::string(200, 'x'), path("root/usr/share/long-link")).has_value());
        for (int i = 0; i < 300; ++i) {
            const std::string name =
                fmt::format("root/many/file-{:04}-with-a-name-that-fills-blocks", i);
            put(name, "m");
            static_cast<void>(::setxattr(path(name).c_str(), "user.shared", "by all", 6, 0));
        }
        has_xattrs_ = ::setxattr(path("root/usr/bin/tool").c_str(), "user.note", "n", 1, 0) == 0;
    }
    void expect_root(const Tree& tree) {
        const Tree want = *capture_directory(store_, path("root"));
        std::size_t found = 0;
        for (const TreeEntry& entry : want.entries()) {
            const TreeEntry* have = tree.find(entry.path);
            ASSERT_NE(have, nullptr) << entry.path;
            EXPECT_EQ(have->kind, entry.kind) << entry.path;
            EXPECT_EQ(have->content, entry.content) << entry.path;
            EXPECT_EQ(have->target, entry.target) << entry.path;
            EXPECT_EQ(have->hardlink, entry.hardlink) << entry.path;
            if (entry.kind != EntryKind::kSymlink) {
                EXPECT_EQ(have->mode, entry.mode) << entry.path;
            }
            if (!entry.path.empty()) {  // mke2fs makes the root itself
                EXPECT_EQ(have->mtime, entry.mtime) << entry.path;
            }
            ++found;
        }
        EXPECT_EQ(tree.entries().size(), found + (want.find("") == nullptr ? 1U : 0U));
        if (has_xattrs_) {
            EXPECT_EQ(tree.find("usr/bin/tool")->xattrs.at("user.note"), "n");
            for (const TreeEntry* one : tree.below("many")) {
                EXPECT_EQ(one->xattrs.contains("user.shared"), one->path != "many") << one->path;
            }
        }
        EXPECT_EQ(read(store_, tree, "etc/os-release").value_or("(none)"), "ID=tarn\n");
    }
    Result<Tree> erofs(std::vector<std::string> options) {
        std::vector<std::string> argv = {"mkfs.erofs", "--quiet"};
        argv.insert(argv.end(), options.begin(), options.end());
        argv.push_back(path("image"));
        argv.push_back(path("root"));
        const std::string said = tool(argv);
        if (!said.empty()) {
            return fail(ErrorKind::kFailed, "{}", said);
        }
        const std::string bytes = *read_file(path("image"));
        EXPECT_EQ(detect_filesystem(Region(bytes, "image")), "erofs");
        return read_erofs(store_, Region(bytes, "image"), {});
    }
    bool has_xattrs_ = false;
};

TEST_F(Filesystems, Ext4GivesBackTheTree) {
    TARN_NEED_TOOL("mke2fs");
    make_root();
    blank("image", 64 << 20);
    ASSERT_EQ(tool({"mke2fs",
                    "-q",
                    "-t",
                    "ext4",
                    "-E",
                    "offset=1048576",
                    "-d",
                    path("root"),
                    path("image"),
                    "60m"}),
              "");
    const auto tree = read_ext4(store_, path("image"), 1 << 20, {});
    ASSERT_TRUE(tree.has_value()) << tree.error().message;
    expect_root(*tree);
    EXPECT_EQ(tree->find("lost+found"), nullptr);
}

TEST_F(Filesystems, DamagedExt4IsAnErrorAndNoCrash) {
    TARN_NEED_TOOL("mke2fs");
    put("root/a/b", std::string(5000, 'b'));
    blank("image", 4 << 20);
    ASSERT_EQ(tool({"mke2fs", "-q", "-t", "ext4", "-d", path("root"), path("image")}), "");
    const std::string good = *read_file(path("image"));
    const Fd fd = *open_file(path("image"), O_RDWR);
    // Superblock, group descriptors, inodes, directories: what lies in the first part.
    for (std::size_t at = 1024; at < 512 * 1024; at += at < 16384 ? 1031 : 8191) {
        ASSERT_TRUE(pwrite_all(fd.get(), "\xff\xff\xff\x7f\xff\xff\xff\xff", at, "image"));
        static_cast<void>(read_ext4(store_, path("image"), 0, {}));
        ASSERT_TRUE(pwrite_all(fd.get(), std::string_view(good).substr(at, 8), at, "image"));
    }
    put("bad", std::string(1 << 20, 'x'));
    const auto none = read_ext4(store_, path("bad"), 0, {});
    ASSERT_FALSE(none.has_value());
    EXPECT_EQ(none.error().kind, ErrorKind::kCorrupt);
}

TEST_F(Filesystems, Ext4BeyondTheLimitsIsRefused) {
    TARN_NEED_TOOL("mke2fs");
    put("root/a/b", std::string(5000, 'b'));
    blank("image", 4 << 20);
    ASSERT_EQ(tool({"mke2fs", "-q", "-t", "ext4", "-d", path("root"), path("image")}), "");
    ReadOptions options;
    options.limits.entries = 2;
    EXPECT_EQ(read_ext4(store_, path("image"), 0, options).error().kind, ErrorKind::kCorrupt);
    options.limits = {};
    options.limits.content_bytes = 4000;
    EXPECT_EQ(read_ext4(store_, path("image"), 0, options).error().kind, ErrorKind::kCorrupt);
}

TEST_F(Filesystems, ErofsGivesBackTheTree) {
    TARN_NEED_TOOL("mkfs.erofs");
    make_root();
    for (const std::vector<std::string>& options :
         std::vector<std::vector<std::string>>{{},
                                               {"-zlz4"},
                                               {"-zlz4", "-C65536"},
                                               {"-zlz4", "-Elegacy-compress"},
                                               {"-Eforce-inode-extended"}}) {
        SCOPED_TRACE(fmt::format("{}", fmt::join(options, " ")));
        const auto tree = erofs(options);
        ASSERT_TRUE(tree.has_value()) << tree.error().message;
        expect_root(*tree);
    }
}

TEST_F(Filesystems, ErofsThatIsNotReadIsRefusedByName) {
    TARN_NEED_TOOL("mkfs.erofs");
    make_root();
    const auto tree = erofs({"-zlz4", "-Eztailpacking"});
    ASSERT_FALSE(tree.has_value());
    EXPECT_NE(tree.error().message.find("inlined tails"), std::string::npos)
        << tree.error().message;
}

TEST_F(Filesystems, DamagedErofsIsAnErrorAndNoCrash) {
    TARN_NEED_TOOL("mkfs.erofs");
    make_root();
    ASSERT_TRUE(erofs({"-zlz4"}).has_value());
    const std::string good = *read_file(path("image"));
    std::string bad = good;
    for (std::size_t at = 1024; at < good.size(); at += at < 65536 ? 1021 : 65537) {
        bad.replace(at, 4, "\xff\xff\xff\x7f", 4);
        static_cast<void>(read_erofs(store_, Region(bad, "bad"), {}));
        bad.replace(at, 4, good, at, 4);
    }
    EXPECT_FALSE(read_erofs(store_, Region(good.substr(0, 8192), "cut"), {}).has_value());
    EXPECT_FALSE(read_erofs(store_, Region("short", "short"), {}).has_value());
}

TEST_F(Filesystems, FatGivesBackFilesAndLongNames) {
    TARN_NEED_TOOL("mkfs.vfat");
    TARN_NEED_TOOL("mcopy");
    put("uki", std::string(300'000, 'u'));
    put("small", "s");
    for (const std::string width : {"16", "32"}) {
        blank("fat", width == "16" ? 16 << 20 : 64 << 20);
        ASSERT_EQ(tool({"mkfs.vfat", "-F", width, path("fat")}), "");
        ASSERT_EQ(tool({"mmd", "-i", path("fat"), "::EFI", "::EFI/Linux"}), "");
        ASSERT_EQ(tool({"mcopy",
                        "-i",
                        path("fat"),
                        path("uki"),
                        "::EFI/Linux/tarn-6.18-with-a-long-name.efi"}),
                  "");
        ASSERT_EQ(tool({"mcopy", "-i", path("fat"), path("small"), "::EFI/S.TXT"}), "");
        const std::string bytes = *read_file(path("fat"));
        EXPECT_EQ(detect_filesystem(Region(bytes, "fat")), "vfat");
        const auto files = read_fat(Region(bytes, "fat"), {});
        ASSERT_TRUE(files.has_value()) << files.error().message;
        ASSERT_EQ(files->size(), 2U);
        EXPECT_EQ((*files)[0].path, "EFI/Linux/tarn-6.18-with-a-long-name.efi");
        EXPECT_EQ((*files)[0].bytes, std::string(300'000, 'u'));
        EXPECT_EQ((*files)[1].path, "EFI/S.TXT");
        EXPECT_EQ((*files)[1].bytes, "s");
    }
}

TEST_F(Filesystems, AFatChainThatTurnsRoundIsCorrupt) {
    TARN_NEED_TOOL("mkfs.vfat");
    blank("fat", 64 << 20);
    ASSERT_EQ(tool({"mkfs.vfat", "-F", "32", path("fat")}), "");
    std::string bytes = *read_file(path("fat"));
    const std::size_t table = le<std::uint16_t>(bytes, 14) * 512U;
    bytes.replace(table + 8, 4, std::string("\x02\0\0\0", 4));  // the root's cluster, 2, to itself
    const auto files = read_fat(Region(bytes, "fat"), {});
    ASSERT_FALSE(files.has_value());
    EXPECT_EQ(files.error().kind, ErrorKind::kCorrupt);
}

TEST_F(Filesystems, AFatFileIsNoLongerThanItSays) {
    TARN_NEED_TOOL("mkfs.vfat");
    TARN_NEED_TOOL("mcopy");
    blank("fat", 64 << 20);
    put("small", "s");
    ASSERT_EQ(tool({"mkfs.vfat", "-F", "32", path("fat")}), "");
    ASSERT_EQ(tool({"mcopy", "-i", path("fat"), path("small"), "::S.TXT"}), "");
    std::string bytes = *read_file(path("fat"));
    const std::size_t table = le<std::uint16_t>(bytes, 14) * 512U;
    bytes.replace(table + 12, 4, std::string("\x03\0\0\0", 4));  // its only cluster, to itself
    const auto files = read_fat(Region(bytes, "fat"), {});
    ASSERT_TRUE(files.has_value()) << files.error().message;
    EXPECT_EQ(files->at(0).bytes, "s");
    bytes.replace(table + 12, 4, std::string("\xff\xff\xff\x0f", 4));
    const std::size_t entry = bytes.find("S       TXT");
    bytes.replace(entry + 28, 4, std::string("\0\0\x01\0", 4));  // 64 KiB it does not have
    EXPECT_EQ(read_fat(Region(bytes, "fat"), {}).error().kind, ErrorKind::kCorrupt);
}

TEST(Lz4, DecodesLiteralsAndOverlappingMatches) {
    EXPECT_EQ(lz4_block("\x50hello", 5), "hello");
    EXPECT_EQ(lz4_block(std::string("\x1f"
                                    "a\x01\0\x05",
                                    5),
                        25),
              std::string(25, 'a'));
    EXPECT_EQ(lz4_block("\x50hel", 5), std::nullopt);
    EXPECT_EQ(lz4_block(std::string("\x10"
                                    "a\x02\0",
                                    4),
                        9),
              std::nullopt);  // before the start
    EXPECT_EQ(lz4_block(std::string("\x10"
                                    "a\0\0",
                                    4),
                        9),
              std::nullopt);
    EXPECT_EQ(lz4_block("\xf0\xff\xff", 5), std::nullopt);
    EXPECT_EQ(lz4_block("", 1), std::nullopt);
}

}  // namespace
}  // namespace tarn::inspect
