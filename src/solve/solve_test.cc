// SPDX-License-Identifier: MIT
#include "solve/solve.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

extern "C" {
#include <solv/evr.h>
#include <solv/pool.h>
}

namespace tarn {
namespace {

using testing::AllOf;
using testing::AnyOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

SolvePackage deb(std::string name,
                 std::string version,
                 std::vector<std::string> depends = {},
                 std::vector<std::string> provides = {}) {
    SolvePackage package;
    package.name = std::move(name);
    package.evr = std::move(version);
    package.arch = "amd64";
    package.requires_ = std::move(depends);
    package.provides = std::move(provides);
    return package;
}
SolvePackage rpm(std::string name,
                 std::string evr,
                 std::vector<std::string> requires_ = {},
                 std::vector<std::string> provides = {}) {
    SolvePackage package =
        deb(std::move(name), std::move(evr), std::move(requires_), std::move(provides));
    package.arch = "x86_64";
    return package;
}

// "name version" of what was chosen, or the error's message.
struct Answer {
    std::vector<std::string> packages, reasons;
    Error error;
};
Answer ask(VersionScheme scheme,
           const std::vector<SolvePackage>& packages,
           const SolveRequest& request) {
    Universe universe(scheme, scheme == VersionScheme::kDeb ? "amd64" : "x86_64");
    for (const SolvePackage& package : packages) {
        universe.add(package);
    }
    Answer answer;
    const auto solved = universe.solve(request);
    if (!solved) {
        answer.error = solved.error();
        return answer;
    }
    for (const SolvedPackage& one : *solved) {
        answer.packages.push_back(packages[one.index].name + " " + packages[one.index].evr);
        answer.reasons.push_back(one.reason);
    }
    return answer;
}
Answer ask_deb(const std::vector<SolvePackage>& packages, std::vector<std::string> install) {
    return ask(VersionScheme::kDeb, packages, {.install = std::move(install)});
}
Answer ask_rpm(const std::vector<SolvePackage>& packages, std::vector<std::string> install) {
    return ask(VersionScheme::kRpm, packages, {.install = std::move(install)});
}

TEST(SolveDeb, TakesTheClosureAndSaysWhy) {
    const Answer answer = ask_deb({deb("bash", "5.3", {"libc6 (>= 2.40)", "libtinfo6"}),
                                   deb("libc6", "2.43"),
                                   deb("libtinfo6", "6.5", {"libc6"}),
                                   deb("unneeded", "1")},
                                  {"bash"});
    EXPECT_THAT(answer.packages, ElementsAre("bash 5.3", "libc6 2.43", "libtinfo6 6.5"));
    EXPECT_THAT(answer.reasons, ElementsAre("requested", "required by bash", "required by bash"));
}

TEST(SolveDeb, TakesTheNewestVersionByDebianOrder) {
    const Answer answer = ask_deb(
        {deb("a", "1:0.9"), deb("a", "2.0"), deb("a", "1:1.0~rc1"), deb("a", "1:1.0~~")}, {"a"});
    EXPECT_THAT(answer.packages, ElementsAre("a 1:1.0~rc1"));
}

TEST(SolveDeb, PrefersTheFirstAlternative) {
    const std::vector<SolvePackage> packages = {
        deb("a", "1", {"zeta | beta"}), deb("beta", "1"), deb("zeta", "1")};
    EXPECT_THAT(ask_deb(packages, {"a"}).packages, ElementsAre("a 1", "zeta 1"));
    EXPECT_THAT(ask_deb(packages, {"a", "beta"}).packages, ElementsAre("a 1", "beta 1"));
}

TEST(SolveDeb, TakesNoSecondAlternativeWhenAnotherPackageNeedsOne) {
    const Answer answer = ask_deb({deb("a", "1", {"zeta | beta", "c"}),
                                   deb("beta", "1"),
                                   deb("zeta", "1"),
                                   deb("c", "1", {"beta"})},
                                  {"a"});
    EXPECT_THAT(answer.packages, ElementsAre("a 1", "beta 1", "c 1"));
}

TEST(SolveDeb, FallsBackToALaterAlternativeWhenTheFirstConflicts) {
    SolvePackage zeta = deb("zeta", "1");
    zeta.conflicts = {"keep"};
    const Answer answer = ask_deb(
        {deb("a", "1", {"zeta | beta"}), deb("beta", "1"), zeta, deb("keep", "1")}, {"a", "keep"});
    EXPECT_THAT(answer.packages, ElementsAre("a 1", "beta 1", "keep 1"));
}

TEST(SolveDeb, PrefersTheRealPackageOverAProviderAndTheFavoredOverBoth) {
    const std::vector<SolvePackage> packages = {deb("a", "1", {"awk"}),
                                                deb("awk", "1"),
                                                deb("mawk", "1", {}, {"awk"}),
                                                deb("gawk", "1", {}, {"awk"})};
    EXPECT_THAT(ask_deb(packages, {"a"}).packages, ElementsAre("a 1", "awk 1"));
    const Answer favored =
        ask(VersionScheme::kDeb, packages, {.install = {"a"}, .favor = {"mawk"}});
    EXPECT_THAT(favored.packages, ElementsAre("a 1", "mawk 1"));
}

TEST(SolveDeb, UnversionedProvideDoesNotSatisfyAVersionedDependency) {
    const Answer answer = ask_deb({deb("a", "1", {"api (>= 2)"}),
                                   deb("old", "1", {}, {"api"}),
                                   deb("new", "1", {}, {"api (= 2.1)"})},
                                  {"a"});
    EXPECT_THAT(answer.packages, ElementsAre("a 1", "new 1"));
}

TEST(SolveDeb, StripsArchitectureQualifiers) {
    const Answer answer =
        ask_deb({deb("a", "1", {"perl:any (>= 5)", "x [i386]", "y [!i386] | z", "w:i386 | v"}),
                 deb("perl", "5.42"),
                 deb("y", "1"),
                 deb("v", "1")},
                {"a"});
    EXPECT_THAT(answer.packages, ElementsAre("a 1", "perl 5.42", "v 1", "y 1"));
}

TEST(SolveDeb, AssumedPackagesSatisfyWhatTheyProvideAndAreNeverChosen) {
    const Answer answer =
        ask(VersionScheme::kDeb,
            {deb("a", "1", {"debconf (>= 0.5) | cdebconf", "perlapi-5.42", "nowhere"}),
             deb("cdebconf", "1"),
             deb("debconf", "1.5", {"gone"}),
             deb("perl-base", "5.42", {}, {"perlapi-5.42"})},
            {.install = {"a", "debconf"}, .assume_provided = {"debconf", "perl-base", "nowhere"}});
    EXPECT_THAT(answer.packages, ElementsAre("a 1"));
}

TEST(SolveDeb, ConflictWithAnAssumedPackageDoesNotCount) {
    SolvePackage a = deb("a", "1", {"api"});
    a.conflicts = {"ghost"};
    const Answer answer = ask(VersionScheme::kDeb,
                              {a, deb("ghost", "1", {}, {"api"})},
                              {.install = {"a"}, .assume_provided = {"ghost"}});
    EXPECT_THAT(answer.packages, ElementsAre("a 1"));
}

TEST(SolveDeb, ResultDoesNotDependOnTheOrderOfAdding) {
    std::vector<SolvePackage> packages = {deb("a", "1", {"virtual"}),
                                          deb("p1", "1", {}, {"virtual"}),
                                          deb("p2", "3", {}, {"virtual"}),
                                          deb("p3", "2", {}, {"virtual"}),
                                          deb("p1", "2", {}, {"virtual"})};
    const std::vector<std::string> first = ask_deb(packages, {"a"}).packages;
    EXPECT_THAT(first, ElementsAre("a 1", "p1 2"));
    for (int round = 0; round < 5; ++round) {
        std::rotate(packages.begin(), packages.begin() + 1, packages.end());
        EXPECT_EQ(ask_deb(packages, {"a"}).packages, first);
    }
}

TEST(SolveDeb, PackagesOfAnotherArchitectureAreNotTaken) {
    SolvePackage foreign = deb("b", "2");
    foreign.arch = "arm64";
    SolvePackage all = deb("c", "1");
    all.arch = "all";
    const Answer answer = ask_deb({deb("a", "1", {"b", "c"}), deb("b", "1"), foreign, all}, {"a"});
    EXPECT_THAT(answer.packages, ElementsAre("a 1", "b 1", "c 1"));
}

TEST(SolveErrors, UnknownNamesComeWithSuggestions) {
    const Answer answer =
        ask_deb({deb("systemd", "1"), deb("bash", "1")}, {"systmd", "bash", "bsh"});
    EXPECT_EQ(answer.error.kind, ErrorKind::kNotFound);
    EXPECT_EQ(answer.error.message, "unknown packages `systmd`, `bsh`");
    EXPECT_THAT(answer.error.help, ElementsAre(HasSubstr("`systemd`"), HasSubstr("`bash`")));
}

TEST(SolveErrors, MissingDependencyIsExplained) {
    const Answer answer =
        ask_deb({deb("a", "1", {"b"}), deb("b", "1", {"c (>= 2)"}), deb("c", "1.5")}, {"a"});
    EXPECT_EQ(answer.error.kind, ErrorKind::kFailed);
    EXPECT_EQ(answer.error.message, "`a` cannot be resolved");
    EXPECT_THAT(answer.error.notes,
                Contains("b 1 requires c >= 2, which nothing provides (there is c 1.5)"));
    EXPECT_THAT(answer.error.notes, Contains("a 1 requires b, which only b 1 provides"));
}

TEST(SolveErrors, ConflictIsExplained) {
    SolvePackage b = deb("b", "1");
    b.conflicts = {"c (<< 3)"};
    const Answer answer = ask_deb({deb("a", "1", {"b", "c"}), b, deb("c", "2")}, {"a"});
    EXPECT_EQ(answer.error.kind, ErrorKind::kFailed);
    EXPECT_THAT(answer.error.notes, Contains("b 1 conflicts with c << 3, which c 2 provides"));
}

TEST(SolveErrors, ExclusionIsNamedAsTheReason) {
    const std::vector<SolvePackage> packages = {deb("a", "1", {"b"}), deb("b", "1")};
    const Answer needed = ask(VersionScheme::kDeb, packages, {.install = {"a"}, .exclude = {"b"}});
    EXPECT_THAT(needed.error.notes, Contains(HasSubstr("`b` is excluded")));
    const Answer wanted = ask(VersionScheme::kDeb, packages, {.install = {"b"}, .exclude = {"b"}});
    EXPECT_EQ(wanted.error.message, "`b` is both requested and excluded");
}

TEST(SolveErrors, UnreadableDependencyIsShownNotIgnored) {
    for (const char* text : {"b (>= ", "b (2)", "b c", "(b", "b ((1)"}) {
        const Answer answer = ask_deb({deb("a", "1", {text}), deb("b", "3")}, {"a"});
        EXPECT_EQ(answer.error.kind, ErrorKind::kFailed) << text;
        EXPECT_FALSE(answer.error.notes.empty()) << text;
    }
}

TEST(SolveRpm, SonamesFilesAndVersions) {
    SolvePackage bash = rpm(
        "bash",
        "5.3-2",
        {"libc.so.6(GLIBC_2.43)(64bit)", "rtld(GNU_HASH)", "rpmlib(PayloadIsZstd) <= 5.4.18-1"});
    bash.files = {"/usr/bin/sh"};
    const Answer answer =
        ask_rpm({bash,
                 rpm("glibc", "2.43-7", {}, {"libc.so.6(GLIBC_2.43)(64bit)", "rtld(GNU_HASH)"}),
                 rpm("script", "1-1", {"/usr/bin/sh", "glibc >= 2.43", "glibc < 3"})},
                {"script"});
    EXPECT_THAT(answer.packages, ElementsAre("bash 5.3-2", "glibc 2.43-7", "script 1-1"));
    EXPECT_THAT(answer.reasons,
                ElementsAre("required by script", "required by script", "requested"));
}

TEST(SolveRpm, RichDependencies) {
    const std::vector<SolvePackage> packages = {rpm("a", "1-1", {"(b or c)"}),
                                                rpm("c", "1-1"),
                                                rpm("d", "1-1", {"(e if c)", "a"}),
                                                rpm("e", "1-1"),
                                                rpm("f", "1-1", {"(e if missing)"})};
    EXPECT_THAT(ask_rpm(packages, {"a"}).packages, ElementsAre("a 1-1", "c 1-1"));
    EXPECT_THAT(ask_rpm(packages, {"d"}).packages, ElementsAre("a 1-1", "c 1-1", "d 1-1", "e 1-1"));
    EXPECT_THAT(ask_rpm(packages, {"f"}).packages, ElementsAre("f 1-1"));
}

TEST(SolveRpm, PriorityWinsOverNewerAndFavorOverPriority) {
    SolvePackage built = rpm("jq", "1.7-1");
    built.priority = 10;
    EXPECT_THAT(ask_rpm({rpm("jq", "1.8-1"), built}, {"jq"}).packages, ElementsAre("jq 1.7-1"));
    SolvePackage high = rpm("y", "1-1", {}, {"virtual"});
    high.priority = 10;
    const Answer answer = ask(VersionScheme::kRpm,
                              {rpm("x", "1-1", {}, {"virtual"}), high},
                              {.install = {"virtual"}, .favor = {"x"}});
    EXPECT_THAT(answer.packages, ElementsAre("x 1-1"));
}

TEST(SolveRpm, ObsoletesKeepTheOldPackageOut) {
    SolvePackage next = rpm("new", "2-1", {}, {"old = 2"});
    next.obsoletes = {"old < 2"};
    const Answer answer = ask_rpm({rpm("old", "1-1"), next, rpm("a", "1-1", {"old"})}, {"a"});
    EXPECT_THAT(answer.packages, ElementsAre("a 1-1", "new 2-1"));
}

TEST(SolveRpm, RecommendsOnlyOnRequest) {
    SolvePackage a = rpm("a", "1-1");
    a.recommends = {"b"};
    const std::vector<SolvePackage> packages = {a, rpm("b", "1-1", {"c"}), rpm("c", "1-1")};
    EXPECT_THAT(ask_rpm(packages, {"a"}).packages, ElementsAre("a 1-1"));
    const Answer weak =
        ask(VersionScheme::kRpm, packages, {.install = {"a"}, .weak_dependencies = true});
    EXPECT_THAT(weak.packages, ElementsAre("a 1-1", "b 1-1", "c 1-1"));
    EXPECT_THAT(weak.reasons, ElementsAre("requested", "recommended by a", "required by b"));
}

TEST(SolveRpm, ExactVersionsCanBeRequested) {
    const std::vector<SolvePackage> packages = {rpm("a", "1-1"), rpm("a", "2-1")};
    EXPECT_THAT(ask_rpm(packages, {"a = 1-1"}).packages, ElementsAre("a 1-1"));
    EXPECT_THAT(ask_rpm(packages, {"a"}).packages, ElementsAre("a 2-1"));
    EXPECT_EQ(ask_rpm(packages, {"a = 3-1"}).error.kind, ErrorKind::kNotFound);
}

TEST(SolveRpm, OneUniverseAnswersManyQuestions) {
    Universe universe(VersionScheme::kRpm, "x86_64");
    universe.add(rpm("a", "1-1"));
    universe.add(rpm("b", "1-1"));
    EXPECT_EQ(universe.solve({.install = {"a"}, .exclude = {"b"}})->size(), 1U);
    universe.add(rpm("c", "1-1", {"a"}));
    EXPECT_EQ(universe.solve({.install = {"b", "c"}})->size(), 3U);
}

TEST(CompareEvr, AgreesWithLibsolv) {
    const std::vector<std::string> versions = {"1",
                                               "1.0",
                                               "01.0",
                                               "1.0-1",
                                               "1.0-1.1",
                                               "1.0-10",
                                               "1:0.1",
                                               "0:1",
                                               "1.0~rc1",
                                               "1.0~rc1-1",
                                               "1.0~",
                                               "1.0~~",
                                               "1.0+b1",
                                               "1.0a",
                                               "1.0.a",
                                               "1.0a1",
                                               "2.43-7",
                                               "2.43-7+b1",
                                               "2.43",
                                               "5.3p3",
                                               "10",
                                               "9",
                                               "1.0.0",
                                               "1_0",
                                               "00000000000000000000000001",
                                               "99999999999999999999998",
                                               "99999999999999999999999",
                                               "2-1",
                                               "2-1-1",
                                               "1.0-a",
                                               "2b",
                                               "2.b"};
    for (const VersionScheme scheme : {VersionScheme::kRpm, VersionScheme::kDeb}) {
        Pool* const pool = pool_create();
        ASSERT_GE(
            pool_setdisttype(pool, scheme == VersionScheme::kRpm ? DISTTYPE_RPM : DISTTYPE_DEB), 0);
        for (const std::string& a : versions) {
            for (const std::string& b : versions) {
                const int expected = pool_evrcmp_str(pool, a.c_str(), b.c_str(), EVRCMP_COMPARE);
                const int got = compare_evr(scheme, a, b);
                EXPECT_EQ((expected > 0) - (expected < 0), got)
                    << a << " " << b << (scheme == VersionScheme::kRpm ? " rpm" : " deb");
            }
        }
        pool_free(pool);
    }
}

TEST(CompareEvr, MissingRevisionCountsAsDpkgCountsIt) {
    EXPECT_EQ(compare_evr(VersionScheme::kDeb, "1.0", "1.0-0"), 0);
    EXPECT_LT(compare_evr(VersionScheme::kDeb, "1.0-~1", "1.0"), 0);
}

TEST(CompareEvr, CaretSortsAfterTheBareVersionInRpm) {
    EXPECT_LT(compare_evr(VersionScheme::kRpm, "1.0", "1.0^git1"), 0);
    EXPECT_LT(compare_evr(VersionScheme::kRpm, "1.0^git1", "1.0.1"), 0);
    EXPECT_EQ(compare_evr(VersionScheme::kRpm, "1.0^git1", "1.0^git1"), 0);
    EXPECT_LT(compare_evr(VersionScheme::kRpm, "1.0~rc1", "1.0"), 0);
}

}  // namespace
}  // namespace tarn
