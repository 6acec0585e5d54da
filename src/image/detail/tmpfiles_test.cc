// SPDX-License-Identifier: MIT
#include "image/detail/tmpfiles.hh"

#include "base/strings.hh"
#include "image/detail/fixture.hh"

#include <unistd.h>

#include <algorithm>

namespace tarn::image {
namespace {

using testing::run_tool;

// Together they say everything that is not about a running machine.
constexpr const char* kLines = R"(# what every system has
d /var/lib/one 0750 root daemon - -
d /var/lib/one/two/three - - - -
D /var/cache/%o 0700 1000 1000 10d -
q /srv/volume 0711
v "/srv/with blank" 0755
f /etc/fresh 0600 root daemon - first line\nsecond\x21
f /etc/there 0640 - - - not written
F /etc/old 0644 - - - new
w /etc/append - - - - replaced
w+ /etc/append - - - - ,added
w /etc/not-there - - - - nothing
L /etc/link - - - - ../usr/share/thing
L+ /etc/wrong - - - - right
L /etc/there-link - - - - elsewhere
L /etc/factory-link
C /etc/copied 0755 - - - /usr/share/factory/tree
C /etc/full - - - - /usr/share/factory/tree
C /etc/factory-file
p /var/lib/pipe 0620 root daemon
e /var/lib/pl* 0700 - - 5d
z /usr/share/thing 0600 daemon daemon
z /etc/mask ~0777 - -
Z /opt/deep ~2775 root daemon
d /opt/only-new :0700 :1000 :1000
d /var/run/legacy 0700
d /lib-link/through 0755
d! /boot-only 0755
d /var/lib/%m 0755
x /var/tmp/keep
r /etc/there
d /var/lib/one 0111
)";

class TmpfilesTest : public testing::StoreTest {
  protected:
    static AccountIds accounts() {
        AccountIds out;
        out.users = {{"root", 0}, {"daemon", 2}};
        out.groups = {{"root", 0}, {"daemon", 2}};
        return out;
    }
    static TreeEntry directory(std::string path, std::uint32_t mode = 0755) {
        TreeEntry out;
        out.path = std::move(path);
        out.kind = EntryKind::kDirectory;
        out.mode = mode;
        return out;
    }
    Tree base(std::string_view lines) {
        return tree({directory("etc"),
                     directory("etc/full"),
                     file("etc/full/own", "own"),
                     file("etc/there", "there"),
                     file("etc/old", "old", 0600),
                     file("etc/append", "text"),
                     symlink("etc/wrong", "wrong"),
                     symlink("etc/there-link", "there"),
                     file("etc/mask", "", 0640),
                     file("etc/os-release", "NAME=x\nID=\"tarn\"\n"),
                     file("etc/passwd", "root:x:0:0::/root:/bin/sh\ndaemon:x:2:2::/:/bin/sh\n"),
                     file("etc/group", "root:x:0:\ndaemon:x:2:\n"),
                     directory("opt/deep"),
                     directory("opt/deep/inner", 0711),
                     file("opt/deep/inner/file", "", 0644),
                     directory("opt/only-new", 0755),
                     symlink("lib-link", "usr/lib"),
                     directory("usr/lib"),
                     file("usr/lib/tmpfiles.d/all.conf", lines),
                     file("usr/share/thing", "thing"),
                     file("usr/share/factory/tree/a/b", "b", 0640),
                     file("usr/share/factory/etc/factory-file", "factory"),
                     directory("var/lib/plain", 0755),
                     directory("var/lib/plum", 0711)});
    }
    Result<Tree> made(const Tree& from) {
        Overlay overlay(store_, 1793491200);
        TARN_TRY(add_tmpfiles(store_, from, accounts(), overlay));
        return overlay.over(from);
    }
    // "path kind mode uid:gid target content", sorted.
    std::vector<std::string> listed(const Tree& from) {
        const auto ids = accounts();
        std::vector<std::string> out;
        for (const TreeEntry& entry : from.entries()) {
            const std::uint32_t uid = entry.user.empty() ? entry.uid : ids.users.at(entry.user);
            const std::uint32_t gid = entry.group.empty() ? entry.gid : ids.groups.at(entry.group);
            out.push_back(
                fmt::format("{} {} {:04o} {}:{} {}{}",
                            entry.path,
                            static_cast<int>(entry.kind),
                            entry.mode,
                            uid,
                            gid,
                            entry.target,
                            entry.kind == EntryKind::kFile ? text(from, entry.path) : ""));
        }
        std::ranges::sort(out);
        return out;
    }
    static std::vector<std::string> listed(const std::string& root) {
        const auto found =
            run_tool({"find", root, "-mindepth", "1", "-printf", "%P|%y|%m|%U:%G|%l\n"});
        std::vector<std::string> out;
        for (const std::string_view line : split_lines(found.text)) {
            const auto parts = split(line, '|');
            const std::string path(parts[0]);
            const int kind = parts[1] == "f" ? 0 : parts[1] == "d" ? 1 : parts[1] == "l" ? 2 : 5;
            out.push_back(fmt::format("{} {} {:04o} {} {}{}",
                                      path,
                                      kind,
                                      *parse_u64(parts[2], 8),
                                      parts[3],
                                      parts[4],
                                      kind == 0 ? *read_file(root + "/" + path) : ""));
        }
        std::ranges::sort(out);
        return out;
    }
    std::string problem(std::string_view lines) {
        const auto out = made(base(lines));
        if (out) {
            return "(made)";
        }
        return out.error().message + "\n" + join(out.error().notes, "\n");
    }
};

TEST_F(TmpfilesTest, DoesWhatSystemdTmpfilesDoes) {
    TARN_NEED_TOOL("systemd-tmpfiles");
    if (::geteuid() != 0) {
        GTEST_SKIP() << "owners can be compared by root alone";
    }
    const Tree from = base(kLines);
    const auto ours = made(from);
    ASSERT_TRUE(ours.has_value()) << ours.error().message << join(ours.error().notes, "\n");
    const std::string root = directory_.path() + "/root";
    ASSERT_TRUE(write_tree(store_, from, root, Owners::kApply).has_value());
    const auto run = run_tool({"systemd-tmpfiles",
                               "--root=" + root,
                               "--create",
                               "--exclude-prefix=/dev",
                               root + "/usr/lib/tmpfiles.d/all.conf"});
    // Directories that were implied in the tree are spelt out in both.
    std::vector<TreeEntry> whole = ours->entries();
    for (const TreeEntry& entry : ours->entries()) {
        for (std::string above = parent_path(entry.path); !above.empty();
             above = parent_path(above)) {
            const bool known = std::ranges::any_of(
                whole, [&](const TreeEntry& other) { return other.path == above; });
            if (!known) {
                whole.push_back(directory(above));
            }
        }
    }
    EXPECT_EQ(listed(tree(whole)), listed(root)) << run.text;
}

TEST_F(TmpfilesTest, EtcHidesUsrAndMasks) {
    std::vector<TreeEntry> entries = base("d /from-usr 0755\n").entries();
    entries.push_back(file("usr/lib/tmpfiles.d/second.conf", "d /second 0755\n"));
    entries.push_back(symlink("etc/tmpfiles.d/second.conf", "/dev/null"));
    entries.push_back(file("etc/tmpfiles.d/all.conf", "d /from-etc 0755\n"));
    const auto out = made(tree(entries));
    ASSERT_TRUE(out.has_value());
    EXPECT_NE(out->find("from-etc"), nullptr);
    EXPECT_EQ(out->find("from-usr"), nullptr);
    EXPECT_EQ(out->find("second"), nullptr);
}

TEST_F(TmpfilesTest, WhatIsTheMachinesIsLeftToIt) {
    const Tree from = base(
        "d /dev/net 0755\nz /sys/power/disk 0664\nw /proc/sys/x - - - - 1\nd! /boot-only\n"
        "f^ /etc/secret - - - - name\nd /var/%m\nd /var/%b\na+ /etc/there - - - - u:root:r\n"
        "h /etc/there - - - - +C\nr /etc/there\nR! /etc\nx /tmp\n");
    const auto out = made(from);
    ASSERT_TRUE(out.has_value());
    EXPECT_EQ(out->digest(), from.digest());
}

TEST_F(TmpfilesTest, WhatCannotBeReadIsListed) {
    EXPECT_EQ(
        problem("k /x 0755\nd relative 0755\nd\nd /y 0999\nd /z \"0755\n\n# fine\nd /w 17777\n"),
        "lines of tmpfiles.d that cannot be read\n"
        "/usr/lib/tmpfiles.d/all.conf:1: an unknown type: k /x 0755\n"
        "/usr/lib/tmpfiles.d/all.conf:2: a path that is not absolute: d relative 0755\n"
        "/usr/lib/tmpfiles.d/all.conf:3: a line needs a type and a path: d\n"
        "/usr/lib/tmpfiles.d/all.conf:4: a mode that is not octal: d /y 0999\n"
        "/usr/lib/tmpfiles.d/all.conf:5: a quote does not end: d /z \"0755\n"
        "/usr/lib/tmpfiles.d/all.conf:8: a mode that is not octal: d /w 17777");
}

TEST_F(TmpfilesTest, UnknownAccountsAreListedWithTheirLines) {
    EXPECT_EQ(problem("d /x 0755 nobody-here root\nd /y 0755 root no-group\n"),
              "tmpfiles.d asks for what the image does not have\n"
              "/usr/lib/tmpfiles.d/all.conf:1: /x: the image has no account `nobody-here`\n"
              "/usr/lib/tmpfiles.d/all.conf:2: /y: the image has no account `no-group`");
}

TEST_F(TmpfilesTest, NamesOfOneInodeChangeTogether) {
    TreeEntry one = file("usr/a", "x");
    TreeEntry two = one;
    two.path = "usr/b";
    two.hardlink = "usr/a";
    std::vector<TreeEntry> entries = base("z /usr/b 0600 daemon -\n").entries();
    entries.push_back(one);
    entries.push_back(two);
    const auto out = made(tree(entries));
    ASSERT_TRUE(out.has_value());
    EXPECT_EQ(out->find("usr/a")->mode, 0600u);
    EXPECT_EQ(out->find("usr/a")->user, "daemon");
    EXPECT_EQ(out->find("usr/b")->hardlink, "usr/a");
}

}  // namespace
}  // namespace tarn::image
