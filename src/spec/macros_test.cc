// SPDX-License-Identifier: MIT
#include "spec/macros.hh"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tarn {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string expanded(std::string_view text) {
    return MacroTable(MacroTable::of_rpm()).run(text).text;
}

TEST(Macros, ConditionalsTakeTheirBodyOrTheValue) {
    MacroTable macros;
    macros.define("foo", {"x", {}});
    EXPECT_EQ(macros.expand("%foo %{foo} %{?foo} %?foo %{!?foo:no}%{?foo:yes %{foo}}").text,
              "x x x x yes x");
    EXPECT_EQ(macros.expand("[%{?bar}%{?bar:a}%{!?bar}%?bar]%{!?bar:b %{foo}}").text, "[]b x");
    EXPECT_EQ(macros.expand("100% %% %%{foo} %ab 5%").text, "100% % %{foo} %ab 5%");
    EXPECT_TRUE(macros.expand("100% %%").complete());
}

TEST(Macros, UnknownOnesStayAndAreNamed) {
    MacroTable macros;
    macros.define("foo", {"x", {}});
    const Expansion result =
        macros.expand("%{gourl} %gourl %{un:%{foo}} %(date) %{lua:print(1)} %{a b}");
    EXPECT_EQ(result.text, "%{gourl} %gourl %{un:x} %(date) %{lua:print(1)} %{a b}");
    EXPECT_THAT(result.unresolved, ElementsAre("gourl", "un", "(...)", "lua:...", "a"));
    EXPECT_EQ(macros.expand("a %{foo} %{open %{foo}").text, "a x %{open %{foo}");
    EXPECT_THAT(macros.expand("%{open").unresolved, ElementsAre("(unclosed)"));
    EXPECT_THAT(macros.expand("%[1 + %{un}]").unresolved, ElementsAre("un", "[...]"));
}

TEST(Macros, GlobalExpandsAtOnceAndDefineAtUse) {
    MacroTable macros;
    macros.run("%define one 1\n%global early %{one}\n%define late %{one}\n%define one 2");
    EXPECT_EQ(macros.expand("%{early} %{late}").text, "1 2");
    macros.run("%undefine late");
    EXPECT_EQ(macros.find("late"), nullptr);
    EXPECT_TRUE(macros.known("late"));
    EXPECT_EQ(macros.expand("[%{?late}]").text, "[]");
}

TEST(Macros, BodiesGoOverSeveralLines) {
    MacroTable macros;
    macros.run(
        "%define aaa one \\\n  two\n%define bbb {x\ny}z\n%define ccc %{expand:\np\n}q\nrest");
    EXPECT_EQ(macros.find("aaa")->body, "one \n  two");
    EXPECT_EQ(macros.find("bbb")->body, "x\ny");
    EXPECT_EQ(macros.find("ccc")->body, "%{expand:\np\n}q");
}

TEST(Macros, ParametricOnesHaveOptionsAndArguments) {
    EXPECT_EQ(expanded("%define kkk(a:b) %{-a}|%{-a*}|%{-b}|%{!?-b:no}|%{-a:A}|%*|%**|%#|%0|%1|%2\n"
                       "%kkk -a 1 x"),
              "-a 1|1||no|A|x|-a 1 x|1|kkk|x|%2");
    EXPECT_EQ(expanded("%define jjj() <%1:%2>\n%{jjj x y} %{jjj:x y} %jjj p q"),
              "<x:y> <x y:%2> <p:q>");
    EXPECT_EQ(expanded("%define aaa(x) %define bbb 1\\\n%{bbb}\n%{aaa}[%{?bbb}]"), "1[]")
        << "a %define inside is gone afterwards";
}

TEST(Macros, RpmAutospecsBlockGivesTheRelease) {
    const std::string block =
        "%define autorelease(e:s:pb:n) %{?-p:0.}%{lua:\n"
        "    release_number = 7;\n"
        "    base_release_number = tonumber(rpm.expand(\"%{?-b*}%{!?-b:1}\"));\n"
        "    print(release_number + base_release_number - 1);\n"
        "}%{?-e:.%{-e*}}%{?-s:.%{-s*}}%{!?-n:%{?dist}}\n";
    MacroTable macros;
    macros.run(block);
    macros.define("dist", {".tn1", {}});
    EXPECT_EQ(macros.expand("%autorelease").text, "7.tn1");
    EXPECT_EQ(macros.expand("%{autorelease -b 4 -p -e rc1}").text, "0.10.rc1.tn1");
    EXPECT_EQ(macros.expand("%autorelease -n").text, "7");
}

TEST(Macros, StringBuiltIns) {
    EXPECT_EQ(expanded("%{basename:a/b.c} %{dirname:a/b/c} %{suffix:a.tar.gz} %{shrink: a  b }"),
              "b.c a/b gz a b");
    EXPECT_EQ(expanded("%{lower:AbC} %{upper abc} %{len:abc} %{reverse:abc} %{rep ab 3}"),
              "abc ABC 3 cba ababab");
    EXPECT_EQ(
        expanded("%{gsub 1.2.3 %. _} %{gsub 1.2.3 %.%d+$ x} %{gsub abc [ab] -} %{gsub ab b* x}"),
        "1_2_3 1.2x --c xax");
    EXPECT_EQ(
        expanded("%{sub 12345 2 3} %{sub abc -2} %{sub abc 5}|%{quote:a b}|%{expand:%%{nil}x}"),
        "23 bc |a b|x");
    EXPECT_THAT(MacroTable().expand("%{gsub abc (a) b} %{sub abc}").unresolved,
                ElementsAre("gsub", "sub"));
    EXPECT_EQ(expanded("%dnl %{nothing}\nx%{expr:1+2}"), "x3");
}

TEST(Macros, ExpressionsAsRpmEvaluatesThem) {
    for (const auto& [text, value] :
         std::vector<std::pair<std::string, std::string>>{{"1+2*3", "7"},
                                                          {"1 - 1 - 1", "-1"},
                                                          {"-2 * 3", "-6"},
                                                          {"3/2", "1"},
                                                          {"\"a\" < \"b\"", "1"},
                                                          {"v\"1.2\" < v\"1.10\"", "1"},
                                                          {"1 || 0 && 0", "0"},
                                                          {"0 && 0 || 1", "1"},
                                                          {"1 && 2", "2"},
                                                          {"1 ? \"a\" : 5", "a"},
                                                          {"1 ? 0 ? 5 : 6 : 7", "6"},
                                                          {"!0 == 1", "1"},
                                                          {"( 2 > 1 )", "1"},
                                                          {"\"a\" + \"b\"", "ab"},
                                                          {"07", "7"},
                                                          {"v\"1~rc\" < v\"1\"", "1"}}) {
        EXPECT_EQ(expanded("%[" + text + "]"), value) << text;
    }
    for (const char* bad : {"", "1a", "1/0", "1 2", "\"a\" == 1", "(1", "\"a", "()", "1 ? 2"}) {
        EXPECT_FALSE(MacroTable().condition(bad).has_value()) << bad;
    }
    EXPECT_FALSE(MacroTable().condition(std::string(100'000, '(')).has_value());
}

TEST(Macros, ConditionsKnowWhatTheyDoNotKnow) {
    MacroTable macros = MacroTable::of_rpm();
    macros.define("fedora", {"43", {}});
    macros.undefine("rhel");
    EXPECT_EQ(macros.condition("0%{?fedora} >= 40"), true);
    EXPECT_EQ(macros.condition("0%{?rhel}"), false);
    EXPECT_EQ(macros.condition("0%{?suse_version}"), std::nullopt);
    EXPECT_EQ(macros.condition("0%{?suse_version} || 0%{?fedora}"), true);
    EXPECT_EQ(macros.condition("0%{?suse_version} && 0%{?rhel}"), false);
    EXPECT_EQ(macros.condition("%{undefined rhel}"), true);
    EXPECT_EQ(macros.condition("%{with tests}"), false) << "nobody else defines with_...";
    EXPECT_EQ(macros.condition("\"%{mystery}\" == \"x\""), std::nullopt);
}

TEST(Macros, BuildConditions) {
    MacroTable macros = MacroTable::of_rpm();
    macros.define("_without_docs", {"1", {}});
    macros.define("_with_gui", {"1", {}});
    macros.run("%bcond_without docs\n%bcond_with gui\n%bcond_with tests\n%bcond nls 1\n%bcond x 0");
    EXPECT_EQ(macros.expand("%{with docs}%{with gui}%{with tests}%{with nls}%{with x}").text,
              "01010");
    macros.run("%bcond odd 0%{?mystery}");
    EXPECT_EQ(macros.condition("%{with odd}"), std::nullopt);
    EXPECT_EQ(macros.condition("%{without odd}"), std::nullopt);
}

TEST(Macros, LimitsHaveAClearResult) {
    MacroTable macros;
    macros.run("%define self x%{self}\n%define aaa %{bbb}\n%define bbb %{aaa}");
    EXPECT_THAT(macros.expand("%{self}").unresolved, ElementsAre("(limit)"));
    EXPECT_EQ(macros.expand("a %{aaa}").text, "a %{aaa}");
    std::string laughs = "%define l00 lol\n";
    for (int i = 1; i < 30; ++i) {
        laughs += fmt::format("%define l{0:02} %{{l{1:02}}}%{{l{1:02}}}\n", i, i - 1);
    }
    macros.run(laughs);
    EXPECT_EQ(macros.expand("%{l05}").text.size(), 32U * 3);
    EXPECT_THAT(macros.expand("%{l29}").unresolved, ElementsAre("(limit)"));
    std::string nested;
    for (int i = 0; i < 50'000; ++i) {
        nested += "%{zz";
    }
    EXPECT_EQ(macros.expand(nested).text, nested);
    EXPECT_EQ(macros.expand(nested + std::string(50'000, '}')).text.size(), nested.size() + 50'000);
    EXPECT_FALSE(macros.expand("%{gsub " + std::string(5000, 'a') + " a*a*a*a*b x}").complete());
}

TEST(Macros, MacroFiles) {
    MacroTable macros;
    macros.define_file(
        "# comment\n%one 1\n%two() <%1>\\\n>\n  %three %{one}\nnothing\n%_with_x 1\n%open %{");
    EXPECT_EQ(macros.expand("%{one}%{three}%{_with_x}").text, "111");
    EXPECT_EQ(macros.expand("%{two a}").text, "<a>\n>");
    macros.define_file("");
    EXPECT_THAT(macros.expand("%{one}").unresolved, IsEmpty());
}

}  // namespace
}  // namespace tarn
