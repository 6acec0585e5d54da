// SPDX-License-Identifier: MIT
#include "provision/apply.hh"

#include "provision/cloud_config.hh"
#include "provision/disks.hh"
#include "provision/fake_root.hh"
#include "provision/files.hh"
#include "provision/host_keys.hh"
#include "provision/hostname.hh"
#include "provision/markers.hh"
#include "provision/packages.hh"
#include "provision/sshd.hh"
#include "provision/time_locale.hh"
#include "provision/trust.hh"
#include "provision/workload.hh"
#include <fcntl.h>
#include <gtest/gtest.h>

namespace tarn::guest {
namespace {

Settings settings() {
    Settings result;
    result.source = "azure";
    result.instance_id = "1b2c";
    result.hostname = "web";
    result.user = "ops";
    result.ssh_keys = {kKey};
    return result;
}

// Plans and runs every step; the first failure, or "".
std::string provision(FakeRoot& root, const Settings& wish) {
    const auto steps = plan_with(root.tools(), wish, root.machine());
    if (!steps) {
        return steps.error().message;
    }
    for (const Step& step : steps->steps) {
        const auto done = step.run(root.machine());
        if (!done) {
            return step.name + ": " + done.error().message;
        }
    }
    return {};
}

std::string provision(FakeRoot& root, const std::string& user_data) {
    Settings wish = settings();
    wish.user_data = user_data;
    return provision(root, wish);
}

TEST(Apply, BaseProvisioningMakesLoginWork) {
    FakeRoot root;
    ASSERT_EQ(provision(root, settings()), "");
    EXPECT_EQ(root.text("/etc/hostname"), "web\n");
    EXPECT_TRUE(root.line("/etc/passwd", "ops").starts_with("x:1000:"));
    EXPECT_EQ(root.line("/etc/group", "wheel"), "x:10:ops");
    EXPECT_TRUE(contains(root.text("/home/ops/.ssh/authorized_keys"), "ssh-ed25519"));
    EXPECT_TRUE(
        root.text("/etc/sudoers.d/90-tarn-provision").ends_with("ops ALL=(ALL) NOPASSWD:ALL\n"));
    EXPECT_TRUE(contains(root.text(kSshdDropIn), "\nPasswordAuthentication no\n"));
    EXPECT_EQ(root.text("/var/lib/waagent/provisioned"), "1b2c");
    const auto passwd = root.text("/etc/passwd");
    ASSERT_EQ(provision(root, settings()), "") << "again";
    EXPECT_EQ(root.text("/etc/passwd"), passwd);
}

TEST(Apply, PasswordLoginIsTheLastThingAllowed) {
    FakeRoot root;
    Settings wish = settings();
    wish.password = Secret(std::string("s3cret"));
    wish.disable_password_authentication = false;
    const auto steps = plan_with(root.tools(), wish, root.machine());
    ASSERT_TRUE(steps.has_value());
    std::vector<std::string> names;
    for (const Step& step : steps->steps) {
        EXPECT_FALSE(path_exists(root.path(kSshdDropIn)) && step.name != "waagent-markers")
            << step.name;
        ASSERT_TRUE(step.run(root.machine()).has_value()) << step.name;
        EXPECT_FALSE(contains(step.inputs, "s3cret"));
    }
    EXPECT_TRUE(contains(root.text(kSshdDropIn), "\nPasswordAuthentication yes\n"));
    EXPECT_TRUE(root.line("/etc/shadow", "ops").starts_with("$y$"));
}

TEST(Apply, WhatCannotBeIsToldBeforeAnythingIsDone) {
    FakeRoot root;
    const std::string before = root.text("/etc/passwd");
    const auto why = [&](auto change) {
        Settings wish = settings();
        change(wish);
        return provision(root, wish);
    };
    EXPECT_TRUE(contains(why([](Settings& s) { s.user = "root"; }), "root cannot be it"));
    EXPECT_TRUE(contains(why([](Settings& s) { s.user = "../x"; }), "characters other than"));
    EXPECT_TRUE(contains(why([](Settings& s) { s.user = std::string(256, 'a'); }), "at most 32"));
    EXPECT_TRUE(contains(why([](Settings& s) { s.password = Secret(std::string(73, 'p')); }),
                         "73 bytes, at most 72"));
    EXPECT_TRUE(contains(why([](Settings& s) { s.hostname = "a b"; }), "letters, digits"));
    EXPECT_TRUE(
        contains(why([](Settings& s) { s.user_data = "#cloud-config\nfoo: 1\n"; }), "`foo`"));
    EXPECT_TRUE(contains(why([](Settings& s) { s.network_config = "version: 3\n"; }),
                         "network-config:1:10"));
    EXPECT_EQ(root.text("/etc/passwd"), before);
    EXPECT_FALSE(path_exists(root.path("/etc/hostname")));
    EXPECT_TRUE(root.calls.empty());
}

TEST(Apply, TheDocumentIsAppliedInItsOrder) {
    FakeRoot root;
    root.put("/usr/bin/dnf5", "", 0755);
    root.put("/usr/share/zoneinfo/Europe/Berlin", "TZif2");
    const std::string document =
        "#cloud-config\n"
        "bootcmd: [[echo, boot]]\n"
        "runcmd: [echo run]\n"
        "packages: [jq, [tree, \"2.1\"]]\n"
        "package_update: true\n"
        "hostname: db\nfqdn: db.example.org\nmanage_etc_hosts: true\n"
        "timezone: Europe/Berlin\nlocale: de_DE.UTF-8\n"
        "users: [default, {name: dev, sudo: \"ALL=(ALL) ALL\"}]\n"
        "write_files:\n"
        "  - {path: /etc/motd, content: hi, permissions: \"0600\"}\n"
        "  - {path: /home/dev/.profile, content: x, owner: \"dev:dev\", defer: true}\n"
        "ssh_pwauth: true\nchpasswd: {expire: false, list: \"dev:secret\"}\n"
        "yum_repos: {extra: {baseurl: \"https://example.org/$basearch\", enabled: true}}\n"
        "final_message: done by $DATASOURCE\n";
    ASSERT_EQ(provision(root, document), "");
    EXPECT_EQ(root.text("/etc/hostname"), "db.example.org\n");
    EXPECT_TRUE(contains(root.text("/etc/hosts"), "\n127.0.1.1 db.example.org db\n"));
    EXPECT_EQ(root.text("/etc/motd"), "hi");
    EXPECT_EQ(root.mode("/etc/motd"), 0600U);
    EXPECT_EQ(root.text("/home/dev/.profile"), "x");
    EXPECT_EQ(root.text("/etc/locale.conf"), "LANG=de_DE.UTF-8\n");
    EXPECT_EQ(*read_symlink(root.path("/etc/localtime")), "../usr/share/zoneinfo/Europe/Berlin");
    EXPECT_TRUE(contains(root.text("/etc/sudoers.d/90-tarn-provision"), "\ndev ALL=(ALL) ALL\n"));
    EXPECT_TRUE(contains(root.text(kSshdDropIn), "\nPasswordAuthentication yes\n"));
    EXPECT_TRUE(root.line("/etc/shadow", "dev").starts_with("$y$"));
    EXPECT_EQ(root.text("/etc/yum.repos.d/extra.repo"),
              "[extra]\nbaseurl=https://example.org/$basearch\nenabled=1\nname=extra\n");
    const std::string state = "/var/lib/tarn/provision/1b2c/scripts/";
    EXPECT_EQ(root.calls,
              (std::vector<std::string>{"/bin/sh " + state + "bootcmd",
                                        "/usr/bin/dnf5 -y makecache --refresh",
                                        "/usr/bin/dnf5 -y install jq tree-2.1",
                                        "/bin/sh " + state + "runcmd"}));
    EXPECT_EQ(root.mode(state + "runcmd"), 0700U);
    EXPECT_EQ(root.said.back(), "done by azure");
}

TEST(Apply, ScriptsRunByName) {
    FakeRoot root;
    ASSERT_EQ(provision(root, std::string("#!/usr/bin/python3\n")), "");
    ASSERT_EQ(root.calls.size(), 1U);
    EXPECT_EQ(root.calls[0], "/var/lib/tarn/provision/1b2c/scripts/part-001");
    root.exit_code = 3;
    EXPECT_EQ(provision(root, std::string("#!/bin/sh\nexit 3\n")),
              "script:part-001: part-001 ended with exit code 3");
}

TEST(Apply, WithCloudInitTheWholeDocumentGoesThere) {
    FakeRoot root;
    root.put("/usr/bin/cloud-init", "", 0755);
    root.put("/etc/cloud/cloud-init.disabled", "");
    root.put("/usr/lib/systemd/system/cloud-final.service", "");
    const std::string document = "#cloud-config\nhostname: other\nsnap: {}\n";
    ASSERT_EQ(provision(root, document), "");
    EXPECT_EQ(root.text("/etc/hostname"), "web\n") << "nothing of the document";
    EXPECT_EQ(root.text("/var/lib/cloud/seed/nocloud/user-data"), document);
    EXPECT_EQ(root.mode("/var/lib/cloud/seed/nocloud"), 0700U);
    EXPECT_TRUE(
        contains(root.text("/var/lib/cloud/seed/nocloud/meta-data"), "\"instance-id\": \"1b2c\""));
    EXPECT_TRUE(contains(root.text(kHandedOver), "\"ssh_deletekeys\": false"));
    EXPECT_FALSE(path_exists(root.path("/etc/cloud/cloud-init.disabled")));
    EXPECT_EQ(root.calls.back(), "/usr/bin/systemctl --no-block start cloud-final.service");
    ASSERT_TRUE(write_cloud_init_markers(root.machine(), {"azure", "1b2c", {}, true}).has_value());
    EXPECT_FALSE(path_exists(root.path("/run/cloud-init/result.json")));
}

TEST(Apply, ALaterBootPlansWhateverHasGoneSince) {
    FakeRoot root;
    root.put("/usr/bin/cloud-init", "", 0755);
    Settings wish = settings();
    wish.user_data = "#cloud-config\nsnap: {}\n";
    ASSERT_EQ(provision(root, wish), "");
    ASSERT_TRUE(root.machine().remove("/usr/bin/cloud-init").has_value());
    EXPECT_TRUE(plan_with(root.tools(), wish, root.machine()).has_value());

    FakeRoot other;
    wish.user_data =
        "#cloud-config\nusers: [{name: dev}]\npackages: [web]\nwrite_files:\n"
        "  - {path: /srv/a, owner: \"dev:dev\", defer: true}\n"
        "  - {path: /srv/b, owner: \"web:web\", defer: true}\n";  // the package brings it
    EXPECT_TRUE(plan_with(other.tools(), wish, other.machine()).has_value());
}

TEST(Apply, VendorDataComesFirst) {
    FakeRoot root;
    Settings wish = settings();
    wish.vendor_data = "#cloud-config\nhostname: vendor\nlocale: C.UTF-8\n";
    wish.user_data = "#cloud-config\nhostname: user\n";
    ASSERT_EQ(provision(root, wish), "");
    EXPECT_EQ(root.text("/etc/hostname"), "user\n");
    EXPECT_EQ(root.text("/etc/locale.conf"), "LANG=C.UTF-8\n");
    wish.custom_data = "#cloud-config\nhostname: custom\n";
    ASSERT_EQ(provision(root, wish), "");
    EXPECT_EQ(root.text("/etc/hostname"), "custom\n") << "instead of user data";
}

TEST(Apply, WithoutAnAdministratorTheDistributionNamesOne) {
    FakeRoot root;
    Settings wish = settings();
    wish.source = "nocloud";
    wish.user.clear();
    ASSERT_EQ(provision(root, wish), "");
    EXPECT_TRUE(root.line("/etc/passwd", "tarn").starts_with("x:1000:"));
    FakeRoot bare;
    wish.ssh_keys.clear();
    ASSERT_EQ(provision(bare, wish), "");
    EXPECT_EQ(bare.line("/etc/passwd", "tarn"), "(nothing)") << "nobody could log in";
    FakeRoot named;
    wish.user_data = "#cloud-config\nuser: {name: me, shell: /bin/sh}\n";
    ASSERT_EQ(provision(named, wish), "");
    EXPECT_TRUE(named.line("/etc/passwd", "me").ends_with(":/bin/sh"));
}

TEST(Apply, RootTakesKeysOnlyWhenAsked) {
    FakeRoot root;
    ASSERT_EQ(provision(root, settings()), "");
    EXPECT_FALSE(path_exists(root.path("/root/.ssh")));
    ASSERT_EQ(provision(root, std::string("#cloud-config\ndisable_root: false\n")), "");
    EXPECT_TRUE(contains(root.text("/root/.ssh/authorized_keys"), "ssh-ed25519"));
    EXPECT_TRUE(contains(root.text(kSshdDropIn), "PermitRootLogin prohibit-password"));
}

TEST(Apply, AFullOrReadOnlyDiskIsAnErrorThatSaysSo) {
    if (::geteuid() == 0) {
        // Root writes everywhere: a directory in the way does as well.
        FakeRoot root;
        root.put("/etc/hostname/x", "");
        EXPECT_TRUE(contains(provision(root, settings()), "hostname: cannot write /etc/hostname"));
        EXPECT_FALSE(path_exists(root.path(kSshdDropIn)));
    }
}

FileToWrite file(const std::string& path, const std::string& bytes) {
    FileToWrite result;
    result.path = path;
    result.bytes = bytes;
    return result;
}

TEST(Files, AppendingTwiceAddsOnce) {
    FakeRoot root;
    root.put("/etc/a", "old\n");
    FileToWrite more = file("/etc/a", "new\n");
    more.append = true;
    ASSERT_TRUE(write_file(root.machine(), more, "/state", 0).has_value());
    ASSERT_TRUE(write_file(root.machine(), more, "/state", 0).has_value());
    EXPECT_EQ(root.text("/etc/a"), "old\nnew\n");
    // Another entry with the same text is another addition.
    ASSERT_TRUE(write_file(root.machine(), more, "/state", 1).has_value());
    EXPECT_EQ(root.text("/etc/a"), "old\nnew\nnew\n");
}

TEST(Files, LinksOfTheSystemAreFollowedBelowTheRoot) {
    FakeRoot root;
    root.put("/usr/share/real/x", "");
    ASSERT_TRUE(make_symlink("/usr/share/real", root.path("/etc/link")).has_value());
    ASSERT_TRUE(write_file(root.machine(), file("/etc/link/a", "x"), "/state", 0).has_value());
    EXPECT_EQ(root.text("/usr/share/real/a"), "x");
    root.put("/tmp/.keep", "");
    ASSERT_TRUE(make_symlink("/../../../../tmp", root.path("/etc/up")).has_value());
    ASSERT_TRUE(
        write_file(root.machine(), file("/etc/up/tarn-test-file", "x"), "/state", 1).has_value());
    EXPECT_EQ(root.text("/tmp/tarn-test-file"), "x");
}

TEST(Files, LinksOfAUserAreNot) {
    FakeRoot root;
    root.put("/home/dev/x", "");
    ASSERT_EQ(::chmod(root.path("/home/dev").c_str(), 0777), 0);  // in others' hands
    root.put("/etc/secret", "secret");
    ASSERT_TRUE(make_symlink("/etc", root.path("/home/dev/dir")).has_value());
    ASSERT_TRUE(make_symlink("/etc/secret", root.path("/home/dev/file")).has_value());
    EXPECT_FALSE(
        write_file(root.machine(), file("/home/dev/dir/secret", "x"), "/state", 0).has_value());
    EXPECT_FALSE(write_file(root.machine(), file("/home/dev/file", "x"), "/state", 1).has_value());
    EXPECT_EQ(root.text("/etc/secret"), "secret");
}

TEST(Files, UnknownOwnersAreTold) {
    FakeRoot root;
    FileToWrite wish = file("/etc/a", "x");
    wish.owner = "nobody-here:root";
    const auto done = write_file(root.machine(), wish, "/state", 0);
    ASSERT_FALSE(done.has_value());
    EXPECT_EQ(done.error().message, "there is no user `nobody-here`");
    EXPECT_FALSE(path_exists(root.path("/etc/a")));
}

TEST(HostKeys, OfTheImageGoAndNewOnesAreMade) {
    FakeRoot root;
    root.put("/usr/bin/ssh-keygen", "", 0755);
    for (const char* name : {"rsa_key", "rsa_key.pub", "ed25519_key", "ed25519_key-cert.pub"}) {
        root.put(std::string("/etc/ssh/ssh_host_") + name, "old");
    }
    root.put("/etc/ssh/sshd_config", "");
    root.on_run = [&](const Program& program) {
        root.put(program.argv.back(), "private " + program.argv[3], 0600);
        root.put(program.argv.back() + ".pub", "public");
    };
    ASSERT_TRUE(make_host_keys(root.machine(), root.tools(), {}).has_value());
    EXPECT_EQ(*list_directory(root.path("/etc/ssh")),
              (std::vector<std::string>{"ssh_host_ecdsa_key",
                                        "ssh_host_ecdsa_key.pub",
                                        "ssh_host_ed25519_key",
                                        "ssh_host_ed25519_key.pub",
                                        "sshd_config"}));
    EXPECT_EQ(root.text("/etc/ssh/ssh_host_ed25519_key"), "private ed25519");
    EXPECT_EQ(root.mode("/etc/ssh/ssh_host_ed25519_key"), 0600U);
    EXPECT_EQ(root.mode("/etc/ssh/ssh_host_ed25519_key.pub"), 0644U);
    root.calls.clear();
    HostKeys rsa;
    rsa.delete_old = false;
    rsa.types = {"rsa", "ed25519"};
    ASSERT_TRUE(make_host_keys(root.machine(), root.tools(), rsa).has_value());
    EXPECT_EQ(root.calls.size(), 1U) << "one that is there stays";
    root.exit_code = 1;
    root.on_run = {};
    EXPECT_FALSE(make_host_keys(root.machine(), root.tools(), {}).has_value());
}

TEST(HostKeys, ThatAreGivenAreTaken) {
    FakeRoot root;
    HostKeys keys;
    keys.given = {{"ed25519_private", Secret(std::string("PRIVATE"))},
                  {"ed25519_public", Secret(std::string("PUBLIC\n"))}};
    ASSERT_TRUE(make_host_keys(root.machine(), root.tools(), keys).has_value());
    EXPECT_EQ(root.text("/etc/ssh/ssh_host_ed25519_key"), "PRIVATE\n");
    EXPECT_EQ(root.mode("/etc/ssh/ssh_host_ed25519_key"), 0600U);
    EXPECT_EQ(root.text("/etc/ssh/ssh_host_ed25519_key.pub"), "PUBLIC\n");
}

TEST(HostNames, WithAndWithoutADomain) {
    EXPECT_EQ(host_name("web", "", true).name, "web");
    EXPECT_EQ(host_name("web.example.org", "", false).name, "web");
    EXPECT_EQ(host_name("web.example.org", "", true).name, "web.example.org");
    EXPECT_EQ(host_name("web", "db.example.org", true).name, "db.example.org");
    EXPECT_EQ(host_name("web", "db.example.org", false).name, "web");
    EXPECT_EQ(host_name("", "db.example.org", false).name, "db");
    EXPECT_EQ(host_name("", "", true).name, "");
}

TEST(HostNames, TheHostsFileKeepsWhatIsItsOwn) {
    FakeRoot root;
    root.put("/etc/hosts", "127.0.0.1 localhost\n10.0.0.1 other\n");
    ASSERT_TRUE(manage_hosts(root.machine(), {"web", "", true}).has_value());
    ASSERT_TRUE(manage_hosts(root.machine(), {"db", "db.example.org", true}).has_value());
    EXPECT_EQ(root.text("/etc/hosts"),
              "127.0.0.1 localhost\n10.0.0.1 other\n# tarn-provision: manage_etc_hosts\n"
              "127.0.1.1 db.example.org db\n# tarn-provision: end\n");
}

TEST(TimeAndPlace, ZonesThatAreNoneAreTold) {
    FakeRoot root;
    EXPECT_FALSE(set_timezone(root.machine(), "Europe/Berlin").has_value());
    root.put("/usr/share/zoneinfo/notes", "text");
    EXPECT_FALSE(set_timezone(root.machine(), "notes").has_value());
}

TEST(TimeAndPlace, ServersReplaceThoseOfTheImage) {
    FakeRoot root;
    root.put("/etc/chrony/chrony.conf",
             "refclock PHC /dev/ptp_hyperv\npool 2.pool.example iburst\n");
    for (int i = 0; i < 2; ++i) {
        ASSERT_TRUE(set_time_servers(root.machine(), root.tools(), {"a"}, {"b"}).has_value());
    }
    EXPECT_EQ(root.text("/etc/chrony/chrony.conf"),
              "refclock PHC /dev/ptp_hyperv\n# tarn-provision: pool 2.pool.example iburst\n"
              "# tarn-provision: ntp\nserver a iburst\npool b iburst\n# tarn-provision: end\n");
    FakeRoot bare;
    EXPECT_FALSE(set_time_servers(bare.machine(), bare.tools(), {"a"}, {}).has_value());
}

TEST(Packages, WithoutADnfAreAnError) {
    FakeRoot root;
    PackageWork work;
    work.install = {"jq"};
    EXPECT_FALSE(do_packages(root.machine(), root.tools(), work).has_value());
    EXPECT_TRUE(do_packages(root.machine(), root.tools(), {}).has_value());
}

TEST(Trust, CertificatesGoWhereTheToolLooks) {
    FakeRoot root;
    EXPECT_FALSE(trust_certificates(root.machine(), root.tools(), {"x"}).has_value());
    root.put("/usr/sbin/update-ca-certificates", "", 0755);
    ASSERT_TRUE(trust_certificates(root.machine(), root.tools(), {"x"}).has_value());
    EXPECT_EQ(root.text("/usr/local/share/ca-certificates/tarn-provision-1.crt"), "x\n");
    EXPECT_EQ(root.calls.back(), "/usr/sbin/update-ca-certificates");
}

TEST(Mounts, LinesOfProvisioningAreItsOwn) {
    const std::string before = "LABEL=root / ext4 defaults 0 1\n/dev/sdc /old ext4 defaults 0 2\n";
    const std::vector<MountLine> mounts = {
        {{"sdb1", "/srv/a b"}}, {{"ephemeral0", "/mnt", "ext4", "ro", "0", "2"}}, {{"sdc"}}};
    const auto once = fstab_with(before, mounts, "/swapfile");
    ASSERT_TRUE(once.has_value());
    EXPECT_EQ(*once,
              "LABEL=root / ext4 defaults 0 1\n"
              "/dev/sdb1 /srv/a\\040b auto defaults,nofail,x-tarn-provision 0 2\n"
              "/dev/disk/azure/resource-part1 /mnt ext4 ro,x-tarn-provision 0 2\n"
              "/swapfile none swap sw,nofail,x-tarn-provision 0 0\n");
    EXPECT_EQ(*fstab_with(*once, mounts, "/swapfile"), *once);
    for (const MountLine& wrong : {MountLine{{"sdb", "mnt"}},
                                   MountLine{{"sdb", "/a/../b"}},
                                   MountLine{{"sdb", "/"}},
                                   MountLine{{"", "/mnt"}},
                                   MountLine{{"sdb", "/mnt", "auto", "ro", "x", "2"}}}) {
        EXPECT_FALSE(fstab_with("", {wrong}, "").has_value());
    }
}

TEST(Mounts, OnlyAFreshTemporaryDiskIsFormatted) {
    FakeRoot root;
    const auto look = [&](const std::string& bytes) {
        root.put("/disk", bytes);
        const auto fd = root.machine().open_path("/disk", O_RDONLY);
        return *look_at_disk(fd->get(), "/disk");
    };
    EXPECT_EQ(look(std::string(1 << 20, '\0')), DiskContent::kNothing);
    std::string ntfs(1 << 20, '\0');
    ntfs.replace(3, 8, "NTFS    ");
    ntfs[0x0c] = 2;   // 512 bytes a sector
    ntfs[0x0d] = 8;   // 8 sectors a cluster
    ntfs[0x30] = 16;  // the table begins at cluster 16
    EXPECT_EQ(look(ntfs), DiskContent::kOther) << "NTFS of somebody";
    std::string label;
    for (const char c : std::string("Temporary Storage")) {
        label += c;
        label += '\0';
    }
    ntfs.replace(16 * 4096 + 3 * 1024 + 200, label.size(), label);
    EXPECT_EQ(look(ntfs), DiskContent::kFreshNtfs);
    EXPECT_EQ(look(std::string(2048, 'x')), DiskContent::kOther);
    EXPECT_EQ(look(""), DiskContent::kNothing);
    ntfs[0x35] = '\x7f';
    EXPECT_EQ(look(ntfs), DiskContent::kOther) << "a table beyond every disk";
}

TEST(Mounts, SwapIsMadeOnce) {
    FakeRoot root;
    CloudConfig config;
    config.swap_file = "/swapfile";
    config.swap_size = 1 << 20;
    ASSERT_TRUE(set_up_mounts(root.machine(), root.tools(), config).has_value());
    EXPECT_EQ(root.mode("/swapfile"), 0600U);
    EXPECT_EQ(root.calls,
              (std::vector<std::string>{"/usr/sbin/mkswap /swapfile",
                                        "/usr/sbin/swapon /swapfile",
                                        "/usr/bin/systemctl daemon-reload"}));
    root.calls.clear();
    ASSERT_TRUE(set_up_mounts(root.machine(), root.tools(), config).has_value());
    EXPECT_TRUE(root.calls.empty());
}

TEST(PowerState, AsksItsCondition) {
    FakeRoot root;
    CloudConfig config;
    config.power_mode = "reboot";
    config.power_delay = "+5";
    config.power_message = "bye";
    ASSERT_TRUE(change_power(root.machine(), root.tools(), config, "/state", "i").has_value());
    EXPECT_EQ(root.calls.back(), "/usr/sbin/shutdown -r +5 bye");
    root.calls.clear();
    config.power_condition = false;
    ASSERT_TRUE(change_power(root.machine(), root.tools(), config, "/state", "i").has_value());
    EXPECT_TRUE(root.calls.empty());
    config.power_command = "#!/bin/sh\nfalse\n";
    root.exit_code = 1;
    ASSERT_TRUE(change_power(root.machine(), root.tools(), config, "/state", "i").has_value());
    EXPECT_EQ(root.calls.size(), 1U) << "only the condition";
}

TEST(Markers, AreThoseOthersWaitFor) {
    FakeRoot root;
    const CloudInitMarkers markers{"azure", "a/../b", {"it \"failed\""}, true};
    ASSERT_TRUE(write_cloud_init_markers(root.machine(), {"azure", "i", {}, false}).has_value());
    EXPECT_FALSE(path_exists(root.path("/run/cloud-init/result.json")));
    EXPECT_TRUE(contains(root.text("/run/cloud-init/status.json"), "\"stage\": \"init\""));
    ASSERT_TRUE(write_cloud_init_markers(root.machine(), markers).has_value());
    EXPECT_TRUE(contains(root.text("/run/cloud-init/result.json"), "\"it \\\"failed\\\"\""));
    EXPECT_TRUE(contains(root.text("/run/cloud-init/result.json"), "DataSourceAzure"));
    EXPECT_TRUE(contains(root.text("/run/cloud-init/status.json"), "\"stage\": null"));
    EXPECT_TRUE(path_exists(root.path("/var/lib/cloud/instance/boot-finished")));
    ASSERT_TRUE(write_waagent_markers(root.machine(), "<Environment/>", "i").has_value());
    EXPECT_EQ(root.mode("/var/lib/waagent/ovf-env.xml"), 0600U);
}

}  // namespace
}  // namespace tarn::guest
