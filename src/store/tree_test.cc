// SPDX-License-Identifier: MIT
#include "store/tree.hh"

#include <gtest/gtest.h>

#include <algorithm>

namespace tarn {
namespace {

TreeEntry file(std::string path, std::string_view content, std::uint32_t mode = 0644) {
    TreeEntry entry;
    entry.path = std::move(path);
    entry.mode = mode;
    entry.content = Digest::of(content);
    return entry;
}

TreeEntry directory(std::string path, std::uint32_t mode = 0755) {
    TreeEntry entry;
    entry.path = std::move(path);
    entry.kind = EntryKind::kDirectory;
    entry.mode = mode;
    return entry;
}

TreeEntry symlink(std::string path, std::string target) {
    TreeEntry entry;
    entry.path = std::move(path);
    entry.kind = EntryKind::kSymlink;
    entry.target = std::move(target);
    return entry;
}

TreeEntry hardlink(std::string path, std::string to) {
    TreeEntry entry;
    entry.path = std::move(path);
    entry.hardlink = std::move(to);
    return entry;
}

Tree tree_of(std::vector<TreeEntry> entries) {
    Result<Tree> tree = Tree::make(std::move(entries));
    EXPECT_TRUE(tree.has_value()) << tree.error().message;
    return tree ? std::move(*tree) : Tree();
}

std::string problem_of(std::vector<TreeEntry> entries) {
    const Result<Tree> tree = Tree::make(std::move(entries));
    return tree ? std::string() : tree.error().message;
}

std::vector<std::string> paths(const Tree& tree) {
    std::vector<std::string> result;
    for (const TreeEntry& entry : tree.entries()) {
        result.push_back(entry.path);
    }
    return result;
}

// One of everything, with names that need every kind of escape.
Tree rich_tree() {
    TreeEntry full = file("usr/bin/a tool", "tool", 04755);
    full.user = "root user";
    full.group = "wheel=x";
    full.uid = 4294967295U;
    full.gid = 7;
    full.mtime = -5;
    full.xattrs["security.capability"] = std::string("\x01\x00\x02", 3);
    full.xattrs["user.k=v"] = "";
    TreeEntry device = file("dev/null", "");
    device.kind = EntryKind::kCharDevice;
    device.device_major = 1;
    device.device_minor = 3;
    TreeEntry block = device;
    block.path = "dev/sda";
    block.kind = EntryKind::kBlockDevice;
    TreeEntry fifo = file("run/p", "");
    fifo.kind = EntryKind::kFifo;
    return tree_of({directory(""),
                    full,
                    device,
                    block,
                    fifo,
                    symlink("lib64", "usr/lib 64"),
                    file("new\nline\\x0a", "n"),
                    file("b\xc3\xa4r\xff", "u"),
                    hardlink("zz", "new\nline\\x0a")});
}

TEST(Tree, TextAndBackIsTheSameTree) {
    const Tree tree = rich_tree();
    const std::string text = tree.serialize();
    const Result<Tree> again = Tree::parse(text);
    ASSERT_TRUE(again.has_value()) << again.error().message;
    EXPECT_EQ(again->entries(), tree.entries());
    EXPECT_EQ(again->digest(), tree.digest());
    for (const char c : text) {
        EXPECT_TRUE(c == '\n' || (c >= 0x20 && c < 0x7f)) << "byte " << static_cast<int>(c);
    }
}

TEST(Tree, TextIsTheDocumentedOne) {
    TreeEntry bash = file("usr/bin/bash", "");
    bash.mode = 0755;
    bash.mtime = 1700000000;
    const Tree tree = tree_of({symlink("bin", "usr/bin"), bash, hardlink("usr/bin/sh", bash.path)});
    const std::string empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855/0";
    EXPECT_EQ(tree.serialize(),
              "tarn-tree 1\n"
              "l 0777 0 0 0 bin usr/bin\n"
              "f 0755 0 0 1700000000 usr/bin/bash " +
                  empty +
                  "\n"
                  "f 0755 0 0 1700000000 usr/bin/sh " +
                  empty + " link=usr/bin/bash\n");
}

TEST(Tree, EmptyTreeHasAText) {
    EXPECT_EQ(Tree().serialize(), "tarn-tree 1\n");
    ASSERT_TRUE(Tree::parse("tarn-tree 1\n").has_value());
    EXPECT_TRUE(Tree::parse("tarn-tree 1\n")->empty());
}

TEST(Tree, RefusesEveryTextThatIsNotCanonical) {
    const std::string h = "tarn-tree 1\n";
    const std::string d = Digest::of("").to_string();
    const std::vector<std::string> bad = {
        "",
        "tarn-tree 1",
        "tarn-tree 2\n",
        h + "f 0644 0 0 0 a " + d,                  // no newline at the end
        h + "\n",                                   // empty line
        h + "f 644 0 0 0 a " + d + "\n",            // short mode
        h + "f 00644 0 0 0 a " + d + "\n",          // long mode
        h + "f 0648 0 0 0 a " + d + "\n",           // no octal digit
        h + "f 0644 00 0 0 a " + d + "\n",          // leading zero
        h + "f 0644 +1 0 0 a " + d + "\n",          // sign
        h + "f 0644 0 0 -0 a " + d + "\n",          // minus zero
        h + "f 0644 4294967296 0 0 a " + d + "\n",  // uid too large
        h + "f 0644 0 0 99999999999999999999 a " + d + "\n",
        h + "f 0644 0 0 0  " + d + "\n",   // empty path
        h + "f 0644 0 0 0 . " + d + "\n",  // the root a file
        h + "f 0644 0 0 0 /a " + d + "\n",
        h + "f 0644 0 0 0 a/../b " + d + "\n",
        h + "f 0644 0 0 0 a//b " + d + "\n",
        h + "f 0644 0 0 0 a/ " + d + "\n",
        h + "f 0644 0 0 0 ./a " + d + "\n",
        h + "f 0644 0 0 0 \\x61 " + d + "\n",   // escape without need
        h + "f 0644 0 0 0 a\\xFF " + d + "\n",  // upper case
        h + "f 0644 0 0 0 a\\x0 " + d + "\n",   // cut off
        h + "f 0644 0 0 0 a\\n " + d + "\n",
        h + "f 0644 0 0 0 a\\x00 " + d + "\n",    // NUL
        h + "f 0644 0 0 0 \xc3\xa4 " + d + "\n",  // not escaped
        h + "f 0644 0 0 0 a " + d + " user=\n",   // empty option
        h + "f 0644 0 0 0 a " + d + " user=x user=x\n",
        h + "f 0644 0 0 0 a " + d + " group=x user=y\n",  // wrong order
        h + "f 0644 0 0 0 a " + d + " colour=x\n",
        h + "f 0644 0 0 0 a " + d + " link=a\n",  // to itself
        h + "f 0644 0 0 0 a " + d + " link=b\n",  // to nothing
        h + "f 0644 0 0 0 a " + d + " \n",
        h + "f 0644 0 0 0 a " + d + " xattr:b=1 xattr:a=1\n",
        h + "f 0644 0 0 0 a 00/0\n",
        h + "f 0644 0 0 0 a " + d + "0\n",  // size with a leading zero
        h + "x 0644 0 0 0 a\n",
        h + "d 0755 0 0 0 a extra\n",
        h + "l 0644 0 0 0 a b\n",  // mode of a link
        h + "l 0777 0 0 0 a \n",   // empty target
        h + "c 0600 0 0 0 a 1\n",
        h + "d 0755 0 0 0 b\nd 0755 0 0 0 a\n",    // not sorted
        h + "d 0755 0 0 0 a\nd 0755 0 0 0 a\n",    // twice
        h + "p 0644 0 0 0 a\np 0644 0 0 0 a/b\n",  // below a fifo
        h + "d 0755 0 0 0 a\r\n",
    };
    for (const std::string& text : bad) {
        const Result<Tree> tree = Tree::parse(text);
        EXPECT_FALSE(tree.has_value()) << text;
        if (!tree) {
            EXPECT_EQ(tree.error().kind, ErrorKind::kCorrupt) << text;
        }
    }
}

TEST(Tree, MakeSortsAndFinds) {
    const Tree tree =
        tree_of({file("a/c", "1"), directory("a"), file("a-b", "2"), file("ab", "3")});
    EXPECT_EQ(paths(tree), (std::vector<std::string>{"a", "a-b", "a/c", "ab"}));
    ASSERT_NE(tree.find("a/c"), nullptr);
    EXPECT_EQ(tree.find("a/c")->content, Digest::of("1"));
    EXPECT_EQ(tree.find("a/d"), nullptr);
    const std::vector<const TreeEntry*> below = tree.below("a");
    ASSERT_EQ(below.size(), 2U);  // not "a-b", not "ab"
    EXPECT_EQ(below[0]->path, "a");
    EXPECT_EQ(below[1]->path, "a/c");
    EXPECT_EQ(tree.below("").size(), 4U);
}

TEST(Tree, MakeRefusesUnsafeEntries) {
    for (const char* path : {"/etc", "../x", "a/../b", "a/./b", "a//b", "a/", ".", ".."}) {
        EXPECT_NE(problem_of({file(path, "")}), "") << path;
    }
    EXPECT_NE(problem_of({file(std::string("a\0b", 3), "")}), "");
    EXPECT_NE(problem_of({file(std::string(256, 'x'), "")}), "");
    EXPECT_NE(problem_of({file("", "")}), "");
    EXPECT_NE(problem_of({file("a", ""), file("a", "")}), "");
    EXPECT_NE(problem_of({file("a", "", 010000)}), "");
    EXPECT_NE(problem_of({symlink("a", "")}), "");
    EXPECT_NE(problem_of({symlink("lib", "usr/lib"), file("lib/x", "")}), "");
    EXPECT_NE(problem_of({file("a", ""), file("a/b/c", "")}), "");
    EXPECT_NE(problem_of({hardlink("a", "b")}), "");
    EXPECT_NE(problem_of({hardlink("a", "b"), directory("b")}), "");
    EXPECT_NE(problem_of({hardlink("a", "b"), hardlink("b", "a")}), "");
    EXPECT_NE(problem_of({hardlink("a", "a")}), "");
}

TEST(Tree, HardLinkGroupIsLedByItsFirstPath) {
    TreeEntry real = file("z", "content", 0600);
    real.mtime = 9;
    const Tree tree = tree_of({hardlink("m", "z"), hardlink("a", "m"), real});
    EXPECT_EQ(tree.find("a")->hardlink, "");
    EXPECT_EQ(tree.find("m")->hardlink, "a");
    EXPECT_EQ(tree.find("z")->hardlink, "a");
    for (const char* path : {"a", "m", "z"}) {
        EXPECT_EQ(tree.find(path)->content, Digest::of("content"));
        EXPECT_EQ(tree.find(path)->mode, 0600U);
        EXPECT_EQ(tree.find(path)->mtime, 9);
    }
    EXPECT_EQ(tree.content_bytes(), 7U);
}

TEST(Tree, FilterGivesLinksANewLeader) {
    const Tree tree = tree_of({file("a", "x"), hardlink("b", "a"), hardlink("c", "a")});
    const Tree kept = tree.filter([](const TreeEntry& entry) { return entry.path != "a"; });
    EXPECT_EQ(paths(kept), (std::vector<std::string>{"b", "c"}));
    EXPECT_EQ(kept.find("b")->hardlink, "");
    EXPECT_EQ(kept.find("c")->hardlink, "b");
    EXPECT_TRUE(Tree::parse(kept.serialize()).has_value());
}

TEST(TreeMerge, LaterWinsAndOwnersAreTold) {
    const Tree a = tree_of({directory("etc"), file("etc/x", "1"), file("etc/y", "same")});
    const Tree b = tree_of(
        {directory("etc", 0700), file("etc/x", "2"), file("etc/y", "same"), file("etc/z", "3")});
    const MergeResult merged = merge({&a, &b});
    EXPECT_EQ(paths(merged.tree), (std::vector<std::string>{"etc", "etc/x", "etc/y", "etc/z"}));
    EXPECT_EQ(merged.owner, (std::vector<std::size_t>{1, 1, 1, 1}));
    EXPECT_EQ(merged.tree.find("etc")->mode, 0700U);
    EXPECT_EQ(merged.tree.find("etc/x")->content, Digest::of("2"));
    ASSERT_EQ(merged.conflicts.size(), 1U);
    EXPECT_EQ(merged.conflicts[0].path, "etc/x");
    EXPECT_EQ(merged.conflicts[0].first, 0U);
    EXPECT_EQ(merged.conflicts[0].second, 1U);
}

TEST(TreeMerge, FileOverDirectoryIsAConflictAndTheLaterWins) {
    const Tree directories = tree_of({file("lib/x", "1"), file("lib/y/z", "2"), file("m", "3")});
    const Tree link = tree_of({symlink("lib", "usr/lib")});
    const MergeResult over = merge({&directories, &link});
    EXPECT_EQ(paths(over.tree), (std::vector<std::string>{"lib", "m"}));
    EXPECT_EQ(over.owner, (std::vector<std::size_t>{1, 0}));
    ASSERT_EQ(over.conflicts.size(), 1U);
    EXPECT_EQ(over.conflicts[0].path, "lib");
    const MergeResult under = merge({&link, &directories});
    EXPECT_EQ(paths(under.tree), (std::vector<std::string>{"lib/x", "lib/y/z", "m"}));
    EXPECT_EQ(under.conflicts.size(), 1U);
}

TEST(TreeMerge, HardLinksStayWithinTheirTree) {
    const Tree a = tree_of({file("a", "1"), hardlink("b", "a"), hardlink("c", "a")});
    const Tree b = tree_of({file("a", "2")});
    const MergeResult merged = merge({&a, &b});
    EXPECT_EQ(merged.tree.find("a")->content, Digest::of("2"));
    EXPECT_EQ(merged.tree.find("b")->content, Digest::of("1"));
    EXPECT_EQ(merged.tree.find("b")->hardlink, "");
    EXPECT_EQ(merged.tree.find("c")->hardlink, "b");
}

TEST(TreeMerge, ManyTreesGiveTheSortedUnion) {
    std::vector<Tree> trees;
    for (int t = 0; t < 200; ++t) {
        std::vector<TreeEntry> entries{directory("usr"), directory("usr/share")};
        for (int i = 0; i < 100; ++i) {
            entries.push_back(file(fmt::format("usr/share/p{:03}/f{:03}", t, i), "x"));
        }
        trees.push_back(tree_of(std::move(entries)));
    }
    std::vector<const Tree*> layers;
    for (auto tree = trees.rbegin(); tree != trees.rend(); ++tree) {
        layers.push_back(&*tree);
    }
    const MergeResult merged = merge(layers);
    EXPECT_EQ(merged.tree.entries().size(), 20002U);
    EXPECT_EQ(merged.owner.size(), 20002U);
    EXPECT_TRUE(merged.conflicts.empty());
    const std::vector<std::string> names = paths(merged.tree);
    EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
    EXPECT_EQ(merged.owner.back(), 0U);  // p199 came first
}

TEST(TreeDiff, TellsAddedRemovedAndChanged) {
    const Tree before = tree_of({file("a", "1"), file("b", "1"), file("c", "1")});
    const Tree after = tree_of({file("b", "1"), file("c", "2"), file("d", "1")});
    const TreeDiff found = diff(before, after);
    EXPECT_EQ(found.removed, std::vector<std::string>{"a"});
    EXPECT_EQ(found.changed, std::vector<std::string>{"c"});
    EXPECT_EQ(found.added, std::vector<std::string>{"d"});
}

TEST(Digest, HasOneSpelling) {
    const std::string hex(64, 'a');
    EXPECT_TRUE(Digest::parse(hex + "/0").has_value());
    EXPECT_EQ(Digest::parse(hex + "/17")->to_string(), hex + "/17");
    for (const std::string& bad : {hex,
                                   hex + "/",
                                   hex + "/01",
                                   hex + "/-1",
                                   hex + "/+1",
                                   hex + "/1 ",
                                   " " + hex + "/1",
                                   std::string(64, 'A') + "/1",
                                   std::string(63, 'a') + "/1",
                                   hex + "/18446744073709551616",
                                   hex + "a/1",
                                   std::string(64, 'g') + "/1"}) {
        EXPECT_FALSE(Digest::parse(bad).has_value()) << bad;
    }
}

}  // namespace
}  // namespace tarn
