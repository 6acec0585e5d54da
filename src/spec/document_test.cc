// SPDX-License-Identifier: MIT
#include "spec/document.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tarn {
namespace {

using testing::ElementsAre;

std::vector<std::string> titles(const SpecDocument& spec) {
    std::vector<std::string> result;
    for (const SpecSection& section : spec.sections()) {
        result.push_back(section.name + "|" + section.package);
    }
    return result;
}

std::vector<std::string> tags(const SpecDocument& spec) {
    std::vector<std::string> result;
    for (const SpecTag& tag : spec.tags()) {
        result.push_back(tag.name + "=" + tag.value);
    }
    return result;
}

TEST(SpecDocument, PrintsWhatItParsed) {
    for (const char* text : {"",
                             "\n",
                             "Name: x",
                             "Name: x\n",
                             "a\r\nb\r\n",
                             "\n\n%prep\n\n",
                             "%build\n\xff\xfe\nx\t \n"}) {
        EXPECT_EQ(SpecDocument::parse(text).print(), text);
    }
    const std::string with_nul("a\0b\n%prep\n", 10);
    EXPECT_EQ(SpecDocument::parse(with_nul).print(), with_nul);
}

TEST(SpecDocument, FindsSectionsByTheirFirstWord) {
    const auto spec = SpecDocument::parse(
        "Name: x\n"
        "%package devel\n"
        "%package -n libx\n"
        "  %prep\n"
        "%Build\n"
        "%build%{nil}\n"
        "%%install\n"
        "# %check\n"
        "%files -f files.list -n x-devel\n"
        "%post -p /sbin/ldconfig -n y\n"
        "%files -f a -f b tools\n"
        "%pre -- ignored\n"
        "%changelog x\n"
        "%sepolicy\n");
    EXPECT_THAT(titles(spec),
                ElementsAre("|",
                            "%package|devel",
                            "%package|libx",
                            "%prep|",
                            "%Build|",
                            "%files|x-devel",
                            "%post|y",
                            "%files|tools",
                            "%pre|",
                            "%changelog|"));
    EXPECT_EQ(spec.sections()[0].end, 1U);
    EXPECT_EQ(spec.sections()[4].begin, 4U);
    EXPECT_EQ(spec.sections()[4].end, 8U);
    EXPECT_EQ(spec.sections().back().end, 14U);
}

TEST(SpecDocument, KeepsMacrosInPackageNamesAsWritten) {
    const auto spec =
        SpecDocument::parse("%files -n %{name}+xen-devel\n%description -l de devel\n");
    EXPECT_EQ(spec.sections()[1].package, "%{name}+xen-devel");
    EXPECT_EQ(spec.sections()[2].package, "devel");
}

TEST(SpecDocument, FindsTagsInThePreambleAndInPackages) {
    const auto spec = SpecDocument::parse(
        "Name:\tx \n"
        "  Requires(post): a >= 1\n"
        "%{load:%{_sourcedir}/x.macros}\n"
        "%define a b: c\n"
        "#Version: 1\n"
        "Summary(de): d\n"
        "Empty:\n"
        "%description\n"
        "Not: a tag\n"
        "%package devel\n"
        "Requires: x\n"
        "%build\n"
        "make: y\n");
    EXPECT_THAT(tags(spec),
                ElementsAre("Name=x",
                            "Requires(post)=a >= 1",
                            "%{load=%{_sourcedir}/x.macros}",
                            "Summary(de)=d",
                            "Empty=",
                            "Requires=x"));
    EXPECT_EQ(spec.tags()[5].section, 2U);
    EXPECT_EQ(spec.tags()[5].line, 10U);
}

TEST(SpecDocument, TrimsUnicodeWhiteSpace) {
    EXPECT_EQ(spec_trim("\xC2\xA0 x\xE2\x80\x89\xE3\x80\x80"), "x");
    EXPECT_EQ(spec_trim("\xE2\x80\x8B"), "\xE2\x80\x8B") << "a zero-width space is none";
    const auto spec = SpecDocument::parse("\xC2\xA0%prep\xC2\xA0x\n");
    EXPECT_THAT(titles(spec), ElementsAre("|", "%prep|x"));
}

TEST(SpecDocument, EditsKeepTheIndexRight) {
    auto spec = SpecDocument::parse("Name: x\n%prep\n%build\nmake\n");
    spec.insert(1, {"Version: 1\n%package devel", "Summary: s"});
    EXPECT_EQ(spec.print(),
              "Name: x\nVersion: 1\n%package devel\nSummary: s\n%prep\n%build\nmake\n");
    EXPECT_THAT(titles(spec), ElementsAre("|", "%package|devel", "%prep|", "%build|"));
    EXPECT_THAT(tags(spec), ElementsAre("Name=x", "Version=1", "Summary=s"));
    spec.remove(2, 2);
    EXPECT_THAT(titles(spec), ElementsAre("|", "%prep|", "%build|"));
    spec.replace(4, "one\n%check\ntwo");
    EXPECT_THAT(titles(spec), ElementsAre("|", "%prep|", "%build|", "%check|"));
    EXPECT_EQ(spec.lines().size(), 7U);
    spec.remove(5, 100);
    EXPECT_EQ(spec.lines().size(), 5U);
    spec.insert(100, {"end"});
    EXPECT_EQ(spec.lines().back(), "end");
}

}  // namespace
}  // namespace tarn
