// SPDX-License-Identifier: MIT
#include "spec/precise.hh"

#include "base/fs.hh"
#include "base/strings.hh"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>

namespace tarn {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

char letter(LineKind kind) {
    constexpr std::array<char, 9> kLetters = {'.', '_', '#', 'H', 'T', 'C', 'D', 'M', '<'};
    return kLetters.at(static_cast<std::size_t>(kind));
}

std::string kinds(const PreciseSpec& spec) {
    std::string result;
    for (const PreciseLine& line : spec.kinds()) {
        result += letter(line.kind);
    }
    return result;
}
std::string kinds(std::string_view text) {
    return kinds(PreciseSpec::parse(text));
}

std::vector<std::string> titles(std::string_view text) {
    const PreciseSpec spec = PreciseSpec::parse(text);
    std::vector<std::string> result;
    for (const PreciseSection& section : spec.sections()) {
        result.push_back(section.package.empty() ? section.name
                                                 : section.name + " " + section.package);
    }
    return result;
}

std::vector<std::string> problems(std::string_view text) {
    const PreciseSpec spec = PreciseSpec::parse(text);
    std::vector<std::string> result;
    for (const PreciseProblem& problem : spec.problems()) {
        result.push_back(fmt::format("{}: {}", problem.line + 1, problem.message));
    }
    return result;
}

TEST(PreciseSpec, MacroBodiesAreNoStructure) {
    EXPECT_EQ(kinds("%define aaa \\\n%package x\\\n%if 1\\\nName: x\n%prep\n"), "DMMMH");
    EXPECT_EQ(kinds("%global aaa %{expand:\n%files\n%if 1\n}\n%prep\n"), "DMMMH");
    EXPECT_EQ(kinds("%{lua:\n%files\nif x then { } end\n}\n%prep\n"), ".MMMH");
    EXPECT_EQ(kinds("%{?x:\n%check\n}\n%(\n%check\n)\n%[\n1\n]\n%prep\n"), ".MM.MM.MMH");
    EXPECT_EQ(kinds("%{!?aaa: %global aaa \\\n%files\n}\nName: x\n"), "DMMT");
    EXPECT_THAT(problems("%define aaa \\\n%package x\n"),
                ElementsAre("2: %package is no section to rpm: it is inside a macro"));
}

TEST(PreciseSpec, DefinitionsByTheirFirstWord) {
    EXPECT_EQ(kinds("%global a b\n  %define a b\n%undefine a\n%bcond_with x\n%bcond x 1\n"
                    "%include x\n%{load:x}\n%load x\n%globalx y\n%{?x:%global a b}\n"),
              "DDDDDDDD.D");
}

TEST(PreciseSpec, CommentsAndBlankLines) {
    EXPECT_EQ(kinds("# %files\n   # Name: x\n%dnl %{x\nName: x\n \t\n\r\n%dnlx\n"), "###T__.");
    EXPECT_EQ(kinds("# %{expand:\n%files\n}\n%prep\n"), "#MMH");
    EXPECT_THAT(problems("# %{expand:\nx\n}\n# %global a b\n# %%global a b\n"),
                ElementsAre(HasSubstr("1: this comment opens a macro"),
                            HasSubstr("4: rpm obeys the %global of this comment")));
}

TEST(PreciseSpec, ContinuedLinesOfScriptsAreReadLineByLine) {
    EXPECT_EQ(kinds("%build\nmake \\\n  all \\\n%install\n"), "H..H") << "as rpm does";
    EXPECT_EQ(kinds("%build\nmake \\\\\n%install\n"), "H.H");
    EXPECT_EQ(kinds("Requires: a \\\n  b: c\nName: x\n"), "T.T");
}

TEST(PreciseSpec, HeadersInTheFirstColumnInAnyCase) {
    EXPECT_THAT(titles("%Build\n %check\n%%install "
                       "x\n%%%clean\n%filesx\n%PREP\n%build%{nil}\n%verifyscript\n"),
                ElementsAre("", "%build", "%install", "%prep", "%verifyscript"));
    EXPECT_THAT(problems("%%check\n"),
                ElementsAre("1: rpm takes %%check for %check: this starts a section"));
    EXPECT_THAT(problems(" %check\n"),
                ElementsAre("1: %check is no section to rpm: it does not begin in column 1"));
    EXPECT_THAT(titles("%changelog\n- text\n%files in text\n"),
                ElementsAre("", "%changelog", "%files %{name}-in"));
}

TEST(PreciseSpec, PackageNamesAreJoined) {
    EXPECT_THAT(
        titles("Name: foo\n%package devel\n%files -n foo-devel\n%files -n %{name}-devel\n"
               "%files -n %{?name}-devel\n%files -n foo\n%files -n %name\n%files -n foobar\n"
               "%files -n %{name}bar\n%files\n"),
        ElementsAre("",
                    "%package %{name}-devel",
                    "%files %{name}-devel",
                    "%files %{name}-devel",
                    "%files %{name}-devel",
                    "%files",
                    "%files",
                    "%files foobar",
                    "%files foobar",
                    "%files"));
    EXPECT_THAT(titles("Name: %{src}\n%files -n %{src}-x\n%files x\n%files -n lib%{src}\n"),
                ElementsAre("", "%files %{name}-x", "%files %{name}-x", "%files lib%{src}"));
    const PreciseSpec given = PreciseSpec::parse("%files -n foo-x\n", "foo");
    EXPECT_EQ(given.sections()[1].package, "%{name}-x");
    EXPECT_EQ(given.sections()[1].written, "foo-x");
}

TEST(PreciseSpec, OptionsOfHeaders) {
    const PreciseSpec spec = PreciseSpec::parse(
        "%files -f a.list -f b.list devel\n%post -p <lua> -n x\n%description -l de devel\n"
        "%build -p\n%install -a\n%triggerin -n y -- bash\n%prep extra words\n%package devel %{z "
        "b}\n");
    std::vector<std::string> options;
    for (const PreciseSection& section : spec.sections()) {
        options.push_back(section.package + "|" + join(section.options, ","));
    }
    EXPECT_THAT(options,
                ElementsAre("|",
                            "%{name}-devel|-f a.list,-f b.list",
                            "x|-p <lua>",
                            "%{name}-devel|-l de",
                            "|-p",
                            "|-a",
                            "y|",
                            "|",
                            "%{name}-devel|"));
}

TEST(PreciseSpec, AMacroThatIsTheBodyIsNoPackage) {
    EXPECT_THAT(titles("%global _desc %{expand:\nText.}\n%description %{_desc}\n"
                       "%description devel %{_desc}\n%description %{common_description}\n"
                       "%files %{pkg}\n"),
                ElementsAre("",
                            "%description",
                            "%description %{name}-devel",
                            "%description",
                            "%files %{name}-%{pkg}"));
}

TEST(PreciseSpec, ConditionalsAreATree) {
    const PreciseSpec spec = PreciseSpec::parse(
        "%if a\nName: x\n  %ifarch b\n  %else # c\nEpoch: 1\n  %endif # d\n%elif e\nURL: x\n"
        "%else\n%endif\n%if f\n# nothing\n\n%endif\nx\n");
    ASSERT_EQ(spec.conditions().size(), 3U);
    EXPECT_THAT(spec.conditions()[0].lines, ElementsAre(0, 6, 8, 9));
    EXPECT_THAT(spec.conditions()[1].lines, ElementsAre(2, 3, 5));
    EXPECT_EQ(spec.conditions()[1].parent, 0);
    EXPECT_EQ(spec.kinds()[4].condition, 1);
    EXPECT_EQ(spec.kinds()[4].branch, 1U);
    EXPECT_EQ(spec.kinds()[7].condition, 0);
    EXPECT_EQ(spec.kinds()[7].branch, 1U);
    EXPECT_EQ(spec.kinds()[14].condition, -1);
    EXPECT_FALSE(spec.conditions()[0].empty);
    EXPECT_TRUE(spec.conditions()[2].empty);
    EXPECT_THAT(spec.problems(), IsEmpty());
}

TEST(PreciseSpec, ConditionalsThatDoNotBalance) {
    EXPECT_THAT(problems("%endif\n%else\n%elif 1\n%if 1\n%else\n%else\n%elif 0\n%endif\n%if 2\n"),
                ElementsAre("1: %endif without an %if before it",
                            "2: %else without an %if before it",
                            "3: %elif without an %if before it",
                            "6: %else after the %else of the %if in line 4",
                            "7: %elif after the %else of the %if in line 4",
                            "9: this %if has no %endif"));
    EXPECT_EQ(kinds("%if 1 && \\\n 1\nx\n%endif\n"), "CM.C");
    EXPECT_EQ(kinds("%if(1)\n%iffy\n%endif#x\n"), "...") << "a blank must follow";
}

std::vector<std::string> bodies(std::string_view text) {
    const PreciseSpec spec = PreciseSpec::parse(text);
    std::vector<std::string> result;
    for (const PreciseSection& section : spec.sections()) {
        result.push_back(fmt::format("{}-{}/{}", section.begin, section.body_end, section.end));
    }
    return result;
}

TEST(PreciseSpec, BodiesEndBeforeWhatBelongsToTheNextSection) {
    EXPECT_THAT(
        bodies(
            "Name: x\n\n%build\nmake\n\n# devel\n%if 1\n%package d\nURL: x\n%endif\n\n%prep\n\n"),
        ElementsAre("0-1/2", "2-4/7", "7-9/11", "11-12/13"));
    EXPECT_THAT(bodies("%build\n%if 1\nmake\n%endif\n\n%check\n"),
                ElementsAre("0-0/0", "0-4/5", "5-6/6"))
        << "a whole conditional is the section's own";
    EXPECT_THAT(bodies("%files a\nx\n%else\n%files b\n%endif\n"),
                ElementsAre("0-0/0", "0-2/3", "3-4/5"));
    EXPECT_THAT(
        bodies("%if 1\n%files a\nx\n\n%else\n\n%files b\ny\n%endif\n%if 1\nz\n%files c\n%endif\n"),
        ElementsAre("0-0/1", "1-3/6", "6-11/11", "11-12/13"))
        << "content under a straddling %if stays";
}

TEST(PreciseSpec, HereDocuments) {
    EXPECT_EQ(kinds("%build\ncat > x <<EOF\nName: y\n# no comment\n\nEOF\nmake\n"), "H.<<<<.");
    EXPECT_EQ(kinds("%build\ncat <<-'E O'  <<\"B\"\n\tx\n\tE O\ny\nB\nz\n"), "H.<<<<.");
    EXPECT_EQ(kinds("%build\ncat << \\END\nEND \nEND\nz\n"), "H.<<.");
    EXPECT_EQ(kinds("%build\ncat <<EOF\n%if 1\nx\n%endif\nEOF\n"), "H.C<C<") << "rpm obeys them";
    EXPECT_EQ(kinds("%build\ncat <<<EOF\nEOF\necho $((1 << 4))\n4\n"), "H....");
    EXPECT_EQ(kinds("%description\ncat <<EOF\nx\nEOF\n%post -p <lua>\na <<EOF\nEOF\n"), "H...H..");
    EXPECT_EQ(kinds("%post -p /bin/sh\ncat <<EOF\nx\nEOF\n"), "H.<<");
}

TEST(PreciseSpec, AHeaderInsideAHereDocumentStartsASection) {
    const std::string text = "%build\ncat <<EOF\n%files\nEOF\n";
    EXPECT_EQ(kinds(text), "H.H.");
    EXPECT_THAT(problems(text), ElementsAre("2: the here-document does not end in %build"));
}

TEST(PreciseSpec, Tags) {
    EXPECT_EQ(
        kinds("Name:\tx\nName : x\nRequires(post): x\nSummary(de): x\nSource%{n}: x\nPatch1000: x\n"
              "  Epoch: 1\n%{?x:Requires: y}\nno tag\n: x\n%package d\nURL: x\n%build\nURL: x\n"),
        "TTTTTTT...HTH.");
    EXPECT_EQ(kinds("%sourcelist\nhttp://x\n%preamble\nURL: x\n"), "H.HT");
}

TEST(PreciseSpec, AMacroThatIsNeverClosedHidesNothing) {
    const std::string text = "Name: x\n%{?open\n%build\n%define aaa %{\n%install\n";
    EXPECT_EQ(kinds(text), "T.HDH");
    EXPECT_THAT(problems(text), ElementsAre("2: a macro opened here is never closed"));
    EXPECT_THAT(titles("make \\\n%build\n%{open\n"), ElementsAre("", "%build"));
}

TEST(PreciseSpec, AnyBytesInLinearTime) {
    EXPECT_EQ(kinds(""), "");
    EXPECT_EQ(kinds("\n"), "_");
    EXPECT_EQ(kinds(std::string_view("a\0b\n%prep\0\n", 11)), ".H");
    EXPECT_EQ(kinds(std::string(64U << 20U, '\0')), ".");
    EXPECT_EQ(kinds(std::string(8U << 20U, '%')), ".");
    EXPECT_EQ(kinds(std::string(8U << 20U, '{') + "%{"), ".");
    std::string unclosed = "%build\n";
    for (int i = 0; i < 200'000; ++i) {
        unclosed += "cat <<EOF\n%{?x:\n%if 1\n";
    }
    const PreciseSpec spec = PreciseSpec::parse(unclosed);
    EXPECT_EQ(spec.kinds().size(), 600'001U);
    EXPECT_EQ(spec.problems().size(), 1000U) << "no more than anybody reads";
}

struct Construct {
    const char* name;
    std::string_view text;
    const char* kinds;
};

TEST(PreciseSpec, FurtherConstructsOfRealSpecs) {
    for (const Construct& construct : std::vector<Construct>{
             {"deep conditionals",
              "%if 1\n%if 2\n%if 3\n%if 4\n%if 5\nName: "
              "x\n%endif\n%endif\n%endif\n%endif\n%endif\n",
              "CCCCCTCCCCC"},
             {"lua in a line", "%{lua: if x then y({}) end}\nName: x\n", ".T"},
             {"section by macro", "%{?x:%files}\nName: x\n%fontpkg -a\n%prep\n", ".T.H"},
             {"tag with lua over lines", "Requires: %{lua:\nprint('a: b')\n}\nName: x\n", "TMMT"},
             {"definition in a section",
              "%install\n%global a b\n%define c \\\n%files\n%files\n",
              "HDDMH"},
             {"build system", "BuildSystem: pyproject\nBuildOption(conf): -x\n", "TT"},
             {"generated requires", "%generate_buildrequires\ncat <<E\nName: x\nE\n", "H.<<"},
             {"carriage returns",
              "Name: x\r\n%if 1\r\n\r\n%else\r\n%endif\r\n%build\r\nx\r\n",
              "TC_CCH."},
             {"carriage return inside", "Name: x\r%build\nx\n", "T."},
             {"no newline at the end", "Name: x\n%build", "TH"},
             {"not UTF-8", "Name: \xff\xfe\n\xff: x\n", "T."},
             {"byte order mark", "\xEF\xBB\xBFName: x\n", "."},
             {"form feed", "\fName: x\n\f\n%build\f\n", "T_H"},
             {"no-break space", "\xC2\xA0%build\n%build\xC2\xA0x\n", ".."},
             {"changelog twice", "%changelog\n* x\n%changelog\n- Name: x\n", "H.H."},
             {"append and prepend", "%install -a\n%build -p\nx\n", "HH."},
             {"escaped condition", "%build\n%%if 1\n%%endif\n", "HCC"}}) {
        EXPECT_EQ(kinds(construct.text), construct.kinds) << construct.name;
    }
    EXPECT_THAT(
        titles("%post devel\n%post devel\n%trigger -- x\n%transfiletriggerin -P 9 -n y -- /a\n"),
        ElementsAre(
            "", "%post %{name}-devel", "%post %{name}-devel", "%trigger", "%transfiletriggerin y"));
}

TEST(PreciseSpec, DumpOfANastySpec) {
    const std::string folder = std::string(TARN_SOURCE_DIR) + "/tests/golden/spec/nasty/";
    const auto text = read_file(folder + "in.spec");
    ASSERT_TRUE(text) << folder;
    const PreciseSpec spec = PreciseSpec::parse(*text);
    std::string dump;
    for (std::size_t i = 0; i < spec.lines().size(); ++i) {
        const PreciseLine& line = spec.kinds()[i];
        const std::string condition =
            line.condition < 0 ? "" : fmt::format("{}.{}", line.condition, line.branch);
        dump += fmt::format("{:3} {} {:2} {:4} |{}\n",
                            i + 1,
                            letter(line.kind),
                            line.section,
                            condition,
                            spec.lines()[i]);
    }
    dump += "\nsections\n";
    for (const PreciseSection& section : spec.sections()) {
        dump += fmt::format("{}-{}({}) {} [{}] written [{}] options [{}]\n",
                            section.begin + 1,
                            section.body_end,
                            section.end,
                            section.name,
                            section.package,
                            section.written,
                            join(section.options, ", "));
    }
    dump += "\nproblems\n";
    for (const PreciseProblem& problem : spec.problems()) {
        dump += fmt::format("{}: {}\n", problem.line + 1, problem.message);
    }
    if (std::getenv("TARN_ACCEPT") != nullptr) {
        ASSERT_TRUE(write_file_atomic(folder + "dump.exp", dump));
    }
    EXPECT_EQ(read_file(folder + "dump.exp").value_or(""), dump);
}

}  // namespace
}  // namespace tarn
