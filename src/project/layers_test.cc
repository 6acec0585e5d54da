// SPDX-License-Identifier: MIT
// What later files override and what they cannot; what azldev accepts and must not be refused.
#include "project/loaded_test.hh"

namespace tarn {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kUpstream = R"(
[distros.f]
default-version = "1"
[distros.f.versions.1]
[default-component-config.spec]
type = "upstream"
upstream-distro = { name = "f" }
)";

TEST(Layers, SameNamesAreFatalInEveryLayer) {
    const std::pair<std::string, std::string> tables[] = {
        {"component", "[components.x]"},
        {"component group", "[component-groups.x]"},
        {"image", "[images.x]"},
        {"package group", "[package-groups.x]"},
        {"test suite", "[test-suites.x]\ntype = \"pytest\"\npytest.install = \"none\""},
    };
    for (const auto& [what, table] : tables) {
        for (const bool user : {true, false}) {
            Loaded it;
            it.file("tarn.toml", std::string(kUpstream) + table + "\n").file("x.toml", table);
            LoadOptions options;
            options.permissive = true;  // does not help
            (user ? options.user_file : options.config_files.emplace_back()) = it.path("x.toml");
            it.load(options);
            EXPECT_THAT(it.said(), HasSubstr(fmt::format("error: {} `x` is defined twice", what)));
            EXPECT_THAT(it.said(), HasSubstr("tarn.toml:8"));
        }
    }
}

TEST(Layers, AMissingUserFileIsNoneAndAMissingConfigFileAnError) {
    Loaded it;
    it.file("tarn.toml", "");
    LoadOptions options;
    options.user_file = it.path("none.toml");
    EXPECT_EQ(it.load(options).said(), "");
    options.config_files = {it.path("gone.toml")};
    it.load(options);
    EXPECT_FALSE(it.loaded());
    EXPECT_THAT(it.said(), HasSubstr("gone.toml"));
}

TEST(Layers, EveryConfigFileMayIncludeWhatAnotherIncludes) {
    Loaded it;
    it.file("tarn.toml", "includes = [\"common.toml\"]\n")
        .file("common.toml", "[project]\ndescription = \"c\"\n")
        .file("a.toml", "includes = [\"common.toml\"]\n");
    LoadOptions options;
    options.config_files = {it.path("a.toml")};
    EXPECT_EQ(it.load(options).said(), "");
    EXPECT_EQ(it.project().description, "c");
}

TEST(Layers, BooleansOfDistrosOnlyBecomeTrueAndListsAreReplaced) {
    Loaded it;
    it.file("tarn.toml",
            "includes = [\"b.toml\"]\n[distros.d]\ndisable-origins = true\n"
            "repos = [{ base-uri = \"a\" }, { base-uri = \"b\" }]\n")
        .file("b.toml", "[distros.d]\ndisable-origins = false\nrepos = [{ base-uri = \"c\" }]\n")
        .load();
    EXPECT_TRUE(it.project().distros.at("d").disable_origins);
    EXPECT_THAT(it.project().distros.at("d").repo_uris, ElementsAre("c"));
}

TEST(Layers, ResourcesAreReplacedWholeAndDefaultsFieldByField) {
    Loaded it;
    it.file("tarn.toml", R"(
includes = ["b.toml"]
[resources.rpm-repos.r]
base-uri = "https://example.org/a"
disable-gpg-check = true
arches = ["x86_64"]
[default-package-config.publish]
rpm-channel = "a"
debuginfo-channel = "d"
[tools.imageCustomizer]
containerTag = "a"
)")
        .file("b.toml", R"(
[resources.rpm-repos.r]
metalink = "https://example.org/m"
gpg-key = "https://example.org/key"
[default-package-config.publish]
rpm-channel = "b"
[tools.imageCustomizer]
containerTag = ""
)")
        .load();
    const RpmRepo& repo = it.project().resources.repos.at("r");
    EXPECT_EQ(repo.base_uri, "");
    EXPECT_FALSE(repo.disable_gpg_check);
    EXPECT_TRUE(repo.arches.empty());
    EXPECT_EQ(it.project().default_publish.rpm_channel, "b");
    EXPECT_EQ(it.project().default_publish.debuginfo_channel, "d");
    EXPECT_EQ(it.project().image_customizer_container_tag, "a");
}

TEST(Layers, ADefaultDistroCountsAsItIsInTheEnd) {
    Loaded it;
    it.file("tarn.toml",
            "[project]\ndefault-distro = { name = \"gone\", version = \"1\" }\n"
            "[distros.d.versions.1]\n")
        .file("b.toml", "[project]\ndefault-distro.name = \"d\"\n");
    LoadOptions options;
    options.config_files = {it.path("b.toml")};
    EXPECT_EQ(it.load(options).said(), "");
    EXPECT_EQ(it.project().default_distro.version, "1");
}

TEST(Layers, DefaultsOfSeveralFilesAddUp) {
    Loaded it;
    it.file("tarn.toml",
            std::string(kUpstream) +
                "[default-component-config.build]\nwith = [\"a\"]\n[components.c]\n")
        .file("b.toml", "[default-component-config.build]\nwith = [\"a\", \"b\"]\n");
    LoadOptions options;
    options.config_files = {it.path("b.toml")};
    it.load(options);
    EXPECT_THAT(it.component("c").build.with, ElementsAre("a", "a", "b"));
}

TEST(Layers, MapsAreMergedByKey) {
    Loaded it;
    it.file("tarn.toml", std::string(kUpstream) + R"(
[component-groups.g]
components = ["c"]
[component-groups.g.default-component-config.packages]
one.publish = { rpm-channel = "a", debuginfo-channel = "d" }
two.publish = { rpm-channel = "a" }
[components.c.packages]
one.publish.rpm-channel = "b"
)")
        .load();
    EXPECT_EQ(it.component("c").packages.at("one").rpm_channel, "b");
    EXPECT_EQ(it.component("c").packages.at("one").debuginfo_channel, "")
        << "the whole entry is replaced";
    EXPECT_EQ(it.component("c").packages.at("two").rpm_channel, "a");
}

// ---- overlay files and groups -------------------------------------------------------------------

std::string overlay_document(const std::string& tag) {
    return "[metadata]\ncategory = \"azl-pruning\"\nupstream-status = \"unknown\"\n"
           "[[overlays]]\ntype = \"spec-remove-tag\"\ntag = \"" +
           tag + "\"\n";
}
std::vector<std::string> tags_of(const Component& component) {
    std::vector<std::string> tags;
    for (const Overlay& overlay : component.overlays) {
        tags.push_back(overlay.tag);
    }
    return tags;
}

TEST(OverlayFiles, ByPatternThenBaseNameThenPathEachOnce) {
    Loaded it;
    it.file(
          "tarn.toml",
          std::string(kUpstream) +
              "[components.c]\noverlay-files = [\"last/2.toml\", \"o/**/*.toml\", \"*/2.toml\"]\n")
        .file("last/2.toml", overlay_document("first"))
        .file("o/1.toml", overlay_document("o1"))
        .file("o/a/1.toml", overlay_document("oa1"))
        .file("o/z/0.toml", overlay_document("oz0"))
        .file("o/2.toml", overlay_document("o2"))
        .load();
    EXPECT_THAT(tags_of(it.component("c")), ElementsAre("first", "oz0", "o1", "oa1", "o2"));
}

TEST(OverlayFiles, OfAFoundSpecLieBesideIt) {
    Loaded it;
    it.file("tarn.toml", R"(
[component-groups.g]
specs = ["s/*/*.spec"]
default-component-config.overlay-files = ["*.overlay.toml"]
)")
        .file("s/a/a.spec", "")
        .file("s/a/x.overlay.toml", overlay_document("a"))
        .file("s/b/b.spec", "")
        .file("s/b/x.overlay.toml", overlay_document("b"))
        .file("x.overlay.toml", overlay_document("none"))
        .load();
    EXPECT_THAT(tags_of(it.component("a")), ElementsAre("a"));
    EXPECT_THAT(tags_of(it.component("b")), ElementsAre("b"));
}

TEST(Groups, AFoundSpecIsLocalWhateverElseIsSaid) {
    Loaded it;
    it.file("tarn.toml", std::string(kUpstream) + R"(
[component-groups.g]
specs = ["s/*.spec"]
[component-groups.h]
specs = ["**/a.spec"]
components = ["a"]
default-component-config.build.with = ["once"]
[components.a.spec]
type = "upstream"
)")
        .file("s/a.spec", "")
        .load();
    EXPECT_EQ(it.component("a").spec_type, SpecType::kLocal);
    EXPECT_EQ(it.component("a").spec_path, it.path("s/a.spec"));
    EXPECT_THAT(it.component("a").groups, ElementsAre("g", "h"));
    EXPECT_THAT(it.component("a").build.with, ElementsAre("once"));
    EXPECT_THAT(it.project().component_groups.at("h").found, ElementsAre("a"));
}

TEST(Groups, TwoSpecsOfOneNameAreAnErrorThatSaysWhere) {
    Loaded it;
    it.file("tarn.toml", "[component-groups.g]\nspecs = [\"*/a.spec\"]\n")
        .file("x/a.spec", "")
        .file("y/a.spec", "")
        .load();
    EXPECT_THAT(it.said(),
                HasSubstr("tarn.toml:1:19: error: component `a` has the spec x/a.spec, but group "
                          "`g` finds y/a.spec"));
}

TEST(Groups, PatternsPassOverWhatCannotBeReadButHaveToBeValid) {
    Loaded it;
    it.file("tarn.toml",
            "[component-groups.g]\nspecs = [\"file/*.spec\", \"none/*.spec\", \"s/*.spec\"]\n")
        .file("file", "")
        .file("s/a.spec", "")
        .load();
    EXPECT_EQ(it.said(), "");
    EXPECT_EQ(it.project().components.size(), 1U);
    Loaded bad;
    bad.file("tarn.toml", "[component-groups.g]\nspecs = [\"[x\"]\nexcluded-paths = [\"{a\"]\n")
        .load();
    EXPECT_THAT(bad.said(),
                AllOf(HasSubstr("tarn.toml:2:10: error: \"[x\" is not a valid pattern"),
                      HasSubstr("tarn.toml:3:19: error: \"{a\" is not a valid pattern")));
}

// ---- what must not be refused -------------------------------------------------------------------

TEST(Accepted, RulesOfComponentsDoNotHoldInDefaults) {
    constexpr std::string_view kBroken = R"(
source-files = [
    { filename = "a b", hash = "1", replace-upstream = true },
    { filename = "a", hash-type = "MD5", origin = { type = "download" } },
    { filename = "a", origin = { type = "custom", script = "x/y" } },
]
overlays = [
    { type = "spec-add-tag" },
    { type = "patch-remove", file = "[" },
    { type = "file-rename", file = "/x", replacement = "a/b", metadata = { category = "x" } },
]
[%.build]
check.skip = true
failure.expected = true
)";
    for (const std::string table : {"default-component-config",
                                    "component-groups.g.default-component-config",
                                    "distros.d.versions.1.default-component-config"}) {
        std::string text = "[" + table + "]" + std::string(kBroken);
        text.replace(text.find('%'), 1, table);
        Loaded it;
        it.file("tarn.toml", text).load();
        EXPECT_TRUE(it.loaded()) << it.said();
        EXPECT_THAT(it.said(), HasSubstr("warning: source file `a` is defined twice"));
    }
}

TEST(Accepted, AMissingFileIsAMatterOfItsComponent) {
    Loaded it;
    it.file("tarn.toml", std::string(kUpstream) + R"(
[components.a]
overlays = [{ type = "patch-add", source = "gone.patch" }]
[components.b.spec]
type = "local"
path = "gone.spec"
[components.c]
)")
        .load();
    EXPECT_EQ(it.project().components.size(), 3U);
    EXPECT_THAT(it.said(), HasSubstr("tarn.toml:10:44: warning: there is no file gone.patch"));
    EXPECT_THAT(it.said(), HasSubstr("tarn.toml:12:8: warning: the spec of component `b` is not"));
}

TEST(Accepted, DistrosAreHardlyChecked) {
    Loaded it;
    it.file("tarn.toml", R"(
[distros.d]
repos = [{}]
[distros.d.versions.1]
[distros.d.versions.1.default-component-config]
spec.upstream-commit = "main"
release.calculation = "sometimes"
publish.rpm-channel = "a/b"
)")
        .load();
    EXPECT_TRUE(it.loaded()) << it.said();
    EXPECT_THAT(it.said(), HasSubstr("warning: `calculation` cannot be \"sometimes\""));
}

TEST(Accepted, EmptyWordsAreNotGiven) {
    Loaded it;
    it.file("tarn.toml", std::string(kUpstream) + R"(
[components.c]
spec.type = ""
release.calculation = ""
source-files = [{ filename = "a", hash = "", hash-type = "", origin = { type = "download", uri = "https://example.org/a" } }]
[resources.rpm-repos.r]
type = ""
base-uri = "https://example.org/r"
disable-gpg-check = true
[test-suites.t]
type = "pytest"
pytest = { install = "", working-dir = "t" }
)")
        .load();
    EXPECT_EQ(it.said(), "");
    EXPECT_EQ(it.component("c").release_calculation, "auto");
    EXPECT_EQ(it.component("c").spec_type, SpecType::kUpstream);
    EXPECT_EQ(it.project().resources.repos.at("r").type, "rpm-md");
}

TEST(Accepted, KeysThatAnOverlayDoesNotReadMayHoldAnything) {
    Loaded it;
    it.file("tarn.toml", std::string(kUpstream) + R"(
[components.c]
overlays = [
    { type = "spec-add-tag", tag = "A", value = "b", regex = "(", file = "/x/[", replacement = "a/b", lines = [] },
    { type = "spec-remove-section", section = "%files", regex = "(", package = "devel" },
    { type = "file-add", file = "a[b", source = "p", regex = "(" },
    { type = "patch-add", file = "{b", source = "p" },
    { type = "file-remove", file = "x", replacement = "a/b" },
]
)")
        .file("p", "")
        .load();
    EXPECT_EQ(it.said(), "");
}

TEST(Accepted, ADefaultCommitIsNotForLocalSpecs) {
    Loaded it;
    it.file("tarn.toml", std::string(kUpstream) + R"(
upstream-name = "x"
upstream-commit = "1234567"
[components.c.spec]
type = "local"
path = "c.spec"
)")
        .file("c.spec", "")
        .load();
    EXPECT_EQ(it.said(), "");
}

std::string beside_an_archive_overlay(const std::string& file,
                                      const std::string& type,
                                      const std::string& replacement = "b") {
    Loaded it;
    it.file("tarn.toml",
            std::string(kUpstream) +
                "[components.c]\noverlays = [{ type = \"file-remove\", archive = \"a-1.tar.gz\", "
                "file = \"x\" },\n{ type = \"" +
                type + "\", file = '" + file +
                "', regex = \"a\", lines = [\"a\"], source = \"p\", replacement = \"" +
                replacement + "\" }]\n")
        .file("p", "")
        .load();
    return it.said();
}

TEST(Accepted, PatternsForAnyFileBesideOverlaysOfAnArchive) {
    for (const std::string fine :
         {"**/*", "*", "a-*", "a*.*", "**", "b.tar.gz", "?-1.*", "{x,*}"}) {
        EXPECT_EQ(beside_an_archive_overlay(fine, "file-search-replace"), "") << fine;
        EXPECT_EQ(beside_an_archive_overlay(fine, "file-remove"), "") << fine;
    }
    EXPECT_EQ(beside_an_archive_overlay("a-1.tar.gz", "spec-add-tag").find("as a file"),
              std::string::npos);
    EXPECT_THAT(beside_an_archive_overlay("b", "file-rename", "a-1.tar.gz"),
                HasSubstr("works on a-1.tar.gz"));
    for (const std::string bad :
         {"a-1.tar.gz", "*.tar.gz", "**/*.gz", "a-1.tar.*", "{a-1.tar.gz,b}", "a-?.t*"}) {
        for (const std::string type :
             {"file-search-replace", "file-remove", "file-rename", "file-prepend-lines"}) {
            EXPECT_THAT(beside_an_archive_overlay(bad, type), HasSubstr("works on a-1.tar.gz"))
                << bad;
        }
    }
}

TEST(Permissive, MakesBrokenRulesAndUnknownNamesWarnings) {
    Loaded it;
    it.file("tarn.toml", std::string(kUpstream) + R"(
[tests]
x = 1
[components.c]
release.calculation = "sometimes"
tests.tests = [{ name = "x" }]
source-files = [{ filename = "a", origin.type = "overlay" }, { filename = "a", origin.type = "overlay" }]
overlays = [{ type = "spec-add-tag" }]
[component-groups.g]
components = ["gone"]
)");
    LoadOptions options;
    options.permissive = true;
    it.load(options);
    EXPECT_TRUE(it.loaded());
    EXPECT_THAT(it.said(), Not(HasSubstr("error")));
    for (const std::string part : {"unknown key `tests` in a declaration file",
                                   "unknown key `tests` in component `c`",
                                   "`calculation` cannot be",
                                   "origin overlay needs `replace-upstream`",
                                   "source file `a` is defined twice",
                                   "overlay spec-add-tag needs `tag`",
                                   "component `gone` is not defined"}) {
        EXPECT_THAT(it.said(), HasSubstr("warning: " + part));
    }
}

TEST(RepoSets, AnInputMayNameARepositoryThatASetMakes) {
    Loaded it;
    it.file("tarn.toml", R"(
[distros.d.versions.1.inputs]
rpm-build = [{ repo = "s-binary" }, { repo = "s-source" }]
image-build = [{ repo = "s-binary" }, { set = "s" }]
[resources.rpm-repo-sets.s]
template = "koji-dist-repo"
base-uri = "https://example.org/s//"
name-prefix = "s-"
disable-gpg-check = true
[resources.rpm-repo-sets.bad]
template = "koji-dist-repo"
base-uri = "https://example.org/s"
name-prefix = "-"
disable-gpg-check = true
subrepos = ["binary", "binary"]
[resources.rpm-repo-set-templates.none]
)")
        .load();
    EXPECT_THAT(it.said(), HasSubstr("4:39: error: repository `s-binary` is in this list twice"));
    EXPECT_THAT(it.said(),
                HasSubstr("repository set `bad` makes a repository of the name \"-binary\""));
    EXPECT_THAT(it.said(), HasSubstr("`subrepos` names a sub-repository twice"));
    EXPECT_THAT(it.said(), HasSubstr("a template needs `subrepos`"));
    EXPECT_THAT(it.said(), HasSubstr("4 errors;"));
}

}  // namespace
}  // namespace tarn
