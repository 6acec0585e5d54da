// SPDX-License-Identifier: MIT
#include "image/wsl_rules.hh"

#include "base/compress.hh"
#include "image/detail/fixture.hh"
#include "oci/tar.hh"

#include <set>

namespace tarn {
namespace {

class WslRules : public image::testing::StoreTest {
  public:
    using StoreTest::file;
    using StoreTest::store_;

  protected:
    using Files = std::map<std::string, TreeEntry>;

    // A distribution nothing is wrong with.
    Files sound() {
        Files out;
        const auto put = [&](TreeEntry entry) { out[entry.path] = std::move(entry); };
        put(file("etc/passwd", "root:x:0:0:root:/root:/bin/bash\nbin:x:2:2::/:/sbin/nologin\n"));
        put(file("etc/shadow", "root:!*:20000::::::\nbin:*:20000::::::\n", 0600));
        put(file("etc/wsl.conf", "[boot]\nsystemd=true\n"));
        put(file("etc/wsl-distribution.conf",
                 "[oobe]\ncommand = /usr/libexec/oobe\ndefaultUid = 1000\ndefaultName = Tarn-1.0\n"
                 "[shortcut]\nicon = /usr/share/wsl/tarn.ico\n"
                 "[windowsterminal]\nprofileTemplate = /usr/share/wsl/profile.json\n"));
        put(file("usr/libexec/oobe", "#!/bin/sh\n", 0755));
        put(symlink("bin", "usr/bin"));
        put(symlink("usr/bin/sh", "bash"));
        put(file("usr/bin/bash", "", 0755));
        put(file("usr/lib/systemd/systemd", "", 0755));
        put(file("usr/share/wsl/tarn.ico", std::string("\0\0\1\0\1\0", 6)));
        put(file("usr/share/wsl/profile.json", "{\"profiles\":[{}]}"));
        put(symlink("etc/systemd/system/systemd-resolved.service", "/dev/null"));
        put(symlink("usr/lib/systemd/system/sysinit.target.wants/systemd-resolved.service",
                    "../systemd-resolved.service"));
        put(symlink("etc/default/locale", "../locale.conf"));
        put(file("etc/locale.conf", "LANG=C.UTF-8\n"));
        return out;
    }
    std::string archive(const Files& files) {
        std::vector<TreeEntry> entries;
        for (const auto& [path, entry] : files) {
            entries.push_back(entry);
        }
        std::string out;
        EXPECT_TRUE(oci::write_tar(store_, tree(entries), {}, [&](std::string_view bytes) {
                        out += bytes;
                        return Result<void>{};
                    }).has_value());
        return out;
    }
    static std::vector<std::string> ids(const Result<std::vector<WslFinding>>& findings) {
        std::vector<std::string> out;
        if (!findings) {
            return {findings.error().message};
        }
        for (const WslFinding& finding : *findings) {
            out.emplace_back(finding.rule->id);
        }
        return out;
    }
    std::vector<std::string> broken(const Files& files) {
        return ids(check_wsl_tar(archive(files), "x.wsl"));
    }
    using Ids = std::vector<std::string>;
};

TEST_F(WslRules, ASoundDistributionBreaksNone) {
    EXPECT_EQ(broken(sound()), Ids{});
}

TEST_F(WslRules, EveryRuleIsBrokenBySomething) {
    struct Case {
        std::string id;
        std::function<void(WslRules&, Files&)> change;
    };
    const auto set = [](std::string path, std::string bytes, std::uint32_t mode = 0644) {
        return [=](WslRules& test, Files& files) { files[path] = test.file(path, bytes, mode); };
    };
    const auto drop = [](std::string path) {
        return [=](WslRules&, Files& files) { files.erase(path); };
    };
    const std::string conf = "etc/wsl-distribution.conf";
    const auto say = [&](std::string from, std::string to) {
        return [=](WslRules& test, Files& files) {
            std::string text = *test.store_.read(files.at(conf).content);
            files[conf] = test.file(conf, text.replace(text.find(from), from.size(), to));
        };
    };
    const std::vector<Case> cases = {
        {"WSL-CONF", set("etc/wsl.conf", "[boot]\nsystemd=true\n", 0600)},
        {"WSL-CONF", [](WslRules&, Files& files) { files.at("etc/wsl.conf").uid = 5; }},
        {"WSL-OOBE-COMMAND", drop("usr/libexec/oobe")},
        {"WSL-OOBE-COMMAND", set("usr/libexec/oobe", "#!/bin/sh\n", 0644)},
        {"WSL-OOBE-COMMAND", set("usr/libexec/oobe", "#!/usr/bin/python3\n", 0755)},
        {"WSL-OOBE-UID", say("defaultUid = 1000\n", "")},
        {"WSL-OOBE-UID", say("1000", "1001")},
        {"WSL-NAME", say("defaultName = Tarn-1.0\n", "")},
        {"WSL-NAME", say("Tarn-1.0", "Tarn 1.0")},
        {"WSL-ICON", say("icon = /usr/share/wsl/tarn.ico\n", "")},
        {"WSL-ICON-FORMAT", drop("usr/share/wsl/tarn.ico")},
        {"WSL-ICON-FORMAT", set("usr/share/wsl/tarn.ico", "\x89PNG")},
        {"WSL-ICON-FORMAT",
         set("usr/share/wsl/tarn.ico", std::string("\0\0\1\0", 4) + std::string(10'000'000, 'x'))},
        {"WSL-TERMINAL", drop("usr/share/wsl/profile.json")},
        {"WSL-TERMINAL", set("usr/share/wsl/profile.json", "{")},
        {"WSL-TERMINAL", set("usr/share/wsl/profile.json", "{\"profiles\":{}}")},
        {"WSL-SYSTEMD", set("etc/wsl.conf", "[boot]\n")},
        {"WSL-SYSTEMD", set("etc/wsl.conf", "[boot]\nsystemd=yes\n")},
        {"WSL-SYSTEMD", drop("usr/lib/systemd/systemd")},
        {"WSL-RESOLV", set("etc/resolv.conf", "")},
        {"WSL-ROOT-USER", set("etc/passwd", "root:x:1:0:root:/root:/bin/bash\n")},
        {"WSL-ROOT-USER", set("etc/passwd", "toor:x:0:0:root:/root:/bin/bash\n")},
        {"WSL-SHADOW", set("etc/shadow", "root:$y$j9T$abc:20000::::::\n")},
        {"WSL-SHADOW", set("etc/shadow", "root::20000::::::\n")},
        {"WSL-SHADOW", set("etc/passwd", "root:$1$abc:0:0:root:/root:/bin/bash\n")},
        {"WSL-KERNEL", set("boot/vmlinuz-6.18", "")},
        {"WSL-KERNEL", set("boot/initramfs-6.18.img", "")},
        {"WSL-KERNEL", set("usr/lib/modules/6.18/vmlinuz", "")},
        {"WSL-UNITS", drop("etc/systemd/system/systemd-resolved.service")},
        {"WSL-UNITS", set("etc/systemd/user/timers.target.wants/systemd-tmpfiles-clean.timer", "")},
        {"WSL-LOCALE", drop("etc/default/locale")},
    };
    Files none = sound();
    none.erase(conf);
    EXPECT_EQ(broken(none), (Ids{"WSL-CONF", "WSL-NAME", "WSL-ICON"}));
    std::set<std::string> seen = {"WSL-EXTENSION", "WSL-COMPRESSION", "WSL-ROOT", "WSL-OWNERS"};
    for (const Case& one : cases) {
        Files files = sound();
        one.change(*this, files);
        EXPECT_EQ(broken(files), Ids{one.id});
        seen.insert(one.id);
    }
    for (const WslRule& rule : wsl_rules()) {
        EXPECT_TRUE(seen.contains(std::string(rule.id))) << rule.id << " has no failing case";
    }
}

TEST_F(WslRules, ADirectoryAroundTheRootIsFound) {
    Files files;
    for (auto& [path, entry] : sound()) {
        entry.path = "rootfs/" + path;
        files[entry.path] = entry;
    }
    const auto out = broken(files);
    ASSERT_FALSE(out.empty());
    EXPECT_EQ(out[0], "WSL-ROOT");
}

TEST_F(WslRules, NamesOfOwnersAreFound) {
    std::string tar = archive(sound());
    // The first member is a short link without a pax header: give it a user's name and mend the
    // sum.
    tar.replace(265, 4, "root");
    tar.replace(148, 8, "        ");
    unsigned sum = 0;
    for (std::size_t i = 0; i < 512; ++i) {
        sum += static_cast<unsigned char>(tar[i]);
    }
    tar.replace(148, 7, fmt::format("{:06o}", sum) + std::string(1, '\0'));
    EXPECT_EQ(ids(check_wsl_tar(tar, "x.wsl")), Ids{"WSL-OWNERS"});
}

TEST_F(WslRules, TheFileItselfIsLookedAt) {
    const std::string tar = archive(sound());
    const auto at = [&](const char* name, std::string_view bytes) {
        const std::string path = directory_.path() + "/" + name;
        EXPECT_TRUE(write_file_atomic(path, bytes).has_value());
        return ids(check_wsl_file(path));
    };
    EXPECT_EQ(at("a.wsl", compress_gzip(tar, 1)), Ids{});
    EXPECT_EQ(at("a.tar.gz", compress_gzip(tar, 1)), Ids{"WSL-EXTENSION"});
    EXPECT_EQ(at("b.wsl", compress_zstd(tar, 1)), Ids{"WSL-COMPRESSION"});
    EXPECT_EQ(at("c.wsl", tar), Ids{"WSL-COMPRESSION"});
    const auto damaged = at("d.wsl", compress_gzip(tar, 1).substr(0, 100));
    ASSERT_EQ(damaged.size(), 1u);
    EXPECT_NE(damaged[0].find("d.wsl: damaged or truncated gzip data"), std::string::npos)
        << damaged[0];
}

TEST_F(WslRules, TheDocumentHasThemAll) {
    const std::string document = *read_file(TARN_SOURCE_DIR "/docs/formats/wsl.md");
    for (const WslRule& rule : wsl_rules()) {
        const std::string row = fmt::format("| {} | {} | {} | {} |\n",
                                            rule.id,
                                            rule.level == WslLevel::kMust ? "must" : "should",
                                            rule.text,
                                            rule.section);
        EXPECT_NE(document.find(row), std::string::npos) << row;
    }
}

TEST_F(WslRules, AFindingCitesItsRule) {
    Files files = sound();
    files["etc/resolv.conf"] = file("etc/resolv.conf", "");
    const auto found = check_wsl_tar(archive(files), "x.wsl");
    ASSERT_TRUE(found.has_value());
    ASSERT_EQ(found->size(), 1u);
    EXPECT_EQ(found->front().to_string(),
              "WSL-RESOLV: /etc/resolv.conf is in the archive (there is no /etc/resolv.conf; "
              "Configuration file recommendations)");
}

}  // namespace
}  // namespace tarn
