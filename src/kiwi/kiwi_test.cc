// SPDX-License-Identifier: MIT
#include "kiwi/kiwi.hh"

#include "base/fs.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tarn::kiwi {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kDisk = R"(<?xml version="1.0" encoding="utf-8"?>
<image schemaversion="8.0" name="vm-base" displayname="A machine">
  <description type="system"><author>x</author><contact>y</contact></description>
  <profiles>
    <profile name="base" description="b" import="true"/>
    <profile name="debug" description="d"><requires profile="base"/></profile>
  </profiles>
  <preferences>
    <version>4.0.0</version>
    <packagemanager>dnf5</packagemanager>
    <locale>en_US</locale><keytable>us</keytable><timezone>UTC</timezone>
    <type image="oem" format="vhd-fixed" formatoptions="force_size" filesystem="ext4" firmware="uefi"
          efipartsize="200" kernelcmdline="console=ttyS0 rd.shell=0" primary="true">
      <bootloader name="grub2" timeout="1"/>
      <size unit="G">5</size>
    </type>
  </preferences>
  <repository type="rpm-md"><source path="https://example.org/repo"/></repository>
  <users><user name="azure" groups="azure,wheel:10" password="$6$x$y" home="/home/azure"/></users>
  <packages type="image" patternType="plusRecommended">
    <package name="bash"/>
    <package name="grub2-efi-x64" arch="x86_64"/>
    <package name="grub2-efi-aa64" arch="aarch64"/>
    <ignore name="vim"/>
  </packages>
  <packages type="image" profiles="debug"><package name="strace"/></packages>
  <packages type="bootstrap"><package name="filesystem"/><package name="bash"/></packages>
  <packages type="delete"><package name="bash-doc"/></packages>
</image>
)";

TEST(Kiwi, ADiskBecomesAnImage) {
    const auto made = read_text("d/vm.kiwi", kDisk, {}, {});
    ASSERT_TRUE(made.has_value()) << made.error().message;
    const Image& image = made->image;
    EXPECT_EQ(image.kind, "disk");
    EXPECT_THAT(image.formats, ElementsAre("vhd"));
    EXPECT_EQ(image.filesystem, "ext4");
    EXPECT_EQ(image.esp_bytes, 200ULL << 20);
    EXPECT_EQ(image.size_bytes, 5ULL << 30);
    EXPECT_EQ(image.version, "4.0.0");
    EXPECT_EQ(image.description, "A machine");
    EXPECT_THAT(image.kernel_command_line, ElementsAre("console=ttyS0", "rd.shell=0"));
    EXPECT_THAT(image.packages, ElementsAre("bash", "grub2-efi-x64", "filesystem"));
    EXPECT_THAT(image.exclude_packages, ElementsAre("vim", "bash-doc"));
    EXPECT_TRUE(image.weak_dependencies);
    EXPECT_EQ(image.locale.lang, "en_US.UTF-8");
    EXPECT_EQ(image.users.at("azure").group, "azure");
    EXPECT_THAT(image.users.at("azure").groups, ElementsAre("wheel"));
    EXPECT_EQ(image.users.at("azure").password_hash, "$6$x$y");
    EXPECT_THAT(made->notes,
                ElementsAre("d/vm.kiwi:14: grub2 is not used: the firmware starts a unified kernel "
                            "image",
                            "d/vm.kiwi:18: packages come from the project's own repository, not "
                            "from this one",
                            "d/vm.kiwi:28: packages to delete are never installed"));
}

TEST(Kiwi, ProfilesAndArchitecturesChoose) {
    const auto made = read_text("d/vm.kiwi", kDisk, {"debug", "aarch64"}, {});
    ASSERT_TRUE(made.has_value());
    EXPECT_THAT(made->image.packages,
                ElementsAre("bash", "grub2-efi-aa64", "strace", "filesystem"));
    const auto none = read_text("d/vm.kiwi", kDisk, {"debgg", "x86_64"}, {});
    ASSERT_FALSE(none.has_value());
    EXPECT_EQ(none.error().message, "d/vm.kiwi: there is no profile `debgg`");
    EXPECT_THAT(none.error().help, ElementsAre("did you mean `debug`?"));
}

TEST(Kiwi, WhatTheImageItselfSaysWins) {
    Image image;
    image.formats = {"qcow2"};
    image.size_bytes = 1;
    image.packages = {"jq"};
    image.kernel_command_line = {"quiet"};
    const auto made = read_text("d/vm.kiwi", kDisk, {}, image);
    ASSERT_TRUE(made.has_value());
    EXPECT_THAT(made->image.formats, ElementsAre("qcow2"));
    EXPECT_EQ(made->image.size_bytes, 1u);
    EXPECT_EQ(made->image.packages.front(), "jq");
    EXPECT_THAT(made->image.kernel_command_line, ElementsAre("quiet"));
}

TEST(Kiwi, AContainerKeepsItsConfiguration) {
    const auto made = read_text("c/c.kiwi", R"(<image schemaversion="8.0" name="c">
<preferences><type image="oci"><containerconfig name="base" user="nobody" workingdir="/srv" maintainer="me">
<entrypoint execute="/bin/x"><argument name="-v"/></entrypoint>
<subcommand execute="/bin/bash"/>
<expose><port number="80/tcp"/></expose><volumes><volume name="/data"/></volumes>
<environment><env name="A" value="1"/></environment><labels><label name="l" value="2"/></labels>
</containerconfig></type></preferences></image>)",
                                {}, {});
    ASSERT_TRUE(made.has_value()) << made.error().message;
    const ImageContainer& container = made->image.container;
    EXPECT_EQ(made->image.kind, "container");
    EXPECT_THAT(container.entrypoint, ElementsAre("/bin/x", "-v"));
    EXPECT_THAT(container.command, ElementsAre("/bin/bash"));
    EXPECT_THAT(container.ports, ElementsAre("80/tcp"));
    EXPECT_EQ(container.environment.at("A"), "1");
    EXPECT_EQ(container.labels.at("l"), "2");
    EXPECT_EQ(container.user, "nobody");
    EXPECT_EQ(container.working_dir, "/srv");
}

TEST(Kiwi, EverythingThatIsRefusedIsNamedWithItsLine) {
    const auto made = read_text("x/x.kiwi", R"(<image name="x">
<preferences><oddity/>
<type image="oem" filesystem="xfs" firmware="bios" format="vmdk" luks="secret">
<size unit="G" additive="true">5</size><vagrantconfig/></type></preferences>
<packages type="image"><namedCollection name="core"/><archive name="a.tar"/><package name="a" odd="1"/></packages>
<users><user name="a" password="secret" pwdformat="plain"/></users>
<include from="file://x.xml"/>
</image>)",
                                {}, {});
    ASSERT_FALSE(made.has_value());
    EXPECT_EQ(made.error().kind, ErrorKind::kUsage);
    EXPECT_THAT(
        made.error().notes,
        ElementsAre(
            "x/x.kiwi:2: <oddity> in <preferences> is not supported",
            "x/x.kiwi:3: format=\"vmdk\": disks are written as raw, qcow2 or vhd-fixed",
            "x/x.kiwi:3: filesystem=\"xfs\": a root is ext4 or, read-only, erofs",
            "x/x.kiwi:3: firmware=\"bios\": disks boot on UEFI alone",
            "x/x.kiwi:3: luks=\"secret\" is not supported",
            "x/x.kiwi:4: an additive size: name the size of the disk",
            "x/x.kiwi:4: <vagrantconfig> in <type> is not supported",
            "x/x.kiwi:5: <namedCollection> `core`: a group of the repository",
            "x/x.kiwi:5: <archive> `a.tar`: declare it in `files` of the image",
            "x/x.kiwi:5: <package>: the attribute `odd` is not supported",
            "x/x.kiwi:6: user `a` has a password in plain text",
            "x/x.kiwi:7: <include> is not supported"));
}

TEST(Kiwi, BrokenAndHostileFilesAreRefused) {
    const auto message = [](std::string_view xml) {
        const auto made = read_text("x.kiwi", xml, {}, {});
        return made ? std::string("read") : made.error().message;
    };
    EXPECT_THAT(message(""), HasSubstr("x.kiwi:1:1: not XML"));
    EXPECT_THAT(message("<image>\n<a></b></image>"), HasSubstr("x.kiwi:2:"));
    EXPECT_EQ(message("<kiwi/>"), "x.kiwi:1: not an image description: it begins with <kiwi>");
    EXPECT_THAT(message("<!DOCTYPE image [<!ENTITY a \"x\">]><image>&a;</image>"),
                HasSubstr("document type"));
    EXPECT_THAT(message("<!DOCTYPE image SYSTEM \"/etc/passwd\"><image/>"),
                HasSubstr("document type"));
    std::string deep;
    for (int i = 0; i < 100; ++i) {
        deep += "<a>";
    }
    for (int i = 0; i < 100; ++i) {
        deep += "</a>";
    }
    EXPECT_THAT(message("<image>" + deep + "</image>"), HasSubstr("too deep"));
    EXPECT_THAT(message(std::string(5U << 20, ' ')), HasSubstr("too large"));
    EXPECT_THAT(message("<image><preferences/></image>"), HasSubstr("asks for what Tarn"));
}

TEST(Kiwi, TheOverlayDirectoryComesAlongAndScriptsAreNamed) {
    const auto directory = TempDir::make();
    ASSERT_TRUE(directory.has_value());
    const std::string at = directory->path();
    ASSERT_TRUE(make_directories(at + "/root/etc"));
    ASSERT_TRUE(write_file_atomic(at + "/root/etc/motd", "hello"));
    ASSERT_TRUE(write_file_atomic(at + "/root/run.sh", "x", 0755));
    ASSERT_TRUE(write_file_atomic(at + "/config.sh", "rm -rf /"));
    ASSERT_TRUE(write_file_atomic(at + "/vm.kiwi", kDisk));
    const auto made = read(at + "/vm.kiwi", {}, {});
    ASSERT_TRUE(made.has_value()) << made.error().message;
    ASSERT_EQ(made->image.files.size(), 2u);
    EXPECT_EQ(made->image.files[0].path, "/etc/motd");
    EXPECT_EQ(made->image.files[1].mode, "0755");
    EXPECT_THAT(made->notes.back(), HasSubstr("config.sh: not run"));
    EXPECT_FALSE(read(at + "/none.kiwi", {}, {}).has_value());
}

}  // namespace
}  // namespace tarn::kiwi
