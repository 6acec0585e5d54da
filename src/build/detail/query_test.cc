// SPDX-License-Identifier: MIT
#include "build/detail/query.hh"

#include "base/fs.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tarn::build {
namespace {

using ::testing::ElementsAre;

constexpr const char* kBinaries =
    "warning: something rpm says\n"
    "tarn-package\tjq\t\t1.8.2\t1.tn1\tx86_64\n"
    "tarn-provides\tjq = 1.8.2-1.tn1\n"
    "tarn-requires\tjq-libs(x86-64) = 1.8.2-1.tn1\n"
    "tarn-package\tjq-libs\t3\t1.8.2\t1.tn1\tx86_64\n"
    "tarn-provides\tjq-libs = 3:1.8.2-1.tn1\n";
constexpr const char* kSources =
    "tarn-requires\tgcc\n"
    "tarn-requires\t(b >= 2 or c)\n"
    "tarn-requires\trpmlib(DynamicBuildRequires) <= 4.15.0-1\n";
constexpr const char* kParsed =
    "%install\n/usr/bin/make install\n%files\n%license COPYING\n/usr/bin/jq\n"
    "%config(noreplace) /etc/jqrc\n/usr/lib/libjq.so.1.*\n%files devel\n"
    "/usr/lib/x86_64-linux-gnu/pkgconfig/libjq.pc\n%changelog\n/not/a/file\n";

TEST(ParseQuery, TellsPackagesWithTheirDependencies) {
    const auto query = parse_query(kBinaries, kSources, kParsed);
    ASSERT_TRUE(query) << query.error().message;
    ASSERT_EQ(query->binaries.size(), 2U);
    EXPECT_EQ(query->binaries[0].nevra.to_string(), "jq-1.8.2-1.tn1.x86_64");
    EXPECT_THAT(query->binaries[0].requires_, ElementsAre("jq-libs(x86-64) = 1.8.2-1.tn1"));
    EXPECT_EQ(query->binaries[1].nevra.evr.epoch, 3U);
}

TEST(ParseQuery, LeavesRpmsOwnFeaturesOutOfBuildRequires) {
    const auto query = parse_query(kBinaries, kSources, kParsed);
    ASSERT_TRUE(query);
    EXPECT_THAT(query->build_requires, ElementsAre("gcc", "(b >= 2 or c)"));
}

TEST(ParseQuery, FindsListedFilesAndPkgConfigNames) {
    const auto query = parse_query(kBinaries, kSources, kParsed);
    ASSERT_TRUE(query);
    EXPECT_THAT(query->listed,
                ElementsAre("/etc/jqrc",
                            "/usr/bin/jq",
                            "/usr/lib/x86_64-linux-gnu/pkgconfig/libjq.pc",
                            "pkgconfig(libjq)"));
}

TEST(ParseQuery, RefusesAnOddAnswer) {
    for (const char* odd : {"tarn-package\tjq\n",
                            "tarn-package\t\t\t\t\t\n",
                            "tarn-package\tjq\tx\t1\t1\tnoarch\n",
                            "tarn-package\tjq\t99999999999\t1\t1\tnoarch\n"}) {
        const auto query = parse_query(odd, "", "");
        ASSERT_FALSE(query) << odd;
        EXPECT_EQ(query.error().kind, ErrorKind::kCorrupt);
    }
}

TEST(SpecErrors, BecomePlacesInTheSpec) {
    EXPECT_THAT(spec_errors("error: line 12: Unknown tag: Foo: bar\n"
                            "error: query of specfile /build/SPECS/x.spec failed, can't parse\n",
                            "x.spec"),
                ElementsAre("x.spec:12: Unknown tag: Foo: bar"));
    EXPECT_THAT(spec_errors("error: own words\n", "x.spec"), ElementsAre("x.spec: own words"));
    EXPECT_THAT(
        spec_errors("error: Unable to open sqlite database /var/lib/rpm/rpmdb.sqlite\n", "x.spec"),
        ElementsAre());
}

TEST(BuildRequiresPlace, IsTheLineThatNamesIt) {
    constexpr const char* kSpec = "Name: x\nBuildRequires: gcc, make\nBuildRequires:\tfoo >= 2\n";
    EXPECT_EQ(build_requires_place(kSpec, "x.spec", "make"), "x.spec:2");
    EXPECT_EQ(build_requires_place(kSpec, "x.spec", "foo >= 2"), "x.spec:3");
    EXPECT_EQ(build_requires_place(kSpec, "x.spec", "bar"), "x.spec");
}

TEST(CommonOptions, CarryTheBuildConfiguration) {
    BuildConfig config;
    config.with = {"tests"};
    config.without = {"docs"};
    config.defines = {{"speed", "11"}};
    config.undefines = {"nope"};
    const auto options = common_options(config);
    const std::string text = fmt::format("{}", fmt::join(options, " "));
    EXPECT_THAT(text, ::testing::HasSubstr("--with tests --without docs"));
    EXPECT_THAT(text, ::testing::HasSubstr("--define speed 11 --undefine=nope"));
    EXPECT_THAT(text, ::testing::HasSubstr("--target x86_64-tarn-linux"));
    EXPECT_EQ(common_options(config, "aarch64").at(1), "aarch64-tarn-linux");
    EXPECT_THAT(text, ::testing::Not(::testing::HasSubstr("smp")));
}

TEST(BuildTree, PutsTheSpecAsideAndMacrosOnTop) {
    TreeEntry spec;
    spec.path = "x.spec";
    TreeEntry archive;
    archive.path = "x.tar.gz";
    Rendered rendered;
    rendered.sources = *Tree::make({spec, archive});
    rendered.spec_name = "x.spec";
    const auto tree = build_tree(rendered, Digest::of("%dist .tn1\n"));
    ASSERT_TRUE(tree);
    EXPECT_NE(tree->find("SPECS/x.spec"), nullptr);
    EXPECT_NE(tree->find("SOURCES/x.tar.gz"), nullptr);
    ASSERT_NE(tree->find(".rpmmacros"), nullptr);
    EXPECT_EQ(tree->find(".rpmmacros")->content, Digest::of("%dist .tn1\n"));
}

}  // namespace
}  // namespace tarn::build
