// SPDX-License-Identifier: MIT
// The expander beside rpm itself. rpm 4.18's answers; where rpm refuses, so must Tarn.
#include "base/fs.hh"
#include "base/process.hh"
#include "base/strings.hh"
#include "spec/macros.hh"
#include "spec/precise.hh"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

namespace tarn {
namespace {

std::string rpm_version() {
    if (!find_program("rpm") || !find_program("rpmspec")) {
        return {};
    }
    const auto result = run({.argv = {"rpm", "--version"}});
    return result ? result->output : std::string();
}

class RpmComparison : public testing::Test {
  protected:
    void SetUp() override {
        if (!contains(rpm_version(), "4.18.")) {
            GTEST_SKIP() << "rpm 4.18 is not installed: " << rpm_version();
        }
        std::filesystem::create_directories(folder_);
    }
    void TearDown() override {
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }

    static std::string chomp(std::string text) {
        while (text.ends_with('\n')) {
            text.pop_back();
        }
        return text;
    }

    // What rpmspec says of a spec in one query format; nullopt when it refuses it.
    std::optional<std::string> query(const std::string& spec, const std::string& format) {
        const std::string path = folder_ + "/test.spec";
        EXPECT_TRUE(write_file_atomic(path, spec));
        const auto result = run({.argv = {"rpmspec", "-q", "--srpm", "--qf", format, path}});
        EXPECT_TRUE(result);
        return result && result->exit_code == 0 ? std::optional(result->output) : std::nullopt;
    }

    std::string folder_ = std::string(testing::TempDir()) + "tarn-spec-" +
                          testing::UnitTest::GetInstance()->current_test_info()->name();
};

TEST_F(RpmComparison, Expansions) {
    for (const char* text :
         {"%%{x} %a %ab 100% %",
          "%?nil %!?nothere x|%{?nothere:a}%{!?nothere:b}%{??nil:c}",
          "%{nothere:%{nil}a} %{nothere b} %nothere %{nil:abc}",
          "%{basename:a/b.c} %{basename a b} %{dirname:a/b/c} %{dirname:foo} %{suffix:foo}",
          "%basename a/b c",
          "%{shrink:  a   b }|%{expand:%%{nil}x}",
          "%define qqq() <%1:%2>\n%{qqq %{quote:a b} c}",
          "%{expand:%define ccc 2}%{?ccc}",
          "%define ddd %{eee}\n%define eee 3\n%{ddd}",
          "%global fff %{ggg}\n%define ggg 1\n%{fff}",
          "%define hhh {a b}c\n%{hhh}",
          "%define iii a \\\n b\n%{iii}",
          "%define iij a\\\\b %{nil: \n}c\n%{iij}",
          "%define jjj() <%1:%2:%{**}>\n%jjj x y",
          "%define jjj() <%1:%2:%{**}>\n%{jjj x %{nil} \"y z\"} %{jjj:x y} %{jjj}",
          "%define kkk(a:b) %{-a}|%{-a*}|%{-b}|%{-b*}|%{?-b:y}|%{!?-b:n}|%{-a:A}|%*|%**|%#|%0\n"
          "%kkk -a 1 -b c d\n%{kkk -b}\n%kkk -a1\n%kkk -- -b",
          "%define lll() %{1}%{2}%{?3:three}%{!?3:no}\n%lll p q",
          "%define mmm() %define nnn 1\\\n[%{nnn}]\n%{mmm}[%{?nnn}]",
          "%define ooo() %{ppp}\n%define ppp() <%1>\n%define qqq() %{ppp %1 2}\n%qqq z",
          "a%{!?nosuch:%global zzz 1}b%{zzz}",
          "%define rrr 1\n%undefine rrr\n%{?rrr}x",
          "%{defined nil}%{undefined nil}%{defined nothere}%{with x}%{without x}",
          "%bcond_with xxx\n%bcond_without yyy\n%{with xxx}%{with yyy}",
          "%global with_qt 1\n%{with qt}%{?with_qt:yes}",
          "%define _without_abc 1\n%bcond abc 1\n%{with abc}",
          "%dnl nothing %{here\nx",
          "%{expr:1+1}%{expr:\"a\" == \"a\"}",
          "%[1+2*3] %[1 - 1 - 1] %[-2 * 3] %[3/2] %[!1 + 1] %[--1] %[ 07 ]",
          "%[\"a\" < \"b\"] %[v\"1.2\" < v\"1.10\"] %[v\"1~rc\" < v\"1\"] %[v\"1^a\" > v\"1\"]",
          "%[v\"1:1\" > v\"2\"] %[v\"1.0-1\" == v\"1.0\"] %[v\"1.0-1\" < v\"1.0-2\"]",
          "%[1 || 0 && 0] %[0 && 0 || 1] %[1 && 2] %[\"\" || \"x\"] %[1 < 2 == 1] %[!0 == 1]",
          "%[1 ? \"a\" : \"b\"] %[1 ? 0 ? 5 : 6 : 7] %[(2 > 1) && (1 != 2)] %[\"a\" + \"b\"]",
          "%[\"%{nil}\" == \"\"] %[%{with x}] %[1 == %{?nothere}1]",
          "%{lua:release_number = 7;\nbase_release_number = tonumber(rpm.expand("
          "\"%{?-b*}%{!?-b:1}\"));\nprint(release_number + base_release_number - 1);\n}"}) {
        const auto rpm = run({.argv = {"rpm", "--eval", text}});
        ASSERT_TRUE(rpm);
        ASSERT_EQ(rpm->exit_code, 0) << text << rpm->errors;
        EXPECT_EQ(MacroTable(MacroTable::of_rpm()).run(text).text, chomp(rpm->output)) << text;
    }
}

TEST_F(RpmComparison, RefusedExpressions) {
    for (const char* text : {"",
                             "()",
                             "1a",
                             "1/0",
                             "1 2",
                             "a",
                             "\"a\" == 1",
                             "0 || \"x\"",
                             "(1",
                             "1 +",
                             "\"a\" - \"b\"",
                             "v\"1\" < \"3\""}) {
        const auto rpm = run({.argv = {"rpm", "--eval", "%[" + std::string(text) + "]"}});
        ASSERT_TRUE(rpm);
        EXPECT_NE(rpm->exit_code, 0) << text;
        EXPECT_FALSE(MacroTable().condition(text).has_value()) << text;
    }
}

constexpr const char* kHead = "Name: foo\nVersion: 1.2\nRelease: 3\nSummary: s\nLicense: l\n";
constexpr const char* kTail = "%description\nx\n";

TEST_F(RpmComparison, SourcesAndMainTags) {
    for (const char* text :
         {"URL: http://u/%{name}\nSource: %{url}/%{summary}/%{license}-%{release}%{?epoch}.tar\n"
          "Source7: a\nSource: c\nPatch: p\nPatch1%{release}: q\nPatch: r\n",
          "%if 1 && \\\n 1\nSource: yes\n%else\nSource: no\n%endif\n",
          "%if 0\nSource: a\n%elif 1\nSource: b\n%elif 1\nSource: c\n%else\nSource: d\n%endif\n",
          "%if 0\n%if 1\nSource: a\n%else\nSource: b\n%endif\n%else\nSource: c\n%endif\n",
          "%ifos linux\nSource: a\n%endif\n%ifnos linux\nSource: b\n%endif\n",
          "#%global xxx yes\nSource: a%{?xxx}\n# Source: b\n",
          "%{expand:Source: a\nSource: b\n%define ccc 1\n}\nSource: c%{?ccc}\n",
          "%{?nothere:Source: a}\n%{!?nothere:Source: b}\n%dnl Source: c\n",
          "%define multi() Source: %1-1\\\nSource: %1-2\n%multi x\n%multi y\n",
          "%global early %{version}\n%define late %{version}\nEpoch: 4\nSource: %{early}-%{epoch}\n"
          "%package x\nVersion: 9\nSummary: k\nSource: %{version}-%{early}-%{late}\n%description "
          "x\n",
          "%sourcelist\nhttp://x/a.tgz\nb\n%patchlist\np1\n#p3\n\np2\n",
          "%bcond_without docs\n%bcond_with gui\n%if %{with docs}\nSource: docs\n%endif\n"
          "%if %{with gui}\nSource: gui\n%endif\n",
          "%define aaa \\\n%package x\\\n%if 0\\\nSource: a\nSource: b\n",
          "Source: http://x/get?a=b/c#/renamed.tgz\nSource: dir/file\n",
          "%global __v 1.2.3\n%global short %(echo no)\nSource: %{__v}\n"}) {
        const std::string spec = std::string(kHead) + text + kTail;
        const auto rpm =
            query(spec, "%{name}|%{epoch}|%{version}|%{release}|[%{source} ]|[%{patch} ]");
        ASSERT_TRUE(rpm) << text;
        const SpecFacts facts = read_spec_facts(spec);
        const std::string epoch = facts.epoch.text.empty() ? "(none)" : facts.epoch.text;
        std::vector<std::string> parts = {
            facts.name.text, epoch, facts.version.text, facts.release.text};
        for (const bool patch : {false, true}) {
            // rpm gives them from the last to the first.
            std::string files;
            for (auto file = facts.files.rbegin(); file != facts.files.rend(); ++file) {
                files += file->patch == patch ? file->file + " " : "";
            }
            parts.push_back(files);
        }
        const auto sorted = [](std::string_view row) {
            std::vector<std::string> words;
            for (std::string_view field : split(row, '|')) {
                auto names = split_words(field);
                std::sort(names.begin(), names.end());
                words.emplace_back();
                for (std::string_view name : names) {
                    words.back() += std::string(name) + " ";
                }
            }
            return words;
        };
        EXPECT_EQ(sorted(join(parts, "|")), sorted(*rpm)) << text;
    }
}

// rpm refuses what would be wrong if the line were a section header, or were none.
TEST_F(RpmComparison, WhatIsASectionHeader) {
    const std::vector<std::pair<const char*, bool>> lines = {
        {"%build\ncat <<EOF\n%package y\nEOF\n", true},
        {"%build\na \\\n%package y\nEOF\n", true},
        {"%build\n%{nil:\n%package y\nEOF\n}\n", false},
        {"%build\n%define yyy \\\n%package y\\\nEOF\n", false},
        {"%build\n %package y\nEOF\n", false},
        {"%build\n%%package y\nEOF\n", true},
        {"%build\n%%%package y\nEOF\n", false},
        {"%build\n%PackagE y\nEOF\n", true},
        {"%build\n# %package y\nEOF\n", false}};
    for (const auto& [text, is_section] : lines) {
        const std::string spec = std::string(kHead) + kTail + text;
        EXPECT_EQ(query(spec, "").has_value(), !is_section) << text;
        const PreciseSpec precise = PreciseSpec::parse(spec);
        bool found = false;
        for (const PreciseSection& section : precise.sections()) {
            found = found || section.name == "%package";
        }
        EXPECT_EQ(found, is_section) << text;
    }
}

TEST_F(RpmComparison, WhatBalances) {
    for (const char* text : {"%if 1\n%else x\n%endif # y\n",
                             "%if 1\n",
                             "%endif\n",
                             "%else\n",
                             "%if 1\n%else\n%else\n%endif\n",
                             "%if 1\n%else\n%elif 1\n%endif\n",
                             "%define aaa \\\n%if 1\n",
                             "%dnl %if 1\n",
                             "  %if 1\n\t%endif\n",
                             "# %if 1\n",
                             "%%if 1\n",
                             "%description y\n%{nothere\n"}) {
        const std::string spec = std::string(kHead) + kTail + "%build\n" + text;
        const bool accepted = query(spec, "").has_value();
        EXPECT_EQ(PreciseSpec::parse(spec).problems().empty(), accepted) << text;
    }
}

}  // namespace
}  // namespace tarn
