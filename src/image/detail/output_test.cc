// SPDX-License-Identifier: MIT
#include "image/detail/output.hh"

#include "image/detail/testing.hh"

namespace tarn::image {
namespace {

Result<void> build(const std::string& directory, const Digest& key, std::string_view bytes) {
    OutputDirectory output = TARN_TRY(OutputDirectory::open(directory));
    TARN_TRY(write_file_atomic(output.staging() + "/vm.raw", bytes));
    return output.commit(key, {"vm.raw"});
}

bool held(const std::string& directory, const Digest& key) {
    const auto output = OutputDirectory::open(directory);
    EXPECT_TRUE(output.has_value());
    return output && output->holds(key);
}

TEST(Output, WhatWasCommittedIsHeldUntilItIsTouched) {
    const TempDir dir = testing::temporary();
    const std::string out = dir.path() + "/images/vm";
    const Digest key = Digest::of("key");
    EXPECT_FALSE(held(out, key));
    ASSERT_TRUE(build(out, key, "one").has_value());
    EXPECT_TRUE(held(out, key));
    EXPECT_FALSE(held(out, Digest::of("other")));
    ASSERT_TRUE(write_file_atomic(out + "/vm.raw", "longer").has_value());
    EXPECT_FALSE(held(out, key));
    ASSERT_TRUE(remove_tree(out + "/vm.raw").has_value());
    EXPECT_FALSE(held(out, key));
}

TEST(Output, ABuildThatDoesNotCommitLeavesTheOldArtifacts) {
    const TempDir dir = testing::temporary();
    const std::string out = dir.path() + "/vm";
    ASSERT_TRUE(build(out, Digest::of("a"), "old").has_value());
    {
        const auto output = OutputDirectory::open(out);
        ASSERT_TRUE(output.has_value());
        ASSERT_TRUE(write_file_atomic(output->staging() + "/vm.raw", "half").has_value());
    }
    EXPECT_EQ(*read_file(out + "/vm.raw"), "old");
    EXPECT_TRUE(held(out, Digest::of("a")));
}

TEST(Output, WhatAKilledBuildLeftIsSwept) {
    const TempDir dir = testing::temporary();
    ASSERT_TRUE(make_directories(dir.path() + "/.vm.new/deep").has_value());
    ASSERT_TRUE(write_file_atomic(dir.path() + "/.vm.new/vm.raw", "half").has_value());
    const auto output = OutputDirectory::open(dir.path() + "/vm");
    ASSERT_TRUE(output.has_value());
    EXPECT_TRUE(list_directory(output->staging())->empty());
}

TEST(Output, FilesOfOthersStayAndOldArtifactsGo) {
    const TempDir dir = testing::temporary();
    const std::string out = dir.path() + "/vm";
    {
        auto output = OutputDirectory::open(out);
        ASSERT_TRUE(output.has_value());
        ASSERT_TRUE(write_file_atomic(output->staging() + "/vm.raw", "old").has_value());
        ASSERT_TRUE(write_file_atomic(output->staging() + "/vm.vhd", "old").has_value());
        ASSERT_TRUE(output->commit(Digest::of("a"), {"vm.raw", "vm.vhd"}).has_value());
    }
    ASSERT_TRUE(make_directories(out + "/boot").has_value());
    ASSERT_TRUE(write_file_atomic(out + "/boot/log", "log").has_value());
    ASSERT_TRUE(build(out, Digest::of("b"), "new").has_value());
    EXPECT_EQ(*read_file(out + "/vm.raw"), "new");
    EXPECT_FALSE(path_exists(out + "/vm.vhd"));
    EXPECT_EQ(*read_file(out + "/boot/log"), "log");
}

TEST(Output, AnArtifactMayBeADirectory) {
    const TempDir dir = testing::temporary();
    const std::string out = dir.path() + "/base";
    for (const char* blob : {"one", "two"}) {
        auto output = OutputDirectory::open(out);
        ASSERT_TRUE(output.has_value());
        const std::string layout = output->staging() + "/base.oci";
        ASSERT_TRUE(make_directories(layout + "/blobs").has_value());
        ASSERT_TRUE(write_file_atomic(layout + "/blobs/" + blob, blob).has_value());
        ASSERT_TRUE(
            output->commit(Digest::of(blob), {std::string("base.oci/blobs/") + blob}).has_value());
    }
    EXPECT_TRUE(held(out, Digest::of("two")));
    EXPECT_EQ(*list_directory(out + "/base.oci/blobs"), std::vector<std::string>{"two"});
    // And goes as a whole when it is an artifact no more.
    ASSERT_TRUE(build(out, Digest::of("c"), "new").has_value());
    EXPECT_FALSE(path_exists(out + "/base.oci"));
}

TEST(Output, AStampThatIsNoneCountsAsNothing) {
    const TempDir dir = testing::temporary();
    const std::string out = dir.path() + "/vm";
    ASSERT_TRUE(build(out, Digest::of("a"), "x").has_value());
    for (const char* stamp : {"", "{", "[]", "{\"key\":1}", "{\"files\":[]}"}) {
        ASSERT_TRUE(write_file_atomic(out + "/.stamp.json", stamp).has_value());
        EXPECT_FALSE(held(out, Digest::of("a"))) << stamp;
    }
}

}  // namespace
}  // namespace tarn::image
