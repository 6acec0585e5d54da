// SPDX-License-Identifier: MIT
#include "provision/yaml.hh"

#include "base/strings.hh"

#include <gtest/gtest.h>

namespace tarn::guest {
namespace {

using Kind = Node::Kind;

Node read(std::string_view text, Problems& problems) {
    auto node = parse_yaml("doc", text, problems);
    EXPECT_TRUE(node.has_value()) << (node ? "" : node.error().message);
    return node ? *node : Node();
}

std::string why(std::string_view text) {
    Problems problems;
    const auto node = parse_yaml("doc", text, problems);
    return node ? "" : node.error().message;
}

TEST(Yaml, ScalarsAreWhatYaml11Says) {
    for (const char* text : {"yes", "Yes", "on", "TRUE", "True"}) {
        EXPECT_EQ(resolve_scalar(text).kind, Kind::kBool) << text;
        EXPECT_TRUE(resolve_scalar(text).boolean) << text;
    }
    for (const char* text : {"no", "Off", "FALSE"}) {
        EXPECT_EQ(resolve_scalar(text).kind, Kind::kBool) << text;
        EXPECT_FALSE(resolve_scalar(text).boolean) << text;
    }
    for (const char* text : {"y", "n", "yEs", "oN", "truE"}) {
        EXPECT_EQ(resolve_scalar(text).kind, Kind::kText) << text;
    }
    for (const char* text : {"", "~", "null", "Null", "NULL"}) {
        EXPECT_EQ(resolve_scalar(text).kind, Kind::kNull) << text;
    }
}

TEST(Yaml, NumbersAreWhatYaml11Says) {
    const std::pair<const char*, std::int64_t> numbers[] = {
        {"0", 0},
        {"644", 644},
        {"0644", 420},
        {"0x1F", 31},
        {"0b101", 5},
        {"-12", -12},
        {"+3", 3},
        {"1_000", 1000},
        {"1:30", 90},
        {"190:20:30", 685230},
        {"0755", 493},
    };
    for (const auto& [text, value] : numbers) {
        EXPECT_EQ(resolve_scalar(text).kind, Kind::kInt) << text;
        EXPECT_EQ(resolve_scalar(text).integer, value) << text;
    }
    // No octal digits, no number; a time of 60 minutes is none.
    for (const char* text : {"0689",
                             "08",
                             "1:60",
                             "0o644",
                             "12a",
                             "-",
                             "+",
                             "1e3",
                             "0x",
                             "_1",
                             "1:",
                             "99999999999999999999",
                             "22:22:22:22:22:22:22:22:22"}) {
        EXPECT_EQ(resolve_scalar(text).kind, Kind::kText) << text;
    }
    for (const char* text : {"1.5", ".5", "1.", "1.0e+3", "-.inf", ".NaN", "1:30.5", "0:7.0"}) {
        EXPECT_EQ(resolve_scalar(text).kind, Kind::kFloat) << text;
    }
    for (const char* text : {"1.2.3", "+.5", "-.nan", ".iNf", "1:60.0", "1:2.5e+1", "2:_4"}) {
        EXPECT_EQ(resolve_scalar(text).kind, Kind::kText) << text;
    }
    EXPECT_EQ(resolve_scalar(".").kind, Kind::kText);
    EXPECT_EQ(resolve_scalar("2026-01-31").kind, Kind::kDate);
    EXPECT_EQ(resolve_scalar("2026-01-31 10:00:00").kind, Kind::kDate);
    EXPECT_EQ(resolve_scalar("2026-1-3x").kind, Kind::kText);
}

TEST(Yaml, QuotesMakeText) {
    Problems problems;
    const Node node = read("a: \"0644\"\nb: 'no'\nc: |\n  0644\n", problems);
    for (const char* key : {"a", "b", "c"}) {
        EXPECT_EQ(node.find(key)->kind, Kind::kText) << key;
    }
    EXPECT_EQ(node.find("c")->text, "0644\n");
    EXPECT_TRUE(problems.empty());
}

TEST(Yaml, BlockScalarsKeepOrLoseTheirLastNewline) {
    Problems problems;
    const Node node = read("a: |\n  x\n  y\nb: |-\n  x\nc: >\n  x\n  y\nd: |+\n  x\n\n", problems);
    EXPECT_EQ(node.find("a")->text, "x\ny\n");
    EXPECT_EQ(node.find("b")->text, "x");
    EXPECT_EQ(node.find("c")->text, "x y\n");
    EXPECT_EQ(node.find("d")->text, "x\n\n");
}

TEST(Yaml, PlacesCountFromOne) {
    Problems problems;
    const Node node = read("a: 1\nlist:\n  - x\n  - [y, z]\n", problems);
    const Node& list = *node.find("list");
    EXPECT_EQ(list.items[0].mark.line, 3U);
    EXPECT_EQ(list.items[0].mark.column, 5U);
    EXPECT_EQ(list.items[1].items[1].mark.column, 9U);
    EXPECT_EQ(node.member_marks[1].line, 2U);
}

TEST(Yaml, MoreThanATreeIsAProblemOfItsOwn) {
    const std::pair<const char*, const char*> cases[] = {
        {"a: &x 1\n", "the anchor `&x`"},
        {"a: &x 1\nb: *x\n", "the alias `*x`"},
        {"a: !!binary aGk=\n", "the tag `tag:yaml.org,2002:binary`"},
        {"a: !python/object x\n", "the tag `!python/object`"},
        {"<<: {b: 1}\n", "the merge key `<<`"},
        {"a: 1\na: 2\n", "`a` is given twice"},
    };
    for (const auto& [text, said] : cases) {
        Problems problems;
        read(text, problems);
        ASSERT_FALSE(problems.empty()) << text;
        EXPECT_TRUE(contains(problems.back().text, said)) << problems.back().text;
        EXPECT_FALSE(any_refused(problems));
    }
    Problems problems;
    read("\"<<\": 1\n", problems);
    EXPECT_TRUE(problems.empty());
}

TEST(Yaml, WhatIsNoYamlSaysWhere) {
    EXPECT_TRUE(why("a: [1, 2\nb: 3\n").starts_with("doc:2:")) << why("a: [1, 2\nb: 3\n");
    EXPECT_TRUE(why("a:\n\t- b\n").starts_with("doc:2:1: this is no YAML"));
    EXPECT_TRUE(why("a: 'x\n").starts_with("doc:"));
    EXPECT_TRUE(contains(why("a: 1\n---\nb: 2\n"), "a second document begins here"));
    EXPECT_TRUE(contains(why("? [a]\n: 1\n"), "a key must be text"));
    EXPECT_TRUE(contains(why("a: \"\\0\"\n"), "a NUL byte"));
    EXPECT_FALSE(why(std::string("a: \x80\xff\n")).empty());
    EXPECT_FALSE(why(std::string_view("a: b\0c\n", 7)).empty());
}

TEST(Yaml, HasLimits) {
    EXPECT_TRUE(contains(why(std::string(30, '[')), "nested deeper than 24 levels"));
    EXPECT_TRUE(contains(why("a: " + std::string(1 << 20, 'x')), "at most 1048576 are accepted"));
    std::string many;
    for (int i = 0; i < 60'000; ++i) {
        many += "- 1\n";
    }
    EXPECT_TRUE(contains(why(many), "more than 50000 values"));
    std::string keys;
    for (int i = 0; i < 2'100; ++i) {
        keys += fmt::format("k{}: 1\n", i);
    }
    EXPECT_TRUE(contains(why(keys), "more than 2000 keys"));
}

TEST(Yaml, NothingIsNothing) {
    Problems problems;
    EXPECT_TRUE(read("", problems).is_null());
    EXPECT_TRUE(read("# only a comment\n", problems).is_null());
    EXPECT_TRUE(read("---\n...\n", problems).is_null());
}

}  // namespace
}  // namespace tarn::guest
