// SPDX-License-Identifier: MIT
// cpio and tar against the tools that read them.
#include "image/detail/cpio.hh"
#include "image/detail/tar.hh"
#include "image/detail/testing.hh"

namespace tarn::image {
namespace {

using testing::run_tool;
using testing::temporary;

TEST(Cpio, CpioListsWhatWasAdded) {
    TARN_NEED_TOOL("cpio");
    CpioWriter writer(1700000000);
    ASSERT_TRUE(writer.directory("dev", 0755).has_value());
    ASSERT_TRUE(writer.character_device("dev/console", 0600, 5, 1).has_value());
    ASSERT_TRUE(writer.file("init", 0755, "#!").has_value());
    ASSERT_TRUE(writer.symlink("sbin", "usr/sbin").has_value());
    const std::string archive = std::move(writer).finish();
    EXPECT_EQ(archive.size() % 512, 0u);
    const auto list = run_tool({"cpio", "-tv", "--quiet", "-n"}, archive);
    EXPECT_EQ(list.exit_code, 0) << list.text;
    EXPECT_NE(list.text.find("crw-------   1 0        0          5,   1"), std::string::npos)
        << list.text;
    EXPECT_NE(list.text.find("sbin -> usr/sbin"), std::string::npos) << list.text;
    EXPECT_NE(list.text.find("-rwxr-xr-x"), std::string::npos) << list.text;
}

TEST(Pax, RecordCountsItself) {
    EXPECT_EQ(pax_record("a", "b"), "6 a=b\n");
    // 9 more bytes turn the length from one digit to two, and the length counts that too.
    EXPECT_EQ(pax_record("a", "bbbb"), "9 a=bbbb\n");
    EXPECT_EQ(pax_record("a", "bbbbb"), "11 a=bbbbb\n");
    EXPECT_EQ(pax_record("a", std::string(93, 'b')).substr(0, 4), "99 a");
    EXPECT_EQ(pax_record("a", std::string(94, 'b')).substr(0, 5), "101 a");
}

TEST(Tar, TarListsOwnersModesLinksAndLongNames) {
    TARN_NEED_TOOL("tar");
    const TempDir dir = temporary();
    const auto store = Store::open(dir.path() + "/store");
    ASSERT_TRUE(store.has_value());
    const std::string large(300'001, 'z');
    TreeEntry file;
    file.path = "usr/bin/sudo";
    file.mode = 04755;
    file.uid = 3'000'000;
    file.gid = 7;
    file.mtime = 1700000000;
    file.content = *store->put(large);
    file.xattrs["security.capability"] = std::string("\1\0\0\2\0\4\0\0", 8);
    TreeEntry hard = file;
    hard.path = "usr/bin/sudoedit";
    hard.hardlink = file.path;
    TreeEntry link;
    link.path = "usr/lib/" + std::string(120, 'n');
    link.kind = EntryKind::kSymlink;
    link.mode = 0777;
    link.target = std::string(130, 't');
    const auto tree = Tree::make({file, hard, link});
    ASSERT_TRUE(tree.has_value());
    std::string out;
    ASSERT_TRUE(write_tar(*store, *tree, {1700000000}, [&](std::string_view bytes) {
                    out += bytes;
                    return Result<void>{};
                }).has_value());
    const auto list = run_tool({"tar", "-tvv", "--numeric-owner", "--xattrs"}, out);
    EXPECT_EQ(list.exit_code, 0) << list.text;
    EXPECT_NE(list.text.find("-rwsr-xr-x"), std::string::npos) << list.text;
    EXPECT_NE(list.text.find("3000000/7"), std::string::npos) << list.text;
    EXPECT_NE(out.find(pax_record("SCHILY.xattr.security.capability",
                                  file.xattrs.at("security.capability"))),
              std::string::npos);
    EXPECT_NE(list.text.find("usr/bin/sudoedit link to usr/bin/sudo"), std::string::npos);
    EXPECT_NE(list.text.find(link.path + " -> " + link.target), std::string::npos) << list.text;
    const auto bytes = run_tool({"tar", "-xO", "usr/bin/sudo"}, out);
    EXPECT_EQ(bytes.text, large);
}

}  // namespace
}  // namespace tarn::image
