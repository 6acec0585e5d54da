// SPDX-License-Identifier: MIT
#include "project/publish.hh"

#include <gtest/gtest.h>

namespace tarn {
namespace {

struct Published : testing::Test {
    Published() {
        project.default_publish = {"sdk", "", "sdk-debug"};
        component.name = "bash";
        component.publish = {"base", "sources", "base-debug"};
        PackageGroup group;
        group.name = "extra";
        group.packages = {"bash-doc", "bash-doc-debuginfo"};
        group.publish = {"extra", "", "extra-debug"};
        project.package_groups.emplace(group.name, group);
        component.packages["bash-tests"] = {"none", "", ""};
        component.packages["bash-doc"] = {"own", "", ""};
        project.components.emplace(component.name, component);
    }
    Project project;
    Component component;
};

TEST_F(Published, LaterWordsWin) {
    const PublishRules rules(project);
    EXPECT_EQ(rules.channel(nullptr, "zsh"), "sdk");
    EXPECT_EQ(rules.channel(&component, "bash"), "base");
    EXPECT_EQ(rules.channel(nullptr, "bash-doc"), "extra");
    EXPECT_EQ(rules.channel(&component, "bash-doc"), "own");
    EXPECT_EQ(rules.channel(&component, "bash-tests"), "none");
}

TEST_F(Published, DebugPackagesHaveTheirOwnChannel) {
    const PublishRules rules(project);
    EXPECT_EQ(rules.channel(&component, "bash-debuginfo"), "base-debug");
    EXPECT_EQ(rules.channel(&component, "bash-doc-debuginfo"), "extra-debug");
    EXPECT_TRUE(is_debug_package_name("bash-debugsource"));
    EXPECT_FALSE(is_debug_package_name("elfutils-debuginfod"));
    EXPECT_TRUE(is_debug_package_name("glibc-debuginfo-common"));
}

TEST_F(Published, PackagesAreThoseOfGroupsAndComponents) {
    const PublishRules rules(project);
    EXPECT_EQ(rules.packages(),
              (std::vector<std::string>{"bash-doc", "bash-doc-debuginfo", "bash-tests"}));
    EXPECT_EQ(rules.groups_of("bash-doc"), std::vector<std::string>{"extra"});
    EXPECT_TRUE(rules.groups_of("bash").empty());
}

}  // namespace
}  // namespace tarn
