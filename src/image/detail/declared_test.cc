// SPDX-License-Identifier: MIT
#include "image/detail/declared.hh"

#include "image/detail/fixture.hh"

#include <gmock/gmock.h>

namespace tarn::image {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Declared : public testing::StoreTest {
  protected:
    Declared() {
        image_.name = "vm";
        TreeEntry units;
        units.path = "usr/lib/systemd/system";
        units.kind = EntryKind::kDirectory;
        units.mode = 0755;
        base_ = tree({units,
                      file("usr/lib/systemd/system/sshd.service", "x"),
                      file("usr/lib/systemd/system/getty@.service", "x"),
                      file("usr/share/zoneinfo/Europe/Berlin", "x"),
                      file("usr/bin/bash", "x", 0755),
                      symlink("bin", "usr/bin"),
                      file("etc/skel/.profile", "hello\n")});
        files_.passwd = "root:x:0:0:root:/root:/bin/bash\nchrony:x:1000:990::/:/bin/bash\n";
        files_.group = "root:x:0:\nwheel:x:10:anna\nchrony:x:990:\n";
        files_.shadow = "root:!*:1::::::\nchrony:!*:1::::::\n";
        files_.gshadow = "root:!*::\nwheel:!*::anna\nchrony:!*::\n";
    }
    Result<Tree> settings() {
        Overlay overlay(store_, 1700000000);
        TARN_TRY(add_declared_settings(image_, base_, overlay));
        return overlay.over(base_);
    }
    ImageUser& user(const std::string& name) {
        ImageUser& out = image_.users[name];
        out.name = name;
        return out;
    }
    Image image_;
    Tree base_;
    AccountFiles files_;
};

TEST_F(Declared, SettingsBecomeTheDropInsAnAdministratorWouldWrite) {
    image_.services = {{"sshd", "getty@tty1.service"}, {}, {"tmp.mount"}};
    image_.sysctl = {{"net.ipv4.ip_forward", "1"}};
    image_.kernel_modules = {{"overlay"}, {"floppy"}};
    image_.locale = {"C.UTF-8", "de", "Europe/Berlin"};
    const auto made = settings();
    ASSERT_TRUE(made.has_value()) << made.error().message;
    EXPECT_EQ(text(*made, "etc/systemd/system-preset/00-image.preset"),
              "enable sshd.service\nenable getty@tty1.service\n");
    EXPECT_EQ(made->find("etc/systemd/system/tmp.mount")->target, "/dev/null");
    EXPECT_EQ(text(*made, "etc/sysctl.d/90-image.conf"), "net.ipv4.ip_forward = 1\n");
    EXPECT_EQ(text(*made, "etc/modules-load.d/image.conf"), "overlay\n");
    EXPECT_EQ(text(*made, "etc/modprobe.d/image.conf"),
              "blacklist floppy\ninstall floppy /bin/false\n");
    EXPECT_EQ(text(*made, "etc/locale.conf"), "LANG=C.UTF-8\n");
    EXPECT_EQ(text(*made, "etc/vconsole.conf"), "KEYMAP=de\n");
    EXPECT_EQ(made->find("etc/localtime")->target, "../usr/share/zoneinfo/Europe/Berlin");
}

TEST_F(Declared, EverythingDanglingIsNamedAtOnce) {
    image_.services = {{"sshdd"}, {"nothing.timer"}, {}};
    image_.locale.timezone = "../../etc/shadow";
    const auto made = settings();
    ASSERT_FALSE(made.has_value());
    EXPECT_THAT(made.error().notes,
                ElementsAre("`services.enable`: no package has the unit `sshdd.service`; did you "
                            "mean `sshd.service`?",
                            "`services.disable`: no package has the unit `nothing.timer`",
                            "`locale.timezone`: no package has the zone `../../etc/shadow`; zones "
                            "are like `Europe/Berlin`; they come with `tzdata`"));
}

TEST_F(Declared, UsersComeBehindThoseOfThePackages) {
    user("zoe").uid = 1001;
    user("zoe").password_hash = "$y$j9T$abc";
    user("zoe").groups = {"wheel"};
    user("adam").shell = "/bin/bash";
    const auto made = add_declared_users(image_, base_, files_, 20000);
    ASSERT_TRUE(made.has_value()) << made.error().message;
    EXPECT_EQ(made->passwd,
              files_.passwd + "zoe:x:1001:1001::/home/zoe:/bin/bash\n"
                              "adam:x:1002:1002::/home/adam:/bin/bash\n");
    EXPECT_THAT(made->group, HasSubstr("wheel:x:10:anna,zoe\n"));
    EXPECT_THAT(made->group, HasSubstr("zoe:x:1001:\nadam:x:1002:\n"));
    EXPECT_EQ(made->shadow, files_.shadow + "zoe:$y$j9T$abc:20000::::::\nadam:!*:20000::::::\n");
    EXPECT_THAT(made->gshadow, HasSubstr("wheel:!*::anna,zoe\n"));
}

TEST_F(Declared, UsersThatClashOrPointNowhereAreRefused) {
    user("chrony");
    user("eve").uid = 0;
    user("eve").groups = {"weel"};
    user("eve").shell = "/bin/zsh";
    user("sam").groups = {"weel"};
    user("sam").shell = "/bin/zsh";
    const auto made = add_declared_users(image_, base_, files_, 20000);
    ASSERT_FALSE(made.has_value());
    EXPECT_THAT(made.error().notes,
                ElementsAre("`users.eve`: uid 0 is taken",
                            "`users.chrony`: a package declares this account already",
                            "`users.sam`: no package has the shell /bin/zsh",
                            "`users.sam`: there is no group `weel`; did you mean `wheel`?"));
}

TEST_F(Declared, HomesHaveTheSkeletonAndTheKeys) {
    user("zoe").ssh_keys = {"ssh-ed25519 AAAA zoe"};
    Overlay overlay(store_, 1700000000);
    ASSERT_TRUE(add_homes(store_, image_, base_, overlay));
    const auto made = overlay.over(base_);
    ASSERT_TRUE(made.has_value());
    EXPECT_EQ(text(*made, "home/zoe/.profile"), "hello\n");
    EXPECT_EQ(text(*made, "home/zoe/.ssh/authorized_keys"), "ssh-ed25519 AAAA zoe\n");
    EXPECT_EQ(made->find("home/zoe/.ssh")->mode, 0700u);
    EXPECT_EQ(made->find("home/zoe/.ssh/authorized_keys")->mode, 0600u);
    EXPECT_EQ(made->find("home/zoe/.ssh/authorized_keys")->user, "zoe");
}

TEST_F(Declared, LinksAreFollowedWithinTheTree) {
    const Tree looped = tree({symlink("a", "b"), symlink("b", "a"), symlink("up", "../../usr"),
                              file("usr/bin/x", "x"), symlink("bin", "/usr/bin")});
    EXPECT_EQ(resolve_links(looped, "a"), nullptr);
    EXPECT_EQ(resolve_links(looped, "/bin/x"), looped.find("usr/bin/x"));
    EXPECT_EQ(resolve_links(looped, "up/bin/x"), looped.find("usr/bin/x"));
    EXPECT_EQ(resolve_links(looped, "../usr/bin/x"), looped.find("usr/bin/x"));
}

}  // namespace
}  // namespace tarn::image
