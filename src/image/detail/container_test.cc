// SPDX-License-Identifier: MIT
#include "image/detail/container.hh"

#include "base/hash.hh"
#include "image/detail/fixture.hh"
#include "image/detail/wsl.hh"
#include "oci/oci.hh"

namespace tarn::image {
namespace {

constexpr std::int64_t kTime = 1793491200;

// A composition of two packages, "app" and "data", and a file of the image's own.
class KindsTest : public testing::StoreTest {
  protected:
    KindsTest() : stages_(reporter_) {
        project_.name = "tarn";
        project_.default_distro.version = "1.0";
        image_.name = "base";
        image_.kind = "container";
        for (const char* name : {"app", "data"}) {
            RepoIndex::Item item;
            item.nevra.name = name;
            item.source_rpm = std::string(name) + "-1.0-1.tn1.src.rpm";
            repository_.items.push_back(std::move(item));
        }
        packages_ = {{&repository_.items[0], "requested"}, {&repository_.items[1], "requested"}};
        TreeEntry tool = file("usr/bin/app", std::string(5000, 'a'), 0755);
        tool.user = "app";
        merged_.tree = tree({tool, file("usr/share/data", "data"), file("etc/app.conf", "old")});
        merged_.owner = {{"usr/bin/app", 0}, {"etc/app.conf", 0}, {"usr/share/data", 1}};
        tool.user.clear();
        tool.uid = 7;
        system_.tree = tree({tool,
                             file("usr/share/data", "data"),
                             file("etc/app.conf", "new"),
                             file("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n")});
        request_.project = &project_;
        request_.image = &image_;
        request_.repository = &repository_;
    }
    Result<Artifacts> written(Result<Artifacts> (*write)(const Store&,
                                                         const Composition&,
                                                         StageLog&)) {
        Composition made;
        made.request = &request_;
        made.packages = &packages_;
        made.merged = &merged_;
        made.system = &system_;
        made.directory = directory_.path();
        made.time = kTime;
        return write(store_, made, stages_);
    }

    NullReporter reporter_;
    StageLog stages_;
    Project project_;
    Image image_;
    RepoIndex repository_;
    std::vector<ResolvedPackage> packages_;
    MergedPackages merged_;
    SystemTree system_;
    ComposeRequest request_;
};

TEST_F(KindsTest, SourcesAreNamedWithoutTheirVersion) {
    RepoIndex::Item item;
    item.nevra.name = "libc";
    EXPECT_EQ(source_name(item), "libc");
    item.source_rpm = "gcc-16-16.2.0-3.tn1.src.rpm";
    EXPECT_EQ(source_name(item), "gcc-16");
    item.source_rpm = "odd";
    EXPECT_EQ(source_name(item), "libc");
}

TEST_F(KindsTest, AContainerIsItsTree) {
    image_.formats = {"oci", "docker-archive"};
    image_.container.entrypoint = {"/usr/bin/app"};
    image_.container.environment = {{"B", "2"}, {"A", "1"}};
    const auto artifacts = written(write_container_image);
    ASSERT_TRUE(artifacts.has_value()) << artifacts.error().message;
    for (const auto& [name, sum] : *artifacts) {
        EXPECT_EQ(*hash_file_hex(HashKind::kSha256, directory_.path() + "/" + name), sum) << name;
    }
    for (const char* name : {"/base.oci", "/base.docker.tar"}) {
        oci::ReadOptions options;
        options.tag = "1.0";
        const auto read = oci::read_image(store_, directory_.path() + name, options);
        ASSERT_TRUE(read.has_value()) << read.error().message;
        EXPECT_EQ(text(read->tree, "etc/app.conf"), "new");
        EXPECT_EQ(read->tree.find("usr/bin/app")->uid, 7u);
        EXPECT_EQ(read->config.environment.size(), 3u);
        EXPECT_EQ(read->config.environment[1], "A=1");
        EXPECT_EQ(read->annotations.at("org.opencontainers.image.created"), "2026-11-01T00:00:00Z");
    }
}

TEST_F(KindsTest, TheSameImageGivesTheSameBytes) {
    const auto first = written(write_container_image);
    ASSERT_TRUE(first.has_value());
    ASSERT_TRUE(remove_tree(directory_.path() + "/base.oci").has_value());
    request_.jobs = 3;
    const auto second = written(write_container_image);
    ASSERT_TRUE(second.has_value());
    EXPECT_EQ(*first, *second);
}

TEST_F(KindsTest, ADistributionForWslHasToKeepTheRules) {
    image_.kind = "wsl";
    image_.wsl.oobe_command = "/usr/lib/wsl/oobe";
    const auto refused = written(write_wsl_image);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().message, "the image `base` is no WSL distribution yet");
    EXPECT_FALSE(path_exists(directory_.path() + "/base.wsl"));

    std::vector<TreeEntry> entries = system_.tree.entries();
    entries.push_back(file("usr/lib/wsl/oobe", "#!/usr/bin/app\n", 0755));
    Overlay overlay(store_, kTime);
    ASSERT_TRUE(add_wsl_configuration(image_, tree(entries), overlay).has_value());
    system_.tree = *overlay.over(tree(entries));
    EXPECT_EQ(text(system_.tree, "etc/wsl.conf"), "[boot]\nsystemd=false\n");
    EXPECT_EQ(text(system_.tree, "etc/wsl-distribution.conf"),
              "# Written when the image was composed.\n[oobe]\ncommand = /usr/lib/wsl/oobe\n"
              "defaultUid = 1000\ndefaultName = base\n");
    image_.wsl.base_url = "https://images.example/wsl";
    const auto artifacts = written(write_wsl_image);
    ASSERT_TRUE(artifacts.has_value()) << artifacts.error().notes.front();
    EXPECT_EQ(*hash_file_hex(HashKind::kSha256, directory_.path() + "/base.wsl"),
              artifacts->back().second);
    const std::string entry = *read_file(directory_.path() + "/base.distribution.json");
    EXPECT_NE(entry.find("\"Url\": \"https://images.example/wsl/base.wsl\""), std::string::npos)
        << entry;
    EXPECT_NE(entry.find("\"Sha256\": \"0x" + artifacts->back().second), std::string::npos);
}

TEST_F(KindsTest, WithSystemdWhatWslCannotHaveIsMasked) {
    Overlay overlay(store_, kTime);
    image_.files.push_back({"/etc/wsl.conf", "[boot]\nsystemd=true\n", "", "", "", "", {}});
    ASSERT_TRUE(add_wsl_configuration(image_, tree({file("usr/lib/systemd/systemd", "")}), overlay)
                    .has_value());
    const auto made = overlay.over(Tree());
    ASSERT_TRUE(made.has_value());
    EXPECT_EQ(made->find("etc/wsl.conf"), nullptr);  // the image's own is added elsewhere
    EXPECT_EQ(made->find("etc/systemd/system/tmp.mount")->target, "/dev/null");
    EXPECT_EQ(text(*made, "etc/machine-id"), "uninitialized\n");
}

}  // namespace
}  // namespace tarn::image
