// SPDX-License-Identifier: MIT
#include "image/detail/checks.hh"

#include "image/detail/fixture.hh"

#include <gmock/gmock.h>

#include <deque>

namespace tarn::image {
namespace {

using ::testing::ElementsAre;

class Assertions : public testing::StoreTest {
  protected:
    Assertions() {
        image_.name = "minimal";
        for (const char* name : {"bash", "python3"}) {
            RepoIndex::Item& item = items_.emplace_back();
            item.nevra = {name, {{}, "1.0", "1"}, "x86_64"};
        }
        packages_ = {{&items_[0], "requested"}, {&items_[1], "required by bash"}};
        merged_.owner = {{"usr/bin/bash", 0}, {"usr/bin/python3.14", 1}};
    }
    Result<void> checked(std::vector<TreeEntry> entries) {
        return check_assertions(image_, packages_, merged_, tree(std::move(entries)));
    }
    Image image_;
    std::deque<RepoIndex::Item> items_;
    std::vector<ResolvedPackage> packages_;
    MergedPackages merged_;
};

TEST_F(Assertions, AnImageThatKeepsThemPasses) {
    image_.assertions.without = {"shell", "python", "perl", "setuid", "package-manager", "kernel",
                                 "systemd"};
    image_.assertions.packages = {"python2*"};
    image_.assertions.files = {"/usr/share/doc/**"};
    image_.assertions.max_content = 100;
    image_.assertions.max_packages = 2;
    EXPECT_TRUE(checked({file("usr/lib/libc.so.6", "x"),
                         file("usr/bin/python-config-reader", "x", 0755),
                         file("usr/share/bash", "x")}));
}

TEST_F(Assertions, EachFindingSaysWhoBringsItAndWhy) {
    image_.assertions.without = {"shell", "python", "setuid"};
    image_.assertions.packages = {"python3*"};
    image_.assertions.files = {"/usr/share/doc/**"};
    image_.assertions.max_content = 2;
    image_.assertions.max_packages = 1;
    const auto result = checked({file("usr/bin/bash", "x", 0755),
                                 file("usr/bin/python3.14", "x", 0755),
                                 symlink("usr/bin/sh", "bash"),
                                 file("usr/bin/su", "x", 04755),
                                 file("usr/share/doc/a/README", "x")});
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().message, "the image `minimal` is not what its `assert` says");
    EXPECT_THAT(result.error().notes,
                ElementsAre("no-packages `python3*`: python3-1.0-1.x86_64 (required by bash)",
                            "without `shell`: /usr/bin/bash of bash-1.0-1.x86_64 (requested)",
                            "without `python`: /usr/bin/python3.14 of python3-1.0-1.x86_64 "
                            "(required by bash)",
                            "without `shell`: /usr/bin/sh (added by the image)",
                            "without `setuid`: /usr/bin/su (added by the image)",
                            "no-files `/usr/share/doc/**`: /usr/share/doc/a/README (added by the "
                            "image)",
                            "max-content: 4 B of files, 2 B allowed",
                            "max-packages: 2 packages, 1 allowed"));
}

TEST_F(Assertions, ALongListIsCut) {
    image_.assertions.without = {"setuid"};
    std::vector<TreeEntry> entries;
    for (int i = 0; i < 25; ++i) {
        entries.push_back(file(fmt::format("usr/bin/p{:02}", i), "x", 02755));
    }
    const auto result = checked(std::move(entries));
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().notes.size(), 11u);
    EXPECT_EQ(result.error().notes.back(), "without `setuid`: and 15 more");
}

TEST_F(Assertions, AnArtifactMayNotTakeMoreThanDeclared) {
    image_.assertions.max_artifact = 8192;
    ASSERT_TRUE(write_file_atomic(directory_.path() + "/small", "x"));
    EXPECT_TRUE(check_artifacts(image_, directory_.path(), {{"small", ""}}));
    ASSERT_TRUE(write_file_atomic(directory_.path() + "/big", std::string(100'000, 'x')));
    const auto result = check_artifacts(image_, directory_.path(), {{"big", ""}, {"small", ""}});
    ASSERT_FALSE(result.has_value());
    ASSERT_EQ(result.error().notes.size(), 1u);
    EXPECT_TRUE(result.error().notes[0].starts_with("max-artifact: big takes "));
}

}  // namespace
}  // namespace tarn::image
