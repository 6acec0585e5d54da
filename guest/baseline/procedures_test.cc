// SPDX-License-Identifier: MIT
// Procedures on machines that are right, wrong, broken and not concerned.
#include "baseline/detail/procedure.hh"
#include "baseline/judge_test.hh"
#include <gmock/gmock.h>

#include <algorithm>

namespace tarn::guest::baseline {
namespace {

using ::testing::HasSubstr;

// ---- sysctl

const std::string kSysctl = "procedure = \"sysctl\"\nkeys = \"net.ipv4.x\"\nexpect = \">= 1\"\n";

TEST(SysctlProcedure, NowAndAtBootMustBothBeRight) {
    FakeTarget target;
    EXPECT_EQ(status(target, kSysctl), "notapplicable");
    EXPECT_EQ(status(target, kSysctl + "required = true\n"), "fail");
    target.file("/proc/sys/net/ipv4/x", "1\n");
    EXPECT_EQ(status(target, kSysctl), "fail");  // nothing sets it at boot
    EXPECT_EQ(status(target, kSysctl + "default = \"1\"\n"), "pass");
    target.file("/etc/sysctl.d/50-a.conf", "net.ipv4.x = 2\n");
    EXPECT_EQ(status(target, kSysctl), "pass");
    target.file("/proc/sys/net/ipv4/x", "0\n");
    EXPECT_EQ(status(target, kSysctl), "fail");
    target.deny("/proc/sys/net/ipv4/x");
    EXPECT_EQ(status(target, kSysctl), "error");
}

TEST(SysctlProcedure, TheLastFileByNameWinsAndEtcHidesUsr) {
    FakeTarget target;
    target.is_live = false;
    target.file("/usr/lib/sysctl.d/90-a.conf", "net.ipv4.x = 0\n");
    target.file("/etc/sysctl.d/50-b.conf", "net.ipv4.x = 1\n");
    EXPECT_EQ(status(target, kSysctl), "fail");
    target.symlink("/etc/sysctl.d/90-a.conf", "/dev/null");
    EXPECT_EQ(status(target, kSysctl), "pass");
    target.file("/etc/sysctl.conf", "net.ipv4.x = 0\n");
    EXPECT_EQ(status(target, kSysctl), "fail");
}

TEST(SysctlProcedure, SeveralCardsAllowTheLooserValueOnALiveMachineOnly) {
    const std::string rule =
        "procedure = \"sysctl\"\nkeys = \"net.ipv4.conf.all.rp_filter\"\n"
        "expect = \"1\"\nexpect-with-more-nics = \"1 | 2\"\n";
    FakeTarget target;
    target.file("/proc/sys/net/ipv4/conf/all/rp_filter", "2\n");
    target.file("/etc/sysctl.d/a.conf", "net.ipv4.conf.all.rp_filter=2\n");
    target.directory("/sys/class/net/eth0/device").directory("/sys/class/net/lo");
    EXPECT_EQ(status(target, rule), "fail");
    target.directory("/sys/class/net/eth1/device");
    EXPECT_EQ(status(target, rule), "pass");
    target.is_live = false;
    EXPECT_EQ(status(target, rule), "fail");
}

TEST(SysctlProcedure, RuntimeOnlyIsNotCheckedInATree) {
    FakeTarget target;
    target.is_live = false;
    EXPECT_EQ(status(target, kSysctl + "runtime-only = true\n"), "notchecked");
}

// ---- module, kernel, secure-boot, text

TEST(ModuleProcedure, BlockedLoadedOrNotThere) {
    const std::string rule = "procedure = \"module\"\nmodules = \"usb-storage\"\n";
    FakeTarget target;
    EXPECT_EQ(status(target, rule), "fail");
    target.file("/usr/lib/modprobe.d/a.conf", "install usb-storage /bin/false\n");
    EXPECT_EQ(status(target, rule), "fail");
    target.file("/etc/modprobe.d/b.conf", "blacklist usb_storage\n");
    EXPECT_EQ(status(target, rule), "pass");
    target.file("/sys/module/usb_storage/initstate", "live\n");
    EXPECT_EQ(status(target, rule), "fail");
}

TEST(KernelProcedure, ConfigurationArgumentsAndLockdown) {
    FakeTarget target;
    const std::string any = "procedure = \"kernel\"\nany = [\"CONFIG_A=y\", \"arg:a=1\"]\n";
    EXPECT_EQ(status(target, any), "error");  // a live machine that does not tell
    target.is_live = false;
    EXPECT_EQ(status(target, any), "notchecked");
    target.file("/usr/lib/modules/6.1/config", "CONFIG_A=m\n# CONFIG_B is not set\n");
    EXPECT_EQ(status(target, any), "fail");
    target.arguments = "quiet a=1 n=5 n=9000";
    EXPECT_EQ(status(target, any), "pass");
    EXPECT_EQ(status(target,
                     "procedure = \"kernel\"\nall = [\"CONFIG_A=y|m\", "
                     "\"CONFIG_B!=y\", \"CONFIG_C=n\", \"arg:n>=8192\"]\n"),
              "pass");
    EXPECT_EQ(status(target, "procedure = \"kernel\"\nall = \"CONFIG_A!=m\"\n"), "fail");
    EXPECT_EQ(status(target, "procedure = \"kernel\"\nnone = \"arg:quiet\"\n"), "fail");
    EXPECT_EQ(status(target, "procedure = \"kernel\"\nnone = \"arg:selinux=0\"\n"), "pass");
    target.file("/boot/loader/entries/a.conf", "title x\noptions root=/dev/x selinux=0\n");
    EXPECT_EQ(status(target, "procedure = \"kernel\"\nnone = \"arg:selinux=0\"\n"), "fail");
    EXPECT_EQ(status(target, "procedure = \"kernel\"\nall = \"lockdown:integrity\"\n"),
              "notchecked");
    target.is_live = true;
    EXPECT_EQ(status(target, "procedure = \"kernel\"\nall = \"lockdown:integrity\"\n"), "fail");
    target.file("/sys/kernel/security/lockdown", "none integrity [confidentiality]\n");
    EXPECT_EQ(status(target, "procedure = \"kernel\"\nall = \"lockdown:integrity\"\n"), "pass");
    EXPECT_EQ(status(target, "procedure = \"kernel\"\nall = \"parameter:m.p=Y\"\n"), "fail");
    EXPECT_EQ(status(target, "procedure = \"kernel\"\nall = \"nonsense\"\n"), "error");
}

TEST(SecureBootProcedure, TheFifthByteCounts) {
    const std::string rule = "procedure = \"secure-boot\"\n";
    const std::string base = "/sys/firmware/efi/efivars/";
    const std::string guid = "-8be4df61-93ca-11d2-aa0d-00e098032b8c";
    FakeTarget target;
    EXPECT_EQ(status(target, rule), "fail");
    target.file(base + "SecureBoot" + guid, std::string("\6\0\0\0\1", 5));
    target.file(base + "SetupMode" + guid, std::string("\6\0\0\0\0", 5));
    EXPECT_EQ(status(target, rule), "pass");
    target.file(base + "SetupMode" + guid, std::string("\6\0\0\0\1", 5));
    EXPECT_EQ(status(target, rule), "fail");
    target.file(base + "SetupMode" + guid, "\6");
    EXPECT_EQ(status(target, rule), "error");
    target.is_live = false;
    EXPECT_EQ(status(target, rule), "notchecked");
}

TEST(TextProcedure, ValuesWordsBitsAndAbsence) {
    FakeTarget target;
    const std::string rule = "procedure = \"text\"\npaths = \"/sys/x\"\n";
    EXPECT_EQ(status(target, rule + "expect = 1\n"), "notapplicable");
    EXPECT_EQ(status(target, rule + "expect = 1\nabsent = \"fail\"\n"), "fail");
    EXPECT_EQ(status(target, rule + "expect = 1\nabsent = \"pass\"\n"), "pass");
    target.file("/sys/x", "1\n");
    EXPECT_EQ(status(target, rule + "expect = 1\n"), "pass");
    EXPECT_EQ(status(target, rule + "mask = \"6\"\n"), "pass");
    target.file("/sys/x", "4\n");
    EXPECT_EQ(status(target, rule + "mask = \"6\"\n"), "fail");
    target.file("/sys/x", "word\n");
    EXPECT_EQ(status(target, rule + "mask = \"6\"\n"), "error");
    EXPECT_EQ(status(target, rule + "contains = \"wo\"\nlacks = \"x\"\n"), "pass");
    EXPECT_EQ(status(target, rule + "contains = \"wo\"\nlacks = \"rd\"\n"), "fail");
    target.file("/sys/x", "a [b] c\n");
    EXPECT_EQ(status(target, rule + "expect = \"b\"\nselected = true\n"), "pass");
    target.deny("/sys/x");
    EXPECT_EQ(status(target, rule + "expect = 1\n"), "error");
    target.is_live = false;
    EXPECT_EQ(status(target, rule + "expect = 1\n"), "notchecked");
}

// ---- mount, file, walk, setting

TEST(MountProcedure, NowAndAtBoot) {
    const std::string rule =
        "procedure = \"mount\"\npath = \"/tmp\"\noptions = [\"nodev\", \"nosuid\"]\n";
    FakeTarget target;
    EXPECT_EQ(status(target, rule), "error");  // no mountinfo
    target.file("/proc/self/mountinfo", "1 1 0:1 / / rw - ext4 x rw\n");
    EXPECT_EQ(status(target, rule), "notapplicable");
    EXPECT_EQ(status(target, rule + "separate = \"required\"\n"), "fail");
    target.file("/proc/self/mountinfo",
                "1 1 0:1 / / rw - ext4 x rw\n2 1 0:2 / /tmp rw,nodev,nosuid - tmpfs tmpfs rw\n");
    EXPECT_EQ(status(target, rule), "pass");
    target.file("/etc/fstab", "tmpfs /tmp tmpfs nodev 0 0\n");
    EXPECT_EQ(status(target, rule), "fail");
    target.is_live = false;
    EXPECT_EQ(status(target, rule), "fail");
}

TEST(MountProcedure, AUnitAndItsDropInsInATree) {
    const std::string rule =
        "procedure = \"mount\"\npath = \"/tmp\"\nseparate = \"required\"\n"
        "options = [\"nodev\", \"noexec\"]\n";
    FakeTarget target;
    target.is_live = false;
    target.file("/usr/lib/systemd/system/tmp.mount", "[Mount]\nOptions=nodev\n");
    EXPECT_EQ(status(target, rule), "fail");  // nothing wants it
    target.symlink("/usr/lib/systemd/system/local-fs.target.wants/tmp.mount", "../tmp.mount");
    EXPECT_EQ(status(target, rule), "fail");
    target.file("/usr/lib/systemd/system/tmp.mount.d/50-x.conf", "[Mount]\nOptions=nodev,noexec\n");
    EXPECT_EQ(status(target, rule), "pass");
    target.symlink("/etc/systemd/system/tmp.mount", "/dev/null");
    EXPECT_EQ(status(target, rule), "fail");
}

TEST(FileProcedure, ModesOwnersAndPatterns) {
    const std::string rule =
        "procedure = \"file\"\npaths = \"/etc/x*\"\nmode = \"0640\"\n"
        "groups = [\"root\", \"shadow\"]\n";
    FakeTarget target;
    target.file("/etc/group", "shadow:x:42:\n");
    EXPECT_EQ(status(target, rule), "notapplicable");
    EXPECT_EQ(status(target, rule + "absent = \"fail\"\n"), "fail");
    target.file("/etc/x1", "", 0640, 0, 42);
    EXPECT_EQ(status(target, rule), "pass");
    target.file("/etc/x2", "", 0644);
    EXPECT_EQ(status(target, rule), "fail");
    target.file("/etc/x2", "", 0600, 7);
    EXPECT_EQ(status(target, rule), "fail");
    target.file("/etc/x2", "", 0600, 0, 9);
    EXPECT_EQ(status(target, rule), "fail");
    EXPECT_EQ(status(target, rule + "except = \"/etc/x2\"\n"), "pass");
    target.file("/etc/x2", "", 04600);
    EXPECT_EQ(status(target, rule), "fail");
}

TEST(WalkProcedure, StickyOwnersAndPrivileges) {
    FakeTarget target;
    const auto walk = [&](const std::string& check) {
        return status(
            target,
            "procedure = \"walk\"\ncheck = \"" + check + "\"\nallow = \"/usr/bin/{su,sudo}\"\n");
    };
    target.file("/etc/passwd", "root:x:0:0::/root:/bin/bash\n");
    target.file("/etc/group", "root:x:0:\n");
    target.directory("/tmp", 01777).file("/usr/bin/su", "", 04755);
    for (const char* check : {"sticky", "unowned", "privileged", "world-writable"}) {
        EXPECT_EQ(walk(check), "pass") << check;
    }
    target.file("/var/lib/private/x", "", 0600, 61184);
    EXPECT_EQ(walk("unowned"), "pass");
    target.directory("/open", 0777).file("/f", "", 0666, 99).file("/usr/bin/x", "", 02755);
    for (const char* check : {"sticky", "unowned", "privileged", "world-writable"}) {
        EXPECT_EQ(walk(check), "fail") << check;
    }
    EXPECT_EQ(walk("nonsense"), "error");
}

TEST(SettingProcedure, DropInsDefaultsAndAlternatives) {
    const std::string rule =
        "procedure = \"setting\"\nformat = \"ini\"\nin = \"J\"\nfiles = [\"/etc/j.conf\", "
        "\"/usr/lib/j.conf\"]\ndrop-ins = [\"/etc/j.d\", \"/usr/lib/j.d\"]\nkey = \"S\"\n"
        "expect = \"persistent\"\n";
    FakeTarget target;
    EXPECT_EQ(status(target, rule), "fail");
    EXPECT_EQ(status(target, rule + "default = \"persistent\"\n"), "pass");
    target.file("/usr/lib/j.conf", "[J]\nS=persistent\n");
    EXPECT_EQ(status(target, rule), "pass");
    target.file("/etc/j.conf", "[Other]\nS=persistent\n");
    EXPECT_EQ(status(target, rule), "fail");
    target.file("/usr/lib/j.d/50.conf", "[J]\nS=persistent\n");
    EXPECT_EQ(status(target, rule), "pass");
    target.file("/etc/j.d/60.conf", "[J]\nS=volatile\n");
    EXPECT_EQ(status(target, rule), "fail");
    target.deny("/etc/j.d/60.conf");
    EXPECT_EQ(status(target, rule), "error");
    const std::string flag =
        "procedure = \"setting\"\nfiles = \"/f\"\nkey = \"k\"\n"
        "flag = true\nexpect = \"yes\"\nor-all = [\"a <= -1\", \"b 1\"]\n";
    target.file("/f", "k\n");
    EXPECT_EQ(status(target, flag), "pass");
    target.file("/f", "a = -1\nb = 1\n");
    EXPECT_EQ(status(target, flag), "pass");
    target.file("/f", "a = -1\n");
    EXPECT_EQ(status(target, flag), "fail");
}

// ---- unit, audit, firewall, sockets, processes

TEST(UnitProcedure, EnabledByLinksMaskedMissing) {
    const std::string off = "procedure = \"unit\"\noff = \"cups.service\"\n";
    const std::string any =
        "procedure = \"unit\"\nany = [\"a.service\", \"b.service\"]\nrunning = true\n";
    FakeTarget target;
    EXPECT_EQ(status(target, off), "pass");
    EXPECT_EQ(status(target, any), "fail");
    target.symlink("/etc/systemd/system/x.target.wants/cups.service", "/usr/lib/x");
    EXPECT_EQ(status(target, off), "pass");  // a link to what is not installed
    target.file("/usr/lib/systemd/system/cups.service", "");
    EXPECT_EQ(status(target, off), "fail");
    target.symlink("/etc/systemd/system/cups.service", "/dev/null");
    EXPECT_EQ(status(target, off), "pass");
    target.directory("/sys/fs/cgroup/system.slice/cups.service");
    EXPECT_EQ(status(target, off), "fail");
    target.file("/usr/lib/systemd/system/b.service", "");
    target.symlink("/etc/systemd/system/y.service.requires/b.service", "/x");
    EXPECT_EQ(status(target, any), "fail");  // enabled, and does not run
    target.directory("/sys/fs/cgroup/system.slice/b.service");
    EXPECT_EQ(status(target, any), "pass");
    target.is_live = false;
    EXPECT_EQ(status(target, any), "pass");
}

TEST(AuditProcedures, OnDiskAndInTheKernel) {
    const std::string rule =
        "procedure = \"audit-rules\"\nwatch = [\"/etc/passwd\"]\n"
        "syscalls = [\"adjtimex\"]\n";
    FakeTarget target;
    target.is_live = false;
    EXPECT_EQ(status(target, rule), "fail");
    target.file("/etc/audit/rules.d/a.rules",
                "-w /etc -p wa\n-a always,exit -F arch=b64 -S adjtimex\n");
    EXPECT_EQ(status(target, rule), "pass");
    target.is_live = true;
    EXPECT_EQ(status(target, rule), "fail");
    target.audit_state.rules =
        "-a always,exit -S all -F dir=/etc -F perm=wa\n-a always,exit -S adjtimex -F arch=b64\n";
    EXPECT_EQ(status(target, rule), "pass");
    target.audit_state.rules += "-a never,task\n";
    EXPECT_EQ(status(target, rule), "fail");
    target.has_audit = false;
    EXPECT_EQ(status(target, rule), "error");
}

TEST(AuditProcedures, State) {
    const std::string rule = "procedure = \"audit-state\"\nfield = \"enabled\"\nexpect = \"2\"\n";
    FakeTarget target;
    EXPECT_EQ(status(target, rule), "fail");
    target.audit_state.enabled = 2;
    EXPECT_EQ(status(target, rule), "pass");
    target.has_audit = false;
    EXPECT_EQ(status(target, rule), "error");
    target.is_live = false;
    EXPECT_EQ(status(target, rule), "notchecked");
    target.file("/etc/audit/rules.d/z.rules", "-e 2\n");
    EXPECT_EQ(status(target, rule), "pass");
}

TEST(FirewallProcedure, APolicyThatDrops) {
    const std::string rule = "procedure = \"firewall\"\n";
    FakeTarget target;
    EXPECT_EQ(status(target, rule), "fail");
    target.policies = {"accept", "drop"};
    EXPECT_EQ(status(target, rule), "pass");
    target.is_live = false;
    EXPECT_EQ(status(target, rule), "fail");
    target.file("/usr/lib/systemd/system/nftables.service", "");
    target.symlink("/etc/systemd/system/x.wants/nftables.service", "/x");
    EXPECT_EQ(status(target, rule), "notchecked");
}

TEST(SocketsProcedure, OnlyWhatIsAllowed) {
    const std::string rule = "procedure = \"sockets\"\nallow = [\"22/tcp\"]\n";
    FakeTarget target;
    EXPECT_EQ(status(target, rule), "pass");
    target.file("/proc/net/tcp", "0: 00000000:0016 0 0A\n1: 0100007F:1F90 0 0A\n");
    EXPECT_EQ(status(target, rule), "pass");
    target.file("/proc/net/udp6", "0: 00000000000000000000000000000000:0035 0 07\n");
    EXPECT_EQ(status(target, rule), "fail");
    target.deny("/proc/net/tcp6");
    EXPECT_EQ(status(target, rule), "error");
    target.is_live = false;
    EXPECT_EQ(status(target, rule), "notchecked");
}

TEST(ProcessesProcedure, Contexts) {
    const std::string rule = "procedure = \"processes\"\ntypes = \"unconfined_service_t\"\n";
    FakeTarget target;
    EXPECT_EQ(status(target, rule), "notapplicable");
    target.file("/proc/1/attr/current", "system_u:system_r:init_t:s0\n");
    EXPECT_EQ(status(target, rule), "pass");
    target.file("/proc/7/attr/current", "system_u:system_r:unconfined_service_t:s0\n");
    target.file("/proc/7/comm", "bad\n");
    EXPECT_EQ(status(target, rule), "fail");
    EXPECT_THAT(judge(target, rule).finding().reason, HasSubstr("bad runs as"));
}

TEST(ToldProcedures, NeverFail) {
    FakeTarget target;
    target.file("/proc/net/netstat", "TcpExt: A ListenDrops\nTcpExt: 1 2\n");
    target.file("/etc/cron.d/x", "");
    EXPECT_EQ(status(target, "procedure = \"counters\"\nnames = \"ListenDrops\"\n"),
              "informational");
    EXPECT_EQ(status(target, "procedure = \"jobs\"\n"), "informational");
    EXPECT_EQ(status(target, "procedure = \"jobs\"\nknown = \"x\"\n"), "pass");
    EXPECT_EQ(status(target, "procedure = \"clock\"\ninformational = true\n"), "informational");
    target.is_live = false;
    EXPECT_EQ(status(target, "procedure = \"clock\"\n"), "notchecked");
    EXPECT_EQ(status(target, "procedure = \"counters\"\nnames = \"ListenDrops\"\n"), "notchecked");
}

// ---- packages, repositories, claims

TEST(PackageProcedures, ProgramsAndTheListOfATree) {
    const std::string absent =
        "procedure = \"package\"\nabsent = \"telnet\"\nprograms = \"/usr/bin/telnet\"\n";
    FakeTarget target;
    EXPECT_EQ(status(target, absent), "pass");
    target.package_list = {{"telnet", "1", "x86_64", "key"}};
    EXPECT_EQ(status(target, absent), "pass");  // rpm is not run for this on a live machine
    target.is_live = false;
    EXPECT_EQ(status(target, absent), "fail");
    target.package_list.clear();
    target.file("/usr/bin/telnet", "");
    EXPECT_EQ(status(target, absent), "fail");
    EXPECT_EQ(status(target, "procedure = \"package\"\npresent = \"aide\"\n"), "fail");
    EXPECT_EQ(status(target,
                     "procedure = \"package\"\npresent = \"t\"\nprograms = \"/usr/bin/telnet\"\n"),
              "pass");
    const std::string signatures = "procedure = \"signatures\"\n";
    EXPECT_EQ(status(target, signatures), "notchecked");
    target.is_live = true;
    EXPECT_EQ(status(target, signatures), "pass");
    target.package_list = {{"a", "1", "x", "RSA/SHA256"}, {"gpg-pubkey", "1", "x", ""}};
    EXPECT_EQ(status(target, signatures), "pass");
    target.package_list.push_back({"b", "1", "x", ""});
    EXPECT_EQ(status(target, signatures), "fail");
    target.has_packages = false;
    EXPECT_EQ(status(target, signatures), "notapplicable");
}

TEST(PackageProcedures, VerifyTellsOfProgramsNotOfConfiguration) {
    const std::string rule = "procedure = \"verify\"\npackages = \"bash\"\n";
    FakeTarget target;
    EXPECT_EQ(status(target, rule), "pass");
    target.verify_output = "S.5....T.  c /etc/x\nnot a line of it\n";
    EXPECT_EQ(status(target, rule), "pass");
    target.verify_output += "S.5....T.    /usr/bin/bash\n";
    EXPECT_EQ(status(target, rule), "fail");
    target.verify_output = "missing     /usr/bin/bash\n";
    EXPECT_EQ(status(target, rule), "fail");
    target.is_live = false;
    EXPECT_EQ(status(target, rule), "notchecked");
}

TEST(RepositoriesProcedure, EveryEnabledOne) {
    const std::string rule =
        "procedure = \"repositories\"\nkey = \"gpgcheck\"\nexpect = \"1 | true\"\n";
    FakeTarget target;
    EXPECT_EQ(status(target, rule), "notapplicable");
    target.file("/etc/yum.repos.d/a.repo",
                "[a]\nbaseurl=https://x\n[off]\nenabled=0\ngpgcheck=0\n");
    EXPECT_EQ(status(target, rule), "fail");
    target.file("/etc/dnf/dnf.conf", "[main]\ngpgcheck=True\n");
    EXPECT_EQ(status(target, rule), "pass");
    target.file("/etc/yum.repos.d/b.repo", "[b]\nbaseurl=http://x\ngpgcheck=0\n");
    EXPECT_EQ(status(target, rule), "fail");
    EXPECT_EQ(status(target, "procedure = \"repositories\"\nkey = \"url\"\nexpect = \"https\"\n"),
              "fail");
    target.deny("/etc/yum.repos.d/c.repo");
    EXPECT_EQ(status(target, rule), "error");
}

TEST(ClaimsProcedure, WhatThePlatformSays) {
    const std::string rule =
        "procedure = \"claims\"\nclaims = [\"secure-boot\", \"tpm\", \"password-login\"]\n";
    FakeTarget target;
    EXPECT_EQ(status(target, rule), "notapplicable");
    target.platform_document = "nonsense";
    EXPECT_EQ(status(target, rule), "error");
    target.platform_document =
        R"({"parameters":{"value":{"securityProfile":{"secureBootEnabled":"false",)"
        R"("virtualTpmEnabled":"true"},"osProfile":{"disablePasswordAuthentication":"true"}}}})";
    EXPECT_EQ(status(target, rule), "fail");
    target.directory("/sys/class/tpm/tpm0");
    EXPECT_EQ(status(target, rule), "pass");
    target.file("/etc/ssh/sshd_config", "PasswordAuthentication no\n");
    EXPECT_EQ(status(target, rule), "fail");  // keyboard-interactive is left
    target.file("/etc/ssh/sshd_config",
                "PasswordAuthentication no\nKbdInteractiveAuthentication no\n");
    EXPECT_EQ(status(target, rule), "pass");
    target.is_live = false;
    EXPECT_EQ(status(target, rule), "notchecked");
}

// ---- the engine

TEST(Engine, RolesNeedsSlowAndInformational) {
    FakeTarget target;
    const std::string rule = "procedure = \"unit\"\nany = \"x.service\"\n";
    EXPECT_EQ(status(target, rule + "only-roles = \"fips\"\n"), "notapplicable");
    EXPECT_EQ(status(target, rule + "needs = \"/usr/bin/x\"\n"), "notapplicable");
    EXPECT_EQ(status(target, rule + "informational = true\n"), "informational");
    AuditOptions options;
    options.roles = {"fips"};
    options.slow = false;
    EXPECT_EQ(judge(target, rule + "only-roles = \"fips\"\n", options).status(), "fail");
    EXPECT_EQ(judge(target, rule + "unless-roles = \"fips\"\n", options).status(), "notapplicable");
    EXPECT_EQ(judge(target, rule + "slow = true\n", options).status(), "notchecked");
}

TEST(Engine, AnExceptionAllowsUntilItsDay) {
    FakeTarget target;
    AuditOptions options;
    options.today = "2026-11-21";
    options.exceptions = {{"r", "why", "who", "2026-11-21", "x:1"}};
    const std::string rule = "procedure = \"unit\"\nany = \"x.service\"\n";
    Judged judged = judge(target, rule, options);
    EXPECT_EQ(judged.status(), "fail");
    EXPECT_TRUE(judged.report.compliant());
    EXPECT_EQ(judged.report.score(), 0u);
    options.today = "2026-11-22";
    EXPECT_FALSE(judge(target, rule, options).report.compliant());
}

TEST(Engine, EveryProcedureIsUsedByAShippedRuleAndHoldsOnAnEmptyMachine) {
    auto rules = load_rules(std::string(TARN_SOURCE_DIR) + "/guest/baseline/rules");
    ASSERT_TRUE(rules);
    for (const Procedure& procedure : procedures()) {
        EXPECT_TRUE(std::ranges::any_of(*rules, [&](const Rule& rule) {
            return rule.procedure == procedure.name;
        })) << procedure.name;
    }
    FakeTarget target;
    for (const bool live : {true, false}) {
        target.is_live = live;
        const Report report = audit(target, *rules, {});
        EXPECT_EQ(report.findings.size(), rules->size());
        EXPECT_FALSE(report.compliant());
    }
}

}  // namespace
}  // namespace tarn::guest::baseline
