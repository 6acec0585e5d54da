// SPDX-License-Identifier: MIT
// Addresses of a distro that are paths: "./x" and "../x", relative to the file that says so.
#include "base/strings.hh"
#include "project/component_lock.hh"
#include "project/loaded_test.hh"

namespace tarn {
namespace {

using testing::ElementsAre;

constexpr std::string_view kFile = R"(
[distros.near]
dist-git-base-uri = "../git/$pkg.git"
lookaside-base-uri = "./cache/$hash/$filename"
lookaside-mirrors = ["https://example.org/$filename", ".././../$filename"]
)";

TEST(Addresses, PathsBelongToTheFileThatSaysThem) {
    Loaded it;
    it.file("tarn.toml", "includes = [\"a b$pkg/%/d.toml\"]\n")
        .file("a b$pkg/%/d.toml", kFile)
        .load();
    const Distro& near = it.project().distros.at("near");
    EXPECT_EQ(near.dist_git_base_uri, "file://" + it.path("a%20b%24pkg/git/$pkg.git"))
        << "what a directory is called is not taken for a part of the template";
    EXPECT_EQ(near.dist_git_path, "../git/$pkg.git");
    EXPECT_EQ(near.lookaside_base_uri,
              "file://" + it.path("a%20b%24pkg/%25/cache/$hash/$filename"));
    EXPECT_THAT(near.lookaside_mirrors,
                ElementsAre("https://example.org/$filename", "file://" + it.path("$filename")));
}

TEST(Addresses, OthersAreKeptAsTheyAre) {
    Loaded it;
    it.file("tarn.toml",
            "[distros.a]\ndist-git-base-uri = \"git/$pkg\"\n"
            "lookaside-base-uri = \"/srv/$filename\"\n")
        .load();
    const Distro& a = it.project().distros.at("a");
    EXPECT_EQ(a.dist_git_base_uri, "git/$pkg");
    EXPECT_EQ(a.dist_git_path, "");
    EXPECT_EQ(a.lookaside_base_uri, "/srv/$filename");
}

TEST(Addresses, ALaterFileReplacesAPath) {
    Loaded it;
    it.file("tarn.toml", "includes = [\"d.toml\", \"e.toml\"]\n")
        .file("d.toml", kFile)
        .file("e.toml", "[distros.near]\ndist-git-base-uri = \"https://example.org/$pkg\"\n")
        .load();
    const Distro& near = it.project().distros.at("near");
    EXPECT_EQ(near.dist_git_base_uri, "https://example.org/$pkg");
    EXPECT_EQ(near.dist_git_path, "");
}

TEST(Addresses, AResolutionHashHoldsWhereverTheProjectLies) {
    const std::string near = replace_all(std::string(kFile), "../git", "./git");
    const std::string own = near + R"(default-version = "1"
versions.1 = { dist-git-branch = "main" }
[components.a]
spec = { type = "upstream", upstream-distro = { name = "near" } }
)";
    Loaded here, there, moved;
    here.file("tarn.toml", own).load();
    there.file("tarn.toml", own).load();
    EXPECT_NE(here.project().distros.at("near").dist_git_base_uri,
              there.project().distros.at("near").dist_git_base_uri);
    EXPECT_EQ(resolution_hash(here.project(), here.component("a")),
              resolution_hash(there.project(), there.component("a")));
    moved.file("tarn.toml", replace_all(own, "./git", "./.git")).load();
    EXPECT_NE(resolution_hash(here.project(), here.component("a")),
              resolution_hash(moved.project(), moved.component("a")));
}

}  // namespace
}  // namespace tarn
