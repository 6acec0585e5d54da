// SPDX-License-Identifier: MIT
#include "cli/tree_target.hh"

#include "base/fs.hh"

#include "baseline/engine.hh"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tarn::cli {
namespace {

using guest::baseline::FileKind;
using guest::baseline::Follow;
using ::testing::ElementsAre;

class TreeTargetTest : public ::testing::Test {
  protected:
    void SetUp() override {
        auto directory = TempDir::make();
        ASSERT_TRUE(directory);
        directory_ = std::make_unique<TempDir>(std::move(*directory));
        auto store = Store::open(directory_->path());
        ASSERT_TRUE(store);
        store_ = std::make_unique<Store>(std::move(*store));
    }
    void add(const std::string& path,
             EntryKind kind,
             const std::string& content,
             std::uint32_t mode = 0644) {
        TreeEntry entry;
        entry.path = path;
        entry.kind = kind;
        entry.mode = mode;
        if (kind == EntryKind::kFile) {
            const auto digest = store_->put(content);
            ASSERT_TRUE(digest);
            entry.content = *digest;
        } else if (kind == EntryKind::kSymlink) {
            entry.target = content;
        }
        entries_.push_back(std::move(entry));
    }
    void finish() {
        auto tree = Tree::make(entries_);
        ASSERT_TRUE(tree) << tree.error().message;
        system_.artifact.tree = std::move(*tree);
        target_ = std::make_unique<TreeTarget>(*store_, system_, "vm");
    }
    std::unique_ptr<TempDir> directory_;
    std::unique_ptr<Store> store_;
    std::vector<TreeEntry> entries_;
    inspect::System system_;
    std::unique_ptr<TreeTarget> target_;
};

TEST_F(TreeTargetTest, LinksStayInTheImage) {
    add("etc", EntryKind::kDirectory, "", 0755);
    add("etc/a", EntryKind::kFile, "text", 0600);
    add("etc/b", EntryKind::kSymlink, "../../../etc/a");
    add("lib", EntryKind::kSymlink, "etc");
    add("out", EntryKind::kSymlink, "/etc/passwd");
    finish();
    EXPECT_EQ(target_->read("/etc/b", 10).value_or("none"), "text");
    EXPECT_EQ(target_->read("/lib/a", 10).value_or("none"), "text");
    EXPECT_EQ(target_->read("/lib/a", 3).error().kind, ErrorKind::kCorrupt);
    EXPECT_EQ(target_->read("/out", 10).error().kind, ErrorKind::kNotFound);
    EXPECT_EQ(target_->info("/lib/b", Follow::kNo)->kind, FileKind::kLink);
    EXPECT_EQ(target_->info("/lib/b", Follow::kYes)->mode, 0600u);
    EXPECT_EQ(target_->link("/lib/b").value_or("none"), "../../../etc/a");
    EXPECT_FALSE(target_->link("/etc/a"));
    EXPECT_THAT(*target_->list("/"), ElementsAre("etc", "lib", "out"));
    EXPECT_THAT(*target_->list("/lib"), ElementsAre("a", "b"));
    EXPECT_EQ(target_->list("/nowhere").error().kind, ErrorKind::kNotFound);
}

TEST_F(TreeTargetTest, WhatWasNotKeptIsAnErrorAndNotAbsent) {
    add("etc/sysctl.d/a.conf", EntryKind::kFile, "x");
    entries_[0].content.sha256.fill(7);
    finish();
    EXPECT_EQ(target_->read("/etc/sysctl.d/a.conf", 10).error().kind, ErrorKind::kFailed);
    EXPECT_TRUE(target_->exists("/etc/sysctl.d/a.conf"));
}

TEST_F(TreeTargetTest, AnImageIsJudgedByWhatItWillBe) {
    add("etc/sysctl.d/a.conf", EntryKind::kFile, "kernel.kptr_restrict = 2\n");
    system_.artifact.ukis.push_back({});
    system_.artifact.ukis[0].command_line = "quiet selinux=0";
    finish();
    const auto rules = guest::baseline::parse_rules(
        "[[rule]]\nid = \"a\"\ntitle = \"t\"\nsection = \"C2\"\nprocedure = \"sysctl\"\n"
        "keys = \"kernel.kptr_restrict\"\nexpect = \">= 1\"\n"
        "[[rule]]\nid = \"b\"\ntitle = \"t\"\nsection = \"D15\"\nprocedure = \"kernel\"\n"
        "none = \"arg:selinux=0\"\n"
        "[[rule]]\nid = \"c\"\ntitle = \"t\"\nsection = \"D3\"\nprocedure = \"secure-boot\"\n",
        "f");
    ASSERT_TRUE(rules);
    const auto report = guest::baseline::audit(*target_, *rules, {});
    EXPECT_EQ(to_string(report.findings[0].status), "pass");
    EXPECT_EQ(to_string(report.findings[1].status), "fail");
    EXPECT_EQ(to_string(report.findings[2].status), "notchecked");
}

}  // namespace
}  // namespace tarn::cli
