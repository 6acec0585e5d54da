// SPDX-License-Identifier: MIT
// Fingerprints of real locks that azldev wrote, and of configurations computed independently.
#include "project/component_lock.hh"
#include "project/loaded_test.hh"

namespace tarn {
namespace {

using testing::HasSubstr;

constexpr std::string_view kFedora = R"(
[project]
default-distro = { name = "azurelinux" }
[distros.azurelinux]
default-version = "4.0"
[distros.azurelinux.versions.'4.0'.default-component-config]
spec = { type = "upstream", upstream-distro = { name = "fedora", version = "43", snapshot = "2026-02-24T00:00:00-08:00" } }
[distros.fedora]
default-version = "43"
dist-git-base-uri = "https://src.fedoraproject.org/rpms/$pkg.git"
[distros.fedora.versions.43]
release-ver = "43"
dist-git-branch = "f43"
[distros.fedora.versions.44]
release-ver = "43"
dist-git-branch = "f44"
)";

// What azldev's lock of the component says for a commit and a bump.
std::string fingerprint(const Loaded& it,
                        const std::string& name,
                        const std::string& commit,
                        unsigned bump) {
    const Component& component = it.component(name);
    const DistroVersion* version = it.project().version(component.upstream);
    EXPECT_NE(version, nullptr);
    const std::string release_ver = version == nullptr ? "" : version->release_ver;
    const auto made = input_fingerprint(component, {commit, bump, release_ver});
    return made ? *made : made.error().message;
}

struct RealLock {
    std::string name;
    std::string declared;  // in the project's file
    std::string commit;
    unsigned bump;
    std::string fingerprint;
};

const std::vector<RealLock>& real_locks() {
    static const std::vector<RealLock> locks = {
        {"acl",
         "[components.acl]",
         "91824d85dd3d64316176e1fe9257896c1b42e530",
         0,
         "70d67551390f8609c1aa2ef8a14f2ec0d78d86f0a775105acbe89e792428b82f"},
        {"acl",
         "[components.acl]\nspec = { type = \"\" }\n",
         "91824d85dd3d64316176e1fe9257896c1b42e530",
         2,
         "751a0d474ecd403c8e138a5a1d4f742a8f031a0fbcdc159b9f95c33e89e151d8"},
        {"AMF",
         "[components.AMF]",
         "e5292d4279e2b2b4cd4e5d74f4304712bc675dc0",
         0,
         "6c345619781d6f4fcee87fd487a83d6369146450933a4be6adfc5f0eb305272e"},
        {"bash",
         "[components.bash.spec]\nupstream-distro = { name = \"fedora\", version = \"44\" }\n"
         "upstream-commit = \"a6bcc6767229199f4f02b781d1d39df0835d894b\"",
         "a6bcc6767229199f4f02b781d1d39df0835d894b",
         2,
         "ac76f0a2c95d7c103c21b33db0bcb9dd9f251dc26b4124ade9f44ebf83eafd41"},
        {"automake",
         "[components.automake.build]\ndefines = { rhel = \"10\" }",
         "5e86307a8cde88390d5501d1fbe9592e08882f2c",
         2,
         "c18b198d04974d712d4ced0eb5011d465d1177b82f7cb1ff4bfb9239bdd2d18b"},
        {"libdeflate",
         "[components.libdeflate]\nbuild.without = [\"mingw\"]",
         "bdc4138c4313bfbd18dc1c63cc1cd6c6bc162449",
         2,
         "2da053ab0fe5575b4e72f8624c8d25959f2020bf4c2ec53ded94d5b3d4484a97"},
        {"bats",
         "[components.bats]\n[component-groups.g]\ncomponents = [\"bats\"]\n"
         "default-component-config.build.check = { skip = true, skip_reason = \"fails\" }",
         "e7d1142344fa429a8c87af5b3a19b388eb9de695",
         2,
         "c178521af4d263ac301b90c201a876f890fa668f29a097998ccc76aecec33858"},
        {"gdb",
         "[[components.gdb.overlays]]\ndescription = \"d\"\ntype = \"spec-remove-tag\"\n"
         "value = \"default-yama-scope\"\npackage = \"headless\"\ntag = \"Recommends\"",
         "5f28710b383b473391d467aa4ec7b870f543b998",
         2,
         "0240b8a72cc1f22f8db70b1de6d92b021d1b7b7889624e38a0f7f9c25f250dd0"},
        {"libnbd",
         "[[components.libnbd.overlays]]\ntype = \"spec-search-replace\"\n"
         "regex = '%global have_ocaml 1'\nreplacement = '%global have_ocaml 0'",
         "944cc00392fc5f872879463957e55747adaa5718",
         2,
         "639503a22b1062a893e9cf4886ad3acb7826675cf6d97c543b6e9638a77bc6ab"},
    };
    return locks;
}

TEST(Fingerprint, EqualsThoseOfRealLocks) {
    for (const RealLock& lock : real_locks()) {
        Loaded it;
        it.file("azldev.toml", std::string(kFedora) + lock.declared + "\n").load();
        ASSERT_TRUE(it.loaded()) << it.said();
        EXPECT_EQ(fingerprint(it, lock.name, lock.commit, lock.bump), "sha256:" + lock.fingerprint)
            << lock.declared;
    }
}

TEST(Fingerprint, TheResolutionOfARealLock) {
    Loaded it;
    it.file("azldev.toml", std::string(kFedora) + R"(
[components.acl]
[components.bash.spec]
upstream-name = "bash-upstream"
upstream-commit = "a6bcc67"
)")
        .load();
    EXPECT_EQ(resolution_hash(it.project(), it.component("acl")),
              "sha256:466421704711c4fd3c71f0b2ed715a0e61d49e3e26f3a2637fee755795849c8e");
    EXPECT_NE(resolution_hash(it.project(), it.component("bash")),
              resolution_hash(it.project(), it.component("acl")));
}

TEST(Fingerprint, ADefaultedVersionStaysEmptyInTheResolution) {
    Loaded it;
    it.file("azldev.toml", R"(
[distros.fedora]
default-version = "43"
dist-git-base-uri = "https://src.fedoraproject.org/rpms/$pkg.git"
[distros.fedora.versions.43]
dist-git-branch = "f43"
[default-component-config.spec]
upstream-distro = { name = "fedora", snapshot = "2026-02-24T00:00:00-08:00" }
[components.bash.spec]
type = "upstream"
upstream-name = "bash-upstream"
upstream-commit = "a6bcc67"
)")
        .load();
    EXPECT_EQ(resolution_hash(it.project(), it.component("bash")),
              "sha256:d391c3fac11a117d96f9b35bc95028ff71ec963ae73dcf1e834c801b996b8e4d");
}

// Any file below a directory that is added as an archive counts, and so does its name.
TEST(Fingerprint, DirectoriesThatAreAddedCountWithAllTheirFiles) {
    const auto of = [](const char* name, const char* bytes) {
        Loaded it;
        it.file("azldev.toml",
                std::string(kFedora) + "[[components.acl.overlays]]\ntype = \"file-add\"\n"
                                       "file = \"t.tar\"\nsource = \"tree\"\n")
            .file("tree/a", "a")
            .file(std::string("tree/sub/") + name, bytes)
            .load();
        return fingerprint(it, "acl", "91824d85dd3d64316176e1fe9257896c1b42e530", 0);
    };
    EXPECT_EQ(of("b", "1"), of("b", "1"));
    EXPECT_NE(of("b", "1"), of("b", "2"));
    EXPECT_NE(of("b", "1"), of("c", "1"));
}

// A real lock's fingerprint is known for two overlays of which the second adds a file, but not what
// the first one was; the order of more than ten is of our own making.
TEST(Fingerprint, FilesOfOverlaysAreSortedByTheirIndexAsText) {
    Loaded it;
    std::string text(kFedora);
    for (int index = 0; index < 11; ++index) {
        text += "[[components.acl.overlays]]\n";
        if (index == 2) {
            text += "type = \"file-add\"\nfile = \"named.patch\"\nsource = \"other-name\"\n";
        } else if (index == 10) {
            text += "type = \"patch-add\"\nsource = \"patches/ten.patch\"\n";
        } else {
            text += fmt::format("type = \"spec-add-tag\"\ntag = \"Provides\"\nvalue = \"x{}\"\n",
                                index);
        }
    }
    it.file("azldev.toml", text)
        .file("other-name", "two\n")
        .file("patches/ten.patch", "ten\n")
        .load();
    EXPECT_EQ(fingerprint(it, "acl", "91824d85dd3d64316176e1fe9257896c1b42e530", 0),
              "sha256:4bcd9dee4e1ac6aecc231bc15a17ea5f87ea84b5df18064b5da965c1bb473935");
}

TEST(Fingerprint, OverlayFilesCountAsIfTheyStoodBehindTheInlineOnes) {
    Loaded it;
    it.file("azldev.toml", std::string(kFedora) + R"(
[components.acl]
overlay-files = ["acl/*.overlay.toml"]
[[components.acl.overlays]]
type = "spec-append-lines"
section = "%install"
lines = ["a", "b\nc"]
)")
        .file("acl/1.overlay.toml", R"(
[metadata]
category = "azl-pruning"
upstream-status = "inapplicable"
[[overlays]]
type = "file-remove"
archive = "a.tar.gz"
file = "x/*"
)")
        .load();
    EXPECT_EQ(fingerprint(it, "acl", "91824d85dd3d64316176e1fe9257896c1b42e530", 0),
              "sha256:f5aaa19781245d2a9f0f74798cebcee10aec0ea58fbd2c27cb5e8e96c6f93815");
}

constexpr std::string_view kEverything = R"(
[components.a]
spec = { type = "local", path = "a.spec" }
release.calculation = "manual"
render.skip-file-filter = true
packages.p.publish.rpm-channel = "x"
packages.q = {}
publish.srpm-channel = "y"
[components.a.build]
with = ["a"]
without = ["docs", "b"]
defines = { l = "", k = "v" }
undefines = ["u"]
emit-upstream-provenance = true
check = { skip = true, skip_reason = "r" }
failure = { expected = true, expected-reason = "r" }
hints.expensive = true
[[components.a.source-files]]
filename = "a.tar.gz"
hash = "0000000000000000000000000000000000000000000000000000000000000000"
hash-type = "SHA256"
origin = { type = "download", uri = "https://example.org/a.tar.gz" }
[[components.a.source-files]]
filename = "b.tar.gz"
hash = "11111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111"
hash-type = "SHA512"
origin = { type = "custom", script = "gen.sh", mock-packages = ["git"], inputs = ["in.txt"] }
replace-upstream = true
replace-reason = "r"
)";

TEST(Fingerprint, HashesEveryPartOfTheConfiguration) {
    Loaded it;
    it.file("azldev.toml", std::string(kFedora) + std::string(kEverything))
        .file("a.spec", "Name: a\n")
        .load();
    EXPECT_EQ(config_hash(it.component("a")), 3533171995961425533ULL);
}

TEST(Fingerprint, LeavesOutWhatDoesNotChangeABuild) {
    const auto hash = [](std::string_view more) {
        Loaded it;
        it.file("azldev.toml", std::string(kFedora) + "[components.acl]\n" + std::string(more))
            .file("p.patch", "x")
            .load();
        return config_hash(it.component("acl"));
    };
    const std::uint64_t bare = hash("");
    EXPECT_EQ(hash("description = \"d\"\npublish.rpm-channel = \"c\"\n"), bare);
    EXPECT_EQ(hash("build.check.skip_reason = \"r\"\nbuild.hints.expensive = true\n"), bare);
    EXPECT_EQ(hash("build.failure = { expected = true, expected-reason = \"r\" }\n"), bare);
    EXPECT_EQ(hash("overlay-files = []\n"), bare);
    EXPECT_EQ(hash("release.calculation = \"auto\"\n"), bare);
    EXPECT_EQ(hash("render.overlay-view = \"line\"\n"), bare);
    EXPECT_NE(hash("render.overlay-view = \"precise\"\n"), bare);
    EXPECT_NE(hash("build.check = { skip = true, skip_reason = \"r\" }\n"), bare);
    EXPECT_NE(hash("release.calculation = \"manual\"\n"), bare);
    EXPECT_NE(hash("packages.p = {}\n"), bare);
    EXPECT_NE(hash("build.undefines = [\"x\"]\n"), bare);
}

TEST(Fingerprint, LeavesOutWhereThingsComeFrom) {
    const auto hash =
        [](std::string_view snapshot, std::string_view overlay, std::string_view file) {
            Loaded it;
            it.file("azldev.toml",
                    fmt::format(R"(
[distros.fedora.versions.43]
[default-component-config.spec]
type = "upstream"
upstream-distro = {{ name = "fedora", version = "43", snapshot = "{}" }}
[components.c]
[[components.c.overlays]]
type = "patch-add"
file = "named.patch"
{}
[[components.c.source-files]]
filename = "a.tar"
hash = "0000000000000000000000000000000000000000000000000000000000000000"
hash-type = "SHA256"
{}
)",
                                snapshot,
                                overlay,
                                file))
                .file("p.patch", "x")
                .file("q.patch", "y")
                .load();
            return config_hash(it.component("c"));
        };
    const std::string_view download =
        R"(origin = { type = "download", uri = "https://example.org/a" })";
    const std::uint64_t one = hash("2026-01-01T00:00:00Z", "source = \"p.patch\"", download);
    EXPECT_EQ(hash("2026-02-01T00:00:00Z", "source = \"q.patch\"", download), one);
    EXPECT_EQ(hash("2026-01-01T00:00:00Z",
                   "source = \"p.patch\"\ndescription = \"d\"\nmetadata = { category = "
                   "\"azl-pruning\", upstream-status = \"unknown\" }",
                   R"(origin = { type = "download", uri = "https://example.com/b" })"),
              one);
    const auto replaced = [&](std::string_view reason) {
        return hash("2026-01-01T00:00:00Z",
                    "source = \"p.patch\"",
                    fmt::format("origin.type = \"overlay\"\nreplace-upstream = true\n"
                                "replace-reason = \"{}\"",
                                reason));
    };
    EXPECT_NE(replaced("a"), one) << "replace-upstream counts";
    EXPECT_EQ(replaced("a"), replaced("b"));
    EXPECT_NE(hash("2026-01-01T00:00:00Z", "source = \"p.patch\"\npackage = \"d\"", download), one);
}

TEST(Fingerprint, IsRefusedWithoutHashesOrSources) {
    Loaded it;
    it.file("azldev.toml", std::string(kFedora) + R"(
[components.acl]
[[components.hashless.source-files]]
filename = "a.tar.gz"
origin = { type = "download", uri = "https://example.org/a.tar.gz" }
[[components.patched.overlays]]
type = "patch-add"
source = "gone.patch"
)")
        .file("gone.patch", "x")
        .load();
    const auto hashless = input_fingerprint(it.component("hashless"), {"1234567", 0, "43"});
    ASSERT_FALSE(hashless.has_value());
    EXPECT_EQ(hashless.error().kind, ErrorKind::kUsage);
    EXPECT_THAT(hashless.error().message, HasSubstr("`a.tar.gz` has no `hash`"));
    const auto sourceless = input_fingerprint(it.component("acl"), {"", 0, "43"});
    ASSERT_FALSE(sourceless.has_value());
    EXPECT_EQ(sourceless.error().kind, ErrorKind::kUsage);
    EXPECT_THAT(sourceless.error().message, HasSubstr("component `acl`"));
    ASSERT_TRUE(remove_tree(it.path("gone.patch")).has_value());
    const auto patchless = input_fingerprint(it.component("patched"), {"1234567", 0, "43"});
    ASSERT_FALSE(patchless.has_value());
    EXPECT_THAT(patchless.error().message, HasSubstr("gone.patch"));
}

TEST(SourceIdentity, CoversEveryFileBesideALocalSpec) {
    Loaded it;
    it.file("c/a.comp.toml", "[x]\n")
        .file("c/a.spec", "Name: a\n")
        .file("c/sub/x", "x")
        .file("c/sub.txt", "y");
    constexpr std::string_view kExpected =
        "sha256:e1d4d5adf47192b4a0c7c13129cf3c79886ba0da511c96d10de2338ff23d06e8";
    EXPECT_EQ(local_source_identity(it.path("c")).value(), kExpected);
    it.file("c/more", "");
    EXPECT_NE(local_source_identity(it.path("c")).value(), kExpected);
}

TEST(SourceIdentity, RefusesWhatIsNoFile) {
    Loaded it;
    EXPECT_FALSE(local_source_identity(it.path("none")).has_value());
    it.file("c/a.spec", "");
    ASSERT_TRUE(make_symlink(".", it.path("c/loop")).has_value());
    const auto identity = local_source_identity(it.path("c"));
    ASSERT_FALSE(identity.has_value());
    EXPECT_THAT(identity.error().message, HasSubstr("c/loop"));
}

}  // namespace
}  // namespace tarn
