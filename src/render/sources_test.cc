// SPDX-License-Identifier: MIT
#include "base/fs.hh"
#include "render/source_set.hh"
#include "render/sources_file.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace tarn {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::string kMd5(32, 'a');
const std::string kSha256(64, 'b');
const std::string kSha512(128, 'c');

std::string why(std::string_view text) {
    const auto file = SourcesFile::parse(text, "sources");
    return file ? "fine" : file.error().message;
}

TEST(SourcesFile, BothFormsAreReadAndEverythingElseStays) {
    const std::string text = "# comment\n\n" + kMd5 +
                             "  old.tar.gz\nSHA512 (a (b).tar) = " + kSha512 +
                             "\nnot a source\nSHA256 (c) = " + kSha256 + "\n";
    auto file = SourcesFile::parse(text, "sources");
    ASSERT_TRUE(file.has_value()) << file.error().message;
    EXPECT_EQ(file->print(), text);
    ASSERT_EQ(file->entries().size(), 3U);
    EXPECT_EQ(file->entries()[0].name, "old.tar.gz");
    EXPECT_EQ(file->entries()[0].hash_type, "MD5");
    EXPECT_EQ(file->entries()[1].name, "a (b).tar");
    EXPECT_EQ(file->entries()[2].line, 6U);
    file->replace({"old.tar.gz", "SHA256", kSha256});
    file->append({"new", "SHA512", kSha512});
    EXPECT_EQ(file->print(),
              "# comment\n\nSHA256 (old.tar.gz) = " + kSha256 +
                  "\nSHA512 (a (b).tar) = " + kSha512 + "\nnot a source\nSHA256 (c) = " + kSha256 +
                  "\nSHA512 (new) = " + kSha512 + "\n");
    EXPECT_EQ(file->find("new")->line, 7U);
    EXPECT_EQ(file->find("none"), nullptr);
}

TEST(SourcesFile, WhatCannotBeRightIsRefusedWithItsLine) {
    EXPECT_EQ(why(""), "fine");
    EXPECT_EQ(why("SHA512 (a) = " + kSha512 + "\n" + kMd5 + "  a\n"),
              "sources:2: a is named twice");
    EXPECT_EQ(why("SHA512 (a) = " + kSha256), "sources:1: the SHA512 of a is not 128 hex digits");
    EXPECT_THAT(why("SHA512 (a) = " + std::string(128, 'g')), HasSubstr("not 128 hex digits"));
    EXPECT_EQ(why("SHA1 (a) = " + std::string(40, 'a')),
              "sources:1: SHA1 of a is not a hash type known here");
    EXPECT_EQ(why("SHA512 (../a) = " + kSha512), "sources:1: `../a` is not a plain file name");
    EXPECT_EQ(why(kMd5 + "  "), "fine") << "no name: an unknown line, which is kept";
    EXPECT_THAT(why(std::string(17u << 20, ' ')), HasSubstr("larger than 16 MiB"));
}

class Sources : public testing::Test {
  protected:
    Sources()
        : directory_(TempDir::make().value()),
          store_(Store::open(join_path(directory_.path(), "store")).value()),
          files_(join_path(directory_.path(), "files")) {
        EXPECT_TRUE(make_directories(files_ + "/sub/.git").has_value());
        EXPECT_TRUE(make_directories(files_ + "/.git").has_value());
        give("a", "A");
    }
    void give(const std::string& path, std::string_view bytes, unsigned mode = 0644) {
        EXPECT_TRUE(write_file_atomic(join_path(files_, path), bytes, mode).has_value());
    }
    TempDir directory_;
    Store store_;
    std::string files_;
};

TEST_F(Sources, ADirectoryIsReadWithoutGitAndWithoutFollowingLinks) {
    give(".git/config", "g");
    give("sub/.git/config", "g");
    give("sub/run", "#!", 0755);
    give(".gitignore", "i");
    ASSERT_TRUE(make_symlink("/etc", files_ + "/link").has_value());
    auto set = SourceSet::of_directory(files_);
    ASSERT_TRUE(set.has_value()) << set.error().message;
    EXPECT_THAT(set->paths(), ElementsAre(".gitignore", "a", "link", "sub/run"));
    EXPECT_THAT(set->loose_files(), ElementsAre(".gitignore", "a", "sub/run"));
    EXPECT_FALSE(set->has_directory("link"));
    EXPECT_FALSE(set->read("link").has_value());
    EXPECT_TRUE(set->has_directory("sub"));
    const Tree tree = set->tree(store_, 7).value();
    EXPECT_EQ(tree.find("link")->target, "/etc");
    EXPECT_EQ(tree.find("sub/run")->mode, 0755U);
    EXPECT_EQ(tree.find("sub/run")->mtime, 7);
    EXPECT_EQ(store_.read(tree.find("a")->content).value(), "A");
}

TEST_F(Sources, LinksThatLeadBackAreLinks) {
    ASSERT_TRUE(make_symlink(".", files_ + "/loop").has_value());
    ASSERT_TRUE(make_symlink("..", files_ + "/sub/up").has_value());
    ASSERT_TRUE(make_symlink("self", files_ + "/self").has_value());
    const auto set = SourceSet::of_directory(files_);
    ASSERT_TRUE(set.has_value()) << set.error().message;
    EXPECT_THAT(set->paths(), ElementsAre("a", "loop", "self", "sub/up"));
    EXPECT_THAT(set->loose_files(), ElementsAre("a"));
    EXPECT_FALSE(set->read("self").has_value());
}

TEST_F(Sources, WhatIsNoFileIsRefused) {
    ASSERT_EQ(::mkfifo((files_ + "/pipe").c_str(), 0600), 0);
    EXPECT_THAT(SourceSet::of_directory(files_).error().message,
                HasSubstr("/pipe is no file, directory or link"));
    EXPECT_FALSE(SourceSet::of_directory(files_ + "/none").has_value());
}

TEST_F(Sources, DepthHasALimit) {
    std::string deep = files_;
    for (int i = 0; i < 66; ++i) {
        deep += "/d";
    }
    ASSERT_TRUE(make_directories(deep).has_value());
    EXPECT_THAT(SourceSet::of_directory(files_).error().message, HasSubstr("64 directories deep"));
}

TEST_F(Sources, ChangesStayInMemoryAndKeepTheMode) {
    give("x", "1", 0755);
    auto set = SourceSet::of_directory(files_).value();
    set.write("x", "2");
    set.add("new", "n", 0);
    set.rename("a", "b");
    set.add_blob(store_, "blob", store_.put("B").value(), 0);
    EXPECT_EQ(read_file(files_ + "/x").value(), "1");
    EXPECT_EQ(set.read("x").value(), "2");
    EXPECT_EQ(set.read("b").value(), "A");
    EXPECT_EQ(set.read("blob").value(), "B");
    const Tree tree = set.tree(store_, 0).value();
    EXPECT_EQ(tree.find("x")->mode, 0755U);
    EXPECT_EQ(store_.read(tree.find("x")->content).value(), "2");
    const Store other = Store::open(join_path(directory_.path(), "other")).value();
    const Tree copied = set.tree(other, 0).value();
    EXPECT_EQ(other.read(copied.find("blob")->content).value(), "B");
}

}  // namespace
}  // namespace tarn
