// SPDX-License-Identifier: MIT
#include "workspace/detail/release_step.hh"

#include "workspace/detail/testing.hh"

#include <gmock/gmock.h>

namespace tarn {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr const char* kUp = "[components.up]\nspec = { type = \"upstream\" }\n";

class Releases : public testing::Test {
  protected:
    std::string upstream(const std::string& release,
                         const std::string& message,
                         const std::string& version = "1") {
        const std::string text =
            replace_all(spec_text("up", release, "\n%changelog\n%autochangelog\n"),
                        "Version: 1",
                        "Version: " + version);
        return made_.commit_upstream("up", "up.spec", text, message);
    }
    void update(bool bump = false) {
        UpdateRequest request;
        request.bump = bump;
        const auto outcome = made_.update(request);
        ASSERT_TRUE(outcome.has_value()) << outcome.error().message;
        ASSERT_FALSE(outcome->failed) << outcome->rows.front().error;
    }
    RenderSpecsOutcome render(RenderSpecsRequest request = {}) {
        auto outcome = made_.render(std::move(request));
        EXPECT_TRUE(outcome.has_value()) << outcome.error().message;
        return outcome ? std::move(*outcome) : RenderSpecsOutcome{};
    }
    std::string rendered() {
        const auto outcome = render();
        for (const RenderRow& row : outcome.rows) {
            EXPECT_EQ(row.status, "ok") << row.error.rendered << row.error.message;
        }
        warnings_ = outcome.warnings;
        return made_.rendered("up");
    }
    // What %autorelease counts to.
    std::string counted() {
        const std::string text = rendered();
        const std::size_t at = text.find("release_number = ");
        return at == std::string::npos ? text : text.substr(at + 17, text.find(';', at) - at - 17);
    }

    TestProject made_;
    std::vector<std::string> warnings_;
};

TEST_F(Releases, StaticCountsFingerprintsThatAreCommitted) {
    made_.declare(kUp);
    upstream("4%{?dist}", "Import");
    update();
    EXPECT_THAT(rendered(), HasSubstr("Release: 4%{?dist}\n"));
    made_.commit("Import up");
    EXPECT_THAT(rendered(), HasSubstr("Release: 5%{?dist}\n"));
    made_.commit("Nothing of up");
    EXPECT_THAT(rendered(), HasSubstr("Release: 5%{?dist}\n"));
    update(true);
    made_.commit("Rebuild");
    EXPECT_THAT(rendered(), HasSubstr("Release: 6%{?dist}\n"));
    RenderSpecsRequest without;
    without.release = false;
    render(without);
    EXPECT_THAT(made_.rendered("up"), HasSubstr("Release: 4%{?dist}\n"));
}

TEST_F(Releases, AChangeThatIsNotCommittedCountsAndGivesTheSameBytes) {
    made_.declare(kUp);
    upstream("4", "Import");
    update();
    made_.commit("Import up");
    made_.declare(std::string(kUp) + "build = { without = [\"docs\"] }\n");
    const std::string once = rendered();
    EXPECT_THAT(once, HasSubstr("Release: 6\n"));
    ASSERT_TRUE(remove_tree(made_.path("build")).has_value());
    EXPECT_EQ(rendered(), once);
    update();
    made_.commit("Without docs");
    EXPECT_THAT(rendered(), HasSubstr("Release: 6\n"));
}

TEST_F(Releases, AutoreleaseCountsUpstreamAndTheProject) {
    made_.declare(kUp);
    upstream("%autorelease", "Import");
    upstream("%autorelease", "Second");
    update();
    EXPECT_EQ(counted(), "2");
    made_.commit("Import up");
    EXPECT_EQ(counted(), "3");
    const std::string text = made_.rendered("up");
    EXPECT_THAT(text, HasSubstr("- Import up"));
    EXPECT_THAT(text, HasSubstr("- Second"));
    EXPECT_LT(text.find("- Import up"), text.find("- Second"));
}

TEST_F(Releases, AnOlderChangeLiesUnderNewerCommitsOfUpstream) {
    made_.declare(kUp);
    upstream("%autorelease", "Import");
    update();
    made_.commit("Project one");
    upstream("%autorelease", "Upstream two");
    update();
    made_.commit("Project two");
    EXPECT_EQ(counted(), "4");
    const std::string text = made_.rendered("up");
    EXPECT_LT(text.find("- Project two"), text.find("- Upstream two"));
    EXPECT_LT(text.find("- Upstream two"), text.find("- Project one"));
    EXPECT_LT(text.find("- Project one"), text.find("- Import"));
}

TEST_F(Releases, AMoveThatIsNotCommittedCountsAsItWillBe) {
    made_.declare(kUp);
    upstream("%autorelease", "Import");
    update();
    made_.commit("Project one");
    upstream("%autorelease", "Upstream two");
    update();
    EXPECT_EQ(counted(), "4");
    made_.commit("Project two");
    EXPECT_EQ(counted(), "4");
}

TEST_F(Releases, ALockThatWentBackCountsWhatWasLocked) {
    made_.declare(kUp);
    const std::string first = upstream("3", "Import");
    update();
    made_.commit("One");
    upstream("3", "Second");
    update();
    made_.commit("Two");
    made_.declare("[components.up]\nspec = { type = \"upstream\", upstream-commit = \"" + first +
                  "\" }\n");
    update();
    made_.commit("Three");
    EXPECT_THAT(rendered(), HasSubstr("Release: 6\n"));
    EXPECT_THAT(warnings_, IsEmpty());
}

TEST_F(Releases, ARewrittenBranchIsToldAndANewLockHelps) {
    made_.declare(kUp);
    upstream("3", "Import");
    upstream("3", "Second");
    update();
    made_.commit("One");
    made_.git(made_.package("up"), {"checkout", "-q", "--orphan", "other"});
    made_.git(made_.package("up"), {"branch", "-D", "f43"});
    made_.git(made_.package("up"), {"checkout", "-q", "-b", "f43"});
    upstream("3", "Rewritten");
    update();
    made_.commit("Two");
    const auto outcome = render();
    EXPECT_EQ(outcome.rows[0].status, "error");
    EXPECT_THAT(outcome.rows[0].error.message, HasSubstr("component `up`: import commit"));
    ASSERT_TRUE(remove_tree(made_.path("locks/up.lock")).has_value());
    made_.commit("Remove the lock");
    update();
    made_.commit("Lock anew");
    EXPECT_THAT(rendered(), HasSubstr("Release: 4\n"));
    EXPECT_THAT(warnings_, Not(IsEmpty()));
}

TEST_F(Releases, WhatCannotBeCountedAsksForManual) {
    made_.declare(kUp);
    upstream("%{baserelease}", "Import");
    update();
    made_.commit("One");
    const auto outcome = render();
    ASSERT_EQ(outcome.rows[0].status, "error");
    EXPECT_THAT(outcome.rows[0].error.help, ElementsAre(HasSubstr("manual")));
    made_.declare(std::string(kUp) + "release.calculation = \"manual\"\n");
    EXPECT_THAT(rendered(), HasSubstr("Release: %{baserelease}\n"));
}

TEST_F(Releases, ALocalComponentCountsItsLocks) {
    made_.declare("[components.up]\nspec = { type = \"local\", path = \"up/up.spec\" }\n");
    made_.add_local("up", spec_text("up", "1"));
    EXPECT_THAT(rendered(), HasSubstr("Release: 1\n"));
    update();
    made_.commit("One");
    EXPECT_THAT(rendered(), HasSubstr("Release: 2\n"));
    made_.add_local("up", spec_text("up", "%autorelease"));
    EXPECT_EQ(counted(), "2");
}

TEST_F(Releases, AShallowProjectIsAnErrorOfWhatHasALock) {
    made_.declare(std::string(kUp) +
                  "[components.own]\nspec = { type = \"local\", path = \"own/own.spec\" }\n");
    made_.add_local("own", spec_text("own", "1"));
    upstream("1", "Import");
    update();
    ASSERT_TRUE(remove_tree(made_.path("locks/own.lock")).has_value());
    made_.commit("One");
    made_.commit("Two");
    made_.git(made_.beside(""),
              {"clone", "-q", "--depth", "1", "file://" + made_.path(), made_.beside("shallow")});
    WorkspaceOptions options;
    options.directory = made_.beside("shallow");
    const auto outcome = made_.render({}, options);
    ASSERT_TRUE(outcome.has_value()) << outcome.error().message;
    EXPECT_EQ(outcome->rows[0].status, "ok") << outcome->rows[0].error.message;
    EXPECT_EQ(outcome->rows[1].status, "error");
    EXPECT_THAT(outcome->rows[1].error.message, HasSubstr("shallow clone"));
    EXPECT_THAT(outcome->rows[1].error.help, ElementsAre(HasSubstr("--unshallow")));
    RenderSpecsRequest without;
    without.release = false;
    const auto still = made_.render(without, options);
    EXPECT_EQ(still->rows[1].status, "ok");
}

TEST_F(Releases, AProjectReachedByALinkIsCountedTheSame) {
    made_.declare(kUp);
    upstream("4", "Import");
    update();
    made_.commit("One");
    ASSERT_TRUE(make_symlink(made_.path(), made_.beside("link")).has_value());
    WorkspaceOptions options;
    options.directory = made_.beside("link");
    ASSERT_TRUE(made_.render({}, options).has_value());
    EXPECT_THAT(made_.rendered("up"), HasSubstr("Release: 5\n"));
}

TEST_F(Releases, ProvenanceNamesTheUpstreamRelease) {
    made_.declare(std::string(kUp) + "build = { emit-upstream-provenance = true }\n");
    upstream("%autorelease -b 3", "Import");
    upstream("%autorelease -b 3", "Second");
    update();
    rendered();
    const std::string macros = made_.read("specs/u/up/up.tarn.macros");
    EXPECT_THAT(macros, HasSubstr("%fedora_upstream_version 1\n"));
    EXPECT_THAT(macros, HasSubstr("%fedora_upstream_release 4.fc43\n"));
    upstream("%{unknown}", "Third");
    update();
    const auto outcome = render();
    EXPECT_EQ(outcome.rows[0].status, "error");
    EXPECT_THAT(outcome.rows[0].error.message, HasSubstr("`%{unknown}` cannot be evaluated"));
}

TEST_F(Releases, AVersionOfTheMacroFileIsKnown) {
    made_.declare(std::string(kUp) + "build.defines = { up_version = \"9\" }\n");
    upstream("%autorelease", "Import", "%{up_version}");
    update();
    made_.commit("One");
    EXPECT_EQ(counted(), "2");
}

TEST_F(Releases, ALockThatIsMissingOrNotThePinnedOneIsAnError) {
    made_.declare(kUp);
    const std::string first = upstream("1", "Import");
    EXPECT_THAT(render().rows[0].error.message, HasSubstr("component `up` has no lock"));
    upstream("1", "Second");
    update();
    made_.declare("[components.up]\nspec = { type = \"upstream\", upstream-commit = \"" + first +
                  "\" }\n");
    EXPECT_THAT(render().rows[0].error.message, HasSubstr("is pinned to commit"));
    RenderSpecsRequest anyway;
    anyway.validate_locks = false;
    EXPECT_EQ(render(anyway).rows[0].status, "ok");
}

}  // namespace
}  // namespace tarn
