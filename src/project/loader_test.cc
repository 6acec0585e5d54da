// SPDX-License-Identifier: MIT
#include "project/loaded_test.hh"

namespace tarn {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view kUpstream = R"(
[distros.fedora]
default-version = "43"
[distros.fedora.versions.43]
release-ver = "43"
dist-git-branch = "f43"
[distros.fedora.versions.43.default-component-config]
spec = { type = "upstream", upstream-distro = { name = "fedora", version = "43", snapshot = "2026-02-24T00:00:00-08:00" } }
build.without = ["docs"]
)";

TEST(Loader, FindsTheProjectUpwards) {
    Loaded it;
    it.file("tarn.toml", "[project]\ndescription = \"d\"\n").file("a/b/c", "");
    LoadOptions options;
    SourceMap sources;
    Diagnostics diagnostics(sources);
    options.start = it.path("a/b");
    const auto project = load_project(options, sources, diagnostics);
    ASSERT_TRUE(project.has_value());
    EXPECT_EQ(project->root, it.path("a/b").substr(0, project->root.size()));
    EXPECT_EQ(project->output_dir, join_path(project->root, "out"));
    EXPECT_EQ(project->lock_dir, join_path(project->root, "locks"));
    EXPECT_EQ(project->key_dir, join_path(project->root, "keys"));
    EXPECT_EQ(project->rendered_specs_dir, join_path(project->root, "specs"));
}

TEST(Loader, ReadsTheOlderFileNameButPrefersItsOwn) {
    Loaded it;
    it.file("azldev.toml", "[project]\ndescription = \"old\"\n").load();
    EXPECT_EQ(it.project().description, "old");
    Loaded both;
    both.file("azldev.toml", "[project]\ndescription = \"old\"\n")
        .file("tarn.toml", "[project]\ndescription = \"own\"\n")
        .load();
    EXPECT_EQ(both.project().description, "own");
}

TEST(Loader, SaysThatThereIsNoProject) {
    Loaded it;
    it.load();
    EXPECT_FALSE(it.loaded());
    EXPECT_THAT(it.said(), HasSubstr("there is no tarn.toml"));
}

TEST(Loader, IncludesDepthFirstAndMakesPathsAbsoluteWhereTheyAreDefined) {
    Loaded it;
    it.file("tarn.toml",
            "includes = [\"sub/*.toml\", \"none-*.toml\"]\n[project]\nlog-dir = \"l\"\n")
        .file("sub/a.toml", "includes = [\"deep/{x,y}.toml\"]\n[project]\noutput-dir = \"../o\"\n")
        .file("sub/deep/x.toml", "[project]\nwork-dir = \"w\"\n")
        .file("sub/b.toml", "[project]\ndescription = \"b\"\n")
        .load();
    EXPECT_EQ(it.project().log_dir, it.path("l"));
    EXPECT_EQ(it.project().output_dir, it.path("o"));
    EXPECT_EQ(it.project().work_dir, it.path("sub/deep/w"));
    EXPECT_EQ(it.project().description, "b");
}

TEST(Loader, LaterFilesOverrideOnlyWhatTheyGive) {
    Loaded it;
    it.file("tarn.toml", "[project]\ndescription = \"one\"\nlog-dir = \"a\"\n")
        .file("user.toml", "[project]\ndescription = \"user\"\n")
        .file("extra.toml", "[project]\ndescription = \"\"\nlog-dir = \"b\"\n");
    LoadOptions options;
    options.user_file = it.path("user.toml");
    options.config_files = {it.path("extra.toml")};
    it.load(options);
    EXPECT_EQ(it.project().description, "user");
    EXPECT_EQ(it.project().log_dir, it.path("b"));
}

TEST(Loader, DistrosMergeByFieldButVersionsAsAWhole) {
    Loaded it;
    it.file("tarn.toml",
            "includes = [\"b.toml\"]\n"
            "[distros.d]\ndescription = \"x\"\ndefault-version = \"1\"\n"
            "[distros.d.versions.1]\nrelease-ver = \"1\"\ndist-git-branch = \"b1\"\n"
            "[distros.d.versions.2]\nrelease-ver = \"2\"\n")
        .file("b.toml",
              "[distros.d]\ndefault-version = \"2\"\n[distros.d.versions.1]\nrelease-ver = \"9\"\n")
        .load();
    const Distro& distro = it.project().distros.at("d");
    EXPECT_EQ(distro.description, "x");
    EXPECT_EQ(distro.default_version, "2");
    EXPECT_EQ(distro.versions.at("1").release_ver, "9");
    EXPECT_EQ(distro.versions.at("1").dist_git_branch, "");
    DistroReference reference;
    reference.name = "d";
    EXPECT_EQ(it.project().version(reference)->release_ver, "2");
    reference.version = "3";
    EXPECT_EQ(it.project().version(reference), nullptr);
}

TEST(Loader, DebianVersionsHaveDefaults) {
    Loaded it;
    it.file("tarn.toml",
            "[distros.debian]\nkind = \"debian\"\n"
            "[distros.debian.versions.forky]\n"
            "expired-release = { accept = true, reason = \"pinned\", not-before = \"2026-01-02\" }\n"
            "[distros.debian.versions.kernel]\nsuite = \"trixie-backports\"\n"
            "components = [\"main\", \"contrib\"]\n")
        .load();
    const Distro& debian = it.project().distros.at("debian");
    EXPECT_EQ(debian.kind, UpstreamKind::kDebian);
    EXPECT_EQ(debian.versions.at("forky").suite, "forky");
    EXPECT_THAT(debian.versions.at("forky").components, ElementsAre("main"));
    EXPECT_TRUE(debian.versions.at("forky").expired_release.accept);
    EXPECT_EQ(debian.versions.at("kernel").suite, "trixie-backports");
    EXPECT_THAT(debian.versions.at("kernel").components, ElementsAre("main", "contrib"));
}

TEST(Loader, ComponentsInheritInLayers) {
    Loaded it;
    it.file("tarn.toml",
            "[project]\ndefault-distro = { name = \"fedora\" }\n" + std::string(kUpstream) + R"(
[default-component-config]
build.without = ["tests"]
build.defines = { a = "1", b = "1" }
[component-groups.zeta]
components = ["bash"]
default-component-config = { build = { without = ["z"], defines = { b = "z" } } }
[component-groups.alpha]
components = ["bash"]
default-component-config = { build = { without = ["a"], defines = { b = "a" }, check = { skip = true, skip_reason = "slow" } } }
[components.bash]
build = { without = ["own"], check = { skip = false } }
[components.jq]
spec = { upstream-distro = { version = "43" }, upstream-commit = "0123456" }
)")
        .load();
    const Component& bash = it.project().components.at("bash");
    EXPECT_THAT(bash.build.without, ElementsAre("docs", "tests", "a", "z", "own"));
    EXPECT_EQ(bash.build.defines.at("a"), "1");
    EXPECT_EQ(bash.build.defines.at("b"), "z");
    EXPECT_TRUE(bash.build.check_skip) << "false never takes an inherited true away";
    EXPECT_EQ(bash.build.check_skip_reason, "slow");
    EXPECT_THAT(bash.groups, ElementsAre("alpha", "zeta"));
    EXPECT_EQ(bash.spec_type, SpecType::kUpstream);
    EXPECT_EQ(bash.release_calculation, "auto");
    const Component& jq = it.project().components.at("jq");
    EXPECT_THAT(jq.build.without, ElementsAre("docs", "tests"));
    EXPECT_EQ(jq.upstream.name, "fedora");
    EXPECT_EQ(jq.upstream.snapshot, "2026-02-24T00:00:00-08:00");
    EXPECT_EQ(jq.upstream_commit, "0123456");
}

TEST(Loader, GroupsFindSpecs) {
    Loaded it;
    it.file("tarn.toml", R"(
[component-groups.local]
specs = ["specs/**/*.spec"]
excluded-paths = ["specs/old/**"]
default-component-config = { build = { with = ["x"] } }
[components.b]
description = "named"
)")
        .file("specs/a/a.spec", "")
        .file("specs/b.spec", "")
        .file("specs/old/c.spec", "")
        .load();
    EXPECT_EQ(it.project().components.size(), 2U);
    const Component& b = it.project().components.at("b");
    EXPECT_EQ(b.description, "named");
    EXPECT_EQ(b.spec_path, it.path("specs/b.spec"));
    EXPECT_THAT(b.build.with, ElementsAre("x"));
    EXPECT_EQ(it.project().components.at("a").spec_path, it.path("specs/a/a.spec"));
    EXPECT_THAT(it.project().component_groups.at("local").members, ElementsAre("a", "b"));
}

TEST(Loader, OverlayFilesComeAfterInlineOverlaysSortedByName) {
    Loaded it;
    it.file("tarn.toml",
            "includes = [\"c/jq.comp.toml\"]\n[default-component-config]\n"
            "overlay-files = [\"overlays/*.toml\"]\n")
        .file("c/jq.comp.toml", R"(
[components.jq]
spec = { type = "local", path = "jq.spec" }
overlays = [{ type = "spec-remove-tag", tag = "Inline" }]
[components.off]
spec = { type = "local", path = "jq.spec" }
overlay-files = []
)")
        .file("c/jq.spec", "")
        .file("c/x.patch", "")
        .file("c/overlays/0002-b.overlay.toml", R"(
[metadata]
category = "upstream-backport"
upstream-status = "upstreamed"
commits = [{ url = "https://example.org/c" }]
[[overlays]]
type = "patch-add"
source = "../x.patch"
)")
        .file("c/overlays/0001-a.overlay.toml", R"(
[metadata]
category = "compatibility"
upstream-status = "inapplicable"
[[overlays]]
type = "spec-remove-tag"
tag = "First"
)")
        .load();
    const auto& overlays = it.project().components.at("jq").overlays;
    ASSERT_EQ(overlays.size(), 3U);
    EXPECT_EQ(overlays[0].tag, "Inline");
    EXPECT_EQ(overlays[1].tag, "First");
    EXPECT_EQ(overlays[2].source, it.path("c/x.patch"));
    EXPECT_THAT(overlays[2].metadata.commits, ElementsAre("https://example.org/c"));
    EXPECT_TRUE(it.project().components.at("off").overlays.empty());
}

TEST(Loader, OverlaysKnowWhereTheyWereWritten) {
    Loaded it;
    it.file("tarn.toml",
            "[components.jq]\nspec = { type = \"local\", path = \"jq.spec\" }\n"
            "description = \"\xC3\xA4\"\n"
            "[[components.jq.overlays]]\ntype = \"spec-search-replace\"\n"
            "section = '%build' \nregex = 'a'\n")
        .file("jq.spec", "")
        .load();
    const Overlay& overlay = it.project().components.at("jq").overlays.at(0);
    EXPECT_EQ(it.sources().locate(overlay.where.begin).line, 4U);
    const Location regex = it.sources().locate(overlay.key_spans.at("regex").begin);
    EXPECT_EQ(regex.line, 7U);
    EXPECT_EQ(regex.column, 9U);
    EXPECT_FALSE(overlay.has_replacement);
}

TEST(Loader, ColumnsAreInBytes) {
    Loaded it;
    it.file("tarn.toml", "[components.b]\nspec = { type = \"\xC3\xA4\xE2\x82\xAC\", path = 1 }\n")
        .load();
    EXPECT_THAT(it.said(), HasSubstr("tarn.toml:2:33: error: `path` must be a string"));
}

TEST(Loader, ImagesTakeOverFromTheirBase) {
    Loaded it;
    it.file("tarn.toml", R"(
[package-groups.core]
packages = ["bash"]
[images.vm]
base = "base"
packages = ["vim"]
hostname = "vm"
weak-dependencies = false
size = "4 GiB"
formats = ["raw", "vhd"]
version-floors = { glibc = "2.42" }
tests = ["ssh"]
[images.base]
packages = ["systemd"]
package-groups = ["core"]
hostname = "base"
weak-dependencies = true
filesystem = "ext4"
esp-size = 1048576
kernel-command-line = ["quiet"]
files = [{ path = "/etc/motd", content = "hi" }]
version-floors = { systemd = "258", glibc = "2" }
capabilities = { machine-bootable = true }
)")
        .load();
    const Image& vm = it.project().images.at("vm");
    EXPECT_THAT(vm.packages, ElementsAre("systemd", "vim"));
    EXPECT_THAT(vm.package_groups, ElementsAre("core"));
    EXPECT_EQ(vm.hostname, "vm");
    EXPECT_FALSE(vm.weak_dependencies);
    EXPECT_EQ(vm.filesystem, "ext4");
    EXPECT_EQ(vm.size_bytes, 4ULL << 30);
    EXPECT_EQ(vm.esp_bytes, 1ULL << 20);
    EXPECT_EQ(vm.files.at(0).content, "hi");
    EXPECT_EQ(vm.version_floors.at("glibc"), "2.42");
    EXPECT_EQ(vm.version_floors.at("systemd"), "258");
    EXPECT_EQ(vm.capabilities.machine_bootable, true);
    EXPECT_EQ(vm.capabilities.container, std::nullopt);
    EXPECT_THAT(vm.tests, ElementsAre("ssh"));
    EXPECT_TRUE(it.project().images.at("base").weak_dependencies);
}

TEST(Loader, ReadsImportTables) {
    Loaded it;
    it.file("tarn.toml", R"(
includes = ["more.toml"]
[distros.debian]
kind = "debian"
[distros.debian.versions.forky]
[import-groups.vm]
upstream-distro = { name = "debian", version = "forky" }
packages = ["bash"]
exclude = ["dash"]
[import-policy]
release-suffix = ".tn1"
never-import = [{ package = "apt", reason = "dnf5" }]
virtual = [{ name = "awk", package = "gawk" }]
[imports.libc6]
name = "glibc"
drop-requires = [{ name = "x", reason = "y" }]
links = [{ path = "/usr/bin/sh", target = "bash", reason = "z" }]
attributes = [{ path = "/usr/bin/ping", mode = "0755", capabilities = "cap_net_raw+p", reason = "r" }]
files = [{ path = "/etc/a", content = "b", mode = "0640", config = true, reason = "c" }]
scripts = [{ script = "postinst", covered-by = ["links", "files"], reason = "d" }]
)")
        .file("more.toml", R"(
[[import-policy.script-snippets]]
generator = "dh_x"
covered-by = "presets"
reason = "e"
[import-policy]
keep-paths = ["/a"]
)")
        .load();
    const ImportRule& rule = it.project().imports.at("libc6");
    EXPECT_EQ(rule.package, "libc6");
    EXPECT_EQ(rule.name, "glibc");
    EXPECT_EQ(rule.drop_requires.at(0).reason, "y");
    EXPECT_TRUE(rule.files.at(0).config);
    EXPECT_EQ(rule.scripts.at(0).covered_by, "links, files");
    EXPECT_THAT(it.project().import_groups.at("vm").exclude, ElementsAre("dash"));
    EXPECT_EQ(it.project().import_groups.at("vm").upstream.version, "forky");
    EXPECT_EQ(rule.links.at(0).target, "bash");
    EXPECT_EQ(rule.attributes.at(0).capabilities, "cap_net_raw+p");
    EXPECT_EQ(it.project().import_policy.release_suffix, ".tn1");
    EXPECT_THAT(it.project().import_policy.keep_paths, ElementsAre("/a"));
    EXPECT_EQ(it.project().import_policy.virtual_packages.at("awk"), "gawk");
    EXPECT_EQ(it.project().import_policy.never_import.at(0).name, "apt");
    EXPECT_EQ(it.project().import_policy.script_snippets.at(0).covered_by, "presets");
}

TEST(Loader, ReadsSourceFilesOfDebianOrigin) {
    Loaded it;
    it.file("tarn.toml", R"(
[distros.debian]
kind = "debian"
default-version = "forky"
[distros.debian.versions.forky]
[components.jq]
spec = { type = "local", path = "jq.spec" }
source-files = [
  { filename = "jq.tar.gz", origin = { type = "debian", package = "jq", distro = { name = "debian" } } },
]
)")
        .file("jq.spec", "")
        .load();
    const SourceFile& source = it.project().components.at("jq").source_files.at(0);
    EXPECT_EQ(source.origin_type, "debian");
    EXPECT_EQ(source.package, "jq");
    EXPECT_EQ(source.member, "orig");
    EXPECT_EQ(source.distro.name, "debian");
    EXPECT_EQ(source.hash, "");
}

TEST(Loader, PermissiveMakesUnknownKeysWarnings) {
    Loaded it;
    it.file("tarn.toml", "[project]\nunknown = 1\ndescription = \"d\"\n");
    LoadOptions options;
    options.permissive = true;
    it.load(options);
    EXPECT_EQ(it.project().description, "d");
    EXPECT_THAT(it.said(), HasSubstr("warning: unknown key `unknown`"));
}

TEST(Loader, DeprecatedChannelGivesWayToItsSuccessor) {
    Loaded it;
    it.file("tarn.toml",
            "[default-package-config]\npublish = { channel = \"old\" }\n"
            "[package-groups.a]\npackages = [\"x\"]\n"
            "default-package-config.publish = { rpm-channel = \"new\", channel = \"old\" }\n")
        .load();
    EXPECT_EQ(it.project().default_publish.rpm_channel, "old");
    EXPECT_EQ(it.project().package_groups.at("a").publish.rpm_channel, "new");
}

TEST(Loader, LoadsTheReferenceDistribution) {
    const std::string root = std::string(TARN_SOURCE_DIR) + "/distro";
    if (!path_exists(join_path(root, "tarn.toml"))) {
        GTEST_SKIP() << "distro/tarn.toml is not there";
    }
    SourceMap sources;
    Diagnostics diagnostics(sources);
    LoadOptions options;
    options.start = root;
    options.shown_from = root;
    const auto project = load_project(options, sources, diagnostics);
    ASSERT_TRUE(project.has_value()) << diagnostics.draw(100);
    EXPECT_TRUE(diagnostics.all().empty()) << diagnostics.draw(100);
    EXPECT_FALSE(project->import_groups.empty());
    EXPECT_FALSE(project->imports.empty());
}

}  // namespace
}  // namespace tarn
