// SPDX-License-Identifier: MIT
// Procedures about logins on machines that are right, wrong, broken and not concerned.
#include "baseline/judge_test.hh"

namespace tarn::guest::baseline {
namespace {

TEST(SshdProcedure, DefaultsFilesAndMatchBlocks) {
    const std::string rule =
        "procedure = \"sshd\"\noption = \"PasswordAuthentication\"\nexpect = \"no\"\n";
    FakeTarget target;
    EXPECT_EQ(status(target, rule), "notapplicable");
    target.file("/usr/sbin/sshd", "");
    EXPECT_EQ(status(target, rule), "error");
    target.file("/etc/ssh/sshd_config", "Include /etc/ssh/sshd_config.d/*.conf\n");
    EXPECT_EQ(status(target, rule), "fail");
    target.file("/etc/ssh/sshd_config.d/50.conf", "PasswordAuthentication no\n");
    EXPECT_EQ(status(target, rule), "pass");
    target.file("/etc/ssh/sshd_config.d/60.conf", "Match User x\nPasswordAuthentication yes\n");
    EXPECT_EQ(status(target, rule), "fail");
    target.deny("/etc/ssh/sshd_config.d/60.conf");
    EXPECT_EQ(status(target, rule), "error");
}

TEST(SshdProcedure, TimesListsAndStartups) {
    FakeTarget target;
    const auto with = [&](const std::string& config, const std::string& body) {
        target.file("/etc/ssh/sshd_config", config);
        return status(target, "procedure = \"sshd\"\n" + body);
    };
    const std::string grace = "option = \"LoginGraceTime\"\nexpect = \"1..60\"\nseconds = true\n";
    EXPECT_EQ(with("", grace), "fail");
    EXPECT_EQ(with("LoginGraceTime 1m\n", grace), "pass");
    EXPECT_EQ(with("LoginGraceTime 1m1\n", grace), "fail");
    EXPECT_EQ(with("LoginGraceTime 1x\n", grace), "fail");
    EXPECT_EQ(with("LoginGraceTime 0\n", grace), "fail");
    const std::string startups = "option = \"MaxStartups\"\nexpect = \"1:30:1..10:100:60\"\n";
    EXPECT_EQ(with("MaxStartups 10:30:60\n", startups), "pass");
    EXPECT_EQ(with("MaxStartups 10:20:60\n", startups), "fail");
    EXPECT_EQ(with("MaxStartups 10\n", startups), "pass");
    EXPECT_EQ(with("MaxStartups nonsense\n", startups), "fail");
    const std::string macs = "option = \"MACs\"\ndeny = [\"*-sha1*\", \"umac-64*\"]\n";
    EXPECT_EQ(with("", macs), "fail");
    EXPECT_EQ(with("MACs hmac-sha2-256\n", macs), "pass");
    EXPECT_EQ(with("MACs -hmac-sha1*,umac-64*\n", macs), "pass");
    EXPECT_EQ(with("MACs +hmac-sha2-256\n", macs), "fail");
}

TEST(PamProcedure, ModulesThroughIncludes) {
    const std::string nullok =
        "procedure = \"pam\"\nservices = [\"su\"]\nmodule = "
        "\"pam_unix.so\"\nforbid = \"nullok\"\n";
    const std::string wheel =
        "procedure = \"pam\"\nservices = [\"su\"]\nmodule = "
        "\"pam_wheel.so\"\ntype = \"auth\"\nrequire = \"use_uid\"\n";
    FakeTarget target;
    EXPECT_EQ(status(target, nullok), "notapplicable");
    target.file("/etc/pam.d/su", "auth include common\n");
    target.file("/usr/lib/pam.d/common", "auth required pam_unix.so\n");
    EXPECT_EQ(status(target, nullok), "pass");
    EXPECT_EQ(status(target, wheel), "fail");
    target.file("/usr/lib/pam.d/common",
                "auth required pam_unix.so nullok\n"
                "account required pam_wheel.so use_uid\n");
    EXPECT_EQ(status(target, nullok), "fail");
    EXPECT_EQ(status(target, wheel), "fail");
    target.file("/etc/pam.d/su", "auth required pam_wheel.so use_uid\nauth include su\n");
    EXPECT_EQ(status(target, wheel), "pass");
}

TEST(SudoersProcedure, DefaultsAndThoseWithoutPassword) {
    const std::string pty = "procedure = \"sudoers\"\nrequire = \"use_pty\"\n";
    const std::string asks =
        "procedure = \"sudoers\"\nforbid = \"NOPASSWD\"\nallow-locked = true\n";
    FakeTarget target;
    target.file("/etc/sudoers", "Defaults env_reset\n");
    EXPECT_EQ(status(target, pty), "fail");
    EXPECT_EQ(status(target, asks), "pass");
    target.file("/etc/sudoers.d/10", "Defaults use_pty\n");
    EXPECT_EQ(status(target, pty), "pass");
    target.file("/etc/sudoers.d/20", "Defaults:bob !use_pty\n");
    EXPECT_EQ(status(target, pty), "fail");
    target.file("/etc/sudoers.d/30", "ops ALL=(ALL) NOPASSWD: ALL\n");
    EXPECT_EQ(status(target, asks), "fail");
    target.file("/etc/shadow", "ops:!:1::::::\n");
    EXPECT_EQ(status(target, asks), "pass");
    target.file("/etc/sudoers.d/40.bak", "bob ALL=(ALL) NOPASSWD: ALL\n");
    EXPECT_EQ(status(target, asks), "pass");  // sudo passes it over
}

std::string account(const Target& target, const std::string& check, const std::string& more = "") {
    return status(target, "procedure = \"accounts\"\ncheck = \"" + check + "\"\n" + more);
}

TEST(AccountsProcedure, ARightMachine) {
    FakeTarget target;
    EXPECT_EQ(account(target, "unique"), "error");
    target.file("/etc/passwd",
                "root:x:0:0::/root:/bin/bash\nd:x:2:2::/:/sbin/nologin\n"
                "ops:x:1000:1000::/home/ops:/bin/bash\n");
    target.file("/etc/shadow", "root:!:1::::::\nd:*:1::::::\nops:$y$x:1:1:365:7:30::\n");
    target.file("/etc/group", "root:x:0:\nd:x:2:\nops:x:1000:\n");
    target.directory("/root", 0700).directory("/home/ops", 0700, 1000);
    target.directory("/home/ops/.ssh", 0700, 1000);
    target.file("/home/ops/.ssh/authorized_keys", "", 0600, 1000, 1000);
    for (const char* check : {"no-empty-password",
                              "root-locked",
                              "only-root-is-zero",
                              "unique",
                              "groups-exist",
                              "shadowed",
                              "system-shells",
                              "homes",
                              "dot-files",
                              "authorized-keys"}) {
        EXPECT_EQ(account(target, check), "pass") << check;
    }
    EXPECT_EQ(account(target, "password-ages", "field = \"max\"\nexpect = \"1..365\"\n"), "pass");
    EXPECT_EQ(account(target, "password-ages", "field = \"min\"\nexpect = \">= 7\"\n"), "fail");
    EXPECT_EQ(account(target, "nonsense"), "error");
    target.deny("/etc/shadow");
    EXPECT_EQ(account(target, "unique"), "error");
}

TEST(AccountsProcedure, AWrongOne) {
    FakeTarget target;
    target.file("/etc/passwd",
                "root:x:0:0::/root:/bin/bash\ntoor:x:0:7::/root:/bin/bash\n"
                "d:x:2:2::/:/bin/sh\nd:x:3:2::/:/sbin/nologin\n"
                "ops:x:1000:1000::/home/ops:/bin/bash\n");
    target.file("/etc/shadow", "root:$y$x:1::::::\nops::1::::::\n");
    target.file("/etc/group", "root:x:0:\n");
    target.directory("/home/ops", 0755, 1000).directory("/home/ops/.ssh", 0777, 1000);
    target.file("/home/ops/.ssh/authorized_keys", "", 0600, 1000);
    target.file("/home/ops/.netrc", "", 0600, 1000);
    for (const char* check : {"no-empty-password",
                              "root-locked",
                              "only-root-is-zero",
                              "unique",
                              "groups-exist",
                              "shadowed",
                              "system-shells",
                              "homes",
                              "dot-files",
                              "authorized-keys"}) {
        EXPECT_EQ(account(target, check), "fail") << check;
    }
    EXPECT_EQ(account(target, "password-ages", "field = \"max\"\nexpect = \"1..365\"\n"), "fail");
}

}  // namespace
}  // namespace tarn::guest::baseline
