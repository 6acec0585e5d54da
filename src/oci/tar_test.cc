// SPDX-License-Identifier: MIT
#include "oci/tar.hh"

#include "oci/detail/fixture.hh"

namespace tarn::oci {
namespace {

using testing::kTime;
using testing::run_tool;

class Tar : public testing::StoreTest {
  protected:
    static Result<std::vector<TarMember>> members(std::string_view bytes,
                                                  const TarLimits& limits = {}) {
        TarReader reader(bytes, "a.tar", limits);
        std::vector<TarMember> out;
        TarMember member;
        while (TARN_TRY(reader.next(member))) {
            out.push_back(member);
        }
        return out;
    }
    static std::string problem(std::string_view bytes, const TarLimits& limits = {}) {
        const auto read = members(bytes, limits);
        EXPECT_TRUE(read || read.error().kind == ErrorKind::kCorrupt);
        return read ? "(read)" : read.error().message;
    }
    // A header whose checksum is right again after a change.
    static std::string changed(std::string tar, std::size_t at, std::string_view bytes) {
        tar.replace(at, bytes.size(), bytes);
        tar.replace(148, 8, "        ");
        unsigned sum = 0;
        for (std::size_t i = 0; i < 512; ++i) {
            sum += static_cast<unsigned char>(tar[i]);
        }
        return tar.replace(148, 7, fmt::format("{:06o}", sum) + std::string(1, '\0'));
    }
};

TEST_F(Tar, WhatIsWrittenIsReadAgain) {
    TreeEntry tool = file("usr/bin/sudo", std::string(70'000, 'z'), 04755);
    tool.uid = 3'000'000'000;
    tool.gid = 7;
    tool.xattrs["security.capability"] = std::string("\1\0\0\2\0\4\0\n", 8);
    TreeEntry again = tool;
    again.path = "usr/bin/sudoedit";
    again.hardlink = tool.path;
    TreeEntry console = of_kind("dev/console", EntryKind::kCharDevice, 0600);
    console.device_major = 5;
    console.device_minor = 1;
    TreeEntry old = file("var/old", "");
    old.mtime = -5;
    const std::string odd = "odd\n\xff/" + std::string(150, 'n');
    const std::string tar = tar_of(
        tree({tool, again, console, old, file(odd, "x"), symlink("lib", std::string(140, 't'))}));
    const auto read = members(tar);
    ASSERT_TRUE(read.has_value()) << read.error().message;
    std::map<std::string, TarMember> by_path;
    for (const TarMember& member : *read) {
        by_path[member.path] = member;
    }
    EXPECT_EQ(by_path.at("dev/").type, '5');
    EXPECT_EQ(by_path.at("dev/").mtime, kTime);
    EXPECT_EQ(by_path.at("dev/console").type, '3');
    EXPECT_EQ(by_path.at("dev/console").device_major, 5u);
    EXPECT_EQ(by_path.at("lib").link, std::string(140, 't'));
    EXPECT_EQ(by_path.at("usr/bin/sudo").uid, 3'000'000'000u);
    EXPECT_EQ(by_path.at("usr/bin/sudo").mode, 04755u);
    EXPECT_EQ(by_path.at("usr/bin/sudo").content, std::string(70'000, 'z'));
    EXPECT_EQ(by_path.at("usr/bin/sudo").xattrs, tool.xattrs);
    EXPECT_EQ(by_path.at("usr/bin/sudoedit").link, "usr/bin/sudo");
    EXPECT_EQ(by_path.at("var/old").mtime, -5);
    EXPECT_EQ(by_path.at(odd).content, "x");
}

TEST_F(Tar, GnuArchivesAreReadToo) {
    TARN_NEED_TOOL("tar");
    const std::string name(180, 'n');
    ASSERT_TRUE(write_file_atomic(directory_.path() + "/" + name, "gnu").has_value());
    ASSERT_TRUE(make_symlink(std::string(190, 't'), directory_.path() + "/link").has_value());
    for (const char* format : {"--format=gnu", "--format=pax", "--format=posix"}) {
        const auto made =
            run_tool({"tar", format, "-C", directory_.path(), "-cf", "-", name, "link"});
        const auto read = members(made.text);
        ASSERT_TRUE(read.has_value()) << read.error().message;
        ASSERT_EQ(read->size(), 2u);
        EXPECT_EQ((*read)[0].path, name);
        EXPECT_EQ((*read)[0].content, "gnu");
        EXPECT_EQ((*read)[1].link, std::string(190, 't'));
    }
}

TEST_F(Tar, SparseFilesAreRefused) {
    TARN_NEED_TOOL("tar");
    const std::string path = directory_.path() + "/sparse";
    ASSERT_EQ(run_tool({"truncate", "-s", "1M", path}).exit_code, 0);
    for (const char* format : {"--format=gnu", "--format=pax"}) {
        const auto made =
            run_tool({"tar", "-S", format, "-C", directory_.path(), "-cf", "-", "sparse"});
        EXPECT_NE(problem(made.text).find("a sparse file; refused"), std::string::npos)
            << problem(made.text);
    }
}

TEST_F(Tar, DamageIsNamedWithItsPlace) {
    const std::string tar = tar_of(tree({file("f", "hello")}));
    EXPECT_EQ(problem(""), "(read)");
    EXPECT_EQ(problem(std::string(1024, '\0')), "(read)");
    EXPECT_EQ(problem(tar.substr(0, 512)), "a.tar: byte 512: the archive ends within f");
    EXPECT_EQ(problem(tar.substr(0, 100)), "a.tar: byte 0: the archive ends within a header");
    std::string broken = tar;
    broken[0] = 'g';
    EXPECT_EQ(problem(broken), "a.tar: byte 0: no tar header (its checksum does not fit)");
    EXPECT_EQ(problem(changed(tar, 124, "99999999999")),
              "a.tar: byte 0: a header with numbers that are none");
    EXPECT_EQ(problem(changed(tar, 156, "V")),
              "a.tar: byte 512: a member of the unknown type 0x56");
    EXPECT_EQ(problem(changed(tar, 0, std::string(1, '\0'))),
              "a.tar: byte 512: a member without a usable name");
    // A size by GNU's rule: negative, and beyond 63 bits.
    EXPECT_EQ(problem(changed(tar, 124, std::string(12, '\xff'))),
              "a.tar: byte 0: a header with numbers that are none");
    EXPECT_EQ(problem(changed(tar, 124, "\x80" + std::string(11, '\xff'))),
              "a.tar: byte 0: a header with numbers that are none");
    EXPECT_EQ(problem(changed(tar, 124, std::string("\x80\0\0\0\x7f\0\0\0\0\0\0\0", 12))),
              "a.tar: byte 512: the archive ends within f");
}

TEST_F(Tar, PaxRecordsThatAreNone) {
    const auto with = [&](std::string records) {
        std::string head = changed(tar_of(tree({file("f", records)})), 156, "x");
        head.resize(head.size() - 1024);
        return head + tar_of(tree({file("f", "hello")}));
    };
    const std::vector<std::pair<std::string, std::string>> cases = {
        {"x", "a pax record that is none"},
        {"5 a=\n", "(read)"},
        {"9999999999 a=b\n", "a pax record that is none"},
        {"4 a\n", "a pax record without a key"},
        {"6 =ab\n", "a pax record without a key"},
        {"10 size=x\n", "size is `x`"},
        {"12 mtime=1e\n", "the time `1e`"},
        {"22 GNU.sparse.size=10\n", "a sparse file; refused"},
        {std::string("9 path=\0\n", 9), "a member without a usable name"},
    };
    for (const auto& [records, wanted] : cases) {
        const std::string got = problem(with(records));
        EXPECT_TRUE(got.ends_with(wanted)) << records << " gave " << got;
    }
}

TEST_F(Tar, LimitsHold) {
    const std::string tar = tar_of(tree({file("a/b/c", "hello"), file("a/b/d", "hello")}));
    EXPECT_EQ(problem(tar, {.content_bytes = 9}), "a.tar: byte 2560: more than 9 bytes of files");
    EXPECT_EQ(problem(tar, {.members = 2}), "a.tar: byte 1024: more than 2 members");
    EXPECT_EQ(problem(tar, {.path_bytes = 4}), "a.tar: byte 1536: a name of more than 4 bytes");
    const std::string long_name = tar_of(tree({file(std::string(200, 'n'), "x")}));
    EXPECT_EQ(problem(long_name, {.extended_bytes = 100}),
              "a.tar: byte 512: a pax header of 210 bytes, more than 100");
}

}  // namespace
}  // namespace tarn::oci
