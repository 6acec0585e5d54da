// SPDX-License-Identifier: MIT
#include "baseline/config.hh"
#include "baseline/fake_target.hh"
#include "baseline/rule.hh"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

namespace tarn::guest::baseline {
namespace {

using ::testing::HasSubstr;

const std::string kRules = std::string(TARN_SOURCE_DIR) + "/guest/baseline/rules";

bool met(std::string_view expectation, std::string_view value) {
    const auto parsed = parse_expectation(expectation);
    EXPECT_TRUE(parsed) << expectation;
    return parsed && parsed->met(value);
}

TEST(Expectation, NumbersAreComparedAsNumbers) {
    EXPECT_TRUE(met("1", "1"));
    EXPECT_TRUE(met("1", "01"));
    EXPECT_FALSE(met("1", "10"));
    EXPECT_TRUE(met(">= 2048", "4096"));
    EXPECT_FALSE(met(">= 2048", "999"));
    EXPECT_FALSE(met(">= 2048", "many"));
    EXPECT_FALSE(met(">= 2048", ""));
    EXPECT_TRUE(met("<= 3", "-1"));
    EXPECT_TRUE(met("15..300", "15"));
    EXPECT_FALSE(met("15..300", "301"));
    EXPECT_FALSE(met("15..300", "99999999999999999999"));
    EXPECT_TRUE(met("<= 10:30:60", "10:30:60"));
    EXPECT_FALSE(met("<= 10:30:60", "10:30:61"));
    EXPECT_FALSE(met("<= 10:30:60", "10"));
}

TEST(Expectation, WordsWithoutRegardToCaseAndBlanks) {
    EXPECT_TRUE(met("INFO | VERBOSE", "verbose"));
    EXPECT_TRUE(met("0 2147483647", "0\t2147483647"));
    EXPECT_FALSE(met("!= none", "None"));
    EXPECT_TRUE(met("!= none", "/etc/issue"));
    EXPECT_TRUE(met("any", ""));
}

TEST(Expectation, WhatIsNoneIsRefused) {
    for (const char* text : {"", " ", "> 3", "< 3", ">= x", "1..x", "a | ", "!="}) {
        EXPECT_FALSE(parse_expectation(text)) << text;
    }
}

std::string problem(const std::string& text) {
    const auto rules = parse_rules(text, "x.toml");
    if (rules) {
        return "none";
    }
    return rules.error().message +
           (rules.error().help.empty() ? "" : " / " + rules.error().help[0]);
}

const std::string kGood = "[[rule]]\nid = \"a\"\ntitle = \"t\"\nsection = \"A1\"\n";

TEST(Rules, MistakesAreNamedWithTheirPlace) {
    EXPECT_EQ(problem(kGood + "procedure = \"sysctl\"\nkeys = [\"a.b\"]\nexpect = 1\n"), "none");
    EXPECT_EQ(problem(""), "x.toml:1:1: expected [[rule]]");
    EXPECT_EQ(problem("rule = 1\n"), "x.toml:1:1: expected [[rule]]");
    EXPECT_EQ(problem("rule = [1]\n"), "x.toml:1:9: expected [[rule]]");
    EXPECT_THAT(problem("[[rule]\n"), HasSubstr("x.toml:1:"));
    EXPECT_THAT(problem("[\x01on]]\n"), HasSubstr("x.toml:1:"));
    EXPECT_EQ(problem("[[rule]]\n"), "x.toml:1:1: `id` is missing");
    EXPECT_EQ(problem(kGood + "procedure = \"sysctrl\"\n"),
              "x.toml:1:1: `sysctrl` is no procedure / did you mean `sysctl`?");
    EXPECT_EQ(problem(kGood + "procedure = \"sysctl\"\nexpect = \"1\"\n"),
              "x.toml:1:1: `keys` is missing");
    EXPECT_EQ(problem(kGood + "procedure = \"sysctl\"\nkeys = [\"a.b\"]\n"),
              "x.toml:1:1: `expect` is missing");
    EXPECT_EQ(problem(kGood + "procedure = \"firewall\"\nprofile = [\"azure\"]\n"),
              "x.toml:6:11: `profile` is no key of a rule of procedure `firewall` / did you mean "
              "`profiles`?");
    EXPECT_THAT(problem(kGood + "procedure = \"firewall\"\nprofiles = [\"asure\"]\n"),
                HasSubstr("`asure` is no profile / did you mean `azure`?"));
    EXPECT_THAT(problem(kGood + "procedure = \"firewall\"\nseverity = \"hihg\"\n"),
                HasSubstr("`hihg` is no severity / did you mean `high`?"));
    EXPECT_EQ(problem(kGood + "procedure = \"mount\"\npath = [\"/a\", \"/b\"]\noptions = \"x\"\n"),
              "x.toml:6:8: `path` must be one value");
    EXPECT_EQ(problem(kGood + "procedure = \"firewall\"\nslow = 1\n"),
              "x.toml:6:8: `slow` must be true or false");
    EXPECT_THAT(problem("[[rule]]\nid = \"A B\"\ntitle = \"t\"\nsection = \"A1\"\n"
                        "procedure = \"firewall\"\n"),
                HasSubstr("`id` may have"));
    EXPECT_EQ(problem(std::string((1u << 20) + 1, ' ')), "x.toml: larger than 1048576 bytes");
}

class Shipped : public ::testing::Test {
  protected:
    void SetUp() override {
        auto loaded = load_rules(kRules);
        ASSERT_TRUE(loaded) << loaded.error().message;
        rules_ = std::move(*loaded);
    }
    std::vector<Rule> rules_;
};

TEST_F(Shipped, ThereAreEnoughAndEverySectionHasSome) {
    EXPECT_GE(rules_.size(), 150u);
    const std::map<char, int> rows = {{'A', 13},
                                      {'B', 20},
                                      {'C', 20},
                                      {'D', 18},
                                      {'E', 14},
                                      {'F', 14},
                                      {'G', 6},
                                      {'H', 10},
                                      {'I', 15}};
    for (const auto& [letter, count] : rows) {
        for (int row = 1; row <= count; ++row) {
            const std::string section = letter + std::to_string(row);
            EXPECT_TRUE(std::ranges::any_of(rules_, [&](const Rule& rule) {
                return rule.section == section;
            })) << section;
        }
    }
}

TEST_F(Shipped, AStricterProfileHasWhatTheOtherHas) {
    const auto ids = [&](const std::string& profile) {
        std::set<std::string> out;
        for (const Rule& rule : rules_) {
            if (std::ranges::find(rule.profiles, profile) != rule.profiles.end()) {
                out.insert(rule.id);
            }
        }
        return out;
    };
    EXPECT_TRUE(std::ranges::includes(ids("cis-l2"), ids("cis-l1")));
    EXPECT_TRUE(std::ranges::includes(ids("azure"), ids("minimal")));
    EXPECT_GE(ids("azure").size(), 150u);
}

TEST_F(Shipped, ReferencesOfCisAreNumbers) {
    for (const Rule& rule : rules_) {
        for (const std::string& reference : rule.references) {
            EXPECT_TRUE(reference.starts_with("CIS ")) << rule.id;
            EXPECT_EQ(reference.find_first_not_of("0123456789.", 4), std::string::npos) << rule.id;
        }
    }
}

TEST(MachineConfig, ExceptionsNeedAReasonAnEndAndSomebody) {
    const auto good = parse_machine_config(
        "roles = [\"container\"]\nprofile = \"azure\"\n[[exception]]\nrule = \"a\"\n"
        "reason = \"b\"\nwho = \"c\"\nexpires = \"2027-01-31\"\n",
        "x.toml");
    ASSERT_TRUE(good) << good.error().message;
    EXPECT_EQ(good->exceptions[0].where, "x.toml:3");
    for (const char* text :
         {"[[exception]]\nrule = \"a\"\nreason = \"b\"\nwho = \"c\"\n",
          "[[exception]]\nrule = \"a\"\nreason = \"b\"\nwho = \"c\"\nexpires = \"soon\"\n",
          "[[exception]]\nrule = \"a\"\nreason = \"\"\nwho = \"c\"\nexpires = \"2027-01-31\"\n",
          "exception = 1\n",
          "exception = [1]\n",
          "role = \"x\"\n",
          "\xff"}) {
        EXPECT_FALSE(parse_machine_config(text, "x.toml")) << text;
    }
}

TEST(MachineConfig, TheAdministratorsFileHidesTheImages) {
    FakeTarget target;
    target.file("/usr/lib/tarn/baseline.d/50-image.toml", "profile = \"azure\"\n");
    EXPECT_EQ(load_machine_config(target)->profile, "azure");
    target.file("/etc/tarn/baseline.d/50-image.toml", "profile = \"cis-l1\"\nroles = \"router\"\n");
    EXPECT_EQ(load_machine_config(target)->profile, "cis-l1");
    target.file("/etc/tarn/baseline.d/60-x.toml", "nonsense\n");
    EXPECT_THAT(load_machine_config(target).error().message,
                HasSubstr("/etc/tarn/baseline.d/60-x.toml:1:"));
}

TEST(MachineConfig, RolesThatCanBeSeen) {
    FakeTarget target;
    EXPECT_TRUE(detect_roles(target).empty());
    target.arguments = "quiet roothash=ab";
    target.platform_document = R"({"parameters":{"value":"{\"secureBootEnabled\": \"true\"}"}})";
    EXPECT_EQ(detect_roles(target), (std::vector<std::string>{"immutable", "trusted-launch"}));
}

}  // namespace
}  // namespace tarn::guest::baseline
