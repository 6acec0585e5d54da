// SPDX-License-Identifier: MIT
#include "base/strings.hh"
#include "spec/macros.hh"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tarn {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* kSmall =
    "%global srcname foo\n"
    "%bcond_with extra\n"
    "Name: %{srcname}-tool\n"
    "Version: 1.2\n"
    "Release: 3%{?dist}\n"
    "Epoch:\t1\n"
    "URL: https://example.org/%{name}\n"
    "Source: %{url}/%{srcname}-%{version}.tar.gz\n"
    "Source7: https://example.org/get?x=1#/renamed-%{release}.zip\n"
    "Source: c.conf\n"
    "Patch: one.patch\n"
    "Patch%{epoch}0: two-%{name}.patch\n"
    "%if %{with extra}\n"
    "Source20: extra.txt\n"
    "%else\n"
    "Source21: plain.txt\n"
    "%endif\n"
    "%description\n"
    "Source99: no.tag\n"
    "%package devel\n"
    "Version: 9\n"
    "Patch50: dev-%{version}.patch\n"
    "%build\n"
    "Source98: no.tag\n";

std::vector<std::string> files(const SpecFacts& facts) {
    std::vector<std::string> result;
    for (const SpecFile& file : facts.files) {
        result.push_back(
            fmt::format("{}{} {}", file.patch ? "Patch" : "Source", file.number, file.file));
    }
    return result;
}

TEST(SpecFacts, TagsBecomeMacros) {
    MacroTable known;
    known.define("dist", {".tn1", {}});
    const SpecFacts facts = read_spec_facts(kSmall, known);
    EXPECT_EQ(facts.name.text, "foo-tool");
    EXPECT_EQ(facts.version.text, "1.2");
    EXPECT_EQ(facts.release.text, "3.tn1");
    EXPECT_EQ(facts.epoch.text, "1");
    EXPECT_TRUE(facts.release.complete());
    EXPECT_THAT(files(facts),
                ElementsAre("Source0 foo-1.2.tar.gz",
                            "Source7 renamed-3.tn1.zip",
                            "Source8 c.conf",
                            "Patch0 one.patch",
                            "Patch10 two-foo-tool.patch",
                            "Source21 plain.txt",
                            "Patch50 dev-9.patch"));
    EXPECT_EQ(facts.files[0].written, "%{url}/%{srcname}-%{version}.tar.gz");
    EXPECT_EQ(facts.files[0].line, 7U);
    EXPECT_EQ(facts.macros.expand("%{SOURCE7}").text, "%{_sourcedir}/renamed-3.tn1.zip");
}

TEST(SpecFacts, OrderMatters) {
    const SpecFacts facts = read_spec_facts(
        "%global early %{?version}\n%define late %{version}\nName: a\nVersion: 1\n"
        "Release: 0%{early}.%{late}\n%define late 2\nSource0: %{late}\n");
    EXPECT_EQ(facts.release.text, "0.1");
    EXPECT_THAT(files(facts), ElementsAre("Source0 2"));
}

TEST(SpecFacts, BothBranchesOfWhatCannotBeDecided) {
    const SpecFacts facts = read_spec_facts(
        "Name: a\n%if 0%{?fedora}\n%global which f\nSource1: fedora.txt\nVersion: 1\n%else\n"
        "%global which e\nSource2: else.txt\nVersion: 2\n%endif\nSource3: %{which}.txt\n"
        "%if 0%{?which:1}\nSource4: four\n%endif\n%if 0\nSource5: five\n%elif 1\nSource6: six\n"
        "%else\nSource7: seven\n%endif\n");
    EXPECT_THAT(files(facts),
                ElementsAre("Source1 fedora.txt",
                            "Source2 else.txt",
                            "Source3 e.txt",
                            "Source4 four",
                            "Source6 six"));
    EXPECT_FALSE(facts.files[0].certain);
    EXPECT_THAT(facts.files[2].expanded.unresolved, ElementsAre("which"));
    EXPECT_THAT(facts.version.unresolved, ElementsAre("(condition)"));
    const ReferencedFiles used = referenced_files(
        facts, {"README", "e.txt", "else.txt", "f.txt", "fedora.txt", "five", "six", "x.c"});
    EXPECT_THAT(used.names, ElementsAre("e.txt", "else.txt", "f.txt", "fedora.txt", "six"));
    EXPECT_TRUE(used.sure);
}

TEST(SpecFacts, WhatTheSpecItselfDefinesIsDecided) {
    const SpecFacts facts = read_spec_facts(
        "%if 0\n%global bundled 1\n%endif\n%if 0%{?bundled}\nSource1: a\n%else\nSource2: "
        "b\n%endif\n"
        "%ifarch %{ix86} x86_64\nSource3: c\n%endif\n%ifos linux\nSource4: d\n%endif\n"
        "%ifnos linux\nSource5: e\n%endif\n");
    EXPECT_THAT(files(facts), ElementsAre("Source2 b", "Source3 c", "Source4 d"));
    EXPECT_FALSE(facts.files[1].certain);
    MacroTable known;
    known.define("_target_cpu", {"aarch64", {}});
    EXPECT_THAT(files(read_spec_facts("%ifarch %{ix86} x86_64\nSource3: c\n%endif\n"
                                      "%ifnarch x86_64\nSource4: d\n%endif\n",
                                      known)),
                ElementsAre("Source4 d"));
}

TEST(SpecFacts, TheLastReleaseWins) {
    EXPECT_EQ(
        read_spec_facts("Release: 1\r\n%if 1\r\nRelease: 2\r\n%else\r\nRelease: 3\r\n%endif\r\n")
            .release.text,
        "2");
    const SpecFacts unknown =
        read_spec_facts("Name: a\nVersion: 1.%{patchlevel}\nRelease: %autorelease\n");
    EXPECT_EQ(unknown.version.text, "1.%{patchlevel}");
    EXPECT_THAT(unknown.version.unresolved, ElementsAre("patchlevel"));
    EXPECT_EQ(unknown.release.text, "%autorelease");
}

TEST(SpecFacts, UnknownMacrosOverSeveralLinesAreNoTags) {
    const SpecFacts facts = read_spec_facts(
        "Name: a\nRequires: %{lua:\nSource9: no\n}\n%{lua:Source8: no}\n%fontpkg -a\nSource: "
        "%{?x:b}c\n");
    EXPECT_THAT(files(facts), ElementsAre("Source0 c"));
}

TEST(SpecFacts, ListsCommentsAndMacrosOverSeveralLines) {
    const SpecFacts facts = read_spec_facts(
        "Name: a\n#Source9: no\n# %global hidden yes\nSource1: %{hidden}\n"
        "%{expand:\nSource2: two\n%package x\n}\nSource3: three\n%{lua:\nSource8: no\n}\n"
        "%define later() Source4: four\n%later\n%if 1 \\\n  && 0\nSource8: no\n%endif\n"
        "%patchlist\np1\n\n#p2\np3\n%sourcelist\nhttp://x/y.tgz\n%description\nx\n");
    EXPECT_THAT(files(facts),
                ElementsAre("Source1 yes",
                            "Source2 two",
                            "Source3 three",
                            "Source4 four",
                            "Patch0 p1",
                            "Patch1 p3",
                            "Source5 y.tgz"));
}

TEST(SpecFacts, IncludesAndLoads) {
    const std::string spec =
        "%{load:%{_sourcedir}/a.macros}\nName: a\n%include %{S:1}\nSource1: inc.spec\n"
        "%include %{_sourcedir}/inc.spec\nSource3: %{loaded}\n";
    const SpecFacts without = read_spec_facts(spec);
    EXPECT_THAT(without.includes, ElementsAre("a.macros", "%{S:1}", "inc.spec"));
    const SpecFacts facts =
        read_spec_facts(spec, {}, [](std::string_view file) -> std::optional<std::string> {
            if (file == "a.macros") {
                return "%loaded yes\n";
            }
            return file == "inc.spec" ? std::optional("Source2: from-inc\n%include inc.spec\n")
                                      : std::nullopt;
        });
    EXPECT_EQ(files(facts).back(), "Source3 yes");
    EXPECT_EQ(facts.files.size(), 10U) << "a file that includes itself ends";
    EXPECT_EQ(facts.files[1].file, "from-inc");
    EXPECT_FALSE(referenced_files(without, {}).sure) << "%include %{S:1} may be any file";
    EXPECT_THAT(referenced_files(facts, {"a.macros", "inc.spec", "x"}).names,
                ElementsAre("a.macros", "inc.spec"));
}

TEST(ReferencedFiles, WhatDidNotExpandIsAPattern) {
    const SpecFacts facts = read_spec_facts(
        "Name: a\nVersion: 1\nSource0: %{forgesource}\nSource1: %{mystery}-%{version}.conf\n"
        "Source2: fonts/sub/b.ttf\nSource3: %{_sourcedir}/plain.txt\n");
    const ReferencedFiles used = referenced_files(facts,
                                                  {".gitignore",
                                                   "README.md",
                                                   "a-1.tar.gz",
                                                   "b.ttf",
                                                   "fonts",
                                                   "plain.txt",
                                                   "q-1.conf",
                                                   "q-2.conf"});
    EXPECT_THAT(used.names, ElementsAre("a-1.tar.gz", "b.ttf", "fonts", "plain.txt", "q-1.conf"));
    EXPECT_TRUE(used.sure);
    EXPECT_THAT(
        used.unresolved,
        ElementsAre("%{forgesource}", "%{mystery}-%{version}.conf", "%{_sourcedir}/plain.txt"));
}

TEST(ReferencedFiles, SaysWhenAReferenceMayBeAnyFile) {
    const ReferencedFiles used =
        referenced_files(read_spec_facts("Source0: %(ls)\nSource1: x\n"), {"README", "x"});
    EXPECT_FALSE(used.sure);
    EXPECT_THAT(used.names, ElementsAre("README", "x"));
    EXPECT_THAT(referenced_files(read_spec_facts(""), {"README"}).names, IsEmpty());
}

TEST(SpecFacts, AnyTextOf64MiB) {
    for (const char byte : {'x', '\0'}) {
        EXPECT_THAT(read_spec_facts(std::string(64U << 20U, byte)).files, IsEmpty());
    }
    const std::string odd = "Source0: " + std::string(8U << 20U, 'x') + "\nPatch0: b\n";
    EXPECT_EQ(read_spec_facts(odd).files.back().expanded.text, "b");
}

TEST(SpecFacts, SurvivesWhatIsNoSpec) {
    const std::string megabyte(1U << 20U, '\0');
    EXPECT_THAT(read_spec_facts(megabyte).files, IsEmpty());
    std::string open;
    for (int i = 0; i < 20'000; ++i) {
        open += "%{?x:%if\n%define aaa %{\n";
    }
    EXPECT_THAT(read_spec_facts(open).files, IsEmpty());
    std::string bomb = "%define aaa x\n";
    for (int i = 0; i < 200; ++i) {
        bomb += "%define aaa %{aaa}%{aaa}\nSource: %{aaa}\n";
    }
    EXPECT_THAT(read_spec_facts(bomb).files.back().expanded.unresolved, ElementsAre("(limit)"));
    EXPECT_THAT(read_spec_facts("%endif\n%else\n%elif 1\nSource0: a\n").files.size(), 1U);
}

}  // namespace
}  // namespace tarn
