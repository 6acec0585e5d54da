// SPDX-License-Identifier: MIT
#include "build/detail/graph.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tarn::build {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

SpecBinary binary(const std::string& name, std::vector<std::string> requires_ = {}) {
    SpecBinary made;
    made.nevra.name = name;
    made.provides = {name + " = 1-1", name + "(x86-64) = 1-1"};
    made.requires_ = std::move(requires_);
    return made;
}

SpecQuery spec(std::vector<SpecBinary> binaries,
               std::vector<std::string> build_requires,
               std::vector<std::string> listed = {}) {
    SpecQuery query;
    query.binaries = std::move(binaries);
    query.build_requires = std::move(build_requires);
    query.listed = std::move(listed);
    return query;
}

TEST(DependencyNames, TakesNamesOutOfEveryForm) {
    EXPECT_THAT(dependency_names("foo >= 1"), ElementsAre("foo"));
    EXPECT_THAT(dependency_names("pkgconfig(foo) >= 1"), ElementsAre("pkgconfig(foo)"));
    EXPECT_THAT(dependency_names("(a >= 1 or pkgconfig(b))"), ElementsAre("a", "pkgconfig(b)"));
    EXPECT_THAT(dependency_names("((a and b) if c)"), ElementsAre("a", "b", "c"));
    EXPECT_THAT(dependency_names("/usr/bin/x"), ElementsAre("/usr/bin/x"));
    EXPECT_THAT(dependency_names(""), ElementsAre(""));
}

TEST(OrderComponents, NeededOnesFirstAndByNameWhereFree) {
    const SpecQuery a = spec({binary("a")}, {"z-devel"});
    const SpecQuery b = spec({binary("b")}, {"gcc"});
    const SpecQuery z = spec({binary("z"), binary("z-devel")}, {});
    const auto graph = order_components({{"a", &a}, {"b", &b}, {"z", &z}});
    ASSERT_TRUE(graph);
    EXPECT_THAT(graph->order, ElementsAre(1, 2, 0));
    EXPECT_THAT(graph->needs[0], ElementsAre(2));
}

TEST(OrderComponents, KnowsPkgConfigNamesAndFiles) {
    const SpecQuery a = spec({binary("a")}, {"pkgconfig(z) >= 2", "/usr/bin/tool"});
    const SpecQuery y = spec({binary("y")}, {}, {"/usr/bin/tool"});
    const SpecQuery z = spec({binary("z")}, {}, {"pkgconfig(z)"});
    const auto graph = order_components({{"a", &a}, {"y", &y}, {"z", &z}});
    ASSERT_TRUE(graph);
    EXPECT_THAT(graph->needs[0], ElementsAre(1, 2));
}

TEST(OrderComponents, FollowsWhatNeededPackagesRequire) {
    const SpecQuery a = spec({binary("a")}, {"b-devel"});
    const SpecQuery b = spec({binary("b-devel", {"c(x86-64) = 1-1"}), binary("b-doc", {"d"})}, {});
    const SpecQuery c = spec({binary("c")}, {});
    const SpecQuery d = spec({binary("d")}, {});
    const auto graph = order_components({{"a", &a}, {"b", &b}, {"c", &c}, {"d", &d}});
    ASSERT_TRUE(graph);
    EXPECT_THAT(graph->needs[0], ElementsAre(1, 2));
}

TEST(OrderComponents, ClosureIsTransitive) {
    const SpecQuery a = spec({binary("a")}, {"b"});
    const SpecQuery b = spec({binary("b")}, {"c"});
    const SpecQuery c = spec({binary("c")}, {});
    const auto graph = order_components({{"a", &a}, {"b", &b}, {"c", &c}});
    ASSERT_TRUE(graph);
    EXPECT_THAT(graph->closure[0], ElementsAre(1, 2));
    EXPECT_THAT(graph->needs[0], ElementsAre(1));
}

TEST(OrderComponents, ComponentMayNeedItsOwnImportedTwin) {
    const SpecQuery a = spec({binary("a")}, {"a"});
    ASSERT_TRUE(order_components({{"a", &a}}));
}

TEST(OrderComponents, CycleIsWalkedInWords) {
    const SpecQuery a = spec({binary("a-devel")}, {"b-devel"});
    const SpecQuery b = spec({binary("b-devel")}, {"c"});
    const SpecQuery c = spec({binary("c")}, {"a-devel"});
    const SpecQuery d = spec({binary("d")}, {"a-devel"});
    const auto graph = order_components({{"a", &a}, {"b", &b}, {"c", &c}, {"d", &d}});
    ASSERT_FALSE(graph);
    EXPECT_THAT(graph.error().message, HasSubstr("a -> b -> c -> a"));
    EXPECT_THAT(graph.error().notes,
                ElementsAre("a needs b-devel, which b builds",
                            "b needs c, which c builds",
                            "c needs a-devel, which a builds"));
    EXPECT_FALSE(graph.error().help.empty());
}

}  // namespace
}  // namespace tarn::build
