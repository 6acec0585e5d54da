// SPDX-License-Identifier: MIT
// Rules of single overlays that are easily got wrong, and specs nobody writes by intention.
#include "base/fs.hh"
#include "render/render.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tarn {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Rules : public testing::Test {
  protected:
    Overlay& overlay(OverlayType type) {
        overlay_ = Overlay();
        overlay_.type = type;
        return overlay_;
    }
    Overlay& tag(OverlayType type, const std::string& value, const std::string& package = {}) {
        overlay(type).tag = "Requires";
        overlay_.value = value;
        overlay_.package = package;
        return overlay_;
    }
    Overlay& section(OverlayType type, const std::string& name, const std::string& package = {}) {
        overlay(type).section = name;
        overlay_.package = package;
        overlay_.lines = {"1"};
        return overlay_;
    }
    Overlay& replace(const std::string& regex, const std::string& replacement) {
        overlay(OverlayType::kSpecSearchReplace).regex = regex;
        overlay_.replacement = replacement;
        return overlay_;
    }
    // The spec, or what is said about why there is none.
    std::string after(std::string spec) {
        sources_.add("x.spec", std::move(spec), 0);
        const auto done = apply_overlay(sources_, "x.spec", overlay_, map_);
        return done ? sources_.read("x.spec").value() : done.error().rendered;
    }

    Overlay overlay_{};
    SourceMap map_{};
    SourceSet sources_{};
};

// ---- tags ---------------------------------------------------------------------------------------

TEST_F(Rules, InsertTagTakesTheLastOfAllSectionsOfOnePackage) {
    tag(OverlayType::kSpecInsertTag, "y", "devel");
    EXPECT_EQ(after("Requires: a\n%package devel\nRequires: b\nURL: u\n%prep\n%package devel\n"
                    "Requires: c\nURL: v\n%build\n"),
              "Requires: a\n%package devel\nRequires: b\nURL: u\n%prep\n%package devel\n"
              "Requires: c\nRequires: y\nURL: v\n%build\n");
    EXPECT_THAT(after("%package -n x-devel\n"), HasSubstr("there is no section %package devel"));
    EXPECT_EQ(after("%package devel\n\n%prep\n"), "%package devel\n\nRequires: y\n%prep\n");
}

TEST_F(Rules, DepthIsCountedFromTheFirstLineOfTheFile) {
    tag(OverlayType::kSpecInsertTag, "y", "devel");
    EXPECT_EQ(after("%if 1\n%package devel\nRequires: b\nz\n%endif\nz\n%prep\n"),
              "%if 1\n%package devel\nRequires: b\nz\n%endif\nRequires: y\nz\n%prep\n");
    EXPECT_EQ(after("%global m \\\n%if 1\n%package devel\nRequires: b\nz\n%prep\n"),
              "%global m \\\n%if 1\n%package devel\nRequires: b\nRequires: y\nz\n%prep\n")
        << "a stray one counts, but no %endif of the section ends it";
    EXPECT_EQ(after("%endif\n%if 1\n%package devel\nRequires: b\n%endif\nz\n"),
              "%endif\n%if 1\n%package devel\nRequires: b\nRequires: y\n%endif\nz\n");
    EXPECT_EQ(after("#%if 1\n %IFARCH x\n%ifnos x\n%package devel\nRequires: b\n%EndIf\n%endif\nz"),
              "#%if 1\n %IFARCH x\n%ifnos x\n%package devel\nRequires: b\n%EndIf\n%endif\n"
              "Requires: y\nz\n");
}

TEST_F(Rules, TagsAreThoseOfExactlyOnePackage) {
    const std::string spec =
        "Requires: a\n%package devel\nRequires: a\n%package -n devel\nrequires: A\n";
    tag(OverlayType::kSpecRemoveTag, "", "");
    EXPECT_EQ(after(spec), "%package devel\nRequires: a\n%package -n devel\nrequires: A\n");
    tag(OverlayType::kSpecRemoveTag, "a", "devel");
    EXPECT_EQ(after(spec), "Requires: a\n%package devel\n%package -n devel\n");
    tag(OverlayType::kSpecUpdateTag, "b", "devel");
    EXPECT_EQ(after(spec),
              "Requires: a\n%package devel\nRequires: b\n%package -n devel\nRequires: b\n");
    tag(OverlayType::kSpecUpdateTag, "b", "tools");
    EXPECT_THAT(after(spec), HasSubstr("overlay matches nothing: spec-update-tag"));
    tag(OverlayType::kSpecSetTag, "b", "tools");
    EXPECT_THAT(after(spec), HasSubstr("there is no section %package tools"));
}

TEST_F(Rules, SetTagAddsAtTheEndAndAddTagNeverMinds) {
    overlay(OverlayType::kSpecSetTag).tag = "URL";
    overlay_.value = "u";
    EXPECT_EQ(after("Name: x\n\n# end\n%if 1\n%prep\n%endif\n"),
              "Name: x\n\n# end\n%if 1\nURL: u\n%prep\n%endif\n");
    overlay_.type = OverlayType::kSpecAddTag;
    EXPECT_EQ(after("URL: u\n%prep\n"), "URL: u\nURL: u\n%prep\n");
}

// ---- lines and sections -------------------------------------------------------------------------

TEST_F(Rules, SectionsAreComparedExactly) {
    section(OverlayType::kSpecAppendLines, "%build");
    EXPECT_THAT(after("%Build\nmake\n"), HasSubstr("there is no section %build"));
    EXPECT_EQ(after("%build\n%build x\n%files\n"), "%build\n1\n%build x\n%files\n");
    section(OverlayType::kSpecPrependLines, "%files", "devel");
    EXPECT_EQ(after("%files\n%files devel\n%files -n devel\na"),
              "%files\n%files devel\n1\n%files -n devel\n1\na\n");
    section(OverlayType::kSpecAppendLines, "build");
    EXPECT_THAT(after("%build\n"), HasSubstr("there is no section"));
    replace("a", "b").section = "%build";
    EXPECT_THAT(after("%BUILD\na\n"), HasSubstr("overlay matches nothing"));
    section(OverlayType::kSpecRemoveSection, "%files", "%{name}+xen-devel");
    EXPECT_EQ(after("a\n%files -n %{name}+xen-devel\nx\n%prep\n"), "a\n%prep\n");
}

TEST_F(Rules, RemovingChecksTheBalanceOnlyWhenSomethingGoes) {
    section(OverlayType::kSpecRemoveSection, "%files", "devel");
    EXPECT_THAT(after("%if 1\n%files\n"), HasSubstr("there is no section %files devel"));
    EXPECT_THAT(after("%if 1\n%files devel\nx\n%files\n"), HasSubstr("has no counterpart"));
    EXPECT_THAT(after("%if 1\nx\n%endif\n%endif\n%files devel\n"), HasSubstr("x.spec:4"));
}

TEST_F(Rules, RemovingStopsAtWhatStraddles) {
    section(OverlayType::kSpecRemoveSection, "%files", "devel");
    EXPECT_THAT(after("%files devel\nx\n%if 1\ny\n%files\n%endif\n"),
                HasSubstr("x.spec:4 is in the way:  y"));
    EXPECT_EQ(after("%files devel\nx\n%if 1\n\n# y\n%if 2\n%endif\n%files\n%endif\n"),
              "%if 1\n\n# y\n%if 2\n%endif\n%files\n%endif\n");
    for (const std::string branch : {"%else", "%elif 2", "%elifarch x", "%elifos x"}) {
        EXPECT_THAT(after("%if 1\n%files devel\nx\n" + branch + "\n%files\n%endif\n"),
                    HasSubstr("spans across section boundaries"))
            << branch;
        EXPECT_EQ(after("%files devel\n%if 1\nx\n" + branch + "\ny\n%endif\n%files\n"), "%files\n");
    }
    overlay(OverlayType::kSpecRemoveSubpackage).package = "devel";
    EXPECT_EQ(after("%global a 1\n%package devel\n%define lost 1\n%if 1\n%description devel\nd\n"
                    "%endif\n%post devel -p /x\n%files\n"),
              "%global a 1\n%if 1\n%endif\n%files\n");
}

// ---- search and replace -------------------------------------------------------------------------

TEST_F(Rules, RegexesThatExplodeElsewhereDoNot) {
    replace("^(a+)+$", "b");
    EXPECT_THAT(after(std::string(60'000, 'a') + "!\n"), HasSubstr("overlay matches nothing"));
    replace("(x+x+)+y", "b");
    EXPECT_THAT(after(std::string(60'000, 'x') + "\n"), HasSubstr("overlay matches nothing"));
    replace("(.*)*(.*)*(.*)*=", "b");
    EXPECT_THAT(after(std::string(60'000, 'x') + "\n"), HasSubstr("overlay matches nothing"));
}

TEST_F(Rules, AReplacementMayNotGrowWithoutEnd) {
    replace("z*", std::string(1 << 20, 'x'));
    EXPECT_THAT(after(std::string(60'000, 'a') + "\n"), HasSubstr("exceeds 64 MiB"));
    replace("a", std::string(1 << 20, 'x'));
    std::string many;
    for (int line = 0; line < 100; ++line) {
        many += "a\n";
    }
    EXPECT_THAT(after(many), HasSubstr("grows beyond 64 MiB"));
}

TEST_F(Rules, ARegexThatDoesNotCompileIsSaidHereToo) {
    replace("(", "b");
    EXPECT_THAT(after("a\n"), HasSubstr("`regex` does not compile: missing )"));
}

// ---- patches and files --------------------------------------------------------------------------

TEST_F(Rules, PatchesAreNumberedOverAllPackagesInAnyCase) {
    const auto directory = TempDir::make().value();
    overlay(OverlayType::kPatchAdd).source = join_path(directory.path(), "p.patch");
    ASSERT_TRUE(write_file_atomic(overlay_.source, "diff").has_value());
    EXPECT_EQ(after("Patch: a\nPatch: b\nPatch0001: c\n%Patchlist\nx\n"),
              "Patch: a\nPatch: b\nPatch0001: c\nPatch2: p.patch\n%Patchlist\nx\n")
        << "%patchlist counts as it is spelled";
    sources_.remove("p.patch");
    overlay_.package = "devel";
    EXPECT_EQ(after("PATCH5: a\n%package devel\n%prep\n"),
              "PATCH5: a\n%package devel\nPatch6: p.patch\n%prep\n");
    sources_.remove("p.patch");
    EXPECT_EQ(after("Patch: a\n%package devel\nPatch: b\nPatch: c\n%patchlist\n%prep\n"),
              "Patch: a\n%package devel\nPatch: b\nPatch: c\n%patchlist\np.patch\n%prep\n");
    sources_.remove("p.patch");
    EXPECT_THAT(after("%package tools\n"), HasSubstr("there is no section %package devel"));
    EXPECT_FALSE(sources_.has("p.patch")) << "nothing is added when the spec cannot be changed";
}

TEST_F(Rules, PatchRemoveLooksAtWhatIsWritten) {
    overlay(OverlayType::kPatchRemove).file = "x-fix.patch";
    sources_.add("x-fix.patch", "", 0);
    EXPECT_THAT(after("Patch1: %{name}-fix.patch\n"), HasSubstr("no patch of the spec"));
    EXPECT_THAT(after("Patch: x-fix.patch\n"), HasSubstr("no patch of the spec"));
    sources_.remove("x-fix.patch");
    EXPECT_THAT(after("Patch1: x-fix.patch\n"),
                HasSubstr("the spec has a patch x-fix.patch, but there is no such file"));
    overlay_.file = "*-fix.patch";
    sources_.add("x-fix.patch", "", 0);
    EXPECT_EQ(after("Patch1: %{name}-fix.patch\n%package d\npatch2: x-fix.patch\n"),
              "%package d\n");
    EXPECT_FALSE(sources_.has("x-fix.patch"));
}

TEST_F(Rules, ARenamedFileTakesTheOthersPlace) {
    overlay(OverlayType::kFileRename).file = "d/a";
    overlay_.replacement = "b";
    sources_.add("d/a", "A", 0);
    sources_.add("d/b", "B", 0);
    sources_.add("b", "other", 0);
    EXPECT_EQ(after("Name: x\n"), "Name: x\n");
    EXPECT_THAT(sources_.paths(), ElementsAre("b", "d/b", "x.spec"));
    EXPECT_EQ(sources_.read("d/b").value(), "A");
    EXPECT_EQ(sources_.read("b").value(), "other");
}

TEST_F(Rules, SpecsAndGitAreNoLooseFiles) {
    overlay(OverlayType::kFileRemove).file = "**";
    sources_.add("other.spec", "", 0);
    sources_.add(".git/config", "", 0);
    EXPECT_THAT(after("Name: x\n"), HasSubstr("overlay matches nothing"));
    sources_.add("a/.hidden", "", 0);
    after("Name: x\n");
    EXPECT_THAT(sources_.paths(), ElementsAre(".git/config", "other.spec", "x.spec"));
}

// ---- specs --------------------------------------------------------------------------------------

TEST_F(Rules, SpecsWithoutEndAreRefusedAtOnce) {
    constexpr std::size_t kMost = 64u << 20;
    replace("a", "b");
    EXPECT_THAT(after(std::string(kMost, 'x')),
                HasSubstr("line 1 of x.spec is longer than 64 KiB"));
    EXPECT_THAT(after(std::string(kMost, '\0')), HasSubstr("line 1 of x.spec is longer than"));
    EXPECT_THAT(after(std::string(kMost, '\n')), HasSubstr("x.spec has more than 2000000 lines"));
    EXPECT_THAT(after(std::string(kMost + 1, '\n')), HasSubstr("x.spec is larger than 64 MiB"));
}

TEST_F(Rules, ASpecOf64MiBIsChanged) {
    const std::string line = "BuildRequires: " + std::string(1000, 'x') + "\n";
    std::string spec = "Version: 1\n";
    while (spec.size() + line.size() < (64u << 20)) {
        spec += line;
    }
    tag(OverlayType::kSpecUpdateTag, "2").tag = "Version";
    const std::string made = after(spec);
    EXPECT_EQ(made.size(), spec.size());
    EXPECT_TRUE(made.starts_with("Version: 2\nBuildRequires"));
}

TEST_F(Rules, BytesThatAreNoTextStay) {
    replace("a", "b");
    const std::string odd("\xff\xfe a\0\xc3\n\x80\n", 9);
    const std::string changed("\xff\xfe b\0\xc3\n\x80\n", 9);
    EXPECT_EQ(after(odd), changed);
    EXPECT_THAT(after(""), HasSubstr("overlay matches nothing"));
    section(OverlayType::kSpecAppendLines, "");
    EXPECT_EQ(after(""), "1\n");
}

}  // namespace
}  // namespace tarn
