// SPDX-License-Identifier: MIT
// Trees on disk: root_of, write_tree, capture_directory.
#include "base/fs.hh"
#include "base/parallel.hh"
#include "store/detail/layout.hh"
#include "store/store.hh"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tarn {
namespace {

class RootsTest : public testing::Test {
  protected:
    TempDir home_ = *TempDir::make();
    Store store_ = *Store::open(home_.path() + "/store");

    TreeEntry file(std::string path, std::string_view content, std::uint32_t mode = 0644) const {
        TreeEntry entry;
        entry.path = std::move(path);
        entry.mode = mode;
        entry.mtime = 1700000000;
        entry.content = *store_.put(content);
        return entry;
    }
    static TreeEntry other(std::string path, EntryKind kind, std::string target = {}) {
        TreeEntry entry;
        entry.path = std::move(path);
        entry.kind = kind;
        entry.mode = 0755;
        entry.mtime = 1600000000;
        entry.target = std::move(target);
        return entry;
    }
    Tree sample() const {
        TreeEntry link = file("usr/bin/again", "");
        link.hardlink = "usr/bin/tool";
        TreeEntry special = file("usr/bin/tool", "#!tool", 04755);
        return *Tree::make({other("", EntryKind::kDirectory),
                            other("usr", EntryKind::kDirectory),
                            other("usr-x", EntryKind::kDirectory),
                            other("usr/bin", EntryKind::kDirectory),
                            other("bin", EntryKind::kSymlink, "usr/bin"),
                            special,
                            link,
                            file("etc/deep/er/conf", "a=1", 0600),
                            file("usr-x/y", "y"),
                            file("usr/sp ace\nnew", "s")});
    }
    static struct stat look(const std::string& path) {
        struct stat info{};
        EXPECT_EQ(::lstat(path.c_str(), &info), 0) << path;
        return info;
    }
    static unsigned mode(const std::string& path) { return look(path).st_mode & 07777U; }
    std::vector<std::string> leftovers() const {
        return *list_directory(store_.temporary_directory());
    }
};

TEST_F(RootsTest, RootHoldsTheTree) {
    const mode_t before = ::umask(077);
    const Result<std::string> root = store_.root_of(sample());
    ::umask(before);
    ASSERT_TRUE(root.has_value()) << root.error().message;
    EXPECT_EQ(*read_file(*root + "/usr/bin/tool"), "#!tool");
    EXPECT_EQ(mode(*root + "/usr/bin/tool"), 0555U);  // no setuid bit
    EXPECT_EQ(mode(*root + "/etc/deep/er/conf"), 0444U);
    EXPECT_EQ(mode(*root + "/etc/deep"), 0755U);
    EXPECT_EQ(mode(*root), 0755U);
    EXPECT_EQ(*read_symlink(*root + "/bin"), "usr/bin");
    EXPECT_EQ(*read_file(*root + "/usr/sp ace\nnew"), "s");
    EXPECT_EQ(look(*root + "/etc/deep").st_mtim.tv_sec, detail::kFixedTime);
    EXPECT_EQ(look(*root + "/bin").st_mtim.tv_sec, detail::kFixedTime);
    EXPECT_EQ(look(*root + "/usr/bin/tool").st_mtim.tv_sec, detail::kFixedTime);
    EXPECT_EQ(look(*root + "/usr-x/y").st_ino, look(store_.blob_path(Digest::of("y"))).st_ino);
    EXPECT_EQ(look(*root + "/usr/bin/tool").st_ino, look(*root + "/usr/bin/again").st_ino);
    EXPECT_TRUE(leftovers().empty());
}

TEST_F(RootsTest, RootIsKeptAndTheSame) {
    const std::string root = *store_.root_of(sample());
    const ino_t inode = look(root).st_ino;
    EXPECT_EQ(*store_.root_of(sample()), root);
    EXPECT_EQ(look(root).st_ino, inode);
    EXPECT_NE(*store_.root_of(Tree()), root);
}

TEST_F(RootsTest, MissingOrCutBlobMakesNoRoot) {
    const Tree tree = sample();
    const std::string blob = store_.blob_path(Digest::of("y"));
    ASSERT_EQ(::unlink(blob.c_str()), 0);
    EXPECT_EQ(store_.root_of(tree).error().kind, ErrorKind::kNotFound);
    ASSERT_TRUE(write_file_atomic(blob, "").has_value());
    EXPECT_EQ(store_.root_of(tree).error().kind, ErrorKind::kNotFound);
    EXPECT_TRUE(list_directory(store_.directory() + "/roots")->empty());
    EXPECT_TRUE(leftovers().empty());
    ASSERT_TRUE(store_.put("y").has_value());
    EXPECT_TRUE(store_.root_of(tree).has_value());
}

TEST_F(RootsTest, ProcessesAndThreadsMayMakeOneRootAtOnce) {
    const Tree tree = sample();
    std::vector<pid_t> children;
    for (int i = 0; i < 3; ++i) {
        children.push_back(::fork());
        if (children.back() == 0) {
            const auto body = [&](std::size_t) -> Result<void> {
                const std::string root = TARN_TRY(store_.root_of(tree));
                TARN_TRY(read_file(root + "/usr/bin/tool"));
                return {};
            };
            ::_exit(parallel_for(20, 4, {}, body) ? 0 : 1);
        }
    }
    for (const pid_t child : children) {
        int status = -1;
        ::waitpid(child, &status, 0);
        EXPECT_EQ(status, 0);
    }
    EXPECT_EQ(list_directory(store_.directory() + "/roots")->size(), 1U);
    EXPECT_TRUE(leftovers().empty());
}

TEST_F(RootsTest, MoreEqualFilesThanAnInodeTakesLinks) {
    std::vector<TreeEntry> entries;
    TreeEntry entry = file("", "same");
    for (int i = 0; i < 65100; ++i) {
        entry.path = fmt::format("d{}/{}", i % 50, i);
        entries.push_back(entry);
    }
    const Result<std::string> root = store_.root_of(*Tree::make(std::move(entries)));
    ASSERT_TRUE(root.has_value()) << root.error().message;
    EXPECT_EQ(*read_file(*root + "/d0/0"), "same");
    EXPECT_EQ(*read_file(*root + "/d49/65099"), "same");
    EXPECT_EQ(mode(*root + "/d49/65099"), 0444U);
}

TEST_F(RootsTest, WrittenAndCapturedIsTheSameTree) {
    const Tree tree = sample();
    const std::string place = home_.path() + "/out";
    ASSERT_TRUE(write_tree(store_, tree, place).has_value());
    EXPECT_EQ(mode(place + "/usr/bin/tool"), 04755U);
    EXPECT_EQ(mode(place + "/etc/deep/er/conf"), 0600U);
    EXPECT_EQ(look(place + "/usr/bin").st_mtim.tv_sec, 1600000000);
    EXPECT_NE(look(place + "/usr-x/y").st_ino, look(store_.blob_path(Digest::of("y"))).st_ino);
    Tree again = *capture_directory(store_, place);
    // Directories that the tree did not name were made by the way.
    again = again.filter([&](const TreeEntry& e) { return tree.find(e.path) != nullptr; });
    EXPECT_EQ(again.serialize(), tree.serialize());
}

TEST_F(RootsTest, CaptureSetsTimesAndKnowsEveryKind) {
    const std::string place = home_.path() + "/in";
    ASSERT_TRUE(make_directories(place + "/closed").has_value());
    ASSERT_TRUE(write_file_atomic(place + "/closed/f", "f").has_value());
    ASSERT_TRUE(write_file_atomic(place + "/secret", "s", 0).has_value());
    ASSERT_EQ(::mkfifo((place + "/fifo").c_str(), 0622), 0);
    ASSERT_EQ(::link((place + "/secret").c_str(), (place + "/another").c_str()), 0);
    ASSERT_EQ(::chmod((place + "/closed").c_str(), 0), 0);
    const Result<Tree> tree = capture_directory(store_, place, 42);
    ASSERT_TRUE(tree.has_value()) << tree.error().message;
    for (const TreeEntry& entry : tree->entries()) {
        EXPECT_EQ(entry.mtime, 42) << entry.path;
        EXPECT_EQ(entry.uid, 0U);
    }
    EXPECT_EQ(tree->find("closed")->mode, 0U);
    EXPECT_EQ(tree->find("closed/f")->content, Digest::of("f"));
    EXPECT_EQ(tree->find("fifo")->kind, EntryKind::kFifo);
    EXPECT_EQ(tree->find("secret")->hardlink, "another");
    EXPECT_EQ(mode(place + "/closed"), 0U);
    EXPECT_EQ(mode(place + "/secret"), 0U);
}

TEST_F(RootsTest, CaptureOfPathsFollowsNoLinkOnTheWay) {
    const std::string place = home_.path() + "/in";
    ASSERT_TRUE(make_directories(place + "/a/b").has_value());
    ASSERT_TRUE(write_file_atomic(place + "/a/b/f", "f").has_value());
    ASSERT_TRUE(make_symlink("/etc", place + "/out").has_value());
    const Result<Tree> tree = capture_paths(store_, place, {"a/b", "missing", "a/none/x", "out"});
    ASSERT_TRUE(tree.has_value()) << tree.error().message;
    ASSERT_EQ(tree->entries().size(), 3U);
    EXPECT_NE(tree->find("a/b/f"), nullptr);
    EXPECT_EQ(tree->find("out")->kind, EntryKind::kSymlink);
    EXPECT_FALSE(capture_paths(store_, place, {"out/passwd"}).has_value());
}

TEST_F(RootsTest, WritingNeverLeavesTheDirectory) {
    const std::string place = home_.path() + "/out";
    const std::string outside = home_.path() + "/outside";
    ASSERT_TRUE(make_directories(place).has_value());
    ASSERT_TRUE(make_directories(outside).has_value());
    ASSERT_TRUE(make_symlink(outside, place + "/etc").has_value());
    EXPECT_FALSE(write_tree(store_, *Tree::make({file("etc/x", "1")}), place).has_value());
    EXPECT_TRUE(list_directory(outside)->empty());
    // A link in place of a file is replaced, not written through.
    ASSERT_TRUE(make_symlink(outside + "/y", place + "/y").has_value());
    ASSERT_TRUE(write_tree(store_, *Tree::make({file("y", "1")}), place).has_value());
    EXPECT_TRUE(list_directory(outside)->empty());
    EXPECT_EQ(*read_file(place + "/y"), "1");
}

TEST_F(RootsTest, WritingANewDirectoryIsAllOrNothing) {
    TreeEntry gone = file("b", "gone");
    ASSERT_EQ(::unlink(store_.blob_path(gone.content).c_str()), 0);
    const std::string place = home_.path() + "/out";
    EXPECT_EQ(write_tree(store_, *Tree::make({file("a", "1"), gone}), place).error().kind,
              ErrorKind::kNotFound);
    EXPECT_EQ(*list_directory(home_.path()), std::vector<std::string>{"store"});
}

TEST_F(RootsTest, OwnersAndDevicesNeedRoot) {
    if (::geteuid() != 0) {
        GTEST_SKIP() << "not root";
    }
    TreeEntry owned = file("owned", "x", 06755);
    owned.uid = 12;
    owned.gid = 34;
    TreeEntry device = other("null", EntryKind::kCharDevice);
    device.device_major = 1;
    device.device_minor = 3;
    const Tree tree = *Tree::make({owned, device});
    const std::string place = home_.path() + "/out";
    ASSERT_TRUE(write_tree(store_, tree, place, Owners::kApply).has_value());
    EXPECT_EQ(look(place + "/owned").st_uid, 12U);
    EXPECT_EQ(look(place + "/owned").st_gid, 34U);
    EXPECT_EQ(mode(place + "/owned"), 06755U);
    EXPECT_TRUE(S_ISCHR(look(place + "/null").st_mode));
    ASSERT_TRUE(write_tree(store_, tree, place + "2").has_value());
    EXPECT_EQ(look(place + "2/owned").st_uid, 0U);
    EXPECT_FALSE(path_exists(place + "2/null"));
}

}  // namespace
}  // namespace tarn
