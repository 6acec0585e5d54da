// SPDX-License-Identifier: MIT
#include "image/detail/selinux.hh"

#include "image/detail/configuration.hh"
#include "image/detail/filesystem.hh"
#include "image/detail/fixture.hh"
#include "image/detail/xattrs.hh"

#include <gmock/gmock.h>

namespace tarn::image {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Warnings : public NullReporter {
  public:
    void warn(std::string_view line) override { lines.emplace_back(line); }
    std::vector<std::string> lines;
};

class ImageSelinuxTest : public testing::StoreTest {
  protected:
    ImageSelinuxTest() {
        image_.name = "vm";
        image_.selinux.mode = "enforcing";
    }
    Tree system(std::string_view contexts) {
        const std::string base = "etc/selinux/targeted/";
        TreeEntry twin = file("usr/share/twin", "#!");
        twin.hardlink = "usr/bin/tool";
        twin.mode = 0755;
        return tree(
            {file(base + "policy/policy.33", "binary"),
             file(base + "contexts/files/file_contexts", contexts),
             file("boot/config-6.18", "CONFIG_SECURITY_SELINUX=y\nCONFIG_LSM=\"apparmor\"\n"),
             file("usr/bin/tool", "#!", 0755),
             twin});
    }
    Result<Tree> labelled(std::string_view contexts) {
        return label_system(store_, image_, system(contexts), 7, warnings_);
    }

    Image image_;
    Warnings warnings_;
};

constexpr const char* kContexts =
    "/.*\tu:object_r:default_t:s0\n"
    "/usr/bin(/.*)?\tu:object_r:bin_t:s0\n"
    "/lost\\+found\t-d\tu:object_r:lost_found_t:s0\n";

TEST_F(ImageSelinuxTest, LabelsTheWholeSystem) {
    const auto made = labelled(kContexts);
    ASSERT_TRUE(made.has_value());
    EXPECT_EQ(made->find("usr/bin/tool")->xattrs.at("security.selinux"),
              std::string("u:object_r:bin_t:s0\0", 20));
    ASSERT_NE(made->find("lost+found"), nullptr);
    EXPECT_EQ(made->find("lost+found")->mode, 0700u);
    EXPECT_EQ(made->find("lost+found")->mtime, 7);
    EXPECT_THAT(warnings_.lines, ElementsAre(HasSubstr("/usr/share/twin would be")));
    image_.filesystem = "erofs";
    EXPECT_EQ(labelled(kContexts)->find("lost+found"), nullptr);
}

TEST_F(ImageSelinuxTest, APathWithoutALabelFailsTheImage) {
    const auto made = labelled("/etc(/.*)?\tu:object_r:etc_t:s0\n");
    ASSERT_FALSE(made.has_value());
    EXPECT_THAT(made.error().message, HasSubstr("the image `vm`: the SELinux policy has no label"));
    EXPECT_THAT(made.error().notes, ::testing::Contains("/usr/bin/tool"));
}

TEST_F(ImageSelinuxTest, AMissingPolicyIsNamed) {
    const auto made = label_system(store_, image_, Tree(), 0, warnings_);
    ASSERT_FALSE(made.has_value());
    EXPECT_THAT(made.error().message, HasSubstr("the image has no SELinux policy `targeted`"));
}

TEST_F(ImageSelinuxTest, NothingIsLabelledWithoutSelinux) {
    for (const char* mode : {"", "disabled"}) {
        image_.selinux.mode = mode;
        const Tree before = system("nonsense");
        const auto made = label_system(store_, image_, before, 0, warnings_);
        ASSERT_TRUE(made.has_value());
        EXPECT_EQ(made->digest(), before.digest());
        EXPECT_THAT(*selinux_options(store_, image_, before), ElementsAre());
    }
}

TEST_F(ImageSelinuxTest, TheConfigurationFileSaysModeAndPolicy) {
    Overlay overlay(store_, 0);
    image_.selinux.policy = "mls";
    ASSERT_TRUE(add_selinux_configuration(image_, Tree(), overlay).has_value());
    const Tree made = *overlay.over(Tree());
    EXPECT_EQ(text(made, "etc/selinux/config"), "SELINUX=enforcing\nSELINUXTYPE=mls\n");
    // The package's own file stays when it says the same.
    Overlay again(store_, 0);
    ASSERT_TRUE(add_selinux_configuration(image_, made, again).has_value());
    EXPECT_TRUE(again.over(Tree())->empty());
    image_.selinux.mode = "on";
    EXPECT_EQ(add_selinux_configuration(image_, made, again).error().kind, ErrorKind::kUsage);
}

TEST_F(ImageSelinuxTest, TheCommandLineTurnsItOn) {
    BootFacts facts;
    facts.filesystem = "ext4";
    EXPECT_THAT(*kernel_command_line(store_, image_, system(kContexts), facts),
                ::testing::StartsWith("security=selinux root="));
    image_.selinux.mode = "disabled";
    EXPECT_THAT(*kernel_command_line(store_, image_, system(kContexts), facts),
                ::testing::StartsWith("root="));
    image_.selinux.mode = "enforcing";
    const Tree other = tree({file("usr/lib/modules/6.18/config", "# nothing\n")});
    EXPECT_THAT(selinux_options(store_, image_, other).error().message,
                HasSubstr("built without SELinux"));
}

TEST_F(ImageSelinuxTest, AttributesBecomeCommandsOfDebugfs) {
    TreeEntry odd = file("etc/a \"b\"", "");
    odd.xattrs = {{"security.capability", "left to mke2fs"},
                  {"security.selinux", std::string("u:r:t\0", 6)},
                  {"user.x", "-\\\n\xff"}};
    TreeEntry twin = file("etc/b", "");
    twin.hardlink = "etc/a \"b\"";
    twin.xattrs = odd.xattrs;
    EXPECT_EQ(*xattr_commands(tree({odd, twin})),
              "ea_set \"/etc/a \"\"b\"\"\" \"security.selinux\" \"u:r:t\\000\"\n"
              "ea_set \"/etc/a \"\"b\"\"\" \"user.x\" \"\\055\\134\\012\\377\"\n");
    EXPECT_EQ(*xattr_commands(tree({file("a", "")})), "");
}

TEST_F(ImageSelinuxTest, ANameOfTwoLinesCannotBeSaidToDebugfs) {
    TreeEntry odd = file("etc/a\nrm b", "");
    EXPECT_TRUE(xattr_commands(tree({odd})).has_value());
    odd.xattrs = {{"security.selinux", "x"}};
    const auto commands = xattr_commands(tree({odd}));
    ASSERT_FALSE(commands.has_value());
    EXPECT_THAT(commands.error().message, HasSubstr("\"etc\\057a\\012rm\\040b\""));
    EXPECT_THAT(commands.error().help, ElementsAre(HasSubstr("erofs")));
}

}  // namespace
}  // namespace tarn::image
