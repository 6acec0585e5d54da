// SPDX-License-Identifier: MIT
#include "store/store.hh"

#include "base/fd.hh"
#include "base/fs.hh"
#include "base/parallel.hh"
#include "store/detail/layout.hh"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <thread>

namespace tarn {
namespace {

class StoreTest : public testing::Test {
  protected:
    TempDir home_ = *TempDir::make();
    Store store_ = *Store::open(home_.path() + "/store");

    // Files that no run may leave behind.
    std::vector<std::string> leftovers() const {
        return *list_directory(store_.temporary_directory());
    }
    static struct stat look(const std::string& path) {
        struct stat info{};
        EXPECT_EQ(::lstat(path.c_str(), &info), 0) << path;
        return info;
    }
    void damage(const Digest& digest, std::string_view bytes) const {
        ASSERT_EQ(::unlink(store_.blob_path(digest).c_str()), 0);
        ASSERT_TRUE(write_file_atomic(store_.blob_path(digest), bytes).has_value());
    }
};

TEST_F(StoreTest, WhatIsPutCanBeRead) {
    const Result<Digest> digest = store_.put("hello");
    ASSERT_TRUE(digest.has_value());
    EXPECT_EQ(*digest, Digest::of("hello"));
    EXPECT_TRUE(store_.has(*digest));
    EXPECT_EQ(*store_.read(*digest), "hello");
    EXPECT_EQ(store_.map(*digest)->bytes(), "hello");
    EXPECT_EQ(*store_.read(*store_.put("")), "");
    EXPECT_EQ(store_.map(Digest::of(""))->bytes(), "");
    EXPECT_TRUE(leftovers().empty());
}

TEST_F(StoreTest, BlobsAreReadOnlyAndCarryOneTimeWhateverTheUmask) {
    const mode_t before = ::umask(077);
    const Digest digest = *store_.put("x");
    ::umask(before);
    const struct stat info = look(store_.blob_path(digest));
    EXPECT_EQ(info.st_mode & 07777U, 0444U);
    EXPECT_EQ(info.st_mtim.tv_sec, detail::kFixedTime);
}

TEST_F(StoreTest, PuttingAgainKeepsTheFile) {
    const Digest digest = *store_.put("x");
    const ino_t inode = look(store_.blob_path(digest)).st_ino;
    ASSERT_TRUE(store_.put("x").has_value());
    EXPECT_EQ(look(store_.blob_path(digest)).st_ino, inode);
}

TEST_F(StoreTest, AbsentBlobIsNotFound) {
    EXPECT_FALSE(store_.has(Digest::of("no")));
    EXPECT_EQ(store_.read(Digest::of("no")).error().kind, ErrorKind::kNotFound);
    EXPECT_EQ(store_.map(Digest::of("no")).error().kind, ErrorKind::kNotFound);
}

TEST_F(StoreTest, BlobOfTheWrongSizeIsAbsentAndReplaced) {
    const Digest digest = *store_.put("whole");
    damage(digest, "who");
    EXPECT_FALSE(store_.has(digest));
    EXPECT_EQ(store_.read(digest).error().kind, ErrorKind::kCorrupt);
    EXPECT_EQ(store_.map(digest).error().kind, ErrorKind::kCorrupt);
    ASSERT_TRUE(store_.put("whole").has_value());
    EXPECT_EQ(*store_.read(digest), "whole");
}

TEST_F(StoreTest, AlteredBlobIsCorrupt) {
    const Digest digest = *store_.put("whole");
    damage(digest, "whale");
    const Result<std::string> read = store_.read(digest);
    ASSERT_FALSE(read.has_value());
    EXPECT_EQ(read.error().kind, ErrorKind::kCorrupt);
    EXPECT_FALSE(read.error().help.empty());
    const auto problems = verify_store(store_, 2, {});
    ASSERT_EQ(problems->size(), 1U);
    EXPECT_EQ(problems->front().path, store_.blob_path(digest));
}

TEST_F(StoreTest, FilesOfEverySizeArePutAsTheyAre) {
    for (const std::size_t size :
         {0UL, 1UL, (1UL << 20U) - 1, 1UL << 20U, (1UL << 20U) + 1, (3UL << 20U) + 17}) {
        const std::string bytes(size, static_cast<char>('a' + size % 26));
        const std::string path = home_.path() + "/file";
        ASSERT_TRUE(write_file_atomic(path, bytes).has_value());
        const Result<Digest> digest = store_.put_file(path);
        ASSERT_TRUE(digest.has_value()) << digest.error().message;
        EXPECT_EQ(*digest, Digest::of(bytes)) << size;
        EXPECT_EQ(*store_.read(*digest), bytes);
        EXPECT_EQ(*store_.put_file(path), *digest);
    }
    EXPECT_TRUE(leftovers().empty());
    EXPECT_EQ(store_.put_file(home_.path() + "/none").error().kind, ErrorKind::kNotFound);
    EXPECT_FALSE(store_.put_file(home_.path()).has_value());
}

TEST_F(StoreTest, AdoptTakesTheFileOver) {
    const std::string path = store_.temporary_directory() + "/download";
    ASSERT_TRUE(write_file_atomic(path, "bytes").has_value());
    EXPECT_EQ(store_.adopt(path, Digest{Digest::of("bytes").sha256, 99}).error().kind,
              ErrorKind::kCorrupt);
    ASSERT_TRUE(store_.adopt(path, Digest::of("bytes")).has_value());
    EXPECT_EQ(*store_.read(Digest::of("bytes")), "bytes");
    ASSERT_TRUE(write_file_atomic(path, "bytes").has_value());
    ASSERT_TRUE(store_.adopt(path, Digest::of("bytes")).has_value());
    EXPECT_TRUE(leftovers().empty());
}

TEST_F(StoreTest, TreesAreBlobs) {
    TreeEntry entry;
    entry.path = "a";
    entry.content = *store_.put("x");
    const Tree tree = *Tree::make({entry});
    const Digest digest = *store_.put_tree(tree);
    EXPECT_EQ(digest, tree.digest());
    EXPECT_EQ(store_.read_tree(digest)->entries(), tree.entries());
    EXPECT_EQ(store_.read_tree(entry.content).error().kind, ErrorKind::kCorrupt);
}

TEST_F(StoreTest, ResultsAreKeptByRoomAndKey) {
    const Digest key = Digest::of("key");
    EXPECT_EQ(store_.result("exec", key), std::nullopt);
    ASSERT_TRUE(store_.put_result("exec", key, R"({"a":1})").has_value());
    EXPECT_EQ(store_.result("exec", key), R"({"a":1})");
    EXPECT_EQ(store_.result("image", key), std::nullopt);
    ASSERT_TRUE(store_.put_result("exec", key, R"({"a":2})").has_value());
    EXPECT_EQ(store_.result("exec", key), R"({"a":2})");
}

TEST_F(StoreTest, HalfWrittenResultIsNone) {
    const Digest key = Digest::of("key");
    ASSERT_TRUE(store_.put_result("exec", key, R"({"a":1})").has_value());
    const std::string path =
        store_.directory() + "/results/exec/" + key.hex().substr(0, 2) + "/" + key.hex();
    for (const char* broken : {"", "{\"a\":", "\0\0\0"}) {
        ASSERT_TRUE(write_file_atomic(path, broken).has_value());
        EXPECT_EQ(store_.result("exec", key), std::nullopt);
    }
}

TEST_F(StoreTest, KeysOfDifferentInputsDiffer) {
    const auto key = [](auto&&... values) { return KeyBuilder("k", 1).field(values...).key(); };
    using List = std::vector<std::string>;
    const std::vector<Digest> keys = {key("a", "b"),
                                      key("a", List{"b"}),
                                      key("a", List{"b", ""}),
                                      key("a", List{"b "}),
                                      key("a", List{}),
                                      key("a", ""),
                                      key("a", "b\nc: d"),
                                      key("a[1]", "b"),
                                      key("a", List{""}),
                                      key("a", Digest::of("")),
                                      key("a", Digest::of("").to_string()),
                                      KeyBuilder("k", 2).field("a", "b").key(),
                                      KeyBuilder("k", 1).key(),
                                      KeyBuilder("k", 1).field("a", "b").field("c", "d").key(),
                                      key("a", List{"b", "c"}),
                                      key("a", List{"b c"}),
                                      key("a", "b c"),
                                      key("a", "b\\x20c")};
    for (std::size_t i = 0; i < keys.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            EXPECT_NE(keys[i], keys[j]) << i << " and " << j;
        }
    }
    EXPECT_EQ(KeyBuilder("exec", 3).field("name", "two words").text(),
              "tarn-key exec 3\nname: two words\n");
}

TEST_F(StoreTest, ManyThreadsMayPutTheSame) {
    const std::string big(200000, 'x');
    const auto body = [&](std::size_t i) -> Result<void> {
        const std::string text = i % 3 == 0 ? big : std::to_string(i / 8);
        const Digest digest = TARN_TRY(store_.put(text));
        const std::string read = TARN_TRY(store_.read(digest));
        return read == text ? Result<void>() : fail(ErrorKind::kFailed, "differs");
    };
    const Result<void> done = parallel_for(400, 8, {}, body);
    EXPECT_TRUE(done.has_value()) << done.error().message;
    EXPECT_TRUE(leftovers().empty());
    EXPECT_TRUE(verify_store(store_, 2, {})->empty());
}

TEST_F(StoreTest, KilledWritersLeaveTheStoreWhole) {
    for (int round = 0; round < 6; ++round) {
        const pid_t child = ::fork();
        ASSERT_GE(child, 0);
        if (child == 0) {
            for (unsigned i = 0;; ++i) {
                const std::string text(i * 977 % 90000, static_cast<char>('a' + i % 26));
                if (!store_.put(text + std::to_string(i)) ||
                    !store_.put_result("exec", Digest::of(std::to_string(i)), "{\"n\":1}")) {
                    ::_exit(1);
                }
            }
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(30 + 17 * round));
        ::kill(child, SIGKILL);
        int status = 0;
        ::waitpid(child, &status, 0);
        ASSERT_TRUE(WIFSIGNALED(status));
    }
    const auto problems = verify_store(store_, 2, {});
    ASSERT_TRUE(problems.has_value());
    for (const StoreProblem& problem : *problems) {
        ADD_FAILURE() << problem.path << ": " << problem.what;
    }
    EXPECT_GT(store_stats(store_)->blobs, 10U);
    EXPECT_EQ(*store_.read(*store_.put("still works")), "still works");
}

// What the child finds wrong, as an exit code: gtest's own reporting does not cross a fork.
int in_child(const std::function<int()>& body) {
    const pid_t child = ::fork();
    if (child == 0) {
        ::_exit(body());
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

TEST_F(StoreTest, WriteThatFailsLeavesNothingUnderTheName) {
    const std::string big(3U << 20U, 'y');
    const std::string path = home_.path() + "/big";
    ASSERT_TRUE(write_file_atomic(path, big).has_value());
    const int code = in_child([&] {
        ::signal(SIGXFSZ, SIG_IGN);
        const rlimit limit{1U << 20U, 1U << 20U};
        ::setrlimit(RLIMIT_FSIZE, &limit);
        const auto put = store_.put(big);
        const auto filed = store_.put_file(path);
        if (put || put.error().kind != ErrorKind::kNoSpace) {
            return 1;
        }
        if (filed || filed.error().kind != ErrorKind::kNoSpace) {
            return 2;
        }
        return store_.has(Digest::of(big)) ? 3 : 0;
    });
    EXPECT_EQ(code, 0);
    EXPECT_TRUE(leftovers().empty());
    EXPECT_EQ(*store_.read(*store_.put(big)), big);
}

constexpr int kSkip = 77;

// Mounts a tiny file system in a mount namespace of this process.
bool mount_small(const std::string& path) {
    const std::string uid_map = fmt::format("{0} {0} 1", ::getuid());
    const std::string gid_map = fmt::format("{0} {0} 1", ::getgid());
    const bool root = ::getuid() == 0;
    if (::unshare(root ? CLONE_NEWNS : CLONE_NEWNS | CLONE_NEWUSER) != 0) {
        return false;
    }
    const auto write = [](const char* file, const std::string& text) {
        const Fd fd(::open(file, O_WRONLY | O_CLOEXEC));
        return fd && write_all(fd.get(), text, file).has_value();
    };
    if (!root && !(write("/proc/self/setgroups", "deny") && write("/proc/self/uid_map", uid_map) &&
                   write("/proc/self/gid_map", gid_map))) {
        return false;
    }
    return ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
           ::mount("small", path.c_str(), "tmpfs", 0, "size=256k") == 0;
}

TEST_F(StoreTest, FullDiskIsToldAndTheStoreStaysWhole) {
    const std::string mount_point = home_.path() + "/small";
    ASSERT_TRUE(make_directories(mount_point).has_value());
    const std::string big(1U << 20U, 'z');
    const std::string path = home_.path() + "/big";
    ASSERT_TRUE(write_file_atomic(path, big).has_value());
    const int code = in_child([&] {
        if (!mount_small(mount_point)) {
            return kSkip;
        }
        const Store small = *Store::open(mount_point + "/store");
        const auto put = small.put(big);
        const auto filed = small.put_file(path);
        if (put || put.error().kind != ErrorKind::kNoSpace || put.error().help.empty()) {
            return 1;
        }
        if (filed || filed.error().kind != ErrorKind::kNoSpace) {
            return 2;
        }
        if (small.has(Digest::of(big)) || !list_directory(small.temporary_directory())->empty()) {
            return 3;
        }
        // An executable needs a second copy: 100 kB fit once more, 150 kB do not.
        TreeEntry entry;
        entry.path = "bin/tool";
        entry.mode = 0755;
        entry.content = *small.put(std::string(150000, 't'));
        const auto root = small.root_of(*Tree::make({entry}));
        if (root || root.error().kind != ErrorKind::kNoSpace ||
            !list_directory(small.directory() + "/roots")->empty()) {
            return 4;
        }
        return small.put("small") && verify_store(small, 1, {})->empty() ? 0 : 5;
    });
    if (code == kSkip) {
        GTEST_SKIP() << "no mount namespace can be made here";
    }
    EXPECT_EQ(code, 0);
}

}  // namespace
}  // namespace tarn
