// SPDX-License-Identifier: MIT
#include "base/fs.hh"
#include "upstream/debian/archive.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

namespace tarn::debian {
namespace {

using testing::HasSubstr;

class Mirror : public testing::Test {
  protected:
    Mirror() : directory_(*TempDir::make()) { unsetenv("TARN_DEBIAN_MIRROR"); }
    ~Mirror() override { unsetenv("TARN_DEBIAN_MIRROR"); }

    void write(const std::string& name, const std::string& text) {
        const std::string path = directory_.path() + "/" + name;
        ASSERT_TRUE(make_directories(parent_path(path)).has_value());
        ASSERT_TRUE(write_file_atomic(path, text).has_value());
    }
    std::string found() {
        const auto mirror = machine_mirror(directory_.path());
        return mirror ? *mirror : "error: " + mirror.error().message;
    }
    TempDir directory_;
};

TEST_F(Mirror, OneLineFormat) {
    write("sources.list",
          "# deb http://old.example/debian bookworm main\n"
          "deb-src http://src.example/debian bookworm main\n"
          "deb http://security.example/debian-security bookworm-security main\n"
          "deb cdrom:[Debian]/debian bookworm main\n"
          "deb [ arch=amd64 trusted=yes ] http://mirror.example/debian/ bookworm main # ours\n");
    EXPECT_EQ(found(), "http://mirror.example/debian");
}

TEST_F(Mirror, Deb822Format) {
    write("sources.list.d/a.sources",
          "Enabled: no\nTypes: deb\nURIs: http://off.example/debian\nSuites: sid\n"
          "Components: main\n\n"
          "# the archive\nTypes: deb-src deb\n"
          "URIs: cdrom:/debian https://one.example/snapshot/20260101 http://two.example/debian\n"
          "Suites: trixie trixie-updates\nComponents: main contrib\n"
          "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n");
    EXPECT_EQ(found(), "https://one.example/snapshot/20260101");
}

TEST_F(Mirror, ThirdPartiesAreNotTaken) {
    write("sources.list.d/docker.list",
          "deb [signed-by=/etc/apt/keyrings/docker.gpg] https://docker.example/linux/debian "
          "trixie stable\n"
          "deb [signed-by=/etc/apt/keyrings/vendor.gpg] https://vendor.example/debian trixie "
          "main\n"
          "deb https://vendor.example/apt trixie main\n");
    write("sources.list.d/broken.sources", "this is no field\n");
    const auto mirror = machine_mirror(directory_.path());
    ASSERT_FALSE(mirror.has_value());
    EXPECT_EQ(mirror.error().kind, ErrorKind::kNotFound);
    ASSERT_EQ(mirror.error().help.size(), 1U);
    EXPECT_THAT(mirror.error().help[0], HasSubstr("TARN_DEBIAN_MIRROR"));
    EXPECT_THAT(mirror.error().notes, testing::Contains(HasSubstr("broken.sources:1")));
    write("sources.list.d/zz.list", "deb http://mirror.example/debian trixie main\n");
    EXPECT_EQ(found(), "http://mirror.example/debian");
}

TEST_F(Mirror, SourcesListComesFirst) {
    write("sources.list", "deb http://first.example/debian trixie main\n");
    write("sources.list.d/a.list", "deb http://second.example/debian trixie main\n");
    EXPECT_EQ(found(), "http://first.example/debian");
}

TEST_F(Mirror, OptionBeatsEnvironmentBeatsMachine) {
    write("sources.list", "deb http://machine.example/debian trixie main\n");
    EXPECT_EQ(*choose_mirror("", directory_.path()), "http://machine.example/debian");
    setenv("TARN_DEBIAN_MIRROR", "https://env.example/debian/", 1);
    EXPECT_EQ(*choose_mirror("", directory_.path()), "https://env.example/debian");
    EXPECT_EQ(*choose_mirror("file:///srv/debian//", directory_.path()), "file:///srv/debian");
    EXPECT_EQ(choose_mirror("ftp://x/debian", directory_.path()).error().kind, ErrorKind::kUsage);
    EXPECT_EQ(choose_mirror("x/debian", directory_.path()).error().kind, ErrorKind::kUsage);
}

}  // namespace
}  // namespace tarn::debian
