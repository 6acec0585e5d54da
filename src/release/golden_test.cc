// SPDX-License-Identifier: MIT
// Releases that cannot be counted, and what is said about them: tests/golden/release/<case>.txt.
//     decide: CALCULATION     what release.calculation means for a.spec
//     bump: N                 a.spec's Release is raised
//     compute: yes            the commits 1.spec, 2.spec, ..., oldest first; their ids are c1, c2
//     no-spec: N              the commit has no spec
//     shallow: yes            the oldest commit's parents are not there
//     import: ID              a project's own changes are laid over those commits, imported at ID
//     entry: ID               one of them, made while the upstream commit ID was locked
#include "base/golden_test.hh"
#include "release/detail/testing.hh"
#include "release/release.hh"

namespace tarn::release {
namespace {

std::vector<Revision> history_of(const golden::Case& given) {
    History history;
    for (std::size_t i = 1; !given.file(fmt::format("{}.spec", i)).empty(); ++i) {
        const bool none = given.setting("no-spec") == std::to_string(i);
        const std::string spec = given.file(fmt::format("{}.spec", i));
        history.add(fmt::format("Commit {}", i),
                    none ? std::nullopt : std::optional<std::string>(spec));
    }
    std::vector<Revision> revisions = history.newest_first();
    if (!given.setting("shallow").empty()) {
        revisions.back().parents = {revisions.size()};
    }
    return revisions;
}

template <class T>
std::string said_of(const Result<T>& result) {
    return result ? std::string() : golden::printed(result.error());
}

std::string said_of(const golden::Case& given) {
    std::string said;
    if (const std::string how = given.setting("decide"); !how.empty()) {
        said += said_of(decide(how, given.file("a.spec"), "a"));
    }
    if (const std::string by = given.setting("bump"); !by.empty()) {
        said += said_of(
            bump_static(given.file("a.spec"), static_cast<unsigned>(parse_u64(by).value_or(0))));
    }
    std::vector<std::string> warnings;
    if (!given.setting("compute").empty()) {
        const auto computed = compute(history_of(given));
        said += said_of(computed);
        warnings = computed ? computed->warnings : warnings;
    }
    if (const std::string import = given.setting("import"); !import.empty()) {
        std::vector<SyntheticEntry> entries;
        for (const std::string& commit : given.settings("entry")) {
            SyntheticEntry entry;
            entry.message = "Change\n\nProject commit: p1";
            entry.upstream_commit = commit;
            entries.push_back(entry);
        }
        const auto laid = interleave(history_of(given), import, entries, "");
        said += said_of(laid);
        warnings = laid ? laid->warnings : warnings;
    }
    for (const std::string& warning : warnings) {
        said += "warning: " + warning + "\n";
    }
    return said;
}

class GoldenReleases : public testing::TestWithParam<std::string> {};

TEST_P(GoldenReleases, SayWhyTheyCannotBeCounted) {
    const golden::Case given("release", GetParam());
    given.expect(said_of(given), "/nowhere");
}

INSTANTIATE_TEST_SUITE_P(Cases,
                         GoldenReleases,
                         testing::ValuesIn(golden::cases("release")),
                         golden::test_name);

}  // namespace
}  // namespace tarn::release
