// SPDX-License-Identifier: MIT
#include "image/detail/kernel_modules.hh"

#include "base/compress.hh"
#include "image/detail/fixture.hh"
#include "image/detail/initrd.hh"

#include <algorithm>

namespace tarn::image {
namespace {

constexpr const char* kDep =
    "kernel/drivers/nvme/host/nvme.ko.xz: kernel/drivers/nvme/host/nvme-core.ko.xz "
    "kernel/lib/crc.ko.xz\n"
    "kernel/drivers/nvme/host/nvme-core.ko.xz: kernel/lib/crc.ko.xz\n"
    "kernel/lib/crc.ko.xz:\n"
    "kernel/fs/btrfs/btrfs.ko.xz:\n"
    "kernel/lib/soft.ko.xz:\n";
constexpr const char* kAlias =
    "# Aliases\nalias pci:v*bc01sc08i02* nvme\nalias fs-btrfs btrfs\nalias nvme-x nvme-core\n";

ModuleTables tables() {
    return {kDep,
            kAlias,
            "# Soft\nsoftdep btrfs pre: soft gone post: crc\nsoftdep x pre: y\n",
            "kernel/fs/ext4/ext4.ko\n"};
}

std::vector<std::string> names(const std::vector<ModuleChoice>& choices) {
    std::vector<std::string> out;
    std::ranges::transform(choices, std::back_inserter(out), &ModuleChoice::name);
    return out;
}

TEST(KernelModules, DependenciesComeFirstAndOnce) {
    const auto kernel = KernelModules::parse(tables());
    ASSERT_TRUE(kernel.has_value());
    const auto chosen = kernel->closure({"nvme", "nvme-core", "ext4"});
    ASSERT_TRUE(chosen.has_value());
    const auto order = names(*chosen);
    EXPECT_EQ(order.size(), 3u);
    EXPECT_EQ(order.back(), "nvme");
    EXPECT_LT(std::ranges::find(order, "crc"), std::ranges::find(order, "nvme_core"));
    EXPECT_EQ(kernel->aliases_of(*chosen), "pci:v*bc01sc08i02* nvme\nnvme-x nvme_core\n");
}

TEST(KernelModules, SoftDependenciesThatExistComeAlong) {
    const auto kernel = KernelModules::parse(tables());
    ASSERT_TRUE(kernel.has_value());
    EXPECT_EQ(names(*kernel->closure({"btrfs"})), (std::vector<std::string>{"soft", "btrfs"}));
}

TEST(KernelModules, UnknownOnesAreNamedWithSuggestions) {
    const auto kernel = KernelModules::parse(tables());
    ASSERT_TRUE(kernel.has_value());
    const auto chosen = kernel->closure({"nvmee", "bttrfs", "ext4"});
    ASSERT_FALSE(chosen.has_value());
    EXPECT_EQ(chosen.error().kind, ErrorKind::kNotFound);
    EXPECT_EQ(chosen.error().message, "the kernel has no module `nvmee`, `bttrfs`");
    ASSERT_EQ(chosen.error().help.size(), 2u);
    EXPECT_NE(chosen.error().help[0].find("`nvme`"), std::string::npos);
}

TEST(KernelModules, CyclesEnd) {
    const auto kernel = KernelModules::parse({"a.ko: b.ko\nb.ko: a.ko\n", "", "", ""});
    ASSERT_TRUE(kernel.has_value());
    EXPECT_EQ(names(*kernel->closure({"a"})), (std::vector<std::string>{"b", "a"}));
}

TEST(KernelModules, LinesThatAreNotDepmodsAreRefused) {
    EXPECT_EQ(KernelModules::parse({"no colon\n", "", "", ""}).error().kind, ErrorKind::kCorrupt);
    EXPECT_FALSE(KernelModules::parse({"../../etc/x.ko:\n", "", "", ""}).has_value());
    EXPECT_FALSE(KernelModules::parse({"/etc/x.ko:\n", "", "", ""}).has_value());
    EXPECT_FALSE(KernelModules::parse({"", "alias onlytwo\n", "", ""}).has_value());
}

class InitrdTest : public testing::StoreTest {
  protected:
    Tree root(std::string_view module_bytes) {
        const std::string base = "usr/lib/modules/6.18/";
        return tree({file(base + "modules.dep", "kernel/a.ko.gz: kernel/b.ko\nkernel/b.ko:\n"),
                     file(base + "modules.alias", "alias pci:a* a\n"),
                     file(base + "kernel/a.ko.gz", module_bytes),
                     file(base + "kernel/b.ko", "plain b")});
    }
    InitrdInput input(const Tree& tree) {
        InitrdInput out;
        out.root = &tree;
        out.init = *store_.put("the init program");
        out.kernel_version = "6.18";
        out.modules = {"a"};
        out.release = "ID=tarn\n";
        out.time = 1700000000;
        return out;
    }
};

TEST_F(InitrdTest, HoldsInitListsAndPlainModules) {
    TARN_NEED_TOOL("cpio");
    const Tree tree = root(compress_gzip("plain a", 6));
    const auto made = make_initrd(store_, input(tree));
    ASSERT_TRUE(made.has_value());
    EXPECT_EQ(made->modules, (std::vector<std::string>{"b", "a"}));
    const auto plain = decompress(made->bytes, Compression::kZstd);
    ASSERT_TRUE(plain.has_value());
    const auto show = [&](const char* path) {
        return testing::run_tool({"cpio", "-i", "--quiet", "--to-stdout", path}, *plain).text;
    };
    EXPECT_EQ(show("modules/a.ko"), "plain a");
    EXPECT_EQ(show("modules/modules.list"), "b\na b\n");
    EXPECT_EQ(show("modules/modules.alias"), "pci:a* a\n");
    EXPECT_EQ(show("init"), "the init program");
    // From the store, the same.
    EXPECT_EQ(make_initrd(store_, input(tree))->bytes, made->bytes);
}

TEST_F(InitrdTest, ADamagedModuleIsNamed) {
    std::string damaged = compress_gzip(std::string(2000, 'a'), 6);
    damaged.resize(damaged.size() - 5);
    const Tree tree = root(damaged);
    const auto made = make_initrd(store_, input(tree));
    ASSERT_FALSE(made.has_value());
    EXPECT_NE(made.error().message.find("kernel/a.ko.gz"), std::string::npos)
        << made.error().message;
}

TEST_F(InitrdTest, WithoutDepmodsTablesItSaysSo) {
    const Tree empty;
    const auto made = make_initrd(store_, input(empty));
    ASSERT_FALSE(made.has_value());
    EXPECT_EQ(made.error().kind, ErrorKind::kNotFound);
    EXPECT_FALSE(made.error().help.empty());
}

}  // namespace
}  // namespace tarn::image
