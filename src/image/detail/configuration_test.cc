// SPDX-License-Identifier: MIT
#include "image/detail/configuration.hh"

#include "image/detail/fixture.hh"

namespace tarn::image {
namespace {

class Configuration : public testing::StoreTest {
  protected:
    Configuration() {
        image_.name = "vm";
        facts_.root_partition = Guid::derive("s", "root");
        facts_.esp_partition = Guid::derive("s", "esp");
        facts_.filesystem = "ext4";
    }
    Result<Tree> configured(const Tree& base) {
        Overlay overlay(store_, 1700000000);
        TARN_TRY(add_machine_configuration(image_, facts_, overlay));
        TARN_TRY(add_configuration(store_, image_, base, overlay));
        return overlay.over(base);
    }
    Image image_;
    BootFacts facts_;
};

TEST_F(Configuration, AnImageHasItsOwnFilesAndNoMachineId) {
    const auto made = configured(
        tree({file("usr/lib/systemd/systemd-resolved", "x"), file("usr/bin/bash", "x")}));
    ASSERT_TRUE(made.has_value());
    EXPECT_EQ(text(*made, "etc/machine-id"), "uninitialized\n");
    EXPECT_EQ(text(*made, "etc/hostname"), "vm\n");
    EXPECT_EQ(made->find("etc/resolv.conf")->target, "../run/systemd/resolve/stub-resolv.conf");
    EXPECT_EQ(made->find("bin")->target, "usr/bin");
    EXPECT_EQ(made->find("tmp")->mode, 01777u);
    EXPECT_NE(text(*made, "etc/fstab").find(facts_.root_partition.to_string()), std::string::npos);
    EXPECT_NE(text(*made, "etc/fstab").find("/efi vfat umask=0077"), std::string::npos);
}

TEST_F(Configuration, WhatPackagesBringStaysAndWhatTheImageDeclaresWins) {
    image_.files.push_back({"/etc/hosts", "declared\n", "", "0600", "root", "", {}});
    const auto made = configured(tree({file("etc/hosts", "package\n"), symlink("etc/mtab", "x")}));
    ASSERT_TRUE(made.has_value());
    EXPECT_EQ(text(*made, "etc/hosts"), "declared\n");
    EXPECT_EQ(made->find("etc/hosts")->mode, 0600u);
    EXPECT_EQ(made->find("etc/mtab")->target, "x");
}

TEST_F(Configuration, ADeclaredFileNeverReplacesALinkToADirectory) {
    TreeEntry link;
    link.path = "lib";
    link.kind = EntryKind::kSymlink;
    link.mode = 0777;
    link.target = "usr/lib";
    const Tree base = tree({file("usr/lib/x", "x"), link});
    Overlay overlay(store_, 1700000000);
    ASSERT_TRUE(overlay.file("lib/modules-load.d/a.conf", "a\n"));
    const auto made = overlay.over(base);
    ASSERT_FALSE(made.has_value());
    EXPECT_EQ(made.error().message,
              "/lib/modules-load.d/a.conf cannot be put into the image: /lib is no directory there");
}

TEST_F(Configuration, BadPathsAndModesOfDeclaredFilesAreRefused) {
    image_.files = {{"/etc/../../x", "", "", "", "", "", {}}};
    EXPECT_EQ(configured(Tree{}).error().kind, ErrorKind::kUsage);
    image_.files = {{"/etc/x", "", "", "rw-r--r--", "", "", {}}};
    EXPECT_EQ(configured(Tree{}).error().kind, ErrorKind::kUsage);
    image_.files = {{"/etc/x", "", "", "17777", "", "", {}}};
    EXPECT_EQ(configured(Tree{}).error().kind, ErrorKind::kUsage);
}

TEST_F(Configuration, TheKernelIsFoundInEitherPlace) {
    const Tree modules = tree({file("usr/lib/modules/6.18/vmlinuz", "k")});
    EXPECT_EQ(find_kernel(modules)->version, "6.18");
    const Tree boot =
        tree({file("usr/lib/modules/6.18/kernel/a.ko", "m"), file("boot/vmlinuz-6.18", "k")});
    EXPECT_EQ(find_kernel(boot)->image, Digest::of("k"));
}

TEST_F(Configuration, NoKernelOrSeveralAreErrors) {
    EXPECT_EQ(find_kernel(Tree{}).error().kind, ErrorKind::kNotFound);
    EXPECT_FALSE(find_kernel(tree({file("usr/lib/modules/6.18/kernel/a.ko", "m")})).has_value());
    const auto two = find_kernel(
        tree({file("usr/lib/modules/1/vmlinuz", "k"), file("usr/lib/modules/2/vmlinuz", "k")}));
    ASSERT_FALSE(two.has_value());
    EXPECT_EQ(two.error().message, "the image has several kernels: 1, 2");
}

TEST_F(Configuration, CommandLineIsFragmentsThenImageThenRoot) {
    image_.kernel_command_line = {"console=ttyS0"};
    const Tree root = tree({file("usr/lib/kernel/cmdline.d/20-b.conf", "b=1\n"),
                            file("usr/lib/kernel/cmdline.d/10-a.conf", "# why\na=1 # because\n\n"),
                            file("etc/kernel/cmdline.d/20-b.conf", "b=2\n"),
                            file("usr/lib/kernel/cmdline.d/README", "x")});
    EXPECT_EQ(*kernel_command_line(store_, image_, root, facts_),
              "a=1 b=2 console=ttyS0 root=PARTUUID=" + facts_.root_partition.to_string() +
                  " rootfstype=ext4 rw");
    image_.kernel_command_line = {"root=/dev/vda1 rootfstype=xfs", "ro"};
    EXPECT_EQ(*kernel_command_line(store_, image_, Tree{}, facts_),
              "root=/dev/vda1 rootfstype=xfs ro");
}

TEST_F(Configuration, RpmdbGoesWhereTheImagesRpmLooks) {
    EXPECT_EQ(*rpmdb_directory(store_, Tree{}), "var/lib/rpm");
    const auto of = [&](const char* macros) {
        return rpmdb_directory(store_, tree({file("usr/lib/rpm/macros", macros)}));
    };
    EXPECT_EQ(*of("%_other x\n%_dbpath\t\t%{_var}/lib/rpm\n%_dbpath_rebuild %{_dbpath}\n"),
              "var/lib/rpm");
    EXPECT_EQ(*of("%_dbpath /usr/lib/sysimage/rpm\n"), "usr/lib/sysimage/rpm");
    EXPECT_FALSE(of("%_dbpath %{mystery}/rpm\n").has_value());
    EXPECT_FALSE(of("%_dbpath /../rpm\n").has_value());
}

TEST_F(Configuration, LinksInTheTreeAreFollowedButNeverLeaveIt) {
    const Tree root = tree({file("usr/lib/os-release", "ID=tarn\n"),
                            symlink("etc/os-release", "../usr/lib/os-release"),
                            symlink("etc/abs", "/usr/lib/os-release"),
                            symlink("etc/loop", "loop"),
                            symlink("etc/out", "../../../../etc/hostname")});
    EXPECT_EQ(*read_tree_file(store_, root, "etc/os-release"), "ID=tarn\n");
    EXPECT_EQ(*read_tree_file(store_, root, "etc/abs"), "ID=tarn\n");
    EXPECT_FALSE(read_tree_file(store_, root, "etc/loop").has_value());
    EXPECT_FALSE(read_tree_file(store_, root, "etc/out").has_value());
}

}  // namespace
}  // namespace tarn::image
