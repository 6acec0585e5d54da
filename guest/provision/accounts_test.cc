// SPDX-License-Identifier: MIT
#include "provision/accounts.hh"

#include "provision/fake_root.hh"
#include "provision/keys.hh"
#include "provision/passwd.hh"
#include "provision/password.hh"
#include "provision/sudo.hh"
#include <crypt.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

namespace tarn::guest {
namespace {

Account account(const std::string& name) {
    Account result;
    result.name = name;
    return result;
}

std::string make(FakeRoot& root, const Account& wish) {
    const auto done = make_account(root.machine(), root.tools(), wish);
    return done ? "" : done.error().message;
}

std::string password_of(const FakeRoot& root, const std::string& name) {
    const std::string line = root.line("/etc/shadow", name);
    return line.substr(0, line.find(':'));
}

TEST(Accounts, AreMadeWhole) {
    FakeRoot root;
    root.put("/etc/subuid", "old:100000:65536\n");
    root.put("/etc/subgid", "");
    Account ops = account("ops");
    ops.gecos = "The Administrator";
    ops.groups = {"wheel", "build"};
    ops.keys = {kKey};
    ASSERT_EQ(make(root, ops), "");
    EXPECT_EQ(root.line("/etc/passwd", "ops"), "x:1000:1000:The Administrator:/home/ops:/bin/bash");
    EXPECT_EQ(root.line("/etc/group", "ops"), "x:1000:");
    EXPECT_EQ(root.line("/etc/group", "wheel"), "x:10:ops");
    EXPECT_EQ(root.line("/etc/group", "build"), "x:1001:ops");
    EXPECT_EQ(root.line("/etc/gshadow", "wheel"), "*::ops");
    EXPECT_EQ(root.line("/etc/gshadow", "ops"), "!::");
    EXPECT_EQ(root.line("/etc/subuid", "ops"), "165536:65536");
    EXPECT_EQ(root.line("/etc/subgid", "ops"), "100000:65536");
    EXPECT_TRUE(root.line("/etc/shadow", "ops").starts_with("!:")) << "locked without a password";
    EXPECT_EQ(root.mode("/etc/shadow"), 0U) << "as it was";
    EXPECT_EQ(root.mode("/home/ops"), 0700U);
    EXPECT_EQ(root.text("/home/ops/.bashrc"), "# bashrc\n");
    EXPECT_EQ(root.mode("/home/ops/.ssh"), 0700U);
    EXPECT_EQ(root.mode("/home/ops/.ssh/authorized_keys"), 0600U);
    EXPECT_EQ(root.text("/home/ops/.ssh/authorized_keys"), std::string(kKey) + "\n");
    if (::geteuid() == 0) {
        for (const char* path : {"/home/ops",
                                 "/home/ops/.bashrc",
                                 "/home/ops/.ssh",
                                 "/home/ops/.ssh/authorized_keys"}) {
            EXPECT_EQ(root.uid(path), 1000U) << path;
        }
    }
}

TEST(Accounts, AgainIsTheSame) {
    FakeRoot root;
    Account ops = account("ops");
    ops.groups = {"wheel"};
    ops.keys = {kKey};
    ASSERT_EQ(make(root, ops), "");
    const char* files[] = {"/etc/passwd",
                           "/etc/shadow",
                           "/etc/group",
                           "/etc/gshadow",
                           "/home/ops/.ssh/authorized_keys"};
    std::vector<std::string> before;
    for (const char* file : files) {
        before.push_back(root.text(file));
    }
    ASSERT_EQ(make(root, ops), "");
    for (std::size_t i = 0; i < before.size(); ++i) {
        EXPECT_EQ(root.text(files[i]), before[i]) << files[i];
    }
}

TEST(Accounts, ThatExistAreAmended) {
    FakeRoot root;
    root.put("/etc/passwd", root.text("/etc/passwd") + "dev:x:1500:100:Dev:/home/d:/bin/sh\n");
    root.put("/etc/shadow", root.text("/etc/shadow") + "dev:$6$old$hash:19000:1:2:3:4::\n", 0);
    root.put("/home/d/.profile", "");
    Account dev = account("dev");
    dev.shell = "/bin/zsh";
    dev.groups = {"adm"};
    dev.keys = {kKey};
    dev.first_password = Secret(std::string("only for a new one"));
    dev.lock_password = false;
    ASSERT_EQ(make(root, dev), "");
    EXPECT_EQ(root.line("/etc/passwd", "dev"), "x:1500:100:Dev:/home/d:/bin/sh");
    EXPECT_EQ(root.line("/etc/shadow", "dev"), "$6$old$hash:19000:1:2:3:4::");
    EXPECT_EQ(root.line("/etc/group", "adm"), "x:4:dev");
    EXPECT_EQ(root.text("/home/d/.ssh/authorized_keys"), std::string(kKey) + "\n");
    dev.lock_password = true;
    ASSERT_EQ(make(root, dev), "");
    EXPECT_EQ(password_of(root, "dev"), "!$6$old$hash");
}

TEST(Accounts, PasswordsAreHashedOrTaken) {
    FakeRoot root;
    Account ops = account("ops");
    ops.password = Secret(std::string("s3cret"));
    ops.lock_password = false;
    ASSERT_EQ(make(root, ops), "");
    const std::string hash = password_of(root, "ops");
    EXPECT_TRUE(hash.starts_with("$y$")) << hash;
    EXPECT_EQ(::crypt("s3cret", hash.c_str()), hash);
    EXPECT_FALSE(contains(root.text("/etc/passwd") + root.text("/etc/shadow"), "s3cret"));
    Account dev = account("dev");
    dev.password = Secret("$6$saltsalt$" + std::string(86, 'x'));
    dev.lock_password = false;
    ASSERT_EQ(make(root, dev), "");
    EXPECT_EQ(password_of(root, "dev"), "$6$saltsalt$" + std::string(86, 'x'));
}

TEST(Accounts, NoPasswordIsNeverAnEmptyOne) {
    FakeRoot root;
    Account ops = account("ops");
    ops.lock_password = false;
    ASSERT_EQ(make(root, ops), "");
    EXPECT_EQ(password_of(root, "ops"), "!");
    // Nor one that was there, open to all.
    root.put("/etc/shadow", root.text("/etc/shadow") + "dev::::::::\n", 0);
    root.put("/etc/passwd", root.text("/etc/passwd") + "dev:x:1500:100::/home/d:/bin/sh\n");
    Account dev = account("dev");
    dev.lock_password = false;
    ASSERT_EQ(make(root, dev), "");
    EXPECT_EQ(password_of(root, "dev"), "!");
}

TEST(Accounts, HostileNamesAreRefused) {
    FakeRoot root;
    const std::string passwd = root.text("/etc/passwd");
    for (const std::string name : {"../../etc",
                                   "",
                                   "-x",
                                   "a:0:0",
                                   "a\nroot2:x:0:0",
                                   ".",
                                   "123",
                                   std::string(256, 'a').c_str()}) {
        Account hostile = account(name);
        hostile.administrator = true;
        EXPECT_NE(make(root, hostile), "") << name;
    }
    for (const char* name : {"root", "daemon"}) {
        Account hostile = account(name);
        hostile.administrator = true;
        hostile.keys = {kKey};
        EXPECT_NE(make(root, hostile), "") << name;
    }
    Account hostile = account("ops");
    hostile.gecos = "x:0:0\nroot2";
    EXPECT_NE(make(root, hostile), "");
    hostile = account("ops");
    hostile.groups = {"a:b"};
    EXPECT_NE(make(root, hostile), "");
    hostile = account("ops");
    hostile.home = "/home/../etc";
    EXPECT_NE(make(root, hostile), "");
    hostile = account("ops");
    hostile.uid = 2;
    EXPECT_NE(make(root, hostile), "");
    EXPECT_EQ(root.text("/etc/passwd"), passwd);
    EXPECT_FALSE(path_exists(root.path("/home/ops")));
    EXPECT_FALSE(path_exists(root.path("/root/.ssh")));
}

TEST(Accounts, IdsComeFromLoginDefs) {
    FakeRoot root;
    root.put("/etc/login.defs",
             "UID_MIN 2000\nUID_MAX 2001\nGID_MIN 2000\nGID_MAX 2002\n"
             "SYS_UID_MIN 300\nSYS_UID_MAX 301\nSYS_GID_MIN 300\nSYS_GID_MAX 301\n");
    ASSERT_EQ(make(root, account("a")), "");
    ASSERT_EQ(make(root, account("b")), "");
    EXPECT_TRUE(contains(make(root, account("c")), "no free user id between 2000 and 2001"));
    EXPECT_TRUE(root.line("/etc/passwd", "a").starts_with("x:2000:2000:"));
    EXPECT_TRUE(root.line("/etc/passwd", "b").starts_with("x:2001:2001:"));
    Account system = account("svc");
    system.system = true;
    ASSERT_EQ(make(root, system), "");
    EXPECT_TRUE(root.line("/etc/passwd", "svc").starts_with("x:301:301:"));
    EXPECT_FALSE(path_exists(root.path("/home/svc")));
}

TEST(Accounts, ThePrimaryGroupIsTheOneAskedFor) {
    FakeRoot root;
    Account dev = account("dev");
    dev.primary_group = "adm";
    ASSERT_EQ(make(root, dev), "");
    EXPECT_TRUE(root.line("/etc/passwd", "dev").starts_with("x:1000:4:"));
    Account other = account("other");
    other.own_group = false;
    ASSERT_EQ(make(root, other), "");
    EXPECT_TRUE(root.line("/etc/passwd", "other").starts_with("x:1001:100:"));
    Account strict = account("strict");
    strict.groups = {"nothere"};
    strict.make_groups = false;
    EXPECT_TRUE(contains(make(root, strict), "there is no group `nothere`"));
}

TEST(Accounts, LinesThatAreNotUnderstoodStay) {
    FakeRoot root;
    const std::string odd = "# comment\n+nis\n\nbroken\nx:y\n";
    root.put("/etc/passwd", odd + root.text("/etc/passwd"));
    ASSERT_EQ(make(root, account("ops")), "");
    EXPECT_TRUE(root.text("/etc/passwd").starts_with(odd));
}

TEST(Accounts, ALinkInAHomeIsNotFollowed) {
    FakeRoot root;
    root.put("/etc/passwd", root.text("/etc/passwd") + "dev:x:1500:100::/home/dev:/bin/sh\n");
    root.put("/etc/target/.keep", "");
    for (const char* link : {"/home/dev/.ssh", "/home/dev"}) {
        static_cast<void>(remove_tree(root.path("/home/dev")));
        ASSERT_TRUE(make_directories(parent_path(root.path(link))).has_value());
        ASSERT_TRUE(make_symlink("/etc/target", root.path(link)).has_value());
        Account dev = account("dev");
        dev.keys = {kKey};
        EXPECT_NE(make(root, dev), "") << link;
        EXPECT_EQ(list_directory(root.path("/etc/target"))->size(), 1U);
    }
    static_cast<void>(remove_tree(root.path("/home/dev")));
    root.put("/etc/secret", "secret\n", 0600);
    root.put("/home/dev/.ssh/x", "");
    ASSERT_TRUE(
        make_symlink("/etc/secret", root.path("/home/dev/.ssh/authorized_keys")).has_value());
    Account dev = account("dev");
    dev.keys = {kKey};
    EXPECT_NE(make(root, dev), "");
    EXPECT_EQ(root.text("/etc/secret"), "secret\n");
}

TEST(Accounts, AHardLinkIntoTheSystemIsNotRead) {
    FakeRoot root;
    root.put("/etc/passwd", root.text("/etc/passwd") + "dev:x:1500:100::/home/dev:/bin/sh\n");
    root.put("/home/dev/.ssh/x", "");
    root.put("/etc/secret", "secret\n", 0600);
    ASSERT_EQ(::link(root.path("/etc/secret").c_str(),
                     root.path("/home/dev/.ssh/authorized_keys").c_str()),
              0);
    Account dev = account("dev");
    dev.keys = {kKey};
    EXPECT_NE(make(root, dev), "");
}

TEST(Accounts, ADirectoryOfTheSystemStaysTheSystems) {
    FakeRoot root;
    root.put("/srv/app/data", "x");
    const unsigned before = root.mode("/srv/app");
    Account app = account("app");
    app.home = "/srv/app";
    ASSERT_EQ(make(root, app), "");
    EXPECT_EQ(root.mode("/srv/app"), before);
    EXPECT_EQ(root.uid("/srv/app"), ::geteuid());
    EXPECT_FALSE(path_exists(root.path("/srv/app/.bashrc")));
}

TEST(Accounts, KeysAreAddedNotReplaced) {
    FakeRoot root;
    root.put("/home/x/.ssh/authorized_keys", kOtherKey, 0644);  // without a newline
    const Owner owner{static_cast<std::uint32_t>(::geteuid()),
                      static_cast<std::uint32_t>(::getegid())};
    ASSERT_TRUE(add_authorized_keys(root.machine(), "/home/x", owner, {kKey, kKey}).has_value());
    EXPECT_EQ(root.text("/home/x/.ssh/authorized_keys"),
              std::string(kOtherKey) + "\n" + kKey + "\n");
    EXPECT_EQ(root.mode("/home/x/.ssh/authorized_keys"), 0600U);
}

TEST(Accounts, WaitForWhoHasTheLock) {
    FakeRoot root;
    const auto held = lock_accounts(root.machine());
    ASSERT_TRUE(held.has_value());
    EXPECT_EQ(root.mode("/etc/.pwd.lock"), 0600U);
    // Another process cannot have it meanwhile; fcntl locks are a process's.
    const pid_t child = ::fork();
    if (child == 0) {
        const int fd = ::open(root.path("/etc/.pwd.lock").c_str(), O_WRONLY);
        struct flock lock{};
        lock.l_type = F_WRLCK;
        ::_exit(::fcntl(fd, F_SETLK, &lock) == 0 ? 1 : 0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(Accounts, SurviveBeingKilledAnywhere) {
    FakeRoot root;
    Account ops = account("ops");
    ops.groups = {"wheel"};
    ops.keys = {kKey};
    ops.password = Secret("$6$saltsalt$" + std::string(86, 'x'));
    ops.lock_password = false;
    for (useconds_t delay = 0; delay < 30'000; delay += 500) {
        const pid_t child = ::fork();
        if (child == 0) {
            static_cast<void>(make_account(root.machine(), root.tools(), ops));
            ::_exit(0);
        }
        ::usleep(delay);
        ::kill(child, SIGKILL);
        int status = 0;
        ASSERT_EQ(::waitpid(child, &status, 0), child);
        const std::string line = root.line("/etc/passwd", "ops");
        if (line != "(nothing)") {
            EXPECT_FALSE(password_of(root, "ops").empty());
            EXPECT_NE(root.line("/etc/group", "ops"), "(nothing)");
        }
    }
    ASSERT_EQ(make(root, ops), "");
    EXPECT_EQ(root.line("/etc/passwd", "ops"), "x:1000:1000::/home/ops:/bin/bash");
    EXPECT_EQ(root.text("/home/ops/.ssh/authorized_keys"), std::string(kKey) + "\n");
    EXPECT_EQ(root.line("/etc/group", "wheel"), "x:10:ops");
}

TEST(Groups, AreMadeAndGetTheirMembers) {
    FakeRoot root;
    ASSERT_EQ(make(root, account("dev")), "");
    ASSERT_TRUE(make_groups(root.machine(), {{"build", {"dev", "nobody-here"}}, {"adm", {"dev"}}})
                    .has_value());
    EXPECT_EQ(root.line("/etc/group", "build"), "x:1001:dev");
    EXPECT_EQ(root.line("/etc/group", "adm"), "x:4:dev");
    EXPECT_FALSE(make_groups(root.machine(), {{"a:b", {}}}).has_value());
}

TEST(Passwords, AreSetTogetherOrNotAtAll) {
    FakeRoot root;
    ASSERT_EQ(make(root, account("dev")), "");
    std::vector<PasswordChange> changes;
    changes.push_back({"dev", Secret(std::string("one"))});
    changes.push_back({"nobody-here", Secret(std::string("two"))});
    const std::string before = root.text("/etc/shadow");
    EXPECT_FALSE(set_passwords(root.machine(), changes, false).has_value());
    EXPECT_EQ(root.text("/etc/shadow"), before);
    changes.pop_back();
    ASSERT_TRUE(set_passwords(root.machine(), changes, true).has_value());
    EXPECT_TRUE(root.line("/etc/shadow", "dev").starts_with("$y$"));
    EXPECT_TRUE(contains(root.line("/etc/shadow", "dev"), ":0:0:99999:7:")) << "must be changed";
}

TEST(Passwords, WhatIsNoneIsRefusedWithoutSayingIt) {
    for (const std::string& text :
         {std::string(73, 'x'), std::string("a\nb"), std::string("a\0b", 3)}) {
        const auto hashed = hash_password(Secret(text));
        ASSERT_FALSE(hashed.has_value());
        EXPECT_FALSE(contains(hashed.error().message, "xx"));
    }
    EXPECT_FALSE(hash_password(Secret()).has_value());
    EXPECT_TRUE(hash_password(Secret(std::string(72, 'x'))).has_value());
    EXPECT_TRUE(is_password_hash("$6$saltsalt$" + std::string(86, 'x')));
    for (const char* text : {"$6$",
                             "$9$salt$hash012345678901234",
                             "!$6$salt$hash01234567890123",
                             "$6$salt$hash:x012345678901234",
                             "secret",
                             ""}) {
        EXPECT_FALSE(is_password_hash(text)) << text;
    }
}

TEST(Passwords, DaysOfDates) {
    EXPECT_EQ(day_of("1970-01-01"), 0U);
    EXPECT_EQ(day_of("2000-02-29"), 11016U);
    EXPECT_EQ(day_of("2027-01-31"), 20849U);
    for (const char* text : {"", "soon", "2027-13-01", "2027-1-1", "1969-12-31", "2027-01-32"}) {
        EXPECT_EQ(day_of(text), std::nullopt) << text;
    }
}

TEST(Keys, AreCheckedLines) {
    EXPECT_EQ(*parse_public_key(std::string(kKey) + "\r\n"), kKey);
    EXPECT_EQ(*parse_public_key(std::string("  ") + kKey), kKey);
    EXPECT_TRUE(parse_public_key(std::string("command=\"a b\",no-pty ") + kKey).has_value());
    const std::pair<std::string, const char*> wrong[] = {
        {"", "it is empty"},
        {"-----BEGIN CERTIFICATE-----\nMII", "an X.509 certificate"},
        {"MIIDdzCCAl+gAwIBAgI", "an X.509 certificate"},
        {"-----BEGIN OPENSSH PRIVATE KEY-----", "a private key"},
        {"---- BEGIN SSH2 PUBLIC KEY ----", "another format"},
        {"ssh-dss AAAAB3NzaC1kc3M=", "DSA"},
        {"ssh-ed25519", "what follows"},
        {"ssh-ed25519 !!!", "what follows"},
        {"ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f",
         "what follows"},
        {"hello world", "does not begin with a type"},
        {std::string(kKey) + "\n" + kKey, "more than one line"},
        {std::string(kKey) + "\x1b[2J", "control characters"},
        {std::string(20000, 'a'), "too long"},
    };
    for (const auto& [text, why] : wrong) {
        const auto key = parse_public_key(text);
        ASSERT_FALSE(key.has_value()) << text;
        EXPECT_TRUE(contains(key.error().message, why)) << key.error().message;
    }
}

TEST(Sudoers, AreOneFileThatVisudoHasRead) {
    FakeRoot root;
    root.put("/usr/sbin/visudo", "", 0755);
    const Tools tools = root.tools();
    ASSERT_TRUE(
        write_sudoers(root.machine(), tools, {{"ops", {"ALL=(ALL) NOPASSWD:ALL"}}}).has_value());
    EXPECT_TRUE(root.text(kSudoers).ends_with("ops ALL=(ALL) NOPASSWD:ALL\n"));
    EXPECT_EQ(root.mode(kSudoers), 0440U);
    ASSERT_EQ(root.calls.size(), 1U);
    EXPECT_TRUE(contains(root.calls[0], "visudo -c -q -f"));
    root.exit_code = 1;
    const std::string before = root.text(kSudoers);
    EXPECT_FALSE(write_sudoers(root.machine(), tools, {{"ops", {"ALL=(ALL) ALL x"}}}).has_value());
    EXPECT_EQ(root.text(kSudoers), before);
    EXPECT_EQ(list_directory(root.path("/etc/sudoers.d"))->size(), 1U) << "nothing half-made stays";
    root.exit_code = 0;
    ASSERT_TRUE(write_sudoers(root.machine(), tools, {}).has_value());
    EXPECT_FALSE(path_exists(root.path(kSudoers)));
}

// The programs of shadow-utils, where the machine that tests has them.
TEST(Accounts, AreWhatShadowUtilsCallsWhole) {
    const auto pwck = find_program("pwck");
    const auto grpck = find_program("grpck");
    if (!pwck || !grpck) {
        GTEST_SKIP() << "pwck and grpck are not installed";
    }
    FakeRoot root;
    root.put("/etc/passwd", "root:x:0:0:root:/root:/bin/bash\n");
    root.put("/etc/shadow", "root:*:20000:0:99999:7:::\n", 0600);
    root.put("/etc/gshadow", "root:*::\nadm:*::\nwheel:*::\nusers:*::\n", 0600);
    Account ops = account("ops");
    ops.groups = {"wheel", "adm", "build"};
    ops.password = Secret("$6$saltsalt$" + std::string(86, 'x'));
    ASSERT_EQ(make(root, ops), "");
    ASSERT_EQ(make(root, account("dev")), "");
    Command check;
    check.argv = {*pwck, "-r", root.path("/etc/passwd"), root.path("/etc/shadow")};
    const auto users = run(check);
    ASSERT_TRUE(users.has_value());
    check.argv = {*grpck, "-r", root.path("/etc/group"), root.path("/etc/gshadow")};
    const auto groups = run(check);
    ASSERT_TRUE(groups.has_value());
    // They look for ids and members on the machine that tests: only the files' form counts here.
    const std::string said = users->output + users->errors + groups->output + groups->errors;
    for (const std::string_view line : split_lines(said)) {
        for (const char* word : {"invalid", "duplicate", "no matching", "not in"}) {
            EXPECT_FALSE(contains(line, word)) << line;
        }
    }
}

}  // namespace
}  // namespace tarn::guest
