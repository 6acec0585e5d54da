// SPDX-License-Identifier: MIT
#include "release/release.hh"

#include "base/strings.hh"
#include "release/detail/testing.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tarn::release {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

ReleaseKind kind(const std::string& release) {
    return classify("Name: x\nRelease: " + release + "\n");
}

TEST(Classify, KnowsTheThreeModes) {
    for (const std::string text : {"%autorelease",
                                   "%{autorelease}",
                                   "%{?autorelease}",
                                   "%autorelease -b 3",
                                   "%{autorelease -n}%{?dist}",
                                   "0.1.%autorelease"}) {
        EXPECT_EQ(kind(text), ReleaseKind::kAutorelease) << text;
    }
    for (const std::string text : {"1", "12%{?dist}", "3%{dist}", " 4%{?dist} \t"}) {
        EXPECT_EQ(kind(text), ReleaseKind::kStatic) << text;
    }
    for (const std::string text : {"%{baserelease}",
                                   "4.1%{?dist}",
                                   "0.1.rc1",
                                   "1%{?dist}.1",
                                   "1%dist",
                                   "%autorelease2",
                                   "%{autorelease:1}",
                                   "-1",
                                   ""}) {
        EXPECT_EQ(kind(text), ReleaseKind::kOther) << text;
    }
}

TEST(Classify, TheLastReleaseOfTheMainPackageDecides) {
    EXPECT_EQ(classify("Release: 1\nrelease: %autorelease\n%package a\nRelease: x\n"),
              ReleaseKind::kAutorelease);
    EXPECT_EQ(classify("Name: x\n#Release: 1\n%package a\nRelease: 1\n"), ReleaseKind::kMissing);
    EXPECT_EQ(classify(""), ReleaseKind::kMissing);
}

TEST(Decide, FollowsTheCalculation) {
    const std::string counted = "Release: 1%{?dist}\n";
    const std::string automatic = "Release: %autorelease\n";
    const std::string odd = "Release: %{baserelease}\n";
    EXPECT_EQ(decide("auto", counted, "c").value(), Action::kBump);
    EXPECT_EQ(decide("", counted, "c").value(), Action::kBump);
    EXPECT_EQ(decide("auto", automatic, "c").value(), Action::kAutospec);
    EXPECT_EQ(decide("static", counted, "c").value(), Action::kBump);
    for (const std::string& spec : {counted, automatic, odd, std::string()}) {
        EXPECT_EQ(decide("manual", spec, "c").value(), Action::kNone);
        EXPECT_EQ(decide("autorelease", spec, "c").value(), Action::kAutospec);
    }
}

TEST(Decide, AsksForManualWhereItCannotTell) {
    for (const std::string calculation : {"auto", "static"}) {
        const auto odd = decide(calculation, "Name: x\nRelease: %{baserelease}\n", "krb5");
        ASSERT_FALSE(odd.has_value());
        EXPECT_EQ(odd.error().message,
                  "krb5: line 2: Release is `%{baserelease}`, expected a number with %{?dist} "
                  "behind it, or %autorelease");
        EXPECT_THAT(odd.error().help.at(0), HasSubstr("\"manual\""));
        EXPECT_THAT(decide(calculation, "Name: x\n", "krb5").error().message,
                    HasSubstr("has no Release"));
    }
    EXPECT_THAT(decide("static", "Release: %autorelease\n", "krb5").error().message,
                HasSubstr("\"static\""));
    const auto unknown = decide("manuel", "Release: 1\n", "krb5");
    EXPECT_EQ(unknown.error().kind, ErrorKind::kUsage);
    EXPECT_THAT(unknown.error().help.at(0), HasSubstr("`manual`"));
}

TEST(BumpStatic, WritesOneValueToAllReleases) {
    EXPECT_EQ(bump_static("Release:\t3%{?dist}\n%package a\nRelease: 9\n", 2).value(),
              "Release: 5%{?dist}\n%package a\nRelease: 9\n");
    EXPECT_EQ(bump_static("%if 0\nRELEASE: 7\n%else\n  Release:  3%{dist}\n%endif\n", 1).value(),
              "%if 0\nRelease: 4%{dist}\n%else\nRelease: 4%{dist}\n%endif\n");
    EXPECT_EQ(bump_static("Release:   3\n", 0).value(), "Release:   3\n");
}

TEST(BumpStatic, RefusesWhatItCannotCount) {
    EXPECT_FALSE(bump_static("Release: %autorelease\n", 1).has_value());
    EXPECT_FALSE(bump_static("Name: x\n", 1).has_value());
    EXPECT_FALSE(bump_static("Release: 99999999999999999999\n", 1).has_value());
    EXPECT_FALSE(bump_static("Release: 18446744073709551615\n", 1).has_value());
}

// ---- synthetic history --------------------------------------------------------------------------

LockRevision lock(const std::string& commit,
                  const std::string& print,
                  const std::string& upstream) {
    LockRevision revision;
    revision.commit = commit;
    revision.author = "Dev";
    revision.email = "dev@example.com";
    revision.subject = "Change " + commit;
    revision.time = 1'600'000'000;
    revision.input_fingerprint = print;
    revision.upstream_commit = upstream;
    return revision;
}

TEST(SyntheticEntries, EveryChangeOfTheFingerprintIsOne) {
    const std::vector<LockRevision> locks = {lock("p1", "f1", "u1"),
                                             lock("p2", "f1", "u1"),
                                             lock("p3", "f2", "u2"),
                                             lock("p4", "f1", "u2")};
    const std::vector<SyntheticEntry> entries = synthetic_entries(locks, "f1", 5);
    ASSERT_EQ(entries.size(), 3U);
    EXPECT_EQ(entries[0].message, "Change p1\n\nProject commit: p1");
    EXPECT_EQ(entries[0].author, "Dev");
    EXPECT_EQ(entries[0].email, "dev@example.com");
    EXPECT_EQ(entries[0].time, 1'600'000'000);
    EXPECT_EQ(entries[1].message, "Change p3\n\nProject commit: p3");
    EXPECT_EQ(entries[1].upstream_commit, "u2");
    EXPECT_EQ(entries[2].message, "Change p4\n\nProject commit: p4");
}

TEST(SyntheticEntries, UncommittedChangesAreOneMore) {
    const std::vector<SyntheticEntry> entries =
        synthetic_entries({lock("p1", "f1", "u1")}, "f2", 1'700'000'000);
    ASSERT_EQ(entries.size(), 2U);
    EXPECT_EQ(entries[1].message, "Local changes (uncommitted)");
    EXPECT_EQ(entries[1].author + " " + entries[1].email, "azldev azldev@local");
    EXPECT_EQ(entries[1].time, 1'700'000'000);
    EXPECT_EQ(entries[1].upstream_commit, "u1");
    EXPECT_EQ(synthetic_entries({lock("p1", "f1", "")}, "f2", 5).size(), 1U) << "local component";
    EXPECT_TRUE(synthetic_entries({}, "f2", 5).empty()) << "the lock is not committed";
}

SyntheticEntry entry(const std::string& message, const std::string& upstream) {
    return SyntheticEntry{"Dev", "dev@example.com", message, 1'600'000'000, 0, upstream};
}

std::vector<std::string> messages(const Interleaved& interleaved) {
    std::vector<std::string> result;
    for (const Revision& revision : interleaved.history) {
        result.push_back(revision.message);
    }
    return result;
}

// c1 (1.0), c2 (1.0), c3 (1.1), c4 (1.1)
std::vector<Revision> upstream() {
    History history;
    history.add("U1", spec_text("1.0"))
        .add("U2", spec_text("1.0"))
        .add("U3", spec_text("1.1"))
        .add("U4", spec_text("1.1"));
    return history.newest_first();
}

TEST(Interleave, EntriesFollowTheCommitLockedThen) {
    const Interleaved result = interleave(upstream(),
                                          "c2",
                                          {entry("S1", "c2"),
                                           entry("S2", "c2"),
                                           entry("S3", "c3"),
                                           entry("S4", "c4"),
                                           entry("S5", "c4")},
                                          spec_text("1.1") + "# overlaid\n")
                                   .value();
    EXPECT_THAT(messages(result),
                ElementsAre("S5", "S4", "U4", "S3", "U3", "S2", "S1", "U2", "U1"));
    EXPECT_TRUE(result.warnings.empty());
    EXPECT_EQ(*result.history[0].spec, spec_text("1.1") + "# overlaid\n");
    EXPECT_EQ(*result.history[1].spec, spec_text("1.1"));
    EXPECT_EQ(*result.history[5].spec, spec_text("1.0"));
    const AutospecResult computed = compute(result.history).value();
    EXPECT_EQ(computed.release_number, 5U);
    EXPECT_THAT(computed.changelog,
                testing::StartsWith("* Sun Sep 13 2020 Dev <dev@example.com> "
                                    "- 1.1-5\n- S5\n\n"));
    EXPECT_THAT(computed.changelog, HasSubstr("- 1.0-4\n- S2"));
}

TEST(Interleave, AnOlderCommitLockedAgainKeepsItsPlace) {
    const Interleaved result =
        interleave(upstream(), "c2", {entry("S1", "c4"), entry("back", "c3")}, spec_text("1.1"))
            .value();
    EXPECT_THAT(messages(result), ElementsAre("S1", "U4", "back", "U3", "U2", "U1"));
}

TEST(Interleave, EntriesOffTheChainAreDroppedAndNamed) {
    const Interleaved result =
        interleave(upstream(),
                   "c2",
                   {entry("Gone\n\nmore", "c1"), entry("Lost", "zz"), entry("S", "c4")},
                   spec_text("1.1"))
            .value();
    EXPECT_THAT(messages(result), ElementsAre("S", "U4", "U3", "U2", "U1"));
    ASSERT_EQ(result.warnings.size(), 2U);
    EXPECT_THAT(result.warnings[0], HasSubstr("`Gone`"));
    EXPECT_THAT(result.warnings[1], HasSubstr("zz"));
}

TEST(Interleave, MergesAreFlattenedBehindTheImportOnly) {
    History history;
    history.add("U1", spec_text("1.0"))
        .add("Side1", spec_text("1.0"))
        .add("Import", spec_text("1.0"))
        .add("Side2", spec_text("1.0"))
        .add("U5", spec_text("1.0"));
    std::vector<Revision> revisions = history.newest_first();
    revisions[0].parents = {2, 1};  // U5 merges Side2
    revisions[2].parents = {4, 3};  // Import merges Side1
    revisions[1].parents = {2};
    revisions[3].parents = {4};
    const Interleaved result =
        interleave(revisions, "c3", {entry("S", "c5")}, spec_text("1.0")).value();
    EXPECT_THAT(messages(result), ElementsAre("S", "U5", "Import", "Side1", "U1"));
    EXPECT_THAT(result.history[1].parents, ElementsAre(2U));
    EXPECT_THAT(result.history[2].parents, ElementsAre(4U, 3U));
    EXPECT_THAT(result.history[3].parents, ElementsAre(4U));
}

TEST(Interleave, AMissingImportCommitIsAnError) {
    const auto rewritten = interleave(upstream(), "gone", {entry("S", "c4")}, "");
    ASSERT_FALSE(rewritten.has_value());
    EXPECT_THAT(rewritten.error().message, HasSubstr("gone"));
    EXPECT_THAT(rewritten.error().help.at(0), HasSubstr("rewritten"));
    std::vector<Revision> cut = upstream();
    cut.back().parents = {99};
    EXPECT_THAT(interleave(cut, "gone", {}, "").error().message, HasSubstr("cut off at c1"));
    std::vector<Revision> cyclic = upstream();
    cyclic.back().parents = {0};
    EXPECT_FALSE(interleave(cyclic, "gone", {}, "").has_value());
}

TEST(Interleave, LocalComponentsBeginWithTheirSources) {
    const Interleaved result =
        interleave({}, "", {entry("S1", ""), entry("S2", "")}, spec_text("3.0")).value();
    EXPECT_THAT(messages(result),
                ElementsAre("S2", "S1", "Initial sources\n\n[skip changelog]"));
    EXPECT_EQ(result.history.back().time, 0);
    const AutospecResult computed = compute(result.history).value();
    EXPECT_EQ(computed.release_number, 3U);
    EXPECT_THAT(computed.changelog, Not(HasSubstr("1970")));  // rpm refuses that year
}

TEST(Interleave, WithoutEntriesTheNewestCommitHasTheFinalSpec) {
    const Interleaved result = interleave(upstream(), "c4", {}, spec_text("9")).value();
    EXPECT_THAT(messages(result), ElementsAre("U4", "U3", "U2", "U1"));
    EXPECT_EQ(*result.history[0].spec, spec_text("9"));
}

}  // namespace
}  // namespace tarn::release
