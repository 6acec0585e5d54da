// SPDX-License-Identifier: MIT
#include "workspace/update.hh"

#include "project/component_lock.hh"
#include "workspace/detail/testing.hh"
#include "workspace/history.hh"

#include <gmock/gmock.h>

namespace tarn {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kUp = "[components.up]\nspec = { type = \"upstream\" }\n";
constexpr const char* kLocal =
    "[components.own]\nspec = { type = \"local\", path = \"own/own.spec\" }\n";

class Update : public testing::Test {
  protected:
    Update() {
        made_.declare(std::string(kUp) + kLocal);
        made_.add_local("own", spec_text("own", "1"));
        first_ = made_.commit_upstream("up", "up.spec", spec_text("up", "1"), "Import");
    }
    UpdateOutcome update(UpdateRequest request = {}) {
        auto outcome = made_.update(std::move(request));
        EXPECT_TRUE(outcome.has_value()) << outcome.error().rendered << outcome.error().message;
        return outcome ? std::move(*outcome) : UpdateOutcome{};
    }
    ComponentLock lock(const std::string& name) {
        const auto parsed = ComponentLock::parse(made_.read("locks/" + name + ".lock"), name);
        EXPECT_TRUE(parsed.has_value()) << parsed.error().rendered;
        return parsed.value_or(ComponentLock{});
    }
    std::vector<std::string> locks() {
        return list_directory(made_.path("locks")).value_or(std::vector<std::string>{});
    }
    std::vector<ChangedRow> changed(const std::string& from, const std::string& to) {
        const Workspace workspace = made_.open().value();
        auto rows = changed_components(workspace.project(), from, to, {});
        EXPECT_TRUE(rows.has_value()) << rows.error().message;
        return rows.value_or(std::vector<ChangedRow>{});
    }

    TestProject made_;
    std::string first_;
};

TEST_F(Update, WritesLocksAndThenNothing) {
    const auto outcome = update();
    ASSERT_EQ(outcome.rows.size(), 2U);
    EXPECT_TRUE(outcome.rows[0].changed);
    EXPECT_EQ(outcome.rows[1].upstream_commit, first_);
    EXPECT_EQ(lock("up").upstream_commit, first_);
    EXPECT_EQ(lock("up").import_commit, first_);
    EXPECT_EQ(lock("own").upstream_commit, "");
    EXPECT_THAT(lock("own").input_fingerprint, HasSubstr("sha256:"));
    EXPECT_THAT(locks(), ElementsAre("own.lock", "up.lock"));
    const auto again = update();
    EXPECT_TRUE(again.rows[0].skipped);
    EXPECT_EQ(again.rows[0].skip_reason, "up to date");
    EXPECT_TRUE(again.rows[1].skipped);
}

TEST_F(Update, ALockKeepsItsOwnFirstLine) {
    update();
    const std::string text = made_.read("locks/up.lock");
    made_.write("locks/up.lock", "# Another tool wrote this." + text.substr(text.find('\n')));
    UpdateRequest bump;
    bump.bump = true;
    update(bump);
    EXPECT_EQ(lock("up").manual_bump, 1U);
    EXPECT_TRUE(made_.read("locks/up.lock").starts_with("# Another tool wrote this.\nversion = 1\n"));
}

TEST_F(Update, TheFirstCommitIsKept) {
    update();
    const std::string second =
        made_.commit_upstream("up", "up.spec", spec_text("up", "2"), "Update");
    const auto outcome = update();
    EXPECT_EQ(outcome.rows[1].previous_commit, first_);
    EXPECT_EQ(lock("up").upstream_commit, second);
    EXPECT_EQ(lock("up").import_commit, first_);
}

TEST_F(Update, BumpCountsAndCheckOnlyWritesNothing) {
    update();
    const ComponentLock before = lock("up");
    UpdateRequest request;
    request.bump = true;
    request.check_only = true;
    EXPECT_TRUE(update(request).rows[0].changed);
    EXPECT_EQ(lock("up"), before);
    request.check_only = false;
    update(request);
    EXPECT_EQ(lock("up").manual_bump, 1U);
    EXPECT_EQ(lock("own").manual_bump, 1U);
    EXPECT_NE(lock("up").input_fingerprint, before.input_fingerprint);
    EXPECT_TRUE(update().rows[1].skipped);
}

TEST_F(Update, OneFailureWritesNoLock) {
    made_.declare(std::string(kUp) + kLocal + "[components.zzz]\nspec = { type = \"upstream\" }\n");
    const auto outcome = update();
    EXPECT_TRUE(outcome.failed);
    EXPECT_THAT(outcome.rows[2].error, HasSubstr("zzz"));
    EXPECT_EQ(outcome.rows[2].error.find('\n'), std::string::npos);
    EXPECT_THAT(outcome.rows[0].error, IsEmpty());
    EXPECT_THAT(locks(), IsEmpty());
}

TEST_F(Update, OrphansAreRemovedOnlyWhenAllIsWell) {
    update();
    made_.write("locks/gone.lock", made_.read("locks/own.lock"));
    UpdateRequest request;
    request.prune_orphans = true;
    request.check_only = true;
    EXPECT_THAT(update(request).pruned, ElementsAre("gone"));
    EXPECT_EQ(locks().size(), 3U);
    request.check_only = false;
    EXPECT_THAT(update(request).pruned, ElementsAre("gone"));
    EXPECT_THAT(locks(), ElementsAre("own.lock", "up.lock"));
}

TEST_F(Update, AnUnreadableLockIsNotReplaced) {
    update();
    made_.write("locks/up.lock", "<<<<<<< HEAD\n");
    const auto outcome = update();
    EXPECT_TRUE(outcome.failed);
    EXPECT_THAT(outcome.rows[1].error, HasSubstr("up.lock:1:1"));
    const std::string& said = outcome.rows[1].error;
    EXPECT_THAT(said, HasSubstr("restore it from git"));
    EXPECT_EQ(said.find("restore it from git"), said.rfind("restore it from git")) << said;
    EXPECT_EQ(made_.read("locks/up.lock"), "<<<<<<< HEAD\n");
}

TEST_F(Update, AComponentThatBecomesLocalForgetsItsUpstream) {
    update();
    made_.declare("[components.up]\nspec = { type = \"local\", path = \"own/own.spec\" }\n");
    update();
    EXPECT_EQ(lock("up").upstream_commit, "");
    EXPECT_EQ(lock("up").import_commit, "");
    EXPECT_EQ(lock("up").resolution_input_hash, "");
}

TEST_F(Update, ChangedTellsEveryState) {
    update();
    made_.write("locks/later-gone.lock", made_.read("locks/own.lock"));
    made_.write("specs/o/own/sources", "1\n");
    made_.write("specs/o/own/sub/sources", "1\n");
    made_.commit("One");
    made_.add_local("own", spec_text("own", "2"));
    made_.declare(std::string(kUp) + kLocal +
                  "[components.young]\nspec = { type = \"upstream\" }\n");
    made_.commit_upstream("young", "young.spec", spec_text("young", "1"), "Import");
    update();
    ASSERT_TRUE(remove_tree(made_.path("locks/later-gone.lock")).has_value());
    made_.write("specs/o/own/sources", "2\n");
    made_.commit("Two");
    std::vector<std::string> told;
    for (const ChangedRow& row : changed("HEAD~1", "HEAD")) {
        told.push_back(fmt::format(
            "{} {} {} {}", row.component, row.change, row.sources_change, row.error.empty()));
    }
    EXPECT_THAT(told,
                ElementsAre("later-gone deleted false true",
                            "own changed true true",
                            "up unchanged false true",
                            "young added false true"));
    // Removed, but still a component: it would be locked anew.
    ASSERT_TRUE(remove_tree(made_.path("locks/up.lock")).has_value());
    made_.write("specs/o/own/sources", "3\n");
    made_.commit("Three");
    const auto rows = changed("HEAD~1", "HEAD");
    ASSERT_EQ(rows.size(), 3U);
    EXPECT_EQ(rows[0].change, "unchanged");
    EXPECT_THAT(rows[0].error, HasSubstr("its `sources` changed"));
    EXPECT_EQ(rows[1].change, "changed");
    const Workspace workspace = made_.open().value();
    EXPECT_FALSE(changed_components(workspace.project(), "nonesuch", "HEAD", {}).has_value());
}

TEST_F(Update, HistoryCountsCommitsAndFingerprints) {
    update();
    const std::string one = made_.commit("One");
    UpdateRequest request;
    request.bump = true;
    update(request);
    const std::string two = made_.commit("Two");
    made_.declare(std::string(kUp) + "build = { without = [\"docs\"] }\n" + kLocal);
    const std::string three = made_.commit("Three");
    Workspace workspace = made_.open().value();
    const auto all = component_history(workspace, TestProject::all(workspace));
    ASSERT_TRUE(all.has_value()) << all.error().message;
    ASSERT_EQ(all->size(), 2U);
    const auto& up = (*all)[0].name == "up" ? (*all)[0] : (*all)[1];
    EXPECT_EQ(up.toml_commits, 2U);
    EXPECT_EQ(up.latest_commit, three);
    EXPECT_TRUE(up.shared_toml);
    EXPECT_EQ(up.toml_path, "tarn.toml");
    EXPECT_EQ(up.manual_bump, 1U);
    EXPECT_TRUE(up.has_import);
    ASSERT_EQ(up.fingerprint_changes.size(), 2U);
    EXPECT_EQ(up.fingerprint_changes[0].project_commit, two);
    EXPECT_EQ(up.fingerprint_changes[1].project_commit, one);
    EXPECT_EQ(up.fingerprint_changes[1].subject, "One");
    ASSERT_EQ(up.customizations.size(), 1U);
    EXPECT_EQ(up.customizations[0].value, "without=docs");
}

}  // namespace
}  // namespace tarn
