// SPDX-License-Identifier: MIT
#include "base/fs.hh"
#include "render/render.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tarn {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Prepare : public testing::Test {
  protected:
    Prepare() {
        component_.name = "x";
        wording_.macros_suffix = "azl.macros";
        wording_.macros_header = {"# generated", "# for {component}"};
        wording_.load_comment = {"# loads"};
        wording_.spec_header = {"# changed", "# by hand never"};
        wording_.check_skip = "# Check section disabled: {reason}";
        request_.component = &component_;
        request_.wording = &wording_;
        request_.map = &map_;
        request_.pristine_spec_name = "x.spec";
    }
    // The spec afterwards, or what is said.
    std::string prepared(const std::string& spec) {
        sources_.add(request_.pristine_spec_name, spec, 0);
        auto done = prepare_sources(sources_, request_);
        if (!done) {
            return done.error().rendered + done.error().message;
        }
        done_ = std::move(*done);
        return sources_.read("x.spec").value();
    }
    Overlay& overlay(OverlayType type) {
        component_.overlays.emplace_back();
        component_.overlays.back().type = type;
        return component_.overlays.back();
    }
    SourceFile& source_file(const std::string& name, const std::string& hash = {}) {
        component_.source_files.emplace_back();
        component_.source_files.back().filename = name;
        component_.source_files.back().hash = hash;
        component_.source_files.back().hash_type = hash.empty() ? "" : "SHA256";
        return component_.source_files.back();
    }

    Component component_{};
    RenderWording wording_{};
    SourceMap map_{};
    RenderRequest request_{};
    SourceSet sources_{};
    Prepared done_{};
};

TEST_F(Prepare, EverySpecGetsTheHeader) {
    EXPECT_EQ(prepared("Name: x"), "# changed\n# by hand never\n\nName: x\n");
    wording_.spec_header.clear();
    EXPECT_EQ(prepared("Name: x\n"), "Name: x\n");
}

TEST_F(Prepare, TheOrderIsMacrosOverlaysCheckHeader) {
    component_.build.with = {"b"};
    component_.build.check_skip = true;
    component_.build.check_skip_reason = "no {component}, no network";
    Overlay& first = overlay(OverlayType::kSpecPrependLines);
    first.lines = {"# first"};
    Overlay& section = overlay(OverlayType::kSpecAppendLines);
    section.lines = {"%check", "make check"};
    Overlay& tag = overlay(OverlayType::kSpecInsertTag);
    tag.tag = "Source1";
    tag.value = "s";
    EXPECT_EQ(prepared("Name: x\nSource0: a\nURL: u\n%prep\n"),
              "# changed\n# by hand never\n\n"
              "# first\n# loads\n%{load:%{_sourcedir}/x.azl.macros}\n\n"
              "Name: x\nSource0: a\nSource9999: x.azl.macros\nSource1: s\nURL: u\n%prep\n"
              "%check\n# Check section disabled: no {component}, no network\nexit 0\n\n"
              "make check\n");
    EXPECT_EQ(sources_.read("x.azl.macros").value(), "# generated\n# for x\n%_with_b 1\n");
}

TEST_F(Prepare, TheLoadLineCountsAsATag) {
    component_.build.defines = {{"rhel", "10"}};
    wording_.spec_header.clear();
    EXPECT_EQ(prepared("# no tags\n%prep\n"),
              "# loads\n%{load:%{_sourcedir}/x.azl.macros}\nSource9999: x.azl.macros\n\n"
              "# no tags\n%prep\n");
    wording_.load_comment.clear();
    EXPECT_EQ(prepared("Source: a\n"),
              "%{load:%{_sourcedir}/x.azl.macros}\n\nSource: a\nSource9999: x.azl.macros\n");
}

TEST_F(Prepare, MacroFile) {
    component_.build.with = {"z", "a"};
    component_.build.without = {"b", "gone"};
    component_.build.defines = {{"_with_a", "0"}, {"long", "a\nb"}, {"fedora_x", "own"}};
    component_.build.undefines = {"_without_gone", "never"};
    EXPECT_EQ(macros_file_text(component_, wording_, {{"fedora_x", "9"}, {"fedora_y", "8"}}),
              "# generated\n# for x\n%_with_a 0\n%_with_z 1\n%_without_b 1\n%fedora_x own\n"
              "%fedora_y 8\n%long a\\\nb\n");
    component_.build = BuildConfig();
    component_.build.undefines = {"a"};
    EXPECT_EQ(macros_file_text(component_, wording_, {}), "");
}

TEST_F(Prepare, AMacroFileNeedsAPlainName) {
    component_.build.with = {"z"};
    component_.name = "x@y";
    request_.pristine_spec_name = "y.spec";
    EXPECT_THAT(prepared("Name: x\n"),
                HasSubstr("component `x@y` cannot have a macro file: its name has `@`"));
}

TEST_F(Prepare, AMacroFileTakesThePlaceOfAnOtherWithAWarning) {
    component_.build.with = {"z"};
    sources_.add("x.azl.macros", "old", 0);
    prepared("Name: x\n");
    ASSERT_EQ(done_.warnings.size(), 1U);
    EXPECT_THAT(done_.warnings[0], HasSubstr("x.azl.macros of its sources is replaced"));
}

TEST_F(Prepare, SkippedCheckNeedsACheck) {
    component_.build.check_skip = true;
    component_.build.check_skip_reason = "two\nlines";
    wording_.spec_header.clear();
    EXPECT_EQ(prepared("Name: x\n"), "component `x`: check.skip is set, but x.spec has no %check");
    EXPECT_EQ(prepared("%check x\na\n%{?!_without_tests:\n%check\nb\n}\n"),
              "%check x\na\n%{?!_without_tests:\n%check\n# Check section disabled: two\n# lines\n"
              "exit 0\n\nb\n}\n")
        << "of the main package only, inside a macro too";
    wording_.check_skip.clear();
    EXPECT_EQ(prepared("%check\na\n"), "%check\nexit 0\n\na\n");
}

TEST_F(Prepare, TheUpstreamSpecIsRenamed) {
    request_.pristine_spec_name = "upstream.spec";
    wording_.spec_header.clear();
    request_.skip_overlays = true;
    overlay(OverlayType::kSpecRemoveTag).tag = "none";
    sources_.add("x.spec", "old", 0);
    EXPECT_EQ(prepared("Name: y\r\n"), "Name: y\r\n") << "no byte is changed without overlays";
    EXPECT_FALSE(sources_.has("upstream.spec"));
    ASSERT_EQ(done_.warnings.size(), 1U);
    request_.pristine_spec_name = "other.spec";
    const auto missing = prepare_sources(sources_, request_);
    ASSERT_FALSE(missing.has_value());
    EXPECT_EQ(missing.error().message,
              "component `x`: there is no spec other.spec among its sources");
    EXPECT_THAT(missing.error().notes, ElementsAre("they have x.spec"));
}

TEST_F(Prepare, AnOverlaySeesWhatTheOneBeforeMade) {
    wording_.spec_header.clear();
    Overlay& marker = overlay(OverlayType::kSpecAppendLines);
    marker.section = "%prep";
    marker.lines = {"# marker"};
    Overlay& again = overlay(OverlayType::kSpecSearchReplace);
    again.regex = "^# marker$";
    again.replacement = "%build\nmake\n# marker";
    Overlay& more = overlay(OverlayType::kSpecAppendLines);
    more.section = "%build";
    more.lines = {"end"};
    EXPECT_EQ(prepared("Name: x\n%prep\n"), "Name: x\n%prep\n%build\nmake\n# marker\nend\n");
}

TEST_F(Prepare, StepsTellWhatEachChanged) {
    request_.keep_steps = true;
    component_.build.with = {"z"};
    Overlay& tag = overlay(OverlayType::kSpecAddTag);
    tag.tag = "URL";
    tag.value = "u";
    prepared("Name: x\n");
    std::vector<std::string> said;
    for (const RenderStep& step : done_.steps) {
        for (const RenderStep::Change& change : step.changes) {
            said.push_back(step.what + " " + change.path);
        }
    }
    EXPECT_THAT(said,
                ElementsAre("macro file x.azl.macros",
                            "load line of the macro file x.spec",
                            "overlay 1: spec-add-tag x.spec",
                            "header x.spec"));
    EXPECT_EQ(done_.steps[2].overlay, &component_.overlays[0]);
    EXPECT_EQ(done_.steps[0].changes[0].before, "");
}

// ---- sources
// -------------------------------------------------------------------------------------

TEST_F(Prepare, SourceFilesBecomeLinesOfSources) {
    const std::string hash(64, 'A');
    const std::string old = "# c\nSHA512 (old.tar) = " + std::string(128, 'a') + "\n\n" +
                            std::string(32, '1') + "  kept.tar\n";
    sources_.add("sources", old, 0);
    prepared("Name: x\n");
    EXPECT_EQ(sources_.read("sources").value(), old) << "nothing to say";
    source_file("new.tar", hash);
    SourceFile& replacing = source_file("old.tar", hash);
    replacing.replace_upstream = true;
    source_file("own", "").origin_type = "signing-key";
    prepared("Name: x\n");
    EXPECT_EQ(sources_.read("sources").value(),
              "# c\nSHA256 (old.tar) = " + hash + "\n\n" + std::string(32, '1') +
                  "  kept.tar\nSHA256 (new.tar) = " + hash + "\n");
}

TEST_F(Prepare, SourcesAreMadeWhereThereAreNone) {
    source_file("new.tar", std::string(64, '0'));
    prepared("Name: x\n");
    EXPECT_EQ(sources_.read("sources").value(),
              "SHA256 (new.tar) = " + std::string(64, '0') + "\n");
}

TEST_F(Prepare, SourceFilesThatDisagreeWithSourcesFail) {
    sources_.add("sources", "SHA256 (old.tar) = " + std::string(64, 'a') + "\n", 0);
    SourceFile& file = source_file("old.tar", std::string(64, '0'));
    EXPECT_THAT(prepared("Name: x\n"), HasSubstr("`sources` has old.tar already, in line 1"));
    file.filename = "odl.tar";
    file.replace_upstream = true;
    EXPECT_THAT(prepared("Name: x\n"),
                HasSubstr("`sources` has no odl.tar that could be replaced"));
    EXPECT_THAT(prepared("Name: x\n"), HasSubstr("did you mean `old.tar`?"));
    file = SourceFile();
    file.filename = "new.tar";
    EXPECT_THAT(prepared("Name: x\n"), HasSubstr("source file new.tar has no `hash`"));
    request_.allow_no_hashes = true;
    EXPECT_THAT(prepared("Name: x\n"), HasSubstr("is not there to take it of"));
    sources_.add("new.tar", "", 0);
    prepared("Name: x\n");
    EXPECT_THAT(sources_.read("sources").value(), HasSubstr("SHA512 (new.tar) = cf83e1357eefb8bd"));
    sources_.add("sources", "SHA256 (a) = 12\n", 0);
    EXPECT_THAT(prepared("Name: x\n"), HasSubstr("sources:1: the SHA256 of a is not 64"));
}

// ---- strict
// --------------------------------------------------------------------------------------

class Strict : public Prepare {
  protected:
    Strict() {
        request_.strict = true;
        wording_.spec_header.clear();
    }
};

TEST_F(Strict, RegexThatHitsSeveralLines) {
    Overlay& change = overlay(OverlayType::kSpecSearchReplace);
    change.regex = "^make$";
    change.replacement = "ninja";
    EXPECT_EQ(prepared("%build\nmake\n%install\nmake\n"), "%build\nninja\n%install\nninja\n");
    EXPECT_THAT(done_.warnings, ElementsAre("warning: `regex` changes 2 lines of x.spec: 2, 4"));
    prepared("%build\nmake\n");
    EXPECT_TRUE(done_.warnings.empty());
}

TEST_F(Strict, EditsThatDoNothing) {
    Overlay& update = overlay(OverlayType::kSpecUpdateTag);
    update.tag = "URL";
    update.value = "u";
    prepared("URL: u\n");
    EXPECT_THAT(done_.warnings, ElementsAre("warning: changes nothing: x.spec is as it was"));
    component_.overlays.clear();
    Overlay& change = overlay(OverlayType::kSpecSearchReplace);
    change.regex = "old";
    prepared("# old\nName: x\n");
    EXPECT_THAT(done_.warnings,
                ElementsAre("warning: `regex` changes nothing but comments of x.spec"));
    component_.overlays.clear();
    Overlay& add = overlay(OverlayType::kSpecAddTag);
    add.tag = "url";
    add.value = "v";
    prepared("Name: x\nURL: u\n");
    EXPECT_THAT(done_.warnings, ElementsAre("warning: x.spec:2 has URL already: u"));
}

TEST_F(Strict, AppendingIntoAGuard) {
    Overlay& append = overlay(OverlayType::kSpecAppendLines);
    append.section = "%build";
    append.lines = {"a"};
    prepared("%build\nmake\n\n%if 1\n%check\n%endif\n");
    EXPECT_THAT(done_.warnings,
                ElementsAre("warning: what is added to %build lies inside the conditional x.spec:4 "
                            "opens:  %if 1"));
    prepared("%build\n%if 1\nmake\n%endif\n%check\n");
    EXPECT_TRUE(done_.warnings.empty());
}

TEST_F(Strict, EmptyConditionalsLeftBehind) {
    Overlay& remove = overlay(OverlayType::kSpecRemoveSection);
    remove.section = "%files";
    remove.package = "devel";
    prepared("%if 1\n%files devel\nx\n%endif\n%files\n");
    EXPECT_THAT(done_.warnings,
                ElementsAre("warning: leaves a conditional that holds nothing: x.spec:1"));
}

}  // namespace
}  // namespace tarn
