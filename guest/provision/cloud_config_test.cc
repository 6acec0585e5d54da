// SPDX-License-Identifier: MIT
#include "provision/cloud_config.hh"

#include "base/base64.hh"
#include "base/golden_test.hh"

#include "provision/apply.hh"
#include "provision/cloud_config_users.hh"
#include "provision/fake_root.hh"
#include "provision/names.hh"
#include "provision/schema.hh"
#include <gtest/gtest.h>

namespace tarn::guest {
namespace {

const char* kRoom = "provision/cloud-config";

class CloudConfigCase : public testing::TestWithParam<std::string> {};

TEST_P(CloudConfigCase, SaysWhatIsDoneOrWhyNothingIs) {
    const golden::Case given(kRoom, GetParam());
    FakeRoot root;
    if (!given.setting("cloud-init").empty()) {
        root.put("/usr/bin/cloud-init", "", 0755);
    }
    Settings settings;
    settings.source = "azure";
    settings.instance_id = "i-1";
    settings.hostname = "platform";
    settings.user = "ops";
    settings.ssh_keys = {kKey};
    settings.user_data = given.file("user-data");
    const auto plan = plan_with(root.tools(), settings, root.machine());
    std::string said;
    if (!plan) {
        said = golden::printed(plan.error());
    } else {
        if (!plan->why_cloud_init.empty()) {
            said += "cloud-init: " + plan->why_cloud_init + "\n";
        }
        for (const Step& step : plan->steps) {
            said += fmt::format("{} {}{}{}\n",
                                step.phase == Phase::kEarly ? "early   " : "workload",
                                step.name,
                                step.every_boot ? ", every boot" : "",
                                step.from_payload ? "" : " (base)");
        }
    }
    EXPECT_FALSE(contains(said, "hunter2"));
    given.expect(said, root.path(""));
    EXPECT_TRUE(root.calls.empty());
}

INSTANTIATE_TEST_SUITE_P(Golden,
                         CloudConfigCase,
                         testing::ValuesIn(golden::cases("provision/cloud-config")),
                         golden::test_name);

CloudConfig read(const std::string& text) {
    CloudConfig config;
    Problems problems;
    const auto done = read_cloud_config("doc", "#cloud-config\n" + text, config, problems);
    EXPECT_TRUE(done.has_value()) << (done ? "" : done.error().message);
    for (const Problem& each : problems) {
        ADD_FAILURE() << each.mark.line << ": " << each.text;
    }
    return config;
}

TEST(CloudConfig, PermissionsAreOctalTextOrTheNumberItself) {
    const CloudConfig config = read(
        "write_files:\n"
        "  - {path: /a, permissions: \"0640\"}\n"
        "  - {path: /b, permissions: '755'}\n"
        "  - {path: /c, permissions: 0600}\n"
        "  - {path: /d, permissions: 644}\n"  // decimal, as for cloud-init
        "  - {path: /e}\n"
        "  - {path: /f, permissions: \"0o711\"}\n");
    const unsigned modes[] = {0640, 0755, 0600, 644, 0644, 0711};
    ASSERT_EQ(config.files.size(), 6U);
    for (std::size_t i = 0; i < 6; ++i) {
        EXPECT_EQ(config.files[i].mode, modes[i]) << i;
    }
}

TEST(CloudConfig, ContentIsDecoded) {
    const CloudConfig config = read(
        "write_files:\n"
        "  - path: /a\n    content: aGVsbG8K\n    encoding: b64\n"
        "  - path: /b\n    encoding: base64\n    content: |\n      aGVs\n      bG8K\n"
        "  - path: /c\n    encoding: gz+b64\n"
        "    content: H4sIAAAAAAAAA8tIzcnJ5wIAIDA6NgYAAAA=\n"
        "  - path: /d\n    content: |\n      two\n      lines\n    append: yes\n");
    ASSERT_EQ(config.files.size(), 4U);
    EXPECT_EQ(config.files[0].bytes, "hello\n");
    EXPECT_EQ(config.files[1].bytes, "hello\n");
    EXPECT_EQ(config.files[2].bytes, "hello\n");
    EXPECT_EQ(config.files[3].bytes, "two\nlines\n");
    EXPECT_TRUE(config.files[3].append);
}

TEST(CloudConfig, CommandsBecomeOneScript) {
    const CloudConfig config = read(
        "runcmd:\n"
        "  - cd /tmp\n"
        "  - [echo, \"it's\", 1, true, a b]\n"
        "  - |\n    if true; then\n      echo x\n    fi\n");
    EXPECT_EQ(config.runcmd,
              "#!/bin/sh\ncd /tmp\n'echo' 'it'\\''s' '1' 'true' 'a b'\n"
              "if true; then\n  echo x\nfi\n\n");
}

TEST(CloudConfig, AccountsAsTheyAreWritten) {
    const CloudConfig config = read(std::string("users:\n"
                                                "  - default\n"
                                                "  - plain\n"
                                                "  - name: dev\n"
                                                "    gecos: A Person\n"
                                                "    groups: wheel, adm\n"
                                                "    shell: /bin/sh\n"
                                                "    sudo: ALL=(ALL) NOPASSWD:ALL\n"
                                                "    lock_passwd: false\n"
                                                "    uid: 2000\n"
                                                "    expiredate: \"2027-01-31\"\n"
                                                "    ssh_authorized_keys:\n      - ") +
                                    kKey +
                                    "\n"
                                    "  - name: svc\n    system: true\n    sudo: false\n"
                                    "user:\n  shell: /bin/zsh\n");
    ASSERT_EQ(config.users.size(), 3U);
    EXPECT_EQ(config.users[0].name, "plain");
    const Account& dev = config.users[1];
    EXPECT_EQ(dev.groups, (std::vector<std::string>{"wheel", "adm"}));
    EXPECT_EQ(dev.uid, 2000U);
    EXPECT_FALSE(dev.lock_password);
    EXPECT_EQ(dev.expires, 20849U);
    EXPECT_EQ(dev.keys.size(), 1U);
    EXPECT_TRUE(config.users[2].system);
    EXPECT_TRUE(config.users[2].sudo.empty());
    ASSERT_TRUE(config.user.has_value());
    EXPECT_EQ(config.user->shell, "/bin/zsh");
}

TEST(CloudConfig, PasswordsInTheirForms) {
    const std::string hash = "$6$saltsalt$" + std::string(86, 'x');
    const CloudConfig config =
        read("chpasswd:\n  expire: false\n  list: |\n    a:one\n    b:" + hash +
             "\n  users:\n    - {name: c, password: three, type: text}\n"
             "    - {name: d, password: \"" +
             hash + "\"}\n");
    ASSERT_EQ(config.passwords.size(), 4U);
    EXPECT_FALSE(config.expire_passwords);
    EXPECT_EQ(config.passwords[0].password.reveal(), "one");
    EXPECT_EQ(config.passwords[1].password.reveal(), hash);
    EXPECT_EQ(config.passwords[2].user, "c");
}

TEST(CloudConfig, WordsForTrueAndFalse) {
    for (const char* text : {"true", "yes", "on", "\"true\"", "\"1\"", "1"}) {
        EXPECT_TRUE(read(fmt::format("package_update: {}\n", text)).package_update) << text;
    }
    for (const char* text : {"false", "no", "off", "\"no\"", "0", "~"}) {
        EXPECT_FALSE(read(fmt::format("package_update: {}\n", text)).package_update) << text;
    }
    EXPECT_EQ(read("ssh_pwauth: unchanged\n").ssh_pwauth, std::nullopt);
    EXPECT_EQ(read("ssh_pwauth: yes\n").ssh_pwauth, true);
}

TEST(CloudConfig, AKeyThatIsThereAndEmptyIsNotThere) {
    for (const char* key : {"runcmd",
                            "packages",
                            "users",
                            "write_files",
                            "chpasswd",
                            "hostname",
                            "mounts",
                            "yum_repos",
                            "power_state",
                            "swap"}) {
        read(std::string(key) + ":\n");
    }
    EXPECT_TRUE(read("").files.empty());
}

TEST(CloudConfig, LaterDocumentsReplaceWholeKeys) {
    CloudConfig config;
    Problems problems;
    ASSERT_TRUE(
        read_cloud_config("a", "packages: [a]\nhostname: x\n", config, problems).has_value());
    ASSERT_TRUE(read_cloud_config("b", "packages: [b]\n", config, problems).has_value());
    EXPECT_EQ(config.packages, (std::vector<std::string>{"b"}));
    EXPECT_EQ(config.hostname, "x");
}

TEST(CloudConfig, SwapAndMounts) {
    const CloudConfig config = read(
        "swap: {filename: /swap, size: 2G, maxsize: 512M}\n"
        "mounts:\n  - [ephemeral0, /mnt, auto, defaults, \"0\", 2]\n"
        "  - [sdc]\n"
        "mount_default_fields: [~, ~, xfs, ro, 0, 0]\n");
    EXPECT_EQ(config.swap_size, 512U << 20);
    ASSERT_EQ(config.mounts.size(), 2U);
    EXPECT_EQ(config.mounts[0].fields[5], "2");
    EXPECT_EQ(config.mounts[1].fields.size(), 1U);
}

TEST(CloudConfig, TheReferenceIsTheTable) {
    const std::string path = std::string(TARN_SOURCE_DIR) + "/docs/guest/cloud-config.md";
    std::string text = read_file(path).value_or("");
    const std::string begin = "<!-- keys -->\n";
    const std::string end = "<!-- end of keys -->\n";
    const std::size_t from = text.find(begin);
    const std::size_t to = text.find(end);
    ASSERT_TRUE(from != std::string::npos && to != std::string::npos && from < to) << path;
    const std::string table = "| key | takes | |\n|---|---|---|\n" + reference(kCloudConfigKeys);
    if (std::getenv("TARN_ACCEPT") != nullptr) {
        text = text.substr(0, from + begin.size()) + table + text.substr(to);
        ASSERT_TRUE(write_file_atomic(path, text).has_value());
        return;
    }
    EXPECT_EQ(text.substr(from + begin.size(), to - from - begin.size()), table)
        << "accept it with TARN_ACCEPT=1";
}

TEST(Names, OfAccounts) {
    for (const char* name : {"ops", "AzureUser", "_svc", "a.b-c", "x1", "1a"}) {
        EXPECT_EQ(why_no_account_name(name), "") << name;
    }
    for (const std::string name : {"",
                                   "-x",
                                   ".",
                                   "..",
                                   "../x",
                                   "a/b",
                                   "a:b",
                                   "a\nb",
                                   "a b",
                                   "123",
                                   "é",
                                   "a,b",
                                   "root\n",
                                   "*"}) {
        EXPECT_NE(why_no_account_name(name), "") << name;
    }
    EXPECT_EQ(why_no_account_name(std::string(32, 'a')), "");
    EXPECT_NE(why_no_account_name(std::string(33, 'a')), "");
    EXPECT_NE(why_no_account_name(std::string(256, 'a')), "");
}

TEST(Names, OfHosts) {
    for (const char* name : {"a", "web-1", "a.example.org", "A1"}) {
        EXPECT_EQ(why_no_hostname(name), "") << name;
    }
    for (const std::string name : {"", "-a", "a-", "a..b", ".a", "a.", "a b", "a\n", "a/b", "é"}) {
        EXPECT_NE(why_no_hostname(name), "") << name;
    }
    EXPECT_NE(why_no_hostname(std::string(65, 'a')), "");
}

TEST(Sudo, ARuleStaysOneRuleOfOneAccount) {
    EXPECT_EQ(why_no_sudo_rule("ALL=(ALL) NOPASSWD:ALL"), "");
    EXPECT_EQ(why_no_sudo_rule("ALL=(root) /usr/bin/dnf5, /usr/bin/systemctl"), "");
    for (const std::string rule : {"",
                                   " ",
                                   "ALL",
                                   "ALL=(ALL) ALL\nx ALL=(ALL) ALL",
                                   "ALL=ALL\\",
                                   "ALL=ALL \\ ",
                                   "ALL=ALL\r"}) {
        EXPECT_NE(why_no_sudo_rule(rule), "") << rule;
    }
    EXPECT_NE(why_no_sudo_rule("ALL=" + std::string(2000, 'x')), "");
}

}  // namespace
}  // namespace tarn::guest
