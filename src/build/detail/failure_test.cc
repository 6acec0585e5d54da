// SPDX-License-Identifier: MIT
#include "build/detail/failure.hh"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tarn::build {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string failed_build() {
    std::string log =
        "Executing(%prep): /bin/sh -e /tmp/rpm-tmp.a\n+ umask 022\n"
        "Executing(%build): /bin/sh -e /tmp/rpm-tmp.b\n";
    for (int i = 0; i < 40; ++i) {
        log += fmt::format("cc -c file{}.c\n", i);
    }
    log +=
        "\x1b[1mfile39.c:41:10:\x1b[0m fatal error: zlib.h: No such file or directory\n"
        "make: *** [Makefile:212: all] Error 1\n"
        "error: Bad exit status from /tmp/rpm-tmp.b (%build)\n"
        "\nRPM build errors:\n    Bad exit status from /tmp/rpm-tmp.b (%build)\n";
    return log;
}

TEST(ReadLog, NamesTheSectionAndShowsItsLastLines) {
    const LogVerdict verdict = read_log(failed_build(), "x.spec");
    EXPECT_EQ(verdict.section, "%build");
    EXPECT_EQ(verdict.tail.size(), kTailLines);
    EXPECT_EQ(verdict.tail.back(), "make: *** [Makefile:212: all] Error 1");
    EXPECT_THAT(verdict.reason, HasSubstr("file39.c:41:10: fatal error: zlib.h"));
}

TEST(ReadLog, TakesControlCharactersOut) {
    for (const auto& line : read_log(failed_build(), "x.spec").tail) {
        EXPECT_EQ(line.find('\x1b'), std::string::npos);
        EXPECT_EQ(line.find("[1m"), std::string::npos);
    }
}

TEST(ReadLog, KnowsUnpackagedFiles) {
    const LogVerdict verdict = read_log(
        "Executing(%install): /bin/sh\nChecking for unpackaged file(s)\n"
        "error: Installed (but unpackaged) file(s) found:\n   /usr/share/doc/x\n"
        "\nRPM build errors:\n    Installed (but unpackaged) file(s) found:\n",
        "x.spec");
    EXPECT_EQ(verdict.section, "%files");
    EXPECT_THAT(verdict.tail, ::testing::Contains(HasSubstr("/usr/share/doc/x")));
}

TEST(ReadLog, KnowsASpecThatCannotBeRead) {
    const LogVerdict verdict = read_log("error: line 3: Unknown tag: Foo\n", "x.spec");
    EXPECT_EQ(verdict.section, "spec");
    EXPECT_EQ(verdict.reason, "x.spec:3: Unknown tag: Foo");
}

TEST(ReadLog, SurvivesAnything) {
    EXPECT_EQ(read_log("", "x.spec").section, "rpmbuild");
    EXPECT_EQ(read_log("killed\n", "x.spec").tail, std::vector<std::string>{"killed"});
    EXPECT_EQ(read_log("error: Bad exit status from )(\n", "x.spec").section, "spec");
    const std::string binary(100'000, '\xff');
    for (const auto& line : read_log(binary, "x.spec").tail) {
        EXPECT_LE(line.size(), 300U);
    }
}

TEST(SectionStarted, IsTheLastOfAPiece) {
    EXPECT_EQ(section_started("+ true\nExecuting(%build): /bin/sh\nExecuting(%check): x"),
              "%check");
    EXPECT_EQ(section_started("nothing"), "");
    EXPECT_EQ(section_started("Executing(mkbuilddir): x"), "");
}

TEST(MissingAdvice, NamesThePackageThatHasIt) {
    const auto owner = [](std::string_view what) -> std::string {
        if (what == "/usr/include/zlib.h" || what == "pkgconfig(zlib)") {
            return "zlib-devel";
        }
        return what == "/usr/bin/flex" ? "flex" : "";
    };
    EXPECT_THAT(missing_advice("a.c:1:1: fatal error: zlib.h: No such file or directory\n", owner),
                ElementsAre(HasSubstr("add `BuildRequires: zlib-devel`")));
    EXPECT_THAT(missing_advice("/tmp/rpm-tmp.x: line 3: flex: command not found\n", owner),
                ElementsAre("/usr/bin/flex is in flex; add `BuildRequires: flex`"));
    EXPECT_THAT(missing_advice("Package 'zlib', required by 'virtual:world', not found\n", owner),
                ElementsAre(HasSubstr("add `BuildRequires: pkgconfig(zlib)`")));
    EXPECT_TRUE(missing_advice("all is well\n", owner).empty());
}

}  // namespace
}  // namespace tarn::build
