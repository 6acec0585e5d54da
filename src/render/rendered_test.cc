// SPDX-License-Identifier: MIT
#include "base/fs.hh"
#include "render/rendered_tree.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>

namespace tarn {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class RenderedTree : public testing::Test {
  protected:
    RenderedTree() : directory_(TempDir::make().value()) {
        sources_.add("x.spec", "Name: x\n", 0);
        sources_.add("sources", "", 0);
        sources_.add("fonts/a.ttf", "A", 0);
    }
    std::string path(const std::string& below) const { return join_path(directory_.path(), below); }
    RenderedDirectory write(const std::string& component, bool check_only = false) {
        auto result = write_rendered(directory_.path(), component, sources_, check_only);
        EXPECT_TRUE(result.has_value()) << (result ? "" : result.error().message);
        return result.value_or(RenderedDirectory());
    }
    std::vector<std::string> names(const std::string& below) const {
        return list_directory(path(below)).value_or(std::vector<std::string>());
    }
    TempDir directory_;
    SourceSet sources_{};
};

TEST(RenderedPath, FirstCharacterInLowerCaseAndQueryEscapedAlias) {
    EXPECT_EQ(rendered_path("bash"), "b/bash");
    EXPECT_EQ(rendered_path("AMF"), "a/AMF");
    EXPECT_EQ(rendered_path("389-ds"), "3/389-ds");
    EXPECT_EQ(rendered_alias("libxml++"), "libxml%2B%2B");
    EXPECT_EQ(rendered_alias("a b@c~d.e-f_g"), "a+b%40c~d.e-f_g");
    EXPECT_EQ(rendered_alias("bash"), "");
}

TEST_F(RenderedTree, WritesComparesAndLeavesEqualOnesAlone) {
    EXPECT_EQ(write("x", true).state, RenderedState::kNew);
    EXPECT_THAT(names(""), IsEmpty()) << "looking writes nothing";
    const auto made = write("x");
    EXPECT_EQ(made.state, RenderedState::kNew);
    EXPECT_THAT(made.differing, ElementsAre("fonts/a.ttf", "sources", "x.spec"));
    EXPECT_THAT(names("x/x"), ElementsAre("fonts", "sources", "x.spec"));
    EXPECT_THAT(names("x"), ElementsAre("x")) << "nothing is left beside it";
    struct stat before{}, after{};
    ASSERT_EQ(::stat(path("x/x").c_str(), &before), 0);
    EXPECT_EQ(write("x").state, RenderedState::kUnchanged);
    ASSERT_EQ(::stat(path("x/x").c_str(), &after), 0);
    EXPECT_EQ(before.st_ino, after.st_ino);
}

TEST_F(RenderedTree, ADifferenceReplacesTheWholeDirectory) {
    write("x");
    ASSERT_TRUE(write_file_atomic(path("x/x/left"), "over").has_value());
    ASSERT_EQ(::chmod(path("x/x/sources").c_str(), 0755), 0);
    sources_.write("x.spec", "Name: y\n");
    const auto looked = write("x", true);
    EXPECT_EQ(looked.state, RenderedState::kChanged);
    EXPECT_THAT(looked.differing, ElementsAre("left", "sources", "x.spec"));
    EXPECT_TRUE(path_exists(path("x/x/left")));
    EXPECT_EQ(write("x").state, RenderedState::kChanged);
    EXPECT_THAT(names("x/x"), ElementsAre("fonts", "sources", "x.spec"));
    EXPECT_EQ(read_file(path("x/x/x.spec")).value(), "Name: y\n");
    EXPECT_EQ(write("x").state, RenderedState::kUnchanged);
}

TEST_F(RenderedTree, ExecutableBitsAndLinksAreKept) {
    const TempDir from = TempDir::make().value();
    ASSERT_TRUE(write_file_atomic(join_path(from.path(), "run"), "#!", 0755).has_value());
    ASSERT_TRUE(make_symlink("run", join_path(from.path(), "link")).has_value());
    sources_ = SourceSet::of_directory(from.path()).value();
    write("x");
    struct stat status{};
    ASSERT_EQ(::lstat(path("x/x/run").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0755U);
    EXPECT_EQ(read_symlink(path("x/x/link")).value(), "run");
    EXPECT_EQ(write("x").state, RenderedState::kUnchanged);
}

TEST_F(RenderedTree, TheAliasIsALinkBesideIt) {
    EXPECT_EQ(write("libx++").state, RenderedState::kNew);
    EXPECT_EQ(read_symlink(path("l/libx%2B%2B")).value(), "libx++");
    EXPECT_EQ(write("libx++").state, RenderedState::kUnchanged);
    ASSERT_TRUE(replace_symlink("elsewhere", path("l/libx%2B%2B")).has_value());
    EXPECT_EQ(write("libx++", true).state, RenderedState::kChanged);
    EXPECT_EQ(write("libx++").state, RenderedState::kChanged);
    EXPECT_EQ(read_symlink(path("l/libx%2B%2B")).value(), "libx++");
    ASSERT_TRUE(remove_tree(path("l/libx%2B%2B")).has_value());
    ASSERT_TRUE(make_directories(path("l/libx%2B%2B")).has_value());
    EXPECT_THAT(write_rendered(directory_.path(), "libx++", sources_, false).error().message,
                HasSubstr("is in the way of the link"));
}

TEST_F(RenderedTree, AFailureLeavesOnlyTheMarker) {
    write("x");
    const auto failed = write_render_failed(directory_.path(), "x", "see the\nlog", false);
    ASSERT_TRUE(failed.has_value());
    EXPECT_EQ(failed->state, RenderedState::kChanged);
    EXPECT_THAT(names("x/x"), ElementsAre("RENDER_FAILED"));
    EXPECT_EQ(read_file(path("x/x/RENDER_FAILED")).value(), "see the log\n");
}

TEST_F(RenderedTree, NamesAndPathsCannotLeave) {
    for (const char* bad : {"", "..", "a/b"}) {
        EXPECT_FALSE(write_rendered(directory_.path(), bad, sources_, false).has_value()) << bad;
    }
    sources_.add("../up", "u", 0);
    EXPECT_THAT(write_rendered(directory_.path(), "x", sources_, false).error().message,
                HasSubstr("leaves the rendered directory"));
    EXPECT_THAT(names("x"), IsEmpty()) << "what was begun is taken away";
}

TEST_F(RenderedTree, AFileInTheWayIsNotReplaced) {
    ASSERT_TRUE(make_directories(path("x")).has_value());
    ASSERT_TRUE(write_file_atomic(path("x/x"), "file").has_value());
    EXPECT_THAT(write_rendered(directory_.path(), "x", sources_, false).error().message,
                HasSubstr("is no directory"));
    EXPECT_EQ(read_file(path("x/x")).value(), "file");
}

// A disk that takes no more, as the kernel says it for one process.
TEST_F(RenderedTree, AFullDiskLeavesTheOldDirectory) {
    write("x");
    sources_.write("x.spec", "Name: something longer\n");
    struct rlimit old_limit{};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old_limit), 0);
    struct rlimit small = old_limit;
    small.rlim_cur = 10;
    const auto old_handler = ::signal(SIGXFSZ, SIG_IGN);
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
    const bool written = write_rendered(directory_.path(), "x", sources_, false).has_value();
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &old_limit), 0);
    ::signal(SIGXFSZ, old_handler);
    EXPECT_FALSE(written);
    EXPECT_EQ(read_file(path("x/x/x.spec")).value(), "Name: x\n");
    EXPECT_THAT(names("x"), ElementsAre("x")) << "what was begun is taken away";
}

TEST_F(RenderedTree, StaleOnesAreFoundAndRemoved) {
    write("x");
    write("libx++");
    write("gone++");
    ASSERT_TRUE(make_directories(path("x/.tarn-new-x.1.0")).has_value());
    ASSERT_TRUE(write_file_atomic(path("README"), "kept").has_value());
    ASSERT_TRUE(write_file_atomic(path("x/note"), "kept").has_value());
    const std::vector<std::string> components = {"libx++", "x"};
    const auto looked = remove_stale(directory_.path(), components, true);
    ASSERT_TRUE(looked.has_value());
    EXPECT_THAT(*looked,
                ElementsAre(path("g/gone%2B%2B"), path("g/gone++"), path("x/.tarn-new-x.1.0")));
    EXPECT_TRUE(path_exists(path("g/gone++")));
    ASSERT_TRUE(remove_stale(directory_.path(), components, false).has_value());
    EXPECT_THAT(names(""), ElementsAre("README", "l", "x"));
    EXPECT_THAT(names("x"), ElementsAre("note", "x"));
    EXPECT_THAT(remove_stale(path("none"), components, false).value(), IsEmpty());
}

TEST_F(RenderedTree, WhatNobodyRenderedIsNotStale) {
    write("gone++");
    ASSERT_TRUE(write_render_failed(directory_.path(), "Broken", "why", false).has_value());
    sources_ = SourceSet();
    sources_.add("run.sh", "", 0);
    write("scripts");
    for (const char* directory : {"scripts/one", "A/alder", "g/other", "g/empty", "g/gone"}) {
        ASSERT_TRUE(make_directories(path(directory)).has_value());
        ASSERT_TRUE(write_file_atomic(path(directory) + "/x.spec", "").has_value());
    }
    ASSERT_TRUE(remove_tree(path("g/empty")).has_value());
    ASSERT_TRUE(make_symlink("../scripts", path("g/link")).has_value());
    ASSERT_TRUE(make_symlink("nowhere", path("g/gone%2B")).has_value());
    EXPECT_THAT(remove_stale(directory_.path(), {}, false).value(),
                ElementsAre(path("b/Broken"),
                            path("g/gone"),
                            path("g/gone%2B%2B"),
                            path("g/gone++")));
    EXPECT_THAT(names(""), ElementsAre("A", "g", "s", "scripts"));
    EXPECT_THAT(names("g"), ElementsAre("gone%2B", "link", "other"));
    EXPECT_THAT(names("s"), ElementsAre("scripts")) << "it holds no spec";
}

// ---- what is kept
// --------------------------------------------------------------------------------

TEST_F(RenderedTree, OnlyWhatTheSpecRefersToIsKept) {
    for (const char* name : {"README", "a.patch", "b.tar.gz", "conf/c", "x.macros", "tests/t"}) {
        sources_.add(name, "", 0);
    }
    sources_.write("x.spec",
                   "Name: x\nVersion: 1\nSource0: https://e/%{name}/b.tar.gz\nSource1: conf/c\n"
                   "Source2: fonts/a.ttf\nPatch: a.patch\nSource9999: x.macros\n");
    SourceSet all = sources_;
    filter_rendered(all, "x.spec", true);
    EXPECT_EQ(all.paths(), sources_.paths());
    SourceSet unknown = sources_;
    unknown.write("x.spec", "Name: x\nSource0: %{mystery}\n");
    filter_rendered(unknown, "x.spec", false);
    EXPECT_EQ(unknown.paths(), sources_.paths()) << "it may be any of them";
    filter_rendered(sources_, "x.spec", false);
    EXPECT_THAT(
        sources_.paths(),
        ElementsAre(
            "a.patch", "b.tar.gz", "conf/c", "fonts/a.ttf", "sources", "x.macros", "x.spec"));
}

}  // namespace
}  // namespace tarn
