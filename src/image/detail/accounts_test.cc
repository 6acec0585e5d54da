// SPDX-License-Identifier: MIT
#include "image/detail/accounts.hh"

#include <gtest/gtest.h>

namespace tarn::image {
namespace {

AccountFiles some_files() {
    AccountFiles files;
    files.passwd = "root:*:0:0:root:/root:/bin/bash\nchrony:x:992:991::/:/usr/sbin/nologin\n";
    files.group = "root:*:0:\nshadow:x:42:\nchrony:x:991:\n";
    files.shadow = "chrony:$6$secret:20000::::::\ngone:!:1::::::\n";
    files.gshadow = "shadow:!::root\n";
    return files;
}

TEST(Accounts, EveryoneIsLockedAndNoPasswordIsLeft) {
    const auto locked = lock_accounts(some_files(), 20370);
    ASSERT_TRUE(locked.has_value());
    EXPECT_EQ(locked->passwd,
              "root:x:0:0:root:/root:/bin/bash\nchrony:x:992:991::/:/usr/sbin/nologin\n");
    EXPECT_EQ(locked->group, "root:x:0:\nshadow:x:42:\nchrony:x:991:\n");
    EXPECT_EQ(locked->shadow, "root:!*:20370::::::\nchrony:!*:20000::::::\n");
    EXPECT_EQ(locked->gshadow, "root:!*::\nshadow:!*::root\nchrony:!*::\n");
}

TEST(Accounts, LinesThatAreNoneAreRefused) {
    AccountFiles files = some_files();
    files.passwd += "broken:x\n";
    EXPECT_EQ(lock_accounts(files, 0).error().kind, ErrorKind::kCorrupt);
    files = some_files();
    files.group = "g:x:notanumber:\n";
    EXPECT_FALSE(parse_ids(files).has_value());
    files.group = "g:x:4294967295:\n";
    EXPECT_FALSE(parse_ids(files).has_value());
}

TEST(Accounts, WithoutAnyFileThereIsRoot) {
    const auto locked = lock_accounts(initial_accounts("", ""), 1);
    ASSERT_TRUE(locked.has_value());
    EXPECT_EQ(locked->shadow, "root:!*:1::::::\n");
}

TreeEntry owned(std::string path, std::string user, std::string group) {
    TreeEntry entry;
    entry.path = std::move(path);
    entry.kind = EntryKind::kDirectory;
    entry.mode = 0755;
    entry.user = std::move(user);
    entry.group = std::move(group);
    return entry;
}

TEST(Owners, NamesBecomeNumbers) {
    const auto ids = parse_ids(some_files());
    ASSERT_TRUE(ids.has_value());
    const auto tree = Tree::make({owned("a", "chrony", "shadow"), owned("b", "", "")});
    const auto resolved = resolve_owners(*tree, *ids, [](const TreeEntry&) { return ""; });
    ASSERT_TRUE(resolved.has_value());
    EXPECT_EQ(resolved->find("a")->uid, 992u);
    EXPECT_EQ(resolved->find("a")->gid, 42u);
    EXPECT_EQ(resolved->find("a")->user, "");
    EXPECT_EQ(resolved->find("b")->uid, 0u);
}

TEST(Owners, EveryUnknownNameIsListedWithFileAndPackage) {
    const auto ids = parse_ids(some_files());
    const auto tree = Tree::make({owned("a", "nosuch", ""), owned("b", "nosuch", "neither")});
    const auto resolved =
        resolve_owners(*tree, *ids, [](const TreeEntry&) { return "package p-1-1.noarch"; });
    ASSERT_FALSE(resolved.has_value());
    ASSERT_EQ(resolved.error().notes.size(), 2u);
    EXPECT_EQ(resolved.error().notes[0], "group `neither`: /b (package p-1-1.noarch)");
    EXPECT_EQ(resolved.error().notes[1], "user `nosuch`: /a (package p-1-1.noarch)");
}

}  // namespace
}  // namespace tarn::image
