// SPDX-License-Identifier: MIT
// Every key of the declaration format, and the shapes real projects write it in.
#include "project/loaded_test.hh"

namespace tarn {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view kProjectAndDistros = R"(
"$schema" = "https://example.org/schema.json"
includes = []
[project]
description = "d"
log-dir = "logs"
work-dir = "work"
output-dir = "out"
rendered-specs-dir = "../specs"
lock-dir = "locks"
default-distro = { name = "own", version = "4.0", snapshot = "2026-02-24T00:00:00-08:00" }
default-author-email = "a@example.org"
[distros.own]
description = "d"
default-version = "4.0"
dist-git-base-uri = "https://example.org/$pkg"
lookaside-base-uri = "https://example.org/$pkg/$filename/$hashtype/$hash/$filename"
repos = [
    # one of them
    { "base-uri" = "https://example.org/$releasever" },
]
disable-origins = true
[distros.own.versions.'4.0']
description = "d"
release-ver = "4.0"
dist-git-branch = "b"
mock-config = "mock/own.cfg"
mock-config-x86_64 = "mock/own-x86_64.cfg"
mock-config-aarch64 = "mock/own-aarch64.cfg"
inputs = { rpm-build = [{ repo = "r" }], image-build = [{ repo = "local" }, { set = "s" }] }
[distros.own.versions.'4.0'.default-component-config.spec]
type = "upstream"
upstream-distro = { name = "fedora", version = "43", snapshot = "2026-02-24T00:00:00-08:00" }
[distros.fedora.versions.43]
[resources.rpm-repos.r]
description = "d"
type = "rpm-md"
base-uri = "https://example.org/r"
gpg-key = "https://example.org/key"
arches = ["x86_64"]
[resources.rpm-repos.local]
metalink = "https://example.org/m"
gpg-key = "keys/k.asc"
[resources.rpm-repos.unchecked]
base-uri = "http://example.org/u"
disable-gpg-check = true
[resources.rpm-repo-set-templates.t]
description = "d"
subrepos = [{ name = "a", subpath = "a/$basearch", kind = "binary" }, { name = "b", subpath = "b" }]
[resources.rpm-repo-sets.s]
description = "d"
template = "t"
base-uri = "https://example.org/s"
name-prefix = "s-"
gpg-key = "file:///keys/k.asc"
disable-gpg-check = true
arches = ["aarch64"]
subrepos = ["b"]
)";

constexpr std::string_view kComponents = R"(
[default-component-config.build]
undefines = ["x"]
[component-groups.g]
description = "d"
metadata = { category = "azl-pruning", upstream-status = "unknown", bugs = [{ url = "https://example.org/b" }] }
components = ["up"]
specs = ["found/*.spec"]
excluded-paths = ["found/not.spec"]
default-component-config.build.defines = { k = "group" }
[components.up]
spec = { type = "upstream", upstream-distro = { name = "fedora", version = "43" }, upstream-name = "upstream", upstream-commit = "0123456789abcdef0123456789abcdef01234567" }
release.calculation = "static"
overlay-files = ["overlays/*.overlay.toml"]
build = { with = ["a"], without = ["b"], undefines = ["u"], defines = { k = "v" }, emit-upstream-provenance = true, check = { skip = true, skip_reason = "r" }, failure = { expected = true, expected-reason = "r" }, hints = { expensive = true } }
render.skip-file-filter = true
packages.up-libs.publish = { rpm-channel = "a", debuginfo-channel = "b", channel = "c" }
publish = { rpm-channel = "a", srpm-channel = "b", debuginfo-channel = "none" }
[[components.up.overlays]]
type = "file-search-replace"
description = "d"
archive = "a.tar.zst"
file = "**/x"
regex = "(?m)^a$"
replacement = ""
[components.up.overlays.metadata]
category = "upstream-backport"
upstream-status = "upstreamable"
commits = [{ url = "https://example.org/c" }]
bugs = [{ url = "http://example.org/b" }]
[[components.up.overlays]]
type = "patch-add"
source = "p.patch"
file = "renamed.patch"
package = "devel"
[[components.up.overlays]]
type = "spec-prepend-lines"
lines = ["x"]
section = "%prep"
tag = "T"
value = "V"
[[components.up.source-files]]
filename = "a.tar.zst"
hash = "0000000000000000000000000000000000000000000000000000000000000000"
hash-type = "SHA256"
origin.type = "overlay"
replace-upstream = true
replace-reason = "r"
[[components.up.source-files]]
filename = "b.tar"
origin = { type = "custom", script = "gen.sh", mock-packages = ["git"], inputs = ["in.txt"] }
[[components.up.source-files]]
filename = "c.tar"
hash-type = "SHA512"
origin = { type = "download", uri = "https://example.org/c.tar" }
[components.own]
spec = { type = "local", path = "own.spec" }
)";

constexpr std::string_view kImages = R"(
[default-package-config]
publish = { rpm-channel = "sdk", debuginfo-channel = "d", channel = "old" }
[package-groups.base]
description = "d"
packages = ["up-libs", "x"]
default-package-config.publish = { rpm-channel = "base" }
[images.vm]
description = "d"
definition = { type = "kiwi", path = "vm/vm.kiwi", profile = "core" }
capabilities = { machine-bootable = true, container = false, systemd = true, runtime-package-management = false }
tests.test-suites = [{ name = "smoke" }, { name = "lisa" }]
publish.channels = ["images"]
[test-suites.smoke]
description = "d"
type = "pytest"
pytest = { working-dir = "tests", test-paths = ["t"], extra-args = ["{image-path}"], install = "requirements" }
[test-suites.bare]
type = "pytest"
pytest.install = "none"
[test-suites.lisa]
type = "lisa"
[test-suites.lisa.lisa]
framework = { git-url = "https://example.org/lisa", ref = "0123456789ABCDEF0123456789abcdef01234567" }
test-cases = ["a"]
pip-pre-install = ["b"]
pip-extras = ["c"]
extra-args = ["d"]
[tools.imageCustomizer]
containerTag = "example.org/tool:1"
)";

class EveryKey : public testing::Test {
  protected:
    // All of it lies one directory down: paths are those of the defining file.
    EveryKey() {
        it_.file("azldev.toml", "includes = [\"base/*.toml\"]\n")
            .file("base/1.toml", kProjectAndDistros)
            .file("base/2.toml", kComponents)
            .file("base/3.toml", kImages)
            .file("base/p.patch", "x")
            .file("base/own.spec", "")
            .file("base/found/one.spec", "")
            .file("base/found/not.spec", "")
            .file("base/overlays/1.overlay.toml",
                  "[metadata]\ncategory = \"azl-pruning\"\nupstream-status = \"inapplicable\"\n"
                  "[[overlays]]\ntype = \"spec-remove-tag\"\ntag = \"X\"\n")
            .load();
    }
    Loaded it_{};
};

TEST_F(EveryKey, IsReadWithoutAWord) {
    EXPECT_EQ(it_.said(), "");
    EXPECT_EQ(it_.project().components.size(), 3U);
}

TEST_F(EveryKey, PathsAreThoseOfTheDefiningFile) {
    const Project& project = it_.project();
    EXPECT_EQ(project.log_dir, it_.path("base/logs"));
    EXPECT_EQ(project.work_dir, it_.path("base/work"));
    EXPECT_EQ(project.output_dir, it_.path("base/out"));
    EXPECT_EQ(project.rendered_specs_dir, it_.path("specs"));
    EXPECT_EQ(project.lock_dir, it_.path("base/locks"));
    EXPECT_EQ(project.key_dir, it_.path("keys")) << "a default is relative to the project";
    const DistroVersion& version = project.distros.at("own").versions.at("4.0");
    EXPECT_EQ(version.mock_config, it_.path("base/mock/own.cfg"));
    EXPECT_EQ(version.mock_config_x86_64, it_.path("base/mock/own-x86_64.cfg"));
    EXPECT_EQ(version.mock_config_aarch64, it_.path("base/mock/own-aarch64.cfg"));
    EXPECT_EQ(project.resources.repos.at("local").gpg_key, "file://" + it_.path("base/keys/k.asc"));
    EXPECT_EQ(it_.component("up").overlays.at(1).source, it_.path("base/p.patch"));
    EXPECT_EQ(it_.component("own").spec_path, it_.path("base/own.spec"));
    EXPECT_EQ(it_.component("one").spec_path, it_.path("base/found/one.spec"));
    EXPECT_EQ(project.images.at("vm").definition_path, it_.path("base/vm/vm.kiwi"));
    EXPECT_EQ(project.test_suites.at("smoke").working_dir, it_.path("base/tests"));
}

TEST_F(EveryKey, OfProjectsAndDistrosIsKept) {
    const Project& project = it_.project();
    EXPECT_EQ(project.default_author_email, "a@example.org");
    EXPECT_EQ(project.default_distro.version, "4.0");
    const Distro& own = project.distros.at("own");
    EXPECT_THAT(own.repo_uris, ElementsAre("https://example.org/$releasever"));
    EXPECT_TRUE(own.disable_origins);
    EXPECT_EQ(own.dist_git_base_uri, "https://example.org/$pkg");
    const DistroVersion& version = own.versions.at("4.0");
    EXPECT_EQ(version.image_build_inputs.at(1).set, "s");
    EXPECT_EQ(version.image_build_inputs.at(0).repo, "local");
    EXPECT_EQ(project.resources.repos.at("r").arches, std::vector<std::string>{"x86_64"});
    EXPECT_EQ(project.resources.expanded.at("s-b").gpg_key, "file:///keys/k.asc");
}

TEST_F(EveryKey, OfComponentsIsKept) {
    const Component& up = it_.component("up");
    EXPECT_EQ(up.upstream_name, "upstream");
    EXPECT_EQ(up.upstream.snapshot, "2026-02-24T00:00:00-08:00");
    EXPECT_EQ(up.release_calculation, "static");
    EXPECT_TRUE(up.skip_file_filter);
    EXPECT_TRUE(up.build.emit_upstream_provenance);
    EXPECT_EQ(up.build.check_skip_reason, "r");
    EXPECT_EQ(up.build.failure_reason, "r");
    EXPECT_TRUE(up.build.expensive);
    EXPECT_THAT(up.build.undefines, ElementsAre("x", "u"));
    EXPECT_EQ(up.build.defines.at("k"), "v");
    EXPECT_EQ(it_.component("one").build.defines.at("k"), "group");
    ASSERT_EQ(up.overlays.size(), 4U);
    EXPECT_EQ(up.overlays[0].archive, "a.tar.zst");
    EXPECT_TRUE(up.overlays[0].has_replacement);
    EXPECT_THAT(up.overlays[0].metadata.bugs, ElementsAre("http://example.org/b"));
    EXPECT_EQ(up.overlays[1].file, "renamed.patch");
    EXPECT_EQ(up.overlays[3].metadata.category, "azl-pruning");
    ASSERT_EQ(up.source_files.size(), 3U);
    EXPECT_EQ(up.source_files[1].script, "gen.sh");
    EXPECT_THAT(up.source_files[1].mock_packages, ElementsAre("git"));
    EXPECT_THAT(up.source_files[1].inputs, ElementsAre("in.txt"));
    EXPECT_EQ(up.source_files[2].uri, "https://example.org/c.tar");
    EXPECT_EQ(up.packages.at("up-libs").debuginfo_channel, "b");
    EXPECT_EQ(up.publish.srpm_channel, "b");
    EXPECT_EQ(it_.project().component_groups.at("g").metadata.category, "azl-pruning");
}

TEST_F(EveryKey, OfPackagesImagesAndSuitesIsKept) {
    const Project& project = it_.project();
    EXPECT_EQ(project.default_publish.rpm_channel, "sdk");
    EXPECT_EQ(project.package_groups.at("base").publish.rpm_channel, "base");
    const Image& vm = project.images.at("vm");
    EXPECT_EQ(vm.definition_profile, "core");
    EXPECT_EQ(vm.capabilities.container, false);
    EXPECT_THAT(vm.test_suites, ElementsAre("smoke", "lisa"));
    EXPECT_THAT(vm.publish_channels, ElementsAre("images"));
    EXPECT_EQ(project.test_suites.at("smoke").install, "requirements");
    EXPECT_THAT(project.test_suites.at("lisa").pip_extras, ElementsAre("c"));
    EXPECT_EQ(project.image_customizer_container_tag, "example.org/tool:1");
}

// ---- how real projects write it -----------------------------------------------------------------

TEST(Shapes, KeysBareQuotedLiteralNumericAndDotted) {
    Loaded it;
    it.file("tarn.toml", R"(
[distros."fedora"]
'default-version' = "43"
[distros.fedora.versions]
43 = { release-ver = "43" }
rawhide = { "release-ver" = "45" }
"4.0-stage1" = {}
[default-component-config]
spec = { type = 'upstream', upstream-distro = { name = "fedora" } }
[components]
7zip = {}
'dbus-c++' = { publish.channel = 'x' }
[components.389-ds-base]
[components.'cairomm1.16']
[components."libxml++"]
[components.a.b.c]
)")
        .load();
    EXPECT_THAT(it.said(), HasSubstr("tarn.toml:16:15: error: unknown key `b` in component `a`"));
    EXPECT_THAT(it.said(), HasSubstr("1 error;"));
}

TEST(Shapes, ArraysOfTablesThreeDeepStringsAndTrailingCommas) {
    Loaded fine;
    fine.file("tarn.toml", R"(
[distros.f.versions.1]
[default-component-config.spec]
type = "upstream"
upstream-distro = { name = "f", version = "1" }
[components.kernel]
source-files = [
    # the tarball
    { filename = "k.tar", origin = { type = "download", uri = "https://example.org/k.tar" } }, # one
    { filename = "l.tar", origin.type = "download", origin.uri = "https://example.org/l.tar" },
    # no more
]
[[components.kernel.overlays]]
type = 'spec-search-replace'
regex = '''^# it's "one"\s$'''
replacement = """
first
  second \
    joined
# marker"""
[[components.kernel.overlays]]
type = "file-remove"
file = 'run-vmblock\x2dfuse.mount'
[components.kernel.overlays.metadata]
category = "upstream-backport"
upstream-status = "upstreamed"
[[components.kernel.overlays.metadata.commits]]
url = "https://example.org/1"
[[components.kernel.overlays.metadata.commits]]
url = "https://example.org/2"
)")
        .load();
    EXPECT_EQ(fine.said(), "");
    const Component& kernel = fine.component("kernel");
    EXPECT_EQ(kernel.overlays.at(0).regex, "^# it's \"one\"\\s$");
    EXPECT_EQ(kernel.overlays.at(0).replacement, "first\n  second joined\n# marker");
    EXPECT_EQ(kernel.overlays.at(1).file, "run-vmblock\\x2dfuse.mount");
    EXPECT_EQ(kernel.overlays.at(1).metadata.commits.size(), 2U);
    EXPECT_EQ(kernel.source_files.at(1).uri, "https://example.org/l.tar");
}

TEST(Shapes, ASnapshotIsAString) {
    Loaded it;
    it.file("tarn.toml",
            "[default-component-config.spec]\n"
            "upstream-distro = { snapshot = 2026-02-24T00:00:00-08:00 }\n")
        .load();
    EXPECT_THAT(it.said(),
                HasSubstr("tarn.toml:2:32: error: `snapshot` must be a string, not a date"));
}

TEST(Shapes, TheProjectFileOfALargeOne) {
    Loaded it;
    std::string components = "# one line each\n";
    for (int index = 0; index < 300; ++index) {
        components += fmt::format("[components.'c{}+']\n", index);
    }
    it.file("base/comps/components.toml",
            "includes = [\"**/*.comp.toml\", \"skipped.toml\"]\n" + components)
        .file("base/comps/k/k.comp.toml", "[components.k]\nrelease.calculation = \"manual\"\n")
        .file("base/comps/skipped.toml",
              "[component-groups.skips]\ncomponents = [\"k\"]\n"
              "default-component-config.build.check = { skip = true, skip_reason = \"r\" }\n")
        .file("base/distro/distro.toml", "includes = [\"*.distro.toml\"]\n")
        .file("base/distro/own.distro.toml",
              "[distros.own]\ndefault-version = \"4.0\"\n"
              "[distros.own.versions.'4.0'.default-component-config.spec]\ntype = \"upstream\"\n"
              "upstream-distro = { name = \"f\", version = \"43\" }\n"
              "[distros.own.versions.'4.0-stage2']\n[distros.f.versions.43]\n")
        .file("base/azldev.toml",
              "includes = [\"comps/components.toml\", \"distro/distro.toml\"]\n"
              "[project]\ndefault-distro.name = \"own\"\nrendered-specs-dir = '../specs'\n")
        .file("stage2.toml", "[distros.own]\ndefault-version = \"4.0-stage2\"\n")
        .load_from(it.path("base"));
    EXPECT_EQ(it.said(), "");
    EXPECT_EQ(it.project().components.size(), 301U);
    EXPECT_TRUE(it.component("k").build.check_skip);
    LoadOptions options;
    options.config_files = {it.path("stage2.toml")};
    Loaded other;
    other.load_from(it.path("base"), options);
    EXPECT_THAT(other.said(), HasSubstr("component `c0+` does not say where its spec is"));
}

}  // namespace
}  // namespace tarn
