// SPDX-License-Identifier: MIT
#include "rpm/package.hh"

#include <gtest/gtest.h>

namespace tarn::rpm {
namespace {

TEST(Evr, EpochIsShownOnlyWhenThereIsOne) {
    EXPECT_EQ((Evr{1, "2.3", "4"}.to_string()), "1:2.3-4");
    EXPECT_EQ((Evr{0, "2.3", "4"}.to_string()), "2.3-4");
    EXPECT_EQ((Evr{std::nullopt, "2.3", "4"}.to_string()), "2.3-4");
    EXPECT_EQ((Evr{std::nullopt, "2.3", ""}.to_string()), "2.3");
}

TEST(Nevra, NamesAPackageAndItsFile) {
    const Nevra nevra{"bash", {2, "5.3", "2.tn1"}, "x86_64"};
    EXPECT_EQ(nevra.to_string(), "bash-2:5.3-2.tn1.x86_64");
    EXPECT_EQ(nevra.file_name(), "bash-5.3-2.tn1.x86_64.rpm");
}

TEST(Dependency, ParsesAndPrintsEveryOperator) {
    for (const char* text : {"glibc",
                             "glibc < 2",
                             "glibc <= 2",
                             "glibc = 1:2-3",
                             "glibc >= 2.43",
                             "glibc > 2",
                             "libc.so.6()(64bit)",
                             "(a or b)",
                             "(a >= 1 if b)"}) {
        EXPECT_EQ(Dependency::parse(text).to_string(), text);
    }
    const Dependency dependency = Dependency::parse("  glibc  >=  2.43 ");
    EXPECT_EQ(dependency.name, "glibc");
    EXPECT_EQ(dependency.flags, 12U);
    EXPECT_EQ(dependency.evr, "2.43");
}

TEST(Dependency, BooleanOnesStayWhole) {
    const Dependency dependency = Dependency::parse("(a >= 1 or b)");
    EXPECT_EQ(dependency.name, "(a >= 1 or b)");
    EXPECT_EQ(dependency.flags, 0U);
}

TEST(Dependency, FlagsOfRpmItselfAreNotShown) {
    const Dependency dependency{"rpmlib(FileCaps)", 1U << 24U | 10U, "4.6.1-1"};
    EXPECT_EQ(dependency.to_string(), "rpmlib(FileCaps) <= 4.6.1-1");
}

}  // namespace
}  // namespace tarn::rpm
