// SPDX-License-Identifier: MIT
#include "release/autospec.hh"

#include "base/fs.hh"
#include "base/strings.hh"
#include "release/detail/testing.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

namespace tarn::release {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

AutospecResult computed(const std::vector<Revision>& history) {
    auto result = compute(history);
    EXPECT_TRUE(result.has_value()) << result.error().message;
    return result.value_or(AutospecResult{});
}

unsigned number_of(const History& history) {
    return computed(history.newest_first()).release_number;
}

TEST(Autorelease, CountsCommitsOfOneVersion) {
    History history;
    history.add("Import", spec_text("1.0"));
    EXPECT_EQ(number_of(history), 1U);
    history.add("Fix", spec_text("1.0"));
    EXPECT_EQ(number_of(history), 2U);
    history.add("Update", spec_text("1.1"));
    EXPECT_EQ(number_of(history), 1U);
    history.add("Rebuild", spec_text("1.1"));
    EXPECT_EQ(number_of(history), 2U);
}

TEST(Autorelease, AnEpochIsPartOfTheVersion) {
    History history;
    history.add("Import", spec_text("1.0")).add("Epoch", "Epoch: 01\n" + spec_text("1.0"));
    EXPECT_EQ(number_of(history), 1U);
    EXPECT_EQ(computed(history.newest_first()).epoch_version, "1:1.0");
}

TEST(Autorelease, MacrosOfTheSpecAreExpanded) {
    History history;
    history.add("Import", spec_text("1.0"))
        .add("Macro", "%global major 1\n" + spec_text("%{major}.0"));
    EXPECT_EQ(number_of(history), 2U);
}

TEST(Autorelease, LinesThatMatterAreNotTakenForOthers) {
    const std::string before = "Patch1: a\nSource%{n}: x\nSource: \\\n";
    History history;
    history.add("Import", before + spec_text("1.0"))
        .add("Patch", "# new\nPatch2: b\n" + before + spec_text("1.0"))
        .add("Macro", "%global Version 2\n" + spec_text("%{Version}"))
        .add("Macro again", "%global Version 3\n" + spec_text("%{Version}"));
    const AutospecResult result = computed(history.newest_first());
    EXPECT_EQ(result.epoch_version, "3");
    EXPECT_EQ(result.release_number, 1U);
    EXPECT_THAT(result.changelog, HasSubstr("- 2-1\n- Macro"));
    EXPECT_THAT(result.changelog, HasSubstr("- 1.0-2\n- Patch"));
}

TEST(Autorelease, KnownMacrosAreExpanded) {
    History history;
    history.add("Import", spec_text("%{theirs}"));
    EXPECT_FALSE(compute(history.newest_first()).has_value());
    MacroTable known;
    known.define("theirs", {"4.0", std::nullopt});
    EXPECT_EQ(compute(history.newest_first(), known)->epoch_version, "4.0");
}

TEST(Autorelease, CommitsWithoutSpecDoNotCountButBridgeTheGap) {
    History history;
    history.add("Readme", std::nullopt)
        .add("Import", spec_text("1.0"))
        .add("Retire", std::nullopt)
        .add("Unretire", spec_text("1.0"));
    EXPECT_EQ(number_of(history), 2U);
}

TEST(Autorelease, ASpecThatRpmRefusesCountsAsItsNeighboursVersion) {
    History history;
    history.add("Import", spec_text("1.0"))
        .add("Break it", spec_text("1.0-rc"))
        .add("Mend it", spec_text("1.0"));
    const AutospecResult result = computed(history.newest_first());
    EXPECT_EQ(result.release_number, 3U);
    ASSERT_EQ(result.warnings.size(), 1U);
    EXPECT_THAT(result.warnings[0], HasSubstr("commit c2"));
    EXPECT_THAT(result.changelog, HasSubstr("<ann@example.com>\n- Break it"));
}

TEST(Autorelease, BumpsAreAFloor) {
    History history;
    history.add("Import\n\n[bump release: 5]", spec_text("1.0"));
    EXPECT_EQ(number_of(history), 5U);
    history.add("Fix\n\n[bump release: 3]", spec_text("1.0"));
    EXPECT_EQ(number_of(history), 6U);
    history.add("Fix\n\n[bump release: 99999999999999999999]", spec_text("1.0"));
    const AutospecResult result = computed(history.newest_first());
    EXPECT_EQ(result.release_number, 7U);
    ASSERT_EQ(result.warnings.size(), 1U);
    EXPECT_THAT(result.warnings[0], HasSubstr("c3"));
}

TEST(Autorelease, FlagsShowInTheChangelogAlone) {
    History history;
    history.add("Import", spec_text("1.0", "%autorelease -p -b 10 -e rc1 -s git2"))
        .add("Fix", spec_text("1.0", "%{autorelease -b 10}"))
        .add("Plain", spec_text("1.0", "7%{?dist}"))
        .add("Suffix", spec_text("1.0", "%{autorelease -n}%{?dist}"));
    const AutospecResult result = computed(history.newest_first());
    EXPECT_EQ(result.release_number, 4U);
    EXPECT_THAT(result.changelog, HasSubstr("1.0-0.10.rc1.git2\n- Import"));
    EXPECT_THAT(result.changelog, HasSubstr("1.0-11\n- Fix"));
    EXPECT_THAT(result.changelog, HasSubstr("1.0-3\n- Plain"));
    EXPECT_THAT(result.changelog, HasSubstr("1.0-4\n- Suffix"));
}

TEST(Autorelease, MergesTakeTheHighestParentOfTheirVersion) {
    History history;
    history.add("Import", spec_text("1.0"))
        .add("One", spec_text("1.0"))
        .add("Two", spec_text("1.0"))
        .add("Side", spec_text("1.0"))
        .add("Merge", spec_text("1.0"));
    std::vector<Revision> revisions = history.newest_first();
    revisions[1].parents = {4};  // Side, beside One and Two
    revisions[0].parents = {1, 2};
    EXPECT_EQ(computed(revisions).release_number, 4U);
}

TEST(Autorelease, AHistoryThatIsCutOffIsAnError) {
    History history;
    history.add("Import", spec_text("1.0")).add("Fix", spec_text("1.0"));
    std::vector<Revision> revisions = history.newest_first();
    revisions[1].parents = {17};
    const auto result = compute(revisions);
    ASSERT_FALSE(result.has_value());
    EXPECT_THAT(result.error().message, HasSubstr("ends at commit c1"));
    EXPECT_THAT(join(result.error().help, "\n"), HasSubstr("--unshallow"));
}

TEST(Autorelease, WhatIsBeyondTheLastVersionIsNotNeeded) {
    History history;
    history.add("Old", spec_text("0.9")).add("Import", spec_text("1.0"));
    history.changelog("* An entry\n");
    std::vector<Revision> revisions = history.newest_first();
    revisions[1].parents = {17};
    EXPECT_EQ(computed(revisions).release_number, 1U);
}

TEST(Autorelease, TheNewestSpecMustBeKnown) {
    EXPECT_FALSE(compute({}).has_value());
    for (const std::string& bad : {spec_text("1.0-1"),
                                   spec_text("%{nobody_knows}"),
                                   spec_text("%(date)"),
                                   std::string("Name: x\n"),
                                   std::string(),
                                   "Epoch: many\n" + spec_text("1")}) {
        History history;
        history.add("Import", bad);
        const auto result = compute(history.newest_first());
        ASSERT_FALSE(result.has_value()) << bad;
        EXPECT_EQ(result.error().kind, ErrorKind::kFailed);
        EXPECT_THAT(result.error().message, HasSubstr("c1"));
    }
    History history;
    history.add("Import", std::nullopt);
    EXPECT_FALSE(compute(history.newest_first()).has_value());
}

TEST(Autorelease, ParentsBeforeTheirChildrenAreRefused) {
    History history;
    history.add("Import", spec_text("1.0")).add("Fix", spec_text("1.0"));
    std::vector<Revision> revisions = history.newest_first();
    revisions[1].parents = {0};
    EXPECT_FALSE(compute(revisions).has_value());
    revisions[1].parents = {1};
    EXPECT_FALSE(compute(revisions).has_value());
}

TEST(Autochangelog, AnOlderVersionThatIsNotKnownIsWarnedOf) {
    History history;
    history.add("Import", spec_text("%{mystery}")).add("Fix", spec_text("1.0"));
    const AutospecResult result = computed(history.newest_first());
    EXPECT_EQ(result.release_number, 1U);
    ASSERT_EQ(result.warnings.size(), 1U);
    EXPECT_THAT(result.warnings[0], HasSubstr("mystery"));
}

TEST(Autochangelog, IsMadeOnlyWhereItIsAskedFor) {
    History history;
    history.add("Import", "Version: 1\nRelease: %autorelease\n%changelog\n* by hand\n");
    EXPECT_EQ(computed(history.newest_first()).changelog, "");
}

TEST(Autochangelog, EndsWithTheFileWhereItLastChanged) {
    History history;
    history.add("Import", spec_text("1.0")).changelog("* old\n");
    history.add("Change", spec_text("1.0")).changelog("* new\n- \xff\n");
    history.add("Fix", spec_text("1.0"));
    EXPECT_EQ(computed(history.newest_first()).changelog,
              "* Mon Nov 27 2017 Ann Author <ann@example.com> - 1.0-3\n- Fix\n\n"
              "* new\n- \xEF\xBF\xBD\n");
}

TEST(Autochangelog, AFileTakenAwayEndsItWithoutItsText) {
    History history;
    history.add("Import", spec_text("1.0")).changelog("* old\n");
    history.add("Fix", spec_text("1.0"));
    history.add("Remove changelog", spec_text("1.0")).changelog(std::nullopt);
    EXPECT_EQ(computed(history.newest_first()).changelog,
              "* Mon Nov 27 2017 Ann Author <ann@example.com> - 1.0-3\n- Remove changelog\n\n"
              "* Sun Nov 26 2017 Ann Author <ann@example.com> - 1.0-2\n- Fix");
}

std::vector<Revision> merged(const std::string& tree_of_merge) {
    History history;
    history.add("Import", spec_text("1.0"))
        .add("Main", spec_text("1.0"))
        .add("Side", spec_text("1.0"))
        .add("Merge", spec_text("1.0"));
    std::vector<Revision> revisions = history.newest_first();
    revisions[0].parents = {2, 1};
    revisions[1].parents = {3};
    revisions[0].tree = tree_of_merge;
    revisions[1].tree = "side";
    revisions[2].tree = "main";
    return revisions;
}

TEST(Autochangelog, MergesFollowTheParentWithTheirTree) {
    EXPECT_EQ(computed(merged("side")).changelog,
              "* Mon Nov 27 2017 Ann Author <ann@example.com> - 1.0-2\n- Side\n\n"
              "* Sat Nov 25 2017 Ann Author <ann@example.com> - 1.0-1\n- Import");
    EXPECT_THAT(computed(merged("main")).changelog, HasSubstr("- Main"));
}

TEST(Autochangelog, OtherMergesAreFlagged) {
    EXPECT_EQ(computed(merged("another")).changelog,
              "* Tue Nov 28 2017 Ann Author <ann@example.com> - 1.0-3\n"
              "- RPMAUTOSPEC: unresolvable merge");
    std::vector<Revision> resolved = merged("another");
    resolved[0].changelog = "* by hand";
    EXPECT_EQ(computed(resolved).changelog, "* by hand");
}

TEST(Features, AreFoundLineByLine) {
    EXPECT_TRUE(features_of("Release: %autorelease\n%changelog\n").autorelease);
    EXPECT_TRUE(features_of("Release: %{autorelease}").autorelease);
    EXPECT_TRUE(features_of("Release: %{?autorelease}%{!?autorelease:1}").autorelease);
    EXPECT_TRUE(features_of("Release: 0.%{autorelease -n}%{?dist}").autorelease);
    EXPECT_FALSE(features_of("Release: %autorelease2").autorelease);
    EXPECT_FALSE(features_of("Release: %{autorelease:1}").autorelease);
    EXPECT_FALSE(features_of("Release: %{!?autorelease}").autorelease);
    EXPECT_FALSE(features_of("Release: %{autorelease -n").autorelease);
    EXPECT_FALSE(features_of("%changelog\n- use %autorelease\n").autorelease);
    EXPECT_TRUE(features_of("%CHANGELOG\n  %{?autochangelog} x").autochangelog);
    EXPECT_TRUE(features_of("Name: x\n").autochangelog) << "no %changelog at all";
    EXPECT_FALSE(features_of("%changelog\n").autochangelog) << "an empty one is left alone";
    EXPECT_FALSE(features_of("%changelog foo\n").autochangelog);
    EXPECT_TRUE(features_of("%changelogs\n").autochangelog) << "that is no %changelog";
    EXPECT_TRUE(features_of(" %define  autorelease (n) 1").processed);
    EXPECT_FALSE(features_of("%global autorelease() 1").processed);
    EXPECT_THAT(features_of("Release: %autorelease -b 3 -p -erc1 # x").flags,
                ElementsAre("-b 3", "-p", "-erc1"));
    EXPECT_THAT(features_of("Release: %{autorelease -s git}.1 -p").flags, ElementsAre("-s git"));
}

TEST(ProcessSpec, LeavesOthersAlone) {
    for (const std::string text : {"Release: 1\r\n%changelog\r\n",
                                   "%define autorelease(n) 1\nRelease: %autorelease\n",
                                   "%changelog"}) {
        EXPECT_EQ(process_spec(text, {}), text);
    }
}

TEST(ProcessSpec, ItsOutputStaysAsItIs) {
    History history;
    history.add("Import", spec_text("1.0"));
    const AutospecResult result = computed(history.newest_first());
    const std::string once = process_spec(spec_text("1.0"), result);
    EXPECT_EQ(process_spec(once, result), once);
    const std::string changelog_only =
        process_spec("Release: 1\n%changelog\n%autochangelog\n", result);
    EXPECT_THAT(changelog_only, Not(HasSubstr("%define")));
    EXPECT_EQ(process_spec(changelog_only, result), changelog_only);
    // A call in front of the header stays, and the next time asks again.
    const std::string asking = process_spec("%autochangelog\n%changelog and more", result);
    EXPECT_THAT(process_spec(asking, result), EndsWith(asking));
}

TEST(ProcessSpec, HandlesEveryPlaceOfTheChangelog) {
    AutospecResult result;
    result.changelog = "ENTRIES";
    const std::string generated =
        "## START: Generated by rpmautospec\nENTRIES\n## END: Generated by rpmautospec\n";
    const auto after_block = [&](std::string_view spec) {
        const std::string text = process_spec(spec, result);
        const std::string end = "## END: Set by rpmautospec\n\n";
        EXPECT_THAT(text, StartsWith("## START: Set by rpmautospec\n"));
        return text.substr(text.find(end) + end.size());
    };
    EXPECT_EQ(after_block("a\n%changelog\n\n%autochangelog\nb\n"), "a\n%changelog\n" + generated);
    EXPECT_EQ(after_block("a\n%autochangelog\nb\n"), "a\n%changelog\n" + generated);
    EXPECT_EQ(after_block("a\nb"), "a\nb\n%changelog\n" + generated);
    EXPECT_EQ(after_block("a\nb\n"), "a\nb\n\n%changelog\n" + generated);
    EXPECT_EQ(after_block("%autochangelog\n%changelog"),
              "%autochangelog\n%changelog\n" + generated);
    EXPECT_EQ(after_block("a\r\nb\r%changelog\r\n%autochangelog\r\n"),
              "a\nb\n%changelog\n" + generated);
    EXPECT_EQ(after_block("%{autorelease}\n%changelog\n- x\n"),
              "%{autorelease}\n%changelog\n- x\n");
}

// Whole specs, as tests/golden/release/<name>.spec. The same histories, put through rpmautospec,
// give the same bytes.
void expect_golden(const std::string& name, const History& history) {
    const std::vector<Revision> revisions = history.newest_first();
    const std::string actual = process_spec(*revisions[0].spec, computed(revisions));
    const std::string file = join_path(TARN_SOURCE_DIR, "tests/golden/release/" + name + ".spec");
    if (std::getenv("TARN_ACCEPT") != nullptr) {
        ASSERT_TRUE(make_directories(parent_path(file)).has_value());
        ASSERT_TRUE(write_file_atomic(file, actual).has_value());
    }
    EXPECT_EQ(actual, read_file(file).value_or("no golden file; accept it with TARN_ACCEPT=1"));
}

TEST(GoldenRelease, AllFeatures) {
    History history;
    history.add("Import 1.0 (rhbz#1)", spec_text("1.0"))
        .add("Build 100% of %{name} on s390x\n\nThe body is of no interest.", spec_text("1.0"))
        .add("Fix a typo\n\n[skip changelog]", spec_text("1.0"))
        .add(
            "- Update to 2.0\n\n... which took a long time, as a number of well-known "
            "patches had to be re-done (rhbz#667)\n- Drop the patches\n- Re-enable tests\n\n- no",
            spec_text("2.0"))
        .add("Rebuild for\nlibfoo 3", spec_text("2.0"))
        .add(
            "https://example.com/a-link-that-is-far-too-long/for-a-line-of-a-changelog/of-75-"
            "characters/and/has/no/blanks -- and a--dash café",
            spec_text("2.0", "%autorelease -b 2"));
    expect_golden("all-features", history);
}

TEST(GoldenRelease, ChangelogFileAndStaticRelease) {
    History history;
    history.add("Import", spec_text("1.0", "1%{?dist}"))
        .add("Convert", spec_text("1.0", "1%{?dist}"))
        .changelog("* Mon Jan 02 2017 Old Hand <old@example.com> - 0.9-1\n- By hand\n")
        .add("Fix", spec_text("1.0", "2%{?dist}"));
    expect_golden("changelog-file", history);
}

TEST(GoldenRelease, NoChangelogSection) {
    History history;
    history.add(
        "Import\n\n[bump release: 7]",
        "Name: example\nVersion: 1\nRelease: %{autorelease -p -e rc1}\nSummary: An example\n"
        "License: MIT\n%description\nAn example.");
    expect_golden("no-changelog", history);
}

}  // namespace
}  // namespace tarn::release
