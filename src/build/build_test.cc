// SPDX-License-Identifier: MIT
#include "build/build.hh"

#include "build/detail/testing.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tarn {
namespace {

using build::testing::available;
using build::testing::FakeComponent;
using build::testing::FakeExecutor;
using build::testing::FakePackage;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

class Building : public ::testing::Test {
  protected:
    void SetUp() override {
        project_.root = directory_.path();
        project_.source_date_epoch = 1'793'491'200;
        project_.build_base_packages = {"bash"};
        imported_.push_back(available(store_, {"bash", {}, {}, {"usr/bin/bash"}}));
    }

    void add(const std::string& name, FakeComponent fake, const std::string& spec_text = "") {
        Component component;
        component.name = name;
        project_.components[name] = component;
        TreeEntry spec;
        spec.path = name + ".spec";
        spec.mode = 0644;
        spec.content = *store_.put(spec_text.empty() ? "Name: " + name + "\n" : spec_text);
        rendered_[name] = {*Tree::make({spec}), name + ".spec"};
        executor_.components[name] = std::move(fake);
    }

    Result<BuildOutcome> build(unsigned jobs = 1, std::vector<std::string> wanted = {}) {
        BuildRequest request;
        request.project = &project_;
        request.available = imported_;
        request.jobs = jobs;
        request.wanted = std::move(wanted);
        request.log_dir = join_path(directory_.path(), "logs");
        for (const auto& [name, rendered] : rendered_) {
            request.components.emplace_back(&project_.components.at(name), rendered);
        }
        NullReporter reporter;
        return build_components(store_, executor_, request, reporter);
    }

    static std::vector<std::string> names(const BuildOutcome& outcome) {
        std::vector<std::string> result;
        for (const auto& built : outcome.built) {
            result.push_back(built.name);
        }
        return result;
    }

    TempDir directory_ = *TempDir::make();
    Store store_ = *Store::open(join_path(directory_.path(), "store"));
    FakeExecutor executor_{store_};
    Project project_;
    std::map<std::string, Rendered> rendered_;
    std::vector<AvailablePackage> imported_;
};

TEST_F(Building, GoesInTheOrderOfBuildRequires) {
    add("jq", {{"onig-devel"}, {{"jq"}}});
    add("onig", {{}, {{"onig"}, {"onig-devel", {"onig"}}}});
    const auto outcome = build(2);
    ASSERT_TRUE(outcome) << outcome.error().message;
    EXPECT_THAT(executor_.built(), ElementsAre("onig", "jq"));
    EXPECT_THAT(names(*outcome), ElementsAre("onig", "jq"));
    EXPECT_EQ(outcome->built[0].nevras.size(), 2U);
}

TEST_F(Building, BuiltPackageTakesThePlaceOfItsImportedTwin) {
    imported_.push_back(available(store_, {"onig-devel", {}, {}, {"usr/include/onig.h"}, "9"}));
    add("jq", {{"onig-devel"}, {{"jq"}}});
    add("onig", {{"onig-devel"}, {{"onig-devel", {}, {}, {"usr/include/built.h"}}}});
    ASSERT_TRUE(build());
    EXPECT_NE(executor_.in_root_of("onig", "usr/include/onig.h"), "");
    EXPECT_EQ(executor_.in_root_of("jq", "usr/include/onig.h"), "");
    EXPECT_NE(executor_.in_root_of("jq", "usr/include/built.h"), "");
}

TEST_F(Building, BuildrootDoesNotDependOnWhatHappensToBeBuilt) {
    imported_.push_back(available(store_, {"tool", {}, {}, {"usr/bin/tool"}}));
    project_.build_base_packages = {"bash", "tool"};
    add("a-tool", {{}, {{"tool", {}, {}, {"usr/bin/new-tool"}}}});
    add("b", {{}, {{"b"}}});
    ASSERT_TRUE(build());
    // b does not ask for tool, so nothing says that a-tool comes first.
    EXPECT_NE(executor_.in_root_of("b", "usr/bin/tool"), "");
    EXPECT_EQ(executor_.in_root_of("b", "usr/bin/new-tool"), "");
}

TEST_F(Building, FailureShowsSectionTailLogAndTheWayIn) {
    add("sudo",
        {{},
         {{"sudo"}},
         "Executing(%build): /bin/sh -e /tmp/rpm-tmp.b\n"
         "a.c:1:1: fatal error: zlib.h: No such file or directory\n"
         "error: Bad exit status from /tmp/rpm-tmp.b (%build)\n"});
    imported_.push_back(available(store_, {"zlib-devel", {}, {}, {"usr/include/zlib.h"}}));
    const auto outcome = build();
    ASSERT_TRUE(outcome) << outcome.error().message;
    ASSERT_EQ(outcome->failures.size(), 1U);
    const BuildFailure& failure = outcome->failures[0];
    EXPECT_EQ(failure.section, "%build");
    EXPECT_THAT(failure.error.message, HasSubstr("sudo failed in %build"));
    EXPECT_THAT(failure.error.notes, ::testing::Contains(HasSubstr("| a.c:1:1: fatal error")));
    EXPECT_THAT(failure.error.help, ::testing::Contains(HasSubstr("BuildRequires: zlib-devel")));
    EXPECT_THAT(failure.error.help, ::testing::Contains(HasSubstr("tarn component shell sudo")));
    EXPECT_THAT(read_file(failure.log).value_or(""), HasSubstr("Executing(%build)"));
    EXPECT_EQ(last_failed_build(store_, "sudo"), failure.action);
}

TEST_F(Building, SuccessForgetsTheLastFailure) {
    add("sudo", {{}, {{"sudo"}}, "error: Bad exit status from /tmp/x (%check)\n"});
    ASSERT_TRUE(build());
    ASSERT_TRUE(last_failed_build(store_, "sudo"));
    executor_.components["sudo"].fails_with.clear();
    ASSERT_TRUE(build());
    EXPECT_FALSE(last_failed_build(store_, "sudo"));
}

TEST_F(Building, WhatNeedsAFailedComponentIsNotTried) {
    add("a", {{}, {{"a-devel"}}, "error: Bad exit status from /tmp/x (%check)\n"});
    add("b", {{"a-devel"}, {{"b-devel"}}});
    add("c", {{"b-devel"}, {{"c"}}});
    add("d", {{}, {{"d"}}});
    const auto outcome = build(2);
    ASSERT_TRUE(outcome);
    EXPECT_THAT(names(*outcome), ElementsAre("d"));
    EXPECT_THAT(outcome->not_tried, ElementsAre("b", "c"));
    ASSERT_EQ(outcome->failures.size(), 1U);
    EXPECT_EQ(outcome->failures[0].section, "%check");
}

TEST_F(Building, UnknownBuildRequiresPointsIntoTheSpec) {
    imported_.push_back(available(store_, {"oniguruma-devel"}));
    add("jq", {{"oniguruma-devl"}, {{"jq"}}}, "Name: jq\nBuildRequires: oniguruma-devl\n");
    const auto outcome = build();
    ASSERT_TRUE(outcome);
    ASSERT_EQ(outcome->failures.size(), 1U);
    const Error& error = outcome->failures[0].error;
    EXPECT_EQ(outcome->failures[0].section, "BuildRequires");
    EXPECT_EQ(error.message, "jq needs `oniguruma-devl`, which no package provides");
    EXPECT_THAT(error.notes, ElementsAre("jq.spec:2: BuildRequires: oniguruma-devl"));
    EXPECT_THAT(error.help, ::testing::Contains(HasSubstr("did you mean `oniguruma-devel`")));
    EXPECT_TRUE(executor_.built().empty());
}

TEST_F(Building, SpecThatCannotBeReadFailsAlone) {
    add("bad", {{}, {}, {}, "error: line 3: Unknown tag: Foo\n"});
    add("good", {{}, {{"good"}}});
    const auto outcome = build();
    ASSERT_TRUE(outcome);
    EXPECT_THAT(names(*outcome), ElementsAre("good"));
    ASSERT_EQ(outcome->failures.size(), 1U);
    EXPECT_EQ(outcome->failures[0].section, "spec");
    EXPECT_EQ(outcome->failures[0].error.message, "bad: bad.spec:3: Unknown tag: Foo");
}

TEST_F(Building, CycleIsAnError) {
    add("a", {{"b"}, {{"a"}}});
    add("b", {{"a"}, {{"b"}}});
    const auto outcome = build();
    ASSERT_FALSE(outcome);
    EXPECT_THAT(outcome.error().message, HasSubstr("a -> b -> a"));
}

TEST_F(Building, OnlyWantedOnesAndWhatTheyNeed) {
    add("a", {{}, {{"a"}}});
    add("b", {{"a"}, {{"b"}}});
    add("c", {{}, {{"c"}}});
    const auto outcome = build(1, {"b"});
    ASSERT_TRUE(outcome);
    EXPECT_THAT(names(*outcome), ElementsAre("a", "b"));
    const auto unknown = build(1, {"bb"});
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().kind, ErrorKind::kNotFound);
}

TEST_F(Building, ComponentWithoutPackagesIsAFailure) {
    add("empty", {});
    const auto outcome = build();
    ASSERT_TRUE(outcome);
    ASSERT_EQ(outcome->failures.size(), 1U);
    EXPECT_THAT(outcome->failures[0].error.message, HasSubstr("built no package"));
}

TEST_F(Building, ActionIsTheSameWhateverTheNumberOfJobs) {
    add("a", {{}, {{"a"}}});
    ASSERT_TRUE(build(1));
    const Digest one = executor_.action_of("a").digest();
    ASSERT_TRUE(build(7));
    EXPECT_EQ(executor_.action_of("a").digest(), one);
    EXPECT_EQ(executor_.action_of("a").environment.at("SOURCE_DATE_EPOCH"), "1793491200");
}

TEST_F(Building, MacroFilesOfTheProjectAreAnInput) {
    add("a", {{}, {{"a"}}});
    ASSERT_TRUE(build());
    const Digest before = executor_.action_of("a").digest();
    const std::string directory = join_path(directory_.path(), "buildroot");
    ASSERT_TRUE(make_directories(directory));
    ASSERT_TRUE(write_file_atomic(join_path(directory, "macros.x"), "%dist .x1\n"));
    ASSERT_TRUE(build());
    EXPECT_NE(executor_.action_of("a").digest(), before);
}

TEST_F(Building, ChecksAreSkippedOnlyWhenDeclared) {
    add("a", {{}, {{"a"}}});
    ASSERT_TRUE(build());
    EXPECT_THAT(executor_.action_of("a").argv, ::testing::Not(::testing::Contains("--nocheck")));
    project_.components["a"].build.check_skip = true;
    ASSERT_TRUE(build());
    EXPECT_THAT(executor_.action_of("a").argv, ::testing::Contains("--nocheck"));
}

TEST_F(Building, StopRequestIsAnInterruption) {
    add("a", {{}, {{"a"}}});
    BuildRequest request;
    request.project = &project_;
    request.available = imported_;
    request.components.emplace_back(&project_.components.at("a"), rendered_.at("a"));
    std::stop_source source;
    source.request_stop();
    request.stop = source.get_token();
    NullReporter reporter;
    const auto outcome = build_components(store_, executor_, request, reporter);
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().kind, ErrorKind::kInterrupted);
}

}  // namespace
}  // namespace tarn
