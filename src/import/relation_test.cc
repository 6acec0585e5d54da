// SPDX-License-Identifier: MIT
#include "import/detail/relation.hh"

#include "import/import.hh"

#include <gtest/gtest.h>

namespace tarn {
namespace {

using import::parse_relations;

std::string converted(const std::string& version) {
    return convert_version(version, ".tn1").to_string();
}

TEST(Version, EpochRevisionAndBinaryRebuild) {
    EXPECT_EQ(converted("1:2.43-7+b1"), "1:2.43-7+b1.tn1");
    EXPECT_EQ(converted("2.43-7"), "2.43-7.tn1");
    EXPECT_EQ(converted("0:1-1"), "1-1.tn1");
}

TEST(Version, NativePackageIsReleaseOne) {
    EXPECT_EQ(converted("0.13"), "0.13-1.tn1");
}

TEST(Version, DashesOfTheUpstreamVersionBecomeUnderscores) {
    EXPECT_EQ(converted("3.1-20260512-1"), "3.1_20260512-1.tn1");
    EXPECT_EQ(converted("4.16.0-2+really2.42.4-1"), "4.16.0_2+really2.42.4-1.tn1");
}

TEST(Version, TildeStays) {
    EXPECT_EQ(converted("6.18.15-1~bpo13+1"), "6.18.15-1~bpo13+1.tn1");
}

std::string evr(const std::string& relation) {
    return import::relation_evr((*parse_relations(relation, "test"))[0][0], ".tn1");
}

TEST(Relation, BoundsTheVersionLiesOnCarryTheSuffix) {
    EXPECT_EQ(evr("a (= 2.43-7)"), "2.43-7.tn1");
    EXPECT_EQ(evr("a (<= 2.43-7)"), "2.43-7.tn1");
    EXPECT_EQ(evr("a (>> 2.43-7)"), "2.43-7.tn1");
    EXPECT_EQ(evr("a (>= 2.43-7)"), "2.43-7");
    EXPECT_EQ(evr("a (<< 2.43-7~)"), "2.43-7~");
}

TEST(Relation, VersionsWithoutRevisionCoverAllReleases) {
    EXPECT_EQ(evr("a (>= 2.43)"), "2.43");
    EXPECT_EQ(evr("a (<< 1:2.44)"), "1:2.44");
    EXPECT_EQ(evr("a (= 0.13)"), "0.13-1.tn1");
    EXPECT_EQ(evr("a (>> 2.43)"), "2.43-0");
    EXPECT_EQ(evr("a"), "");
}

TEST(Relation, AlternativesAndQualifiers) {
    const auto clauses = parse_relations("libc6:any (>= 2), a | b (= 1:3-4) ,", "Depends");
    ASSERT_TRUE(clauses);
    ASSERT_EQ(clauses->size(), 2u);
    EXPECT_EQ((*clauses)[0][0].name, "libc6");
    EXPECT_EQ((*clauses)[1][1].name, "b");
    EXPECT_EQ((*clauses)[1][1].version, "1:3-4");
}

TEST(Relation, MalformedOnesAreNamed) {
    for (const char* bad :
         {"a (>=)", "a (~ 1)", "(>= 1)", "a b", "a (>= 1", "a | ", "/etc", "a (= 1 2)"}) {
        const auto clauses = parse_relations(bad, "Depends of `x`");
        ASSERT_FALSE(clauses) << bad;
        EXPECT_EQ(clauses.error().kind, ErrorKind::kCorrupt);
        EXPECT_NE(clauses.error().message.find("Depends of `x`"), std::string::npos);
    }
}

}  // namespace
}  // namespace tarn
