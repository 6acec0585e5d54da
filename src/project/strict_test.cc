// SPDX-License-Identifier: MIT
// What is checked beyond single tables, and what --strict warns of.
#include "project/loaded_test.hh"

namespace tarn {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kBase = R"(
[distros.fedora]
default-version = "43"
[distros.fedora.versions.43]
[distros.fedora.versions.rawhide]
[default-component-config]
spec = { type = "upstream", upstream-distro = { name = "fedora", version = "43", snapshot = "2026-02-24T00:00:00-08:00" } }
)";

std::string warnings(const std::string& text, bool strict = true) {
    Loaded it;
    LoadOptions options;
    options.strict = strict;
    it.file("p.patch", "x").file("tarn.toml", std::string(kBase) + text).load(options);
    return it.said();
}

TEST(Strict, SaysNothingOfAPlainProjectAndNothingWithoutIt) {
    EXPECT_EQ(warnings("[components.a]\n"), "");
    EXPECT_EQ(warnings("[components.a]\npublish.channel = \"x\"\n", false), "");
}

TEST(Strict, FalseThatCannotUndoTrue) {
    const std::string said = warnings(R"(
[component-groups.g]
components = ["a", "b"]
[component-groups.g.default-component-config.build]
check = { skip = true, skip_reason = "r" }
[components.a]
build.check.skip = false
[components.b]
[components.c]
build.check.skip = false
)");
    EXPECT_THAT(said, HasSubstr("tarn.toml:14:20: warning: `skip = false` has no effect"));
    EXPECT_THAT(said, Not(HasSubstr("tarn.toml:17")));
    EXPECT_THAT(said, HasSubstr("component group `g` skips %check for all"));
}

TEST(Strict, SnapshotOfAnotherDistro) {
    const std::string said = warnings(R"(
[components.a.spec]
upstream-distro = { name = "fedora", version = "rawhide" }
[components.same.spec]
upstream-distro = { name = "fedora", version = "43" }
[components.pinned.spec]
upstream-distro = { name = "fedora", version = "rawhide" }
upstream-commit = "1234567"
)");
    EXPECT_THAT(said,
                HasSubstr("component `a` names another distro but inherits the snapshot "
                          "2026-02-24T00:00:00-08:00 of fedora 43"));
    EXPECT_THAT(said, AllOf(Not(HasSubstr("`same`")), Not(HasSubstr("`pinned`"))));
}

TEST(Strict, ListsThatAreAddedUpAndUndefinesOfNothing) {
    const std::string said = warnings(R"(
[component-groups.g]
components = ["a"]
default-component-config.build.without = ["docs"]
[components.a.build]
without = ["docs"]
with = ["docs", "x"]
undefines = ["_with_x", "nothing"]
[components.b]
publish.channel = "c"
)");
    EXPECT_THAT(said, HasSubstr("component `a` gives `docs` twice"));
    EXPECT_THAT(said, HasSubstr("with and without `docs`"));
    EXPECT_THAT(said, HasSubstr("nothing defines `nothing`"));
    EXPECT_THAT(said, Not(HasSubstr("defines `_with_x`")));
    EXPECT_THAT(said, HasSubstr("`channel` is the older spelling of `rpm-channel`"));
}

std::string of_overlay(const std::string& keys) {
    return warnings("[components.a]\n[[components.a.overlays]]\n" + keys);
}

TEST(Strict, OverlaysThatDoSomethingElseThanTheyLookLike) {
    EXPECT_THAT(of_overlay("type = 'spec-add-tag'\ntag = 'A'\nvalue = 'b'\nsection = '%x'\n"),
                HasSubstr("overlay spec-add-tag does not read `section`"));
    EXPECT_THAT(of_overlay("type = \"spec-remove-section\"\nsection = \"files\"\n"),
                HasSubstr("sections are compared with their %"));
    EXPECT_THAT(
        of_overlay("type = \"spec-search-replace\"\nregex = '(a)'\nreplacement = '\\1'\n"),
        HasSubstr("literal text"));
    EXPECT_THAT(of_overlay("type = \"spec-search-replace\"\nregex = 'a'\nreplacement = 'a'\n"),
                HasSubstr("counts as not found"));
    EXPECT_THAT(of_overlay("type = \"spec-search-replace\"\nregex = 'a\\nb'\n"),
                HasSubstr("\\n never matches"));
    EXPECT_THAT(of_overlay("type = \"file-search-replace\"\nfile = 'x'\nregex = '^a'\n"),
                HasSubstr("(?m)"));
    EXPECT_EQ(of_overlay("type = \"file-search-replace\"\nfile = 'x'\nregex = '(?m)^a'\n"), "");
    EXPECT_THAT(of_overlay("type = \"file-remove\"\nfile = 'x'\narchive = 'a.tar.gz'\n"),
                HasSubstr("has no source file of origin overlay for it"));
    EXPECT_EQ(of_overlay("type = \"patch-add\"\ndescription = \"d\"\nsource = \"p.patch\"\n"), "");
}

TEST(Strict, PatternsThatMatchNothingAndVersionsThatDisagree) {
    const std::string said = warnings(R"(
[distros.fedora.versions.44]
release-ver = "43"
)");
    EXPECT_THAT(said, HasSubstr("version 44 of distro `fedora` has release-ver 43"));
    Loaded it;
    LoadOptions options;
    options.strict = true;
    it.file("tarn.toml", "includes = [\"*.comp.toml\"]\n").load(options);
    EXPECT_THAT(it.said(), HasSubstr("tarn.toml:1:13: warning: \"*.comp.toml\" matches no"));
}

TEST(Rules, OfDefaultsAreWarningsOnly) {
    const std::string in_defaults = warnings(R"(
[component-groups.g.default-component-config]
build.check.skip = true
[[component-groups.g.default-component-config.overlays]]
type = "spec-search-replace"
regex = "("
)",
                                             false);
    EXPECT_THAT(in_defaults, HasSubstr("warning: `skip` needs `skip_reason`"));
    EXPECT_THAT(in_defaults, HasSubstr("warning: `regex` does not compile"));
    EXPECT_THAT(in_defaults, Not(HasSubstr("error")));
    EXPECT_THAT(warnings("[component-groups.g.default-component-config.build]\nwth = []\n", false),
                HasSubstr("error: unknown key `wth`"));
}

TEST(Rules, AnOlderChannelGivesWayToANewOneOfAnyLayer) {
    Loaded it;
    it.file("tarn.toml", std::string(kBase) + R"(
[component-groups.g]
components = ["a"]
default-component-config.publish = { rpm-channel = "new" }
[components.a]
publish.channel = "older"
[components.b]
publish.channel = "older"
)")
        .load();
    EXPECT_EQ(it.component("a").publish.rpm_channel, "new");
    EXPECT_EQ(it.component("b").publish.rpm_channel, "older");
}

TEST(Rules, OverlayViewIsInheritedAndCanGoBack) {
    Loaded it;
    it.file("tarn.toml", std::string(kBase) + R"(
[component-groups.g]
components = ["a", "b"]
default-component-config.render.overlay-view = "precise"
[components.a]
[components.b]
render.overlay-view = "line"
[components.c]
)")
        .load();
    EXPECT_TRUE(it.component("a").precise_overlays);
    EXPECT_FALSE(it.component("b").precise_overlays);
    EXPECT_FALSE(it.component("c").precise_overlays);
}

TEST(Defaults, CanBeSwitchedOffAndOverridden) {
    Loaded with;
    with.file("tarn.toml", "").load();
    EXPECT_EQ(with.project().resources.templates.at("azl-standard").subrepos.size(), 6U);
    EXPECT_EQ(with.project().resources.templates.at("koji-dist-repo").subrepos[1].subpath,
              "$basearch/debug");
    Loaded without;
    LoadOptions options;
    options.default_config = false;
    without.file("tarn.toml", "").load(options);
    EXPECT_TRUE(without.project().resources.templates.empty());
    Loaded own;
    own.file("tarn.toml", "[tools.imageCustomizer]\ncontainerTag = \"mine\"\n").load();
    EXPECT_EQ(own.project().image_customizer_container_tag, "mine");
}

TEST(Wording, HasDefaultsThatAreCommentsAndCanBeSet) {
    Loaded it;
    it.file("tarn.toml", R"(
[render]
macros-suffix = "azl.macros"
macros-header = ["# one", "# two"]
load-comment = "# only one"
spec-header = []
check-skip = "# off: {reason}"
lock-header = "# do not edit"
)")
        .load();
    const RenderWording& render = it.project().render;
    EXPECT_EQ(render.macros_suffix, "azl.macros");
    EXPECT_THAT(render.macros_header, ElementsAre("# one", "# two"));
    EXPECT_THAT(render.load_comment, ElementsAre("# only one"));
    EXPECT_TRUE(render.spec_header.empty());
    EXPECT_EQ(render.check_skip, "# off: {reason}");
    EXPECT_EQ(render.lock_header, "# do not edit");
    const RenderWording own;
    EXPECT_THAT(own.spec_header, testing::Each(testing::StartsWith("#")));
    EXPECT_THAT(own.check_skip, HasSubstr("{reason}"));
}

constexpr std::string_view kSets = R"(
[distros.d.versions.1.inputs]
rpm-build = [{ set = "s" }, { repo = "r" }]
[resources.rpm-repos.r]
base-uri = "https://example.org/r"
disable-gpg-check = true
[resources.rpm-repo-sets.s]
template = "koji-dist-repo"
base-uri = "https://example.org/s"
gpg-key = "https://example.org/key"
arches = ["x86_64"]
subrepos = ["binary", "source"]
[resources.rpm-repo-sets.t]
template = "koji-dist-repo"
base-uri = "https://example.org/t/"
name-prefix = "u:"
disable-gpg-check = true
)";

TEST(RepoSets, AreExpanded) {
    Loaded it;
    it.file("tarn.toml", kSets).load();
    const Resources& resources = it.project().resources;
    EXPECT_THAT(resources.set_members.at("s"), ElementsAre("binary", "source"))
        << "without a prefix";
    EXPECT_EQ(resources.expanded.count("s-binary"), 0U);
    EXPECT_THAT(resources.set_members.at("t"), ElementsAre("u:binary", "u:debug", "u:source"));
    const RpmRepo& source = resources.expanded.at("source");
    EXPECT_EQ(source.base_uri, "https://example.org/s/src");
    EXPECT_EQ(source.kind, "source");
    EXPECT_EQ(source.gpg_key, "https://example.org/key");
    EXPECT_EQ(resources.expanded.at("u:debug").base_uri, "https://example.org/t/$basearch/debug");
    const auto repos =
        it.project().repos(it.project().distros.at("d").versions.at("1").rpm_build_inputs);
    ASSERT_EQ(repos.size(), 3U);
    EXPECT_EQ(repos[1]->name, "source");
    EXPECT_EQ(repos[2]->type, "rpm-md");
}

}  // namespace
}  // namespace tarn
