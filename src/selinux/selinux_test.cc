// SPDX-License-Identifier: MIT
#include "selinux/selinux.hh"

#include "base/fs.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tarn {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TreeEntry entry(std::string path, EntryKind kind = EntryKind::kFile) {
    TreeEntry out;
    out.path = std::move(path);
    out.kind = kind;
    out.mode = 0644;
    return out;
}

class Selinux : public ::testing::Test {
  protected:
    Selinux() { store_ = std::make_unique<Store>(*Store::open(directory_.path() + "/store")); }
    TreeEntry file(std::string path, std::string_view text) {
        TreeEntry out = entry(std::move(path));
        out.content = *store_->put(text);
        return out;
    }
    static FileContexts contexts(std::string text) {
        FileContextsSources sources;
        sources.main = {"file_contexts", std::move(text)};
        return *FileContexts::parse(std::move(sources));
    }
    static std::string label(const Tree& tree, std::string_view path) {
        const TreeEntry* const found = tree.find(path);
        if (found == nullptr) {
            return "no entry";
        }
        const auto xattr = found->xattrs.find("security.selinux");
        return xattr == found->xattrs.end() ? "no label" : xattr->second;
    }

    TempDir directory_ = *TempDir::make();
    std::unique_ptr<Store> store_;
};

constexpr const char* kPolicy =
    "/\t-d\tu:object_r:root_t:s0\n"
    "/usr(/.*)?\tu:object_r:usr_t:s0\n"
    "/usr/bin(/.*)?\tu:object_r:bin_t:s0\n"
    "/tmp\tu:object_r:tmp_t:s0\n"
    "/tmp/.*\t<<none>>\n";

TEST_F(Selinux, LabelsEveryEntryAndTheDirectoriesATreeImplies) {
    TreeEntry old = entry("usr/bin/old");
    old.xattrs["security.selinux"] = "stale";
    old.xattrs["security.capability"] = "kept";
    const Tree tree = *Tree::make({entry("usr/bin/bash"), old, entry("tmp/x")});
    const auto done = label_tree(contexts(kPolicy), tree, 42);
    ASSERT_TRUE(done.has_value());
    // With the NUL at the end, as the kernel keeps it.
    EXPECT_EQ(label(done->tree, "usr/bin/bash"), std::string("u:object_r:bin_t:s0\0", 20));
    EXPECT_EQ(label(done->tree, "usr/bin"), std::string("u:object_r:bin_t:s0\0", 20));
    EXPECT_EQ(label(done->tree, "usr"), std::string("u:object_r:usr_t:s0\0", 20));
    EXPECT_EQ(label(done->tree, ""), std::string("u:object_r:root_t:s0\0", 21));
    EXPECT_EQ(label(done->tree, "tmp/x"), "no label");
    EXPECT_EQ(label(done->tree, "usr/bin/old"), std::string("u:object_r:bin_t:s0\0", 20));
    EXPECT_EQ(done->tree.find("usr/bin/old")->xattrs.at("security.capability"), "kept");
    EXPECT_EQ(done->tree.find("usr")->mtime, 42);
    EXPECT_EQ(done->tree.find("usr")->mode, 0755u);
    EXPECT_EQ(done->report.labelled, 6u);
    EXPECT_THAT(done->report.none, ElementsAre("/tmp/x"));
    EXPECT_THAT(done->report.conflicts, IsEmpty());
}

TEST_F(Selinux, TakesAStaleLabelAwayWhereThePolicySaysNone) {
    TreeEntry stale = entry("tmp/x");
    stale.xattrs["security.selinux"] = "stale";
    const auto done = label_tree(contexts(kPolicy), *Tree::make({stale}), 0);
    ASSERT_TRUE(done.has_value());
    EXPECT_EQ(label(done->tree, "tmp/x"), "no label");
}

TEST_F(Selinux, NamesPathsWithoutASpecification) {
    const Tree tree = *Tree::make({entry("opt/new\nline"), entry("srv"), entry("usr/x")});
    const auto done = label_tree(contexts(kPolicy), tree, 0);
    ASSERT_FALSE(done.has_value());
    EXPECT_THAT(done.error().message, HasSubstr("has no label for /opt and 2 more"));
    EXPECT_THAT(done.error().notes, ElementsAre("/opt/new\\x0aline", "/srv"));
    EXPECT_THAT(done.error().help, ElementsAre(HasSubstr("file context")));
}

TEST_F(Selinux, OneInodeHasOneLabel) {
    TreeEntry second = entry("usr/share/b");
    second.hardlink = "usr/bin/a";
    const auto done = label_tree(contexts(kPolicy), *Tree::make({entry("usr/bin/a"), second}), 0);
    ASSERT_TRUE(done.has_value());
    EXPECT_EQ(label(done->tree, "usr/share/b"), label(done->tree, "usr/bin/a"));
    EXPECT_THAT(done->report.conflicts,
                ElementsAre("/usr/share/b would be u:object_r:usr_t:s0, but is one file with "
                            "/usr/bin/a, which is u:object_r:bin_t:s0"));
}

TEST_F(Selinux, ReadsThePolicyOfATree) {
    const std::string base = "etc/selinux/targeted/";
    const Tree tree =
        *Tree::make({file(base + "policy/policy.31", "old"),
                     file(base + "policy/policy.33", "new"),
                     file(base + "policy/policy.x", ""),
                     file(base + "contexts/files/file_contexts", kPolicy),
                     file(base + "contexts/files/file_contexts.local", "/tmp\tu:object_r:l_t:s0\n"),
                     file(base + "contexts/files/file_contexts.subs_dist", "/bin /usr/bin\n")});
    const auto policy = read_policy(*store_, tree, "targeted");
    ASSERT_TRUE(policy.has_value());
    EXPECT_EQ(policy->path, "etc/selinux/targeted/policy/policy.33");
    EXPECT_EQ(policy->version, 33u);
    EXPECT_EQ(policy->contexts.lookup("/tmp", EntryKind::kDirectory)->context, "u:object_r:l_t:s0");
    EXPECT_EQ(policy->contexts.lookup("/bin/sh", EntryKind::kFile)->context, "u:object_r:bin_t:s0");
}

TEST_F(Selinux, SaysWhichPolicyIsMissing) {
    const auto none = read_policy(*store_, Tree(), "targeted");
    ASSERT_FALSE(none.has_value());
    EXPECT_EQ(none.error().kind, ErrorKind::kNotFound);
    EXPECT_THAT(none.error().message, HasSubstr("no /etc/selinux/targeted/policy/policy.*"));
    EXPECT_THAT(none.error().help, ElementsAre(HasSubstr("`selinux-policy-targeted`")));

    const Tree other = *Tree::make({file("etc/selinux/mls/policy/policy.33", "")});
    EXPECT_THAT(read_policy(*store_, other, "targeted").error().help,
                ElementsAre("policies in the image: mls"));
    EXPECT_THAT(read_policy(*store_, other, "mls").error().message,
                HasSubstr("contexts/files/file_contexts"));
    EXPECT_EQ(read_policy(*store_, other, "../mls").error().kind, ErrorKind::kUsage);
}

TEST_F(Selinux, ABadPolicyIsNamedWithItsLine) {
    const std::string base = "etc/selinux/targeted/";
    const Tree tree = *Tree::make({file(base + "policy/policy.33", ""),
                                   file(base + "contexts/files/file_contexts", "/a[\tu:r:t\n")});
    EXPECT_THAT(read_policy(*store_, tree, "targeted").error().message,
                HasSubstr("/etc/selinux/targeted/contexts/files/file_contexts:1: "));
}

TEST(SelinuxMode, IsReadAndWritten) {
    EXPECT_EQ(*parse_selinux_mode("enforcing"), SelinuxMode::kEnforcing);
    EXPECT_EQ(*parse_selinux_mode("permissive"), SelinuxMode::kPermissive);
    EXPECT_EQ(*parse_selinux_mode("disabled"), SelinuxMode::kDisabled);
    const auto bad = parse_selinux_mode("enforcin");
    ASSERT_FALSE(bad.has_value());
    EXPECT_THAT(bad.error().help, ElementsAre("did you mean `enforcing`?"));
    EXPECT_EQ(selinux_config(SelinuxMode::kEnforcing, "targeted"),
              "SELINUX=enforcing\nSELINUXTYPE=targeted\n");
}

TEST(SelinuxCommandLine, SaysWhatTheKernelNeeds) {
    constexpr auto kOn = SelinuxMode::kEnforcing;
    const std::string built = "CONFIG_SECURITY_SELINUX=y\n";
    EXPECT_THAT(*selinux_command_line(kOn, ""), ElementsAre("security=selinux"));
    EXPECT_THAT(
        *selinux_command_line(kOn, built + "CONFIG_LSM=\"landlock,apparmor,selinux,bpf\"\n"),
        ElementsAre("security=selinux"));
    EXPECT_THAT(*selinux_command_line(kOn, built + "CONFIG_LSM=\"landlock,selinux,apparmor\"\n"),
                IsEmpty());
    EXPECT_THAT(*selinux_command_line(kOn, built + "CONFIG_SECURITY_SELINUX_BOOTPARAM=y\n"),
                ElementsAre("security=selinux", "selinux=1"));
    EXPECT_THAT(*selinux_command_line(SelinuxMode::kDisabled, ""), IsEmpty());
    const auto without = selinux_command_line(kOn, "# CONFIG_SECURITY_SELINUX is not set\n");
    ASSERT_FALSE(without.has_value());
    EXPECT_THAT(without.error().message, HasSubstr("built without SELinux"));
    EXPECT_TRUE(selinux_command_line(SelinuxMode::kDisabled, "# nothing\n").has_value());
}

}  // namespace
}  // namespace tarn
