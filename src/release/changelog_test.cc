// SPDX-License-Identifier: MIT
#include "release/detail/changelog.hh"

#include "release/detail/text.hh"
#include "release/detail/wrap.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tarn::release {
namespace {

using testing::ElementsAre;

std::vector<std::string> items(std::string_view message) {
    std::vector<std::string> result;
    for (const std::u32string& item : changelog_items(message)) {
        result.push_back(encode(item));
    }
    return result;
}

TEST(ChangelogItems, TheSubjectIsTheFirst) {
    EXPECT_THAT(items("Update to 2\n\nBecause.\n- no item\n"), ElementsAre("Update to 2"));
    EXPECT_THAT(items("\n\n  - Update\nto 2  \n"), ElementsAre("Update to 2"));
    EXPECT_THAT(items("100% of %{name}"), ElementsAre("100%% of %%{name}"));
    EXPECT_THAT(items(""), ElementsAre(""));
    EXPECT_THAT(items("-\n\n- a"), ElementsAre("", "a"));
}

TEST(ChangelogItems, AnEllipsisContinuesIt) {
    EXPECT_THAT(items("A\n\n...b\nc\n- d\ne\n-f\n\n- g"), ElementsAre("A b c", "d e", "f"));
    EXPECT_THAT(items("A\n\n\n…… b\n\n- c"), ElementsAre("A b"));
    EXPECT_THAT(items("A\n\n....\n- c"), ElementsAre("A ", "c"));
    EXPECT_THAT(items("A\n\n.. b\n- c"), ElementsAre("A"));
}

TEST(ChangelogItems, ADashedBodyCountsUpToABlankLine) {
    EXPECT_THAT(items("A\n\n- b\n  more\n\n- c"), ElementsAre("A", "b more"));
}

TEST(MagicCommentsTest, StandAloneInBrackets) {
    EXPECT_TRUE(magic_comments("x\n\n [skip changelog] \n").skip_changelog);
    EXPECT_TRUE(magic_comments("[ skip \t changelogs, x]").skip_changelog);
    EXPECT_FALSE(magic_comments("x [skip changelog]").skip_changelog);
    EXPECT_FALSE(magic_comments("[skipchangelog]\n[Skip changelog]\n[\n]\n[]").skip_changelog);
    EXPECT_EQ(magic_comments("[bump release: 3]\n[skip changelog,bump  release 12x]").bump_release,
              12U);
    EXPECT_EQ(magic_comments("[bump release :  7]").bump_release, 7U);
    EXPECT_EQ(magic_comments("[bump release: -7]\n[bump release]").bump_release, 0U);
    EXPECT_EQ(magic_comments("[bump release: 1000000000]").bump_release, kHighestRelease);
    EXPECT_TRUE(magic_comments("[bump release: 1000000001]").bump_too_high);
}

TEST(ChangelogDate, IsUtcInEnglish) {
    EXPECT_EQ(changelog_date(0), "Thu Jan 01 1970");
    EXPECT_EQ(changelog_date(-1), "Wed Dec 31 1969");
    EXPECT_EQ(changelog_date(951'782'400), "Tue Feb 29 2000");
    EXPECT_EQ(changelog_date(951'868'799), "Tue Feb 29 2000");
    EXPECT_EQ(changelog_date(4'107'542'400), "Mon Mar 01 2100");
    EXPECT_EQ(changelog_date(INT64_MAX), "Fri Dec 31 9999");
    EXPECT_EQ(changelog_date(INT64_MIN), "Mon Jan 01 1");
}

std::string wrapped(std::string_view text) {
    return encode(wrap(decode(text)));
}

TEST(Wrap, BreaksAtBlanksHyphensAndDashes) {
    const std::string fill(70, 'x');
    EXPECT_EQ(wrapped(fill + " abcd efgh"), fill + " abcd\n  efgh");
    EXPECT_EQ(wrapped(fill + " abcde"), fill + "\n  abcde");
    EXPECT_EQ(wrapped(fill + " ab-cd"), fill + " ab-\n  cd");
    EXPECT_EQ(wrapped(fill + " a-cde"), fill + "\n  a-cde") << "one letter is no word";
    EXPECT_EQ(wrapped(fill + " ab-12"), fill + "\n  ab-12") << "nor are digits";
    EXPECT_EQ(wrapped(fill + " ab--cd"), fill + " ab--\n  cd");
    EXPECT_EQ(wrapped(fill + "  \tabcd efg"), fill + "\n  abcd efg");
}

TEST(Wrap, CountsCharactersNotBytes) {
    std::string fill;
    for (int i = 0; i < 75; ++i) {
        fill += "é";
    }
    EXPECT_EQ(wrapped(fill + "é"), fill + "\n  é");
    EXPECT_EQ(wrapped(fill.substr(0, 140) + " éé-éé"), fill.substr(0, 140) + " éé-\n  éé");
}

TEST(Wrap, CutsWordsThatFitNoLine) {
    const std::string word(80, 'x');
    EXPECT_EQ(wrapped("- " + word), "- " + word.substr(7) + "\n  xxxxxxx");
    EXPECT_EQ(wrapped("1-2" + word), "1-\n  2" + word.substr(8) + "\n  xxxxxxxx");
}

TEST(Text, ReplacesMalformedUtf8) {
    EXPECT_EQ(encode(decode("a\xff\xe2\x82z\xed\xa0\x80\xf0\x9f\x98\x80\xc3")),
              "a\xEF\xBF\xBD\xEF\xBF\xBDz\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xf0\x9f\x98\x80"
              "\xEF\xBF\xBD");
}

}  // namespace
}  // namespace tarn::release
