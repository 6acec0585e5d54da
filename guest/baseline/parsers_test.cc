// SPDX-License-Identifier: MIT
#include "baseline/detail/parsers.hh"

#include "baseline/detail/change.hh"
#include "baseline/detail/netlink.hh"
#include "baseline/detail/sshd.hh"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tarn::guest::baseline {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(Sysctl, LastLineWinsAndBothSeparatorsNameTheSame) {
    SysctlConfig config;
    config.add("net.ipv4.ip_forward = 1\n# x\n;y\nnonsense\n", "/a");
    config.add("-net/ipv4/ip_forward=0\n", "/b");
    ASSERT_TRUE(config.find("net.ipv4.ip_forward"));
    EXPECT_EQ(config.find("net.ipv4.ip_forward")->value, "0");
    EXPECT_EQ(config.find("net.ipv4.ip_forward")->where, "/b:1");
    EXPECT_FALSE(config.find("nonsense"));
}

TEST(Sysctl, PatternsYieldToNamesAndExclusions) {
    SysctlConfig config;
    config.add(
        "net.ipv4.conf.default.rp_filter = 2\nnet.ipv4.conf.*.rp_filter = 0\n"
        "-net.ipv4.conf.all.rp_filter\n",
        "/a");
    EXPECT_EQ(config.find("net.ipv4.conf.default.rp_filter")->value, "2");
    EXPECT_EQ(config.find("net.ipv4.conf.eth0.rp_filter")->value, "0");
    EXPECT_FALSE(config.find("net.ipv4.conf.all.rp_filter"));
}

TEST(Sysctl, InterfaceNamesWithDotsKeepThem) {
    EXPECT_EQ(sysctl_path("net/ipv4/conf/eth0.1/rp_filter"), "net/ipv4/conf/eth0.1/rp_filter");
    EXPECT_EQ(sysctl_path("net.ipv4.conf.eth0/1.rp_filter"), "net/ipv4/conf/eth0.1/rp_filter");
}

TEST(Mounts, MountinfoWithOptionalFieldsAndEscapes) {
    const auto mounts = parse_mountinfo(
        "36 35 98:0 / /mnt/with\\040blank rw,noatime shared:1 master:2 - ext4 /dev/sda1 rw,errors\n"
        "short line\n1 2 3 4 /x rw no dash here at all\n36 35 98:0 / / rw - ext4\n");
    ASSERT_THAT(mounts, SizeIs(1));
    EXPECT_EQ(mounts[0].point, "/mnt/with blank");
    EXPECT_EQ(mounts[0].type, "ext4");
    EXPECT_THAT(mounts[0].options, ElementsAre("rw", "noatime", "rw", "errors"));
}

TEST(Mounts, HostileLinesEndInNothing) {
    EXPECT_THAT(parse_mountinfo(" - - - - - - - - - -\n\\\n\\0\n"), IsEmpty());
    EXPECT_THAT(parse_mountinfo(std::string(10000, '\\')), IsEmpty());
    EXPECT_THAT(parse_fstab("#x y z\na b\n"), IsEmpty());
    EXPECT_EQ(parse_fstab("a /b\\1 c\n")[0].point, "/b\\1");
}

TEST(Mounts, UnitNamesAreSystemds) {
    EXPECT_EQ(mount_unit_name("/var/tmp/"), "var-tmp.mount");
    EXPECT_EQ(mount_unit_name("/"), "-.mount");
    EXPECT_EQ(mount_unit_name("/a-b/.c"), "a\\x2db-.c.mount");
}

SshdInclude no_include() {
    return [](const std::string&) -> Result<SshdFiles> { return SshdFiles{}; };
}

TEST(Sshd, FirstMatchWinsAndMatchBlocksAreApart) {
    const auto options = parse_sshd(
        "Port 22\nPermitRootLogin=no\npermitrootlogin yes\nMatch User bob\n"
        " PasswordAuthentication yes # really\nMatch all\nX11Forwarding \"yes\"\n",
        "f",
        no_include());
    ASSERT_TRUE(options);
    EXPECT_EQ(sshd_value(*options, "permitrootlogin").value, "no");
    EXPECT_EQ(sshd_value(*options, "permitrootlogin").where, "f:2");
    const SshdValue password = sshd_value(*options, "passwordauthentication");
    EXPECT_TRUE(password.is_default);
    ASSERT_THAT(password.elsewhere, SizeIs(1));
    EXPECT_EQ(password.elsewhere[0].match, "User bob");
    EXPECT_EQ(password.elsewhere[0].value, "yes");
    EXPECT_EQ(sshd_value(*options, "x11forwarding").value, "yes");
}

TEST(Sshd, IncludeIsReadWhereItStandsAndItsMatchEndsWithIt) {
    const SshdInclude include = [](const std::string& pattern) -> Result<SshdFiles> {
        EXPECT_EQ(pattern, "/etc/ssh/sshd_config.d/*.conf");
        return SshdFiles{{"d", "UsePAM no\nMatch User x\nUsePAM yes\n"}, {"e", "MaxSessions 3\n"}};
    };
    const auto options =
        parse_sshd("Include /etc/ssh/sshd_config.d/*.conf\nUsePAM yes\n", "f", include);
    ASSERT_TRUE(options);
    EXPECT_EQ(sshd_value(*options, "usepam").where, "d:1");
    EXPECT_EQ(sshd_value(*options, "maxsessions").value, "3");
    EXPECT_FALSE(sshd_value(*options, "maxsessions").is_default);
}

TEST(Sshd, AnIncludeOfItselfEnds) {
    const SshdInclude include = [](const std::string&) -> Result<SshdFiles> {
        return SshdFiles{{"f", "Include f\n"}};
    };
    const auto options = parse_sshd("Include f\n", "f", include);
    ASSERT_FALSE(options);
    EXPECT_EQ(options.error().kind, ErrorKind::kCorrupt);
    EXPECT_EQ(options.error().message, "f: Include nested deeper than 16");
}

TEST(Sshd, TooManyOptionsAreRefused) {
    std::string text;
    for (int i = 0; i < 20001; ++i) {
        text += "A b\n";
    }
    EXPECT_FALSE(parse_sshd(text, "f", no_include()));
}

TEST(Sshd, AlgorithmSigns) {
    EXPECT_THAT(sshd_algorithms("a,b", "ciphers"), ElementsAre("a", "b"));
    EXPECT_THAT(sshd_algorithms("-*-gcm@*,chacha*", "ciphers"),
                ElementsAre("aes128-ctr", "aes192-ctr", "aes256-ctr"));
    EXPECT_THAT(sshd_algorithms("+3des-cbc", "ciphers"), SizeIs(7));
}

TEST(Settings, ThreeFormats) {
    EXPECT_EQ(parse_settings("UMASK\t 027 \n", SettingFormat::kWords, "f")[0].value, "027");
    EXPECT_EQ(parse_settings("minlen = 14\neven_deny_root\n", SettingFormat::kPairs, "f")[1].key,
              "even_deny_root");
    const auto ini = parse_settings(
        "a=0\n[Journal]\n;x\nStorage=\"auto\"\n[broken\nb=1\n", SettingFormat::kIni, "f");
    ASSERT_THAT(ini, SizeIs(3));
    EXPECT_EQ(ini[1].section, "Journal");
    EXPECT_EQ(ini[1].value, "auto");
    EXPECT_EQ(ini[1].where, "f:4");
    EXPECT_EQ(ini[2].section, "broken");
}

TEST(Accounts, BrokenNumbersAreNone) {
    const auto accounts =
        parse_passwd("root:x:0:0::/root:/bin/bash\nx:x:99999999999:-1::/:/bin/sh\nshort:x\n+\n");
    ASSERT_THAT(accounts, SizeIs(3));
    EXPECT_EQ(accounts[0].uid, 0u);
    EXPECT_FALSE(accounts[1].uid);
    EXPECT_FALSE(accounts[1].gid);
    EXPECT_EQ(accounts[2].name, "+");
    const auto shadows = parse_shadow("root:!:1:-1:99999:7:::\n");
    EXPECT_EQ(shadows[0].min, -1);
    EXPECT_EQ(shadows[0].max, 99999);
    EXPECT_FALSE(shadows[0].inactive);
    EXPECT_THAT(parse_group("wheel:x:10:a,,b\n")[0].members, ElementsAre("a", "b"));
}

TEST(Pam, ControlsInBracketsAndIncludes) {
    const auto lines = parse_pam(
        "-auth [success=1 default=ignore] /lib/security/pam_unix.so "
        "nullok # x\n@include common\nbroken\nauth [never closed\n",
        "f");
    ASSERT_THAT(lines, SizeIs(2));
    EXPECT_EQ(lines[0].type, "auth");
    EXPECT_EQ(lines[0].control, "[success=1 default=ignore]");
    EXPECT_EQ(lines[0].module, "pam_unix.so");
    EXPECT_THAT(lines[0].arguments, ElementsAre("nullok"));
    EXPECT_EQ(lines[1].module, "common");
}

TEST(Audit, WatchesFieldsAndDeletion) {
    AuditRules rules;
    rules.add(
        "-w /old -p w\n-D\n-w /etc/passwd -p wa -k id\n"
        "-a always,exit -F arch=b64 -S adjtimex,settimeofday -S mount -k t\n"
        "-A exit,never -F dir=/x -F perm=wa\n-e 2\n-b 8192\n",
        "f");
    ASSERT_THAT(rules.rules, SizeIs(3));
    EXPECT_EQ(rules.rules[0].path, "/etc/passwd");
    EXPECT_EQ(rules.rules[0].permissions, "wa");
    EXPECT_THAT(rules.rules[1].syscalls, ElementsAre("adjtimex", "settimeofday", "mount"));
    EXPECT_EQ(rules.rules[2].action, "never");
    EXPECT_EQ(rules.enabled, "2");
    EXPECT_EQ(rules.backlog, "8192");
}

TEST(Audit, KernelRulesOfAnyBytesEndInNothing) {
    EXPECT_EQ(audit_rule_text("short"), "");
    EXPECT_EQ(audit_rule_text(std::string(1040, '\xff')), "");
    EXPECT_EQ(audit_rule_text(std::string(1040, '\0')), "-a never,user");
    EXPECT_EQ(input_chain_policy(std::string("\x02\0\1\0", 4)), "");
    EXPECT_EQ(input_chain_policy(std::string(64, '\xff')), "");
}

TEST(Audit, APolicyThatDropsOnTheInputHook) {
    // NFTA_CHAIN_HOOK { NFTA_HOOK_HOOKNUM 1 }, NFTA_CHAIN_POLICY 0
    const std::string hook("\x0c\0\x04\x80\x08\0\x01\0\0\0\0\x01", 12);
    const std::string policy("\x08\0\x05\0\0\0\0\0", 8);
    EXPECT_EQ(input_chain_policy(hook + policy), "drop");
    EXPECT_EQ(input_chain_policy(hook), "accept");
    EXPECT_EQ(input_chain_policy(policy), "");
}

TEST(Sockets, ListeningOnesAndLoopback) {
    const std::string head = "  sl  local_address rem_address   st\n";
    const auto tcp = parse_sockets(head +
                                       "   0: 00000000:0016 00000000:0000 0A 0\n"
                                       "   1: 0100007F:1F90 00000000:0000 0A 0\n"
                                       "   2: 0100007F:1F91 0100007F:0016 01 0\n"
                                       "   3: zz 00000000:0000 0A\n   4: 0:99999 0 0A\n",
                                   "tcp");
    ASSERT_THAT(tcp, SizeIs(2));
    EXPECT_EQ(tcp[0].port, 22);
    EXPECT_FALSE(tcp[0].local);
    EXPECT_TRUE(tcp[1].local);
    EXPECT_TRUE(parse_sockets("0: 00000000000000000000000001000000:0016 x 0A\n", "tcp")[0].local);
}

TEST(Modprobe, NamesWithDashesAreThoseWithLines) {
    ModprobeConfig config;
    config.add("blacklist usb-storage\ninstall usb_storage /bin/false --now\ninstall x\n", "f");
    EXPECT_EQ(config.installs.at("usb_storage").value, "/bin/false --now");
    EXPECT_EQ(config.blacklisted.at("usb_storage").where, "f:1");
    EXPECT_THAT(config.installs, SizeIs(1));
}

TEST(Sudoers, ContinuedLines) {
    const auto lines = parse_sudoers(
        "Defaults use_pty, \\\n  logfile=/x\n# no\nbob ALL=(ALL) "
        "NOPASSWD: ALL\n#includedir /etc/sudoers.d\n",
        "f");
    ASSERT_THAT(lines, SizeIs(3));
    EXPECT_TRUE(lines[0].defaults);
    EXPECT_EQ(lines[0].text, "use_pty,    logfile=/x");
    EXPECT_EQ(lines[1].who, "bob");
}

TEST(Arguments, QuotesHoldBlanks) {
    EXPECT_THAT(parse_arguments("a=1 b=\"x y\" c\n"), ElementsAre("a=1", "b=x y", "c"));
    EXPECT_THAT(parse_arguments("\"never closed"), ElementsAre("never closed"));
}

TEST(Changes, ASettingIsChangedWhereItIsSaid) {
    Change change;
    change.kind = Change::Kind::kSetting;
    change.format = SettingFormat::kWords;
    change.key = "UMASK";
    change.value = "027";
    EXPECT_EQ(with_setting("# UMASK 077\nUMASK 022\nX 1\n", change),
              "# UMASK 077\nUMASK\t027\nX 1\n");
    change.format = SettingFormat::kIni;
    change.section = "Journal";
    EXPECT_EQ(with_setting("[Journal]\nA=1\n[Other]\nUMASK=1\n", change),
              "[Journal]\nA=1\nUMASK=027\n[Other]\nUMASK=1\n");
    EXPECT_EQ(with_setting("", change), "[Journal]\nUMASK=027\n");
    change.format = SettingFormat::kPairs;
    change.section = "";
    EXPECT_EQ(with_setting("A = 1\n", change), "A = 1\nUMASK = 027\n");
}

TEST(Changes, ALineTakesThePlaceOfItsKey) {
    Change change;
    change.key = "net.a";
    change.value = "net.a = 2";
    const std::string once = with_line("", change);
    EXPECT_TRUE(once.ends_with("\nnet.a = 2\n"));
    change.value = "net.a = 3";
    EXPECT_TRUE(with_line(once, change).ends_with("takes it back.\nnet.a = 3\n"));
    change.key = "net.ab";
    change.value = "net.ab = 1";
    EXPECT_TRUE(with_line(once, change).ends_with("net.a = 2\nnet.ab = 1\n"));
}

}  // namespace
}  // namespace tarn::guest::baseline
