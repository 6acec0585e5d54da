// SPDX-License-Identifier: MIT
// Image definitions: layers and the rules inside their tables.
#include "project/dump.hh"
#include "project/loaded_test.hh"

namespace tarn {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

TEST(Images, AreLaidTogetherFromBasePartsAndTheirOwnKeys) {
    Loaded it;
    it.file("tarn.toml", R"(
[image-parts.hard]
packages = ["audit"]
services.disable = ["rpcbind.socket"]
sysctl = { "kernel.kptr_restrict" = "2", "vm.swappiness" = "10" }
users.ops = { groups = ["wheel"], uid = 1500 }
container = { command = ["/bin/sh"], environment = { A = "part" } }
assert = { without = ["python"], max-packages = 10 }
partitions = [{ type = "esp", size = "64 MiB" }]
[images.base]
packages = ["systemd"]
kind = "disk"
sysctl = { "vm.swappiness" = "60" }
partitions = [{ type = "esp", size = "256 MiB" }, { type = "root", grow = true }]
[images.web]
base = "base"
includes = ["hard"]
packages = ["nginx"]
sysctl = { "vm.swappiness" = "1" }
users.ops = { ssh-keys = ["ssh-ed25519 AAAA"] }
services = { enable = ["nginx"], disable = ["cups"] }
container = { command = ["/usr/bin/bash", "-l"], environment = { B = "own" } }
assert = { without = ["perl"], max-packages = 20 }
)")
        .load();
    const Image& web = it.project().images.at("web");
    EXPECT_THAT(web.packages, ElementsAre("systemd", "audit", "nginx"));
    EXPECT_EQ(web.sysctl.at("vm.swappiness"), "1");
    EXPECT_EQ(web.sysctl.at("kernel.kptr_restrict"), "2");
    EXPECT_THAT(web.services.disable, ElementsAre("rpcbind.socket", "cups"));
    EXPECT_EQ(web.users.at("ops").uid, 1500);
    EXPECT_THAT(web.users.at("ops").groups, ElementsAre("wheel"));
    EXPECT_THAT(web.users.at("ops").ssh_keys, ElementsAre("ssh-ed25519 AAAA"));
    EXPECT_THAT(web.container.command, ElementsAre("/usr/bin/bash", "-l"));
    EXPECT_EQ(web.container.environment.at("A"), "part");
    EXPECT_THAT(web.assertions.without, ElementsAre("python", "perl"));
    EXPECT_EQ(web.assertions.max_packages, 20);
    ASSERT_EQ(web.partitions.size(), 1u);
    EXPECT_EQ(web.partitions[0].size, 64ULL << 20);
    EXPECT_EQ(it.sources().locate(web.package_where.at("nginx").begin).line, 18u);
    EXPECT_EQ(it.sources().locate(web.package_where.at("audit").begin).line, 3u);
    EXPECT_EQ(it.project().images.size(), 2u) << "a part is no image";
}

TEST(Images, APartWithAnArchitectureIsForThatOneAlone) {
    const auto words = [](const std::string& architecture) {
        Loaded it;
        LoadOptions options;
        options.architecture = architecture;
        it.file("tarn.toml", R"(
[image-parts.x86]
architecture = "x86_64"
kernel-command-line = ["console=ttyS0"]
[image-parts.arm]
architecture = "aarch64"
kernel-command-line = ["console=ttyAMA0"]
[images.vm]
includes = ["x86", "arm"]
kernel-command-line = ["quiet"]
)")
            .load(options);
        EXPECT_EQ(it.project().images.at("vm").architecture, "") << "a part does not choose it";
        return it.project().images.at("vm").kernel_command_line;
    };
    EXPECT_THAT(words(""), ElementsAre("console=ttyS0", "quiet"));
    EXPECT_THAT(words("aarch64"), ElementsAre("console=ttyAMA0", "quiet"));
}

TEST(Architectures, AreAFewWords) {
    Loaded it;
    it.file("tarn.toml", R"(
[import-policy]
architectures = ["x86_64", "arm64"]
[import-groups.a]
upstream-distro = { name = "debian" }
packages = ["x"]
architectures = ["cross-aarch"]
[distros.debian]
kind = "debian"
)")
        .load();
    EXPECT_FALSE(it.loaded());
    EXPECT_THAT(it.said(), HasSubstr("3:28: error: `architectures` cannot be \"arm64\""));
    EXPECT_THAT(it.said(), HasSubstr("did you mean `cross-aarch64`?"));
}

TEST(Images, MistakesInTheirTablesAreAllTold) {
    Loaded it;
    it.file("tarn.toml", R"(
[image-parts.part]
base = "vm"
[images.vm]
kind = "disc"
includes = ["prat"]
formats = ["raw", "vdh"]
users.Bad = { comment = "a:b", uid = -1 }
users.ops = { password-hash = "secret", home = "ops" }
sysctl = { "kernel panic" = "1" }
assert = { without = ["pyton"], max-packages = 0 }
partitions = [{ type = "boot" }, { label = "x" }]
machine-id = "random"
services = { start = ["x"] }
)")
        .load();
    EXPECT_FALSE(it.loaded());
    const std::string said = it.said();
    for (const char* wanted :
         {"3:1: error: unknown key `base` in image part `part`",
          "`kind` cannot be \"disc\"",
          "image part `prat` is not defined",
          "`formats` cannot be \"vdh\"",
          "`Bad` is no name of a user",
          "`uid` must be 0 to 4294967294",
          "`comment` may have no `:` and one line",
          "`password-hash` must be a crypt(5) hash",
          "`home` must be an absolute path",
          "`kernel panic` names no setting",
          "`without` cannot be \"pyton\"",
          "`max-packages` must be at least 1",
          "`type` cannot be \"boot\"",
          "partition needs `type`",
          "`machine-id` cannot be \"random\"",
          "unknown key `start`"}) {
        EXPECT_THAT(said, HasSubstr(wanted));
    }
}

TEST(Images, ADumpShowsThemMergedAndHidesPasswords) {
    Loaded it;
    it.file("tarn.toml", R"(
[image-parts.part]
sysctl = { "vm.swappiness" = "1" }
[images.vm]
includes = ["part"]
users.ops = { password-hash = "$6$salt$hash" }
locale = { lang = "C.UTF-8" }
)")
        .load();
    const std::string text = dump_toml(it.project(), it.sources(), {});
    EXPECT_THAT(text, HasSubstr("\"vm.swappiness\" = \"1\""));
    EXPECT_THAT(text, HasSubstr("lang = \"C.UTF-8\""));
    EXPECT_THAT(text, Not(HasSubstr("$6$")));
}

}  // namespace
}  // namespace tarn
