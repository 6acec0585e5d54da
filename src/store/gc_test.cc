// SPDX-License-Identifier: MIT
#include "store/detail/gc.hh"

#include "base/fd.hh"
#include "base/fs.hh"
#include "store/detail/layout.hh"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tarn {
namespace {

constexpr std::int64_t kDay = 24 * 3600;

class GcTest : public testing::Test {
  protected:
    TempDir home_ = *TempDir::make();
    Store store_ = *Store::open(home_.path() + "/store");

    // As if `later` seconds had passed since everything was used last.
    GcResult collect(std::int64_t later, std::int64_t max_age, DryRun dry = DryRun::kNo) {
        const auto result =
            detail::collect_garbage_at(store_, max_age, dry, detail::now_seconds() + later);
        EXPECT_TRUE(result.has_value());
        return result.value_or(GcResult{});
    }
    Tree tree_of(std::string_view content, std::uint32_t mode = 0644) const {
        TreeEntry entry;
        entry.path = "f";
        entry.mode = mode;
        entry.content = *store_.put(content);
        return *Tree::make({entry});
    }
    void keep(std::string_view key, const Digest& digest) const {
        const std::string json = "{\"outputs\":\"" + digest.to_string() + "\"}";
        ASSERT_TRUE(store_.put_result("exec", Digest::of(key), json).has_value());
    }
    std::string result_path(std::string_view key) const {
        return store_.directory() + "/" + detail::shard_of("results/exec", Digest::of(key).hex());
    }
    static void age(const std::string& path, std::int64_t seconds) {
        const std::int64_t then = detail::now_seconds() - seconds;
        const timespec times[2] = {{then, 0}, {then, 0}};
        ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW), 0);
    }
};

TEST_F(GcTest, NothingYoungIsEverRemoved) {
    const Digest blob = *store_.put("loose");
    const std::string root = *store_.root_of(tree_of("x"));
    EXPECT_EQ(collect(60, 0).removed_files, 0U);
    EXPECT_TRUE(store_.has(blob));
    EXPECT_TRUE(path_exists(root));
}

TEST_F(GcTest, WhatLiveResultsReachStays) {
    const Digest tree = *store_.put_tree(tree_of("reached by a tree"));
    const Digest blob = *store_.put("named by a result");
    const Digest loose = *store_.put("loose");
    keep("tree", tree);
    keep("blob", blob);
    // Results used of late, everything else long ago.
    for (const Digest& digest : {tree, blob, loose, Digest::of("reached by a tree")}) {
        age(store_.blob_path(digest), 10 * kDay);
    }
    const GcResult dry = collect(0, kDay, DryRun::kYes);
    EXPECT_EQ(dry.removed_files, 1U);
    EXPECT_TRUE(path_exists(store_.blob_path(loose)));
    const GcResult wet = collect(0, kDay);
    EXPECT_EQ(wet.removed_files, dry.removed_files);
    EXPECT_EQ(wet.removed_bytes, 5U);
    EXPECT_EQ(wet.kept_files, 5U);
    EXPECT_FALSE(path_exists(store_.blob_path(loose)));
    EXPECT_EQ(store_.read_tree(tree)->entries().size(), 1U);
    EXPECT_EQ(*store_.read(Digest::of("reached by a tree")), "reached by a tree");
    EXPECT_TRUE(verify_store(store_, 1, {})->empty());
}

TEST_F(GcTest, OldResultsGoWithWhatOnlyTheyReach) {
    const Digest shared = *store_.put("shared");
    const Digest own = *store_.put_tree(tree_of("own"));
    keep("old", own);
    ASSERT_TRUE(store_.put_result("exec", Digest::of("old2"), "[\"" + shared.to_string() + "\"]")
                    .has_value());
    keep("new", shared);
    age(result_path("old"), 10 * kDay);
    age(result_path("old2"), 10 * kDay);
    for (const Digest& digest : {shared, own, Digest::of("own")}) {
        age(store_.blob_path(digest), 10 * kDay);
    }
    EXPECT_EQ(collect(0, kDay).removed_files, 4U);
    EXPECT_EQ(store_.result("exec", Digest::of("old")), std::nullopt);
    EXPECT_NE(store_.result("exec", Digest::of("new")), std::nullopt);
    EXPECT_FALSE(store_.has(own));
    EXPECT_FALSE(store_.has(Digest::of("own")));
    EXPECT_TRUE(store_.has(shared));
}

TEST_F(GcTest, UseKeepsThingsAlive) {
    const Tree tree = tree_of("x", 0755);
    const std::string root = *store_.root_of(tree);
    const Digest put = *store_.put("put again");
    const Digest read = *store_.put("read");
    keep("result", *store_.put("y"));
    for (const std::string& path :
         {root, store_.blob_path(put), store_.blob_path(read), result_path("result")}) {
        age(path, 10 * kDay);
    }
    ASSERT_TRUE(store_.put("put again").has_value());
    ASSERT_TRUE(store_.read(read).has_value());
    ASSERT_TRUE(store_.result("exec", Digest::of("result")).has_value());
    ASSERT_EQ(*store_.root_of(tree), root);
    EXPECT_EQ(collect(0, kDay).removed_files, 0U);
}

TEST_F(GcTest, RootsGoUnlessSomebodyHoldsThem) {
    const std::string held = *store_.root_of(tree_of("held"));
    const std::string free = *store_.root_of(tree_of("free", 0755));
    const Fd lock = *open_file(held, O_RDONLY | O_DIRECTORY);
    ASSERT_EQ(::flock(lock.get(), LOCK_SH), 0);
    collect(2 * kDay, kDay);
    EXPECT_TRUE(path_exists(held + "/f"));
    EXPECT_FALSE(path_exists(free));
    EXPECT_TRUE(list_directory(store_.temporary_directory())->empty());
    // The copy for executables went with its blob; a new root can be made from a new blob.
    EXPECT_EQ(store_stats(store_)->blobs, 0U);
    EXPECT_EQ(*read_file(*store_.root_of(tree_of("free", 0755)) + "/f"), "free");
}

TEST_F(GcTest, LeftoversAreSweptUnlessInUse) {
    const std::string temporary = store_.temporary_directory();
    ASSERT_TRUE(write_file_atomic(temporary + "/blob-dead", "half").has_value());
    ASSERT_TRUE(make_directories(temporary + "/tarn-dead/w0").has_value());
    ASSERT_TRUE(make_directories(temporary + "/tarn-live/w0").has_value());
    const Fd lock = *open_file(temporary + "/tarn-live", O_RDONLY | O_DIRECTORY);
    ASSERT_EQ(::flock(lock.get(), LOCK_SH), 0);
    collect(60, 0);
    EXPECT_EQ(list_directory(temporary)->size(), 3U);
    EXPECT_EQ(collect(2 * 3600, 100 * kDay).removed_bytes, 4U);
    EXPECT_EQ(*list_directory(temporary), std::vector<std::string>{"tarn-live"});
}

TEST_F(GcTest, WhatAFailedRunNeedsStays) {
    const Tree tree = tree_of("input of a failed run");
    const std::string kept = store_.directory() + "/failed/" + std::string(64, 'a');
    ASSERT_TRUE(make_directories(kept).has_value());
    ASSERT_TRUE(write_file_atomic(kept + "/input0.tree", tree.serialize()).has_value());
    age(store_.blob_path(Digest::of("input of a failed run")), 10 * kDay);
    EXPECT_EQ(collect(0, kDay).removed_files, 0U);
    EXPECT_EQ(collect(10 * kDay, kDay).removed_files, 2U);
    EXPECT_FALSE(path_exists(kept));
}

TEST_F(GcTest, VerifyTellsWhatAResultMisses) {
    const Digest tree = *store_.put_tree(tree_of("content"));
    keep("k", tree);
    EXPECT_TRUE(verify_store(store_, 1, {})->empty());
    ASSERT_EQ(::unlink(store_.blob_path(Digest::of("content")).c_str()), 0);
    const auto problems = verify_store(store_, 1, {});
    ASSERT_EQ(problems->size(), 1U);
    EXPECT_EQ(problems->front().path, result_path("k"));
    EXPECT_NE(problems->front().what.find(Digest::of("content").hex()), std::string::npos);
}

TEST_F(GcTest, StatsCountHardLinksOnce) {
    const std::string bytes(1U << 20U, 'q');
    const Tree tree = tree_of(bytes);
    ASSERT_TRUE(store_.root_of(tree).has_value());
    keep("k", *store_.put_tree(tree));
    const StoreStats stats = *store_stats(store_);
    EXPECT_EQ(stats.blobs, 2U);
    EXPECT_EQ(stats.blob_bytes, bytes.size() + tree.serialize().size());
    EXPECT_EQ(stats.results, 1U);
    EXPECT_EQ(stats.roots, 1U);
    EXPECT_EQ(stats.temporary, 0U);
    EXPECT_GE(stats.allocated_bytes, bytes.size());
    EXPECT_LT(stats.allocated_bytes, 2 * bytes.size());
}

}  // namespace
}  // namespace tarn
