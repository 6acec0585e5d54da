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

TEST(SpecDocument, KnowsTheseHeadersAndNoOthers) {
    const std::vector<std::string> known = {"package",
                                            "prep",
                                            "conf",
                                            "build",
                                            "install",
                                            "check",
                                            "clean",
                                            "generate_buildrequires",
                                            "pre",
                                            "post",
                                            "preun",
                                            "postun",
                                            "pretrans",
                                            "posttrans",
                                            "preuntrans",
                                            "postuntrans",
                                            "verify",
                                            "triggerin",
                                            "triggerun",
                                            "triggerprein",
                                            "triggerpostun",
                                            "filetriggerin",
                                            "filetriggerun",
                                            "filetriggerpostun",
                                            "transfiletriggerin",
                                            "transfiletriggerun",
                                            "transfiletriggerpostun",
                                            "description",
                                            "files",
                                            "changelog",
                                            "patchlist",
                                            "sourcelist"};
    for (const std::string& word : known) {
        for (const std::string& line : {"%" + word, " \t%" + word + " a b", "%" + word + "\r"}) {
            EXPECT_EQ(SpecDocument::parse(line + "\n").sections().size(), 2U) << line;
        }
        for (const std::string& line : {word,
                                        "%%" + word,
                                        "%" + word + "%{nil}",
                                        "%" + word + "x",
                                        "%{" + word + "}",
                                        "#%" + word,
                                        "x %" + word,
                                        "%" + word + ":",
                                        "% " + word}) {
            EXPECT_EQ(SpecDocument::parse(line + "\n").sections().size(), 1U) << line;
        }
    }
    for (const std::string word :
         {"sepolicy", "preamble", "verifyscript", "trigger", "else", "if"}) {
        EXPECT_EQ(SpecDocument::parse("%" + word + "\n").sections().size(), 1U) << word;
    }
}

TEST(SpecDocument, APackageIsFoundInAllWordsOfItsHeader) {
    const std::pair<std::string, std::string> headers[] = {
        {"%files", ""},
        {"%files devel tools", "devel"},
        {"%files devel -n x", "x"},
        {"%files -n x -n y z", "y"},
        {"%files devel -f list", "devel"},
        {"%files -f", ""},
        {"%files -n", ""},
        {"%files -q -x devel", "devel"},
        {"%post -P /bin/sh devel", "devel"},
        {"%post -p <lua> -n x", "x"},
        {"%description -l de -n x", "x"},
        {"%files -- devel", ""},
        {"%files a -- -n x", "a"},
        {"%files -fa devel", "devel"},
        {"%files %{?x} devel", "%{?x}"},
        {"%patchlist x", ""},
        {"%sourcelist -n x", ""},
        {"%changelog devel", ""},
    };
    for (const auto& [header, package] : headers) {
        EXPECT_EQ(parse_spec_header(header).value().package, package) << header;
    }
}

TEST(SpecDocument, ASectionEndsBeforeTheNextHeader) {
    const auto spec = SpecDocument::parse("a\n%prep\nb\n\n%if 1\n%build\n%endif\n");
    EXPECT_EQ(spec.sections()[1].begin, 1U);
    EXPECT_EQ(spec.sections()[1].end, 5U) << "blank lines and a trailing %if are its own";
    const auto branches = SpecDocument::parse("%if 1\n%package a\n%else\n%package b\n%endif\n");
    EXPECT_THAT(titles(branches), ElementsAre("|", "%package|a", "%package|b"));
    const auto body = SpecDocument::parse("%global m \\\n%check\n%{expand:\n%files\n}\n");
    EXPECT_THAT(titles(body), ElementsAre("|", "%check|", "%files|"));
}

TEST(SpecDocument, ReadsAnyTextOf64MiB) {
    constexpr std::size_t kSize = 64u << 20;
    for (const char byte : {'x', '\0'}) {
        const std::string text(kSize, byte);
        const auto spec = SpecDocument::parse(text);
        EXPECT_EQ(spec.sections().size(), 1U);
        EXPECT_TRUE(spec.tags().empty());
        EXPECT_TRUE(spec.print() == text) << int{byte};
    }
    std::string lines;
    while (lines.size() < kSize) {
        lines += "%package x\nRequires: y\n\\\n" + std::string(2000, 'z') + '\n';
    }
    const auto spec = SpecDocument::parse(lines);
    EXPECT_EQ(spec.tags().size() + 1, spec.sections().size());
    EXPECT_TRUE(spec.print() == lines);
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
        "  #Url: u\n"
        "a b: c\n"
        ":d\n"
        "http://x y\n"
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
                            "#Url=u",
                            "http=//x y",
                            "Summary(de)=d",
                            "Empty=",
                            "Requires=x"));
    EXPECT_EQ(spec.tags()[7].section, 2U);
    EXPECT_EQ(spec.tags()[7].line, 14U);
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
