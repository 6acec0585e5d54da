// SPDX-License-Identifier: MIT
// Facts, differences, sizes and verification, over trees made by hand.
#include "inspect/detail/facts.hh"
#include "inspect/detail/testing.hh"
#include "inspect/diff.hh"
#include "inspect/size.hh"
#include "inspect/verify.hh"

#include <nlohmann/json.hpp>

namespace tarn::inspect {
namespace {

using testing::expect_golden;
using testing::InspectTest;

class Compare : public InspectTest {
  protected:
    std::vector<TreeEntry> server() {
        return {
            directory("etc"),
            file("etc/passwd", "root:x:0:0:root:/root:/usr/bin/bash\nsshd:x:74:74::/:/sbin/no\n"),
            file("etc/group", "root:x:0:\nwheel:x:10:alice,bob\n"),
            file("etc/sysctl.d/50-net.conf", "# comment\nnet.ipv4.ip_forward = 0\n"),
            file("usr/lib/sysctl.d/50-net.conf", "net.ipv4.ip_forward = 1\n"),
            file("usr/lib/sysctl.d/10-hard.conf", "-kernel.kptr_restrict=2\nnet/a.b/c = 1\n"),
            file("usr/lib/systemd/system/sshd.service", "[Service]\nExecStart=/usr/sbin/sshd\n"),
            file("usr/lib/systemd/system/web.socket",
                 "[Socket]\nListenStream=/run/web\nListenStream=8080\nListenDatagram=[::1]:53\n"),
            file("usr/lib/systemd/system/old.timer", "[Timer]\n"),
            file("usr/lib/systemd/system/idle.service", "[Service]\n"),
            link("etc/systemd/system/multi-user.target.wants/sshd.service",
                 "/usr/lib/systemd/system/sshd.service"),
            link("etc/systemd/system/sockets.target.wants/web.socket",
                 "/usr/lib/systemd/system/web.socket"),
            link("etc/systemd/system/old.timer", "/dev/null"),
            file("usr/lib/systemd/system/early.socket", "[Socket]\nListenStream=9\n"),
            link("usr/lib/systemd/system/sockets.target.wants/early.socket", "../early.socket"),
            file("etc/ssh/sshd_config",
                 "#Port 1\nPort 2222\nInclude /etc/ssh/sshd_config.d/*.conf\n"),
            file("etc/ssh/sshd_config.d/10.conf", "listenaddress 10.0.0.1:23\nListenAddress ::\n"),
            file("usr/bin/su", "su", 04755),
            file("usr/lib/modules/6.18/config", "CONFIG_A=y\n# CONFIG_B is not set\n"),
        };
    }
    static std::string network_raw() {  // cap_net_raw=ep
        return std::string("\x01\0\0\x02\0\x20\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);
    }
};

TEST_F(Compare, FactsOfASystem) {
    System found = system(server());
    EXPECT_EQ(found.units.at("sshd.service"), "enabled");
    EXPECT_EQ(found.units.at("old.timer"), "masked");
    EXPECT_EQ(found.units.at("early.socket"), "always on");
    EXPECT_EQ(found.units.at("idle.service"), "installed");
    EXPECT_EQ(found.sysctl.at("net.ipv4.ip_forward"), "0") << "/etc hides /usr/lib by name";
    EXPECT_EQ(found.sysctl.at("kernel.kptr_restrict"), "2");
    EXPECT_EQ(found.sysctl.at("net.a/b.c"), "1");
    EXPECT_EQ(found.ports.at("sshd.service"), "2222/tcp 10.0.0.1:23/tcp");
    EXPECT_EQ(found.ports.at("early.socket"), "9/tcp");
    EXPECT_EQ(found.ports.at("web.socket"), "8080/tcp [::1]:53/udp");
    EXPECT_EQ(found.users.at("root"), "0:0 /root /usr/bin/bash");
    EXPECT_EQ(found.groups.at("wheel"), "10 (alice,bob)");
    EXPECT_EQ(found.privileges.at("/usr/bin/su"), "setuid 4755 0:0");
    EXPECT_EQ(found.kernel_config.at("CONFIG_B"), "n");
    EXPECT_EQ(found.kernels.at("6.18"), "/usr/lib/modules/6.18/config");
}

TEST_F(Compare, DropInsAddToUnitsAndEmptyValuesForget) {
    std::vector<TreeEntry> entries = server();
    entries.push_back(file("etc/systemd/system/web.socket.d/10.conf",
                           "[Socket]\nListenStream=\nListenStream=443\n[Other]\nListenStream=1\n"));
    EXPECT_EQ(system(entries).ports.at("web.socket"), "443/tcp");
}

TEST_F(Compare, CapabilitiesAsText) {
    EXPECT_EQ(capability_text(network_raw()), "cap_net_raw=ep");
    EXPECT_EQ(capability_text("xx"), "0x7878");
    EXPECT_EQ(capability_text(std::string("\0\0\0\x02", 4) + std::string(16, '\0')), "=");
}

TEST_F(Compare, LinksAreFollowedInsideTheTreeAlone) {
    const System found = system({file("usr/lib/a", "a"),
                                 link("lib", "usr/lib"),
                                 link("abs", "/lib/a"),
                                 link("up", "../../../usr/lib/a"),
                                 link("x", "y"),
                                 link("y", "x")});
    const Tree& tree = found.artifact.tree;
    EXPECT_EQ(read(store_, tree, "lib/a").value_or(""), "a");
    EXPECT_EQ(read(store_, tree, "abs").value_or(""), "a");
    EXPECT_EQ(read(store_, tree, "up").value_or(""), "a");
    EXPECT_FALSE(read(store_, tree, "x").has_value());
    EXPECT_FALSE(read(store_, tree, "none").has_value());
}

TEST_F(Compare, EqualSystemsDoNotDiffer) {
    std::vector<TreeEntry> later = server();
    for (TreeEntry& entry : later) {
        entry.mtime = 77;
    }
    const ImageDiff diff = compare(system(server()), system(later, "b"));
    EXPECT_TRUE(diff.same());
    EXPECT_EQ(diff_text(diff, 0), "a and b hold the same system\n");
}

TEST_F(Compare, EveryKindOfDifferenceIsShown) {
    std::vector<TreeEntry> after = server();
    std::erase_if(after, [](const TreeEntry& entry) {
        return entry.path == "usr/lib/systemd/system/idle.service" ||
               entry.path == "etc/systemd/system/old.timer";
    });
    for (TreeEntry& entry : after) {
        if (entry.path == "usr/bin/su") {
            entry.mode = 0755;
            entry.xattrs["security.capability"] = network_raw();
            entry.xattrs["security.selinux"] = std::string("system_u:object_r:su_exec_t:s0\0", 31);
        } else if (entry.path == "etc/sysctl.d/50-net.conf") {
            entry.content = *store_.put("net.ipv4.ip_forward = 1\n");
        } else if (entry.path == "etc/group") {
            entry.gid = 7;
        } else if (entry.path == "usr/lib/modules/6.18/config") {
            entry.content = *store_.put("CONFIG_A=m\nCONFIG_C=y\n");
        } else if (entry.path == "etc/systemd/system/multi-user.target.wants/sshd.service") {
            entry.target = "../sshd.service";
        }
    }
    after.push_back(file("usr/share/new\n|name", "n"));
    System b = system(after, "b");
    b.artifact.ukis.push_back({"EFI/a.efi", 1, 1, 1, "ro quiet", "", "6.18", 0});
    b.artifact.boot_files.push_back({"EFI/a.efi", 1, std::string(64, 'e')});
    b.command_line = {{"console", "tty1 ttyS0"}, {"quiet", ""}};
    b.package_versions = {{"bash.x86_64", "5.3-4"}};
    System a = system(server());
    a.package_versions = {{"bash.x86_64", "5.3-3"}, {"tree.x86_64", "2-1"}};
    const ImageDiff diff = compare(a, b);
    EXPECT_FALSE(diff.same());
    expect_golden("diff.txt", diff_text(diff, 0));
    expect_golden("diff-short.txt", diff_text(diff, 1));
    expect_golden("diff.md", diff_markdown(diff, 0));
    expect_golden("diff.json", diff_json(diff));
}

TEST_F(Compare, SizesByPackageAndDirectory) {
    System found = system({file("usr/lib/a/one", std::string(3000, 'x')),
                           file("usr/lib/b/two", std::string(1000, 'y')),
                           file("usr/share/doc/<b>", std::string(500, 'z')),
                           file("boot/other", std::string(250, 'o'))});
    rpm::InstalledPackage package;
    package.info.meta.nevra = {"library", {std::nullopt, "1", "1"}, "x86_64"};
    for (const char* where : {"usr/lib/a/one", "usr/lib/b/two", "usr/share/doc/<b>"}) {
        rpm::PackageFile one;
        one.entry.path = where;
        package.info.files.push_back(one);
    }
    found.packages.push_back(package);
    const SizeNode tree = size_tree(found);
    EXPECT_EQ(tree.bytes, 4750U);
    EXPECT_EQ(tree.children.at(0).name, "library");
    EXPECT_EQ(tree.children.at(1).name, "(not from a package)");
    const SizeNode directories = directory_tree(found.artifact.tree, "a");
    expect_golden("size.txt", size_text(tree, directories, 10, 3));
    expect_golden("size.json", size_json(tree));
    expect_golden("size.svg", size_svg(tree));
    expect_golden("size.html", size_html(tree));
    EXPECT_EQ(size_html(tree).find("<b>"), std::string::npos) << "names are no markup";
    // Nothing in it: no division by nothing.
    static_cast<void>(size_html(size_tree(system({}))));
}

class Verify : public Compare {
  protected:
    Verify() {
        rpm::PackageFile tool;
        tool.entry = file("usr/bin/tool", "tool", 0755);
        tool.entry.user = tool.entry.group = "root";
        rpm::PackageFile log;
        log.entry = file("var/log/tool", "", 0600);
        log.flags = rpm::kFileGhost;
        package_.info.meta.nevra = {"tool", {std::nullopt, "1", "1"}, "x86_64"};
        package_.info.files = {tool, log};
        package_.rpm_sha256 = std::string(64, 'a');
        expected_.packages = {{"tool-1-1.x86_64", std::string(64, 'a')}};
        AddedFile name;
        name.entry = file("etc/hostname", "tarn\n");
        name.by = "composer";
        expected_.added.emplace("etc/hostname", name);
    }
    std::vector<TreeEntry> good() {
        return {directory("usr"),
                directory("usr/bin"),
                file("usr/bin/tool", "tool", 0755),
                directory("etc"),
                file("etc/hostname", "tarn\n")};
    }
    VerifyReport check(std::vector<TreeEntry> entries) {
        System found = system(std::move(entries));
        found.packages = {package_};
        return verify(found, expected_);
    }
    std::string first_problem(std::vector<TreeEntry> entries) {
        const VerifyReport report = check(std::move(entries));
        return report.problems.empty() ? "none"
                                       : report.problems[0].path + " " + report.problems[0].what;
    }
    rpm::InstalledPackage package_;
    Expected expected_;
};

TEST_F(Verify, AllAsItShouldBe) {
    const VerifyReport report = check(good());
    EXPECT_TRUE(report.good()) << verify_text(report, "vm", false);
    expect_golden("verify-good.txt", verify_text(report, "vm", true));
    expect_golden("verify-good.json", verify_json(report, "vm"));
}

TEST_F(Verify, EveryAspectOfAFileIsCompared) {
    auto entries = good();
    entries[2].content = *store_.put("evil");
    EXPECT_EQ(first_problem(entries).substr(0, 28), "/usr/bin/tool the content is");
    entries = good();
    entries[2].mode = 04755;
    EXPECT_EQ(first_problem(entries), "/usr/bin/tool the mode is 4755, tool-1-1.x86_64 says 0755");
    entries = good();
    entries[2].uid = 7;
    EXPECT_EQ(first_problem(entries),
              "/usr/bin/tool the owner is 7:0, tool-1-1.x86_64 says root:root");
    entries = good();
    entries[2].xattrs["security.capability"] = network_raw();
    EXPECT_EQ(first_problem(entries),
              "/usr/bin/tool the capabilities is `cap_net_raw=ep`, tool-1-1.x86_64 says ``");
    entries = good();
    entries[2] = link("usr/bin/tool", "evil");
    EXPECT_EQ(first_problem(entries), "/usr/bin/tool is of another kind than tool-1-1.x86_64 says");
    entries = good();
    entries[4].content = *store_.put("other\n");
    EXPECT_EQ(first_problem(entries).substr(0, 27), "/etc/hostname the content i");
}

TEST_F(Verify, AttributesThatNobodyGaveAreProblems) {
    auto entries = good();
    entries[4].xattrs["user.note"] = "x";
    EXPECT_EQ(first_problem(entries),
              "/etc/hostname has the attribute user.note, which nobody gave it");
}

TEST_F(Verify, AGhostMayBeThereOnlyWhenTheManifestSaysSo) {
    auto entries = good();
    entries.push_back(file("var/log/tool", "grown", 0600));
    EXPECT_EQ(first_problem(entries),
              "/var/log/tool is a ghost of tool-1-1.x86_64, and the manifest does not name it");
    AddedFile log;
    log.entry = entries.back();
    expected_.added.emplace("var/log/tool", log);
    EXPECT_EQ(first_problem(entries), "none");
}

TEST_F(Verify, WhatWasLeftOutIsNotMissing) {
    std::vector<TreeEntry> entries = good();
    const TreeEntry tool_entry = entries[2];
    entries.erase(entries.begin(), entries.begin() + 3);  // usr, usr/bin, usr/bin/tool
    EXPECT_EQ(first_problem(entries), "/usr/bin/tool is missing; tool-1-1.x86_64 has it");
    expected_.left_out.insert("usr/bin/tool");
    EXPECT_EQ(first_problem(entries), "none");
    entries.push_back(tool_entry);
    EXPECT_EQ(first_problem(entries), "/usr/bin/tool is there, the manifest says it was left out");
}

TEST_F(Verify, LabelsAreThoseOfThePolicyInTheImage) {
    std::vector<TreeEntry> entries = {
        directory(""),
        directory("etc"),
        directory("usr"),
        file("usr/tool", "t", 0755),
        directory("etc/selinux"),
        directory("etc/selinux/small"),
        file("etc/selinux/config", "# comment\nSELINUX=enforcing\nSELINUXTYPE = small\n"),
        directory("etc/selinux/small/policy"),
        file("etc/selinux/small/policy/policy.33", "p"),
        directory("etc/selinux/small/contexts"),
        directory("etc/selinux/small/contexts/files"),
        file("etc/selinux/small/contexts/files/file_contexts",
             "/.* system_u:object_r:any_t:s0\n/usr/tool -- system_u:object_r:tool_t:s0\n")};
    for (TreeEntry& entry : entries) {
        entry.xattrs["security.selinux"] = entry.path == "usr/tool"
                                               ? std::string("system_u:object_r:tool_t:s0\0", 28)
                                               : std::string("system_u:object_r:any_t:s0\0", 27);
    }
    const auto first = [&] {
        const auto problems = verify_labels(store_, system(entries));
        return !problems           ? problems.error().message
               : problems->empty() ? "none"
                                   : problems->front().path + " " + problems->front().what;
    };
    EXPECT_EQ(first(), "none");
    entries[3].xattrs["security.selinux"] = "system_u:object_r:any_t:s0";
    EXPECT_EQ(first(),
              "/usr/tool the label is system_u:object_r:any_t:s0, the policy says "
              "system_u:object_r:tool_t:s0");
    entries[3].xattrs.clear();
    EXPECT_EQ(first(), "/usr/tool the label is none, the policy says system_u:object_r:tool_t:s0");
    entries.erase(entries.begin() + 11);
    EXPECT_NE(first().find("file_contexts"), std::string::npos);
    for (TreeEntry& entry : entries) {
        entry.xattrs.clear();
    }
    entries.push_back(file("etc/selinux/small/contexts/files/file_contexts", "/.* a:b:c:s0\n"));
    EXPECT_EQ(first(), "/etc/selinux/config asks for a policy, but no file has a label");
    // Without SELinux nothing may have a label.
    entries = good();
    EXPECT_EQ(first(), "none");
    entries[4].xattrs["security.selinux"] = "x";
    EXPECT_EQ(first(), "/etc/hostname the label is x, the policy says none");
}

TEST_F(Verify, MissingAndUnexplainedFilesAreProblems) {
    auto entries = good();
    entries.erase(entries.begin() + 2);
    EXPECT_EQ(first_problem(entries),
              "/usr/bin is of no package, and the manifest does not name it")
        << "an empty directory is no parent";
    entries = good();
    entries.push_back(file("usr/bin/door", "x"));
    EXPECT_EQ(first_problem(entries),
              "/usr/bin/door is of no package, and the manifest does not name it");
    entries = good();
    entries[1].mode = 0777;
    EXPECT_EQ(first_problem(entries),
              "/usr/bin is of no package, and the manifest does not name it");
    entries = good();
    entries.pop_back();
    EXPECT_FALSE(check(entries).good());
}

TEST_F(Verify, ManifestAndDatabaseMustNameTheSamePackages) {
    expected_.packages = {{"tool-1-1.x86_64", std::string(64, 'b')}};
    EXPECT_EQ(first_problem(good()),
              "tool-1-1.x86_64 was installed from aaaaaaaaaaaa, the manifest says bbbbbbbbbbbb");
    expected_.packages = {{"other-1-1.noarch", ""}};
    EXPECT_EQ(check(good()).problems.size(), 2U);
}

TEST_F(Verify, ExpectationsComeFromTheManifest) {
    const auto expected = parse_expected(
        R"({"image":"vm","packages":[{"nevra":"a-1-1.noarch","sha256":"x"}],"added":[
        {"path":"etc/a","kind":"file","mode":"0640","uid":1,"gid":2,"sha256":")" +
        std::string(64, 'a') + R"(","size":3,"capabilities":"6162","by":"declared"},
        {"path":"b","kind":"link","target":"c","uid":0,"gid":0,"by":"composer"},
        {"path":"var/lib","kind":"directory","mode":"0755","by":"left-out"}]})");
    ASSERT_TRUE(expected.has_value()) << expected.error().message;
    const TreeEntry& entry = expected->added.at("etc/a").entry;
    EXPECT_EQ(entry.mode, 0640U);
    EXPECT_EQ(entry.gid, 2U);
    EXPECT_EQ(entry.content.size, 3U);
    EXPECT_EQ(entry.xattrs.at("security.capability"), "ab");
    EXPECT_EQ(expected->added.at("b").entry.target, "c");
    EXPECT_TRUE(expected->left_out.contains("var/lib"));
    EXPECT_FALSE(expected->added.contains("var/lib"));
    for (const std::string text : {"",
                                   "[]",
                                   "{}",
                                   R"({"packages":[]})",
                                   R"({"packages":[1],"added":[]})",
                                   R"({"packages":[],"added":[1]})",
                                   R"({"packages":[],"added":[{"path":"a"}]})",
                                   R"({"packages":[],"added":[{"path":"a","kind":"file"}]})"}) {
        const auto bad = parse_expected(text);
        ASSERT_FALSE(bad.has_value()) << text;
        EXPECT_EQ(bad.error().kind, ErrorKind::kCorrupt);
    }
}

TEST_F(Verify, ArtifactsAreHashed) {
    put("out/vm.raw", "disk");
    const std::string sum = Digest::of("disk").hex();
    const auto problems = verify_artifacts(
        path("out"),
        {{"vm.raw", sum}, {"vm.vhd", sum}, {"../s", sum}, {"vm.raw", std::string(64, '0')}},
        2,
        {});
    ASSERT_TRUE(problems.has_value());
    ASSERT_EQ(problems->size(), 3U);
    EXPECT_EQ((*problems)[0].path, "vm.vhd");
    EXPECT_EQ((*problems)[1].what, "has a name that leaves its directory");
    EXPECT_EQ((*problems)[2].what, "is " + sum.substr(0, 12) + ", 000000000000 is expected");
}

}  // namespace
}  // namespace tarn::inspect
