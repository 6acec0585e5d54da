// SPDX-License-Identifier: MIT
#include "upstream/debian/archive.hh"
#include "upstream/debian/detail/date.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tarn::debian {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

Result<std::vector<Stanza>> stanzas(std::string_view text) {
    std::vector<Stanza> all;
    auto parsed = parse_control(text, "x", [&](Stanza&& stanza) -> Result<void> {
        all.push_back(std::move(stanza));
        return {};
    });
    if (!parsed) {
        return fail(parsed.error());
    }
    return all;
}
std::string problem(std::string_view text) {
    const auto all = stanzas(text);
    return all ? "" : all.error().message;
}

const std::string kHash(64, 'a');

TEST(Control, ReadsParagraphsFieldsAndContinuations) {
    const auto all = stanzas(
        "\n\nPackage: a\nDescription: short\n long\n .\n  indented\n# comment\nEmpty:\n\n \n"
        "Package:b\n");
    ASSERT_TRUE(all.has_value());
    ASSERT_EQ(all->size(), 2U);
    EXPECT_THAT((*all)[0],
                ElementsAre(Pair("Description", "short\nlong\n.\n indented"),
                            Pair("Empty", ""),
                            Pair("Package", "a")));
    EXPECT_THAT((*all)[1], ElementsAre(Pair("Package", "b")));
}

TEST(Control, MalformedInputIsRefusedWithItsLine) {
    EXPECT_THAT(problem("Package: a\nnonsense\n"), HasSubstr("x:2: expected `Field: value`"));
    EXPECT_THAT(problem(" continuation\n"), HasSubstr("x:1: a continuation line"));
    EXPECT_THAT(problem("A: 1\nA: 2\n"), HasSubstr("x:2: field `A` is given twice"));
    EXPECT_THAT(problem("a b: c\n"), HasSubstr("x:1: not a field name"));
    EXPECT_THAT(problem(": c\n"), HasSubstr("not a field name"));
    EXPECT_THAT(problem(std::string_view("A: \0\n", 5)), HasSubstr("NUL"));
    EXPECT_THAT(problem("A: 1\n\n B\n"), HasSubstr("x:3: a continuation line"));
}

TEST(Packages, ReadsWhatALockNeeds) {
    const auto packages = parse_packages(
        "Package: libc6\nSource: glibc (2.43-6)\nVersion: 2.43-7\nArchitecture: amd64\n"
        "Depends: libgcc-s1,\n other (>= 1)\nInstalled-Size: 13000\nFilename: pool/l/libc6.deb\n"
        "Size: 42\nSHA256: " +
            kHash + "\nDescription: x\n\n",
        "Packages");
    ASSERT_TRUE(packages.has_value()) << packages.error().message;
    ASSERT_EQ(packages->size(), 1U);
    EXPECT_EQ(packages->front().source, "glibc");
    EXPECT_EQ(packages->front().depends, "libgcc-s1,  other (>= 1)");
    EXPECT_EQ(packages->front().digest.size, 42U);
    EXPECT_EQ(packages->front().installed_kib, 13000U);
}

TEST(Packages, RefusesEntriesThatCannotBeTrusted) {
    const std::string good = "Package: a\nVersion: 1\nArchitecture: all\n";
    const std::string sum = "SHA256: " + kHash + "\n";
    for (const std::string& text : {good + "Size: 1\n" + sum,
                                    good + "Filename: pool/a.deb\n" + sum,
                                    good + "Filename: pool/a.deb\nSize: 1\n",
                                    good + "Filename: ../a.deb\nSize: 1\n" + sum,
                                    good + "Filename: /a.deb\nSize: 1\n" + sum,
                                    good + "Filename: a.deb\nSize: -1\n" + sum,
                                    good + "Filename: a.deb\nSize: 1\nSHA256: beef\n",
                                    "Package: a\nFilename: a.deb\nSize: 1\n" + sum,
                                    good + "Package: b\n"}) {
        const auto packages = parse_packages(text, "Packages");
        ASSERT_FALSE(packages.has_value()) << text;
        EXPECT_EQ(packages.error().kind, ErrorKind::kCorrupt);
    }
}

TEST(Sources, TakesOnlyWhatIsWanted) {
    const std::string text =
        "Package: jq\nVersion: 1.8-1\nDirectory: pool/main/j/jq\n"
        "Checksums-Sha256:\n " +
        kHash + " 10 jq_1.8.orig.tar.gz\n " + kHash +
        " 11 jq_1.8-1.dsc\n\nPackage: other\nVersion: broken entry\n";
    const auto sources = parse_sources(text, "Sources", {"jq"});
    ASSERT_TRUE(sources.has_value()) << sources.error().message;
    ASSERT_EQ(sources->size(), 1U);
    EXPECT_EQ(sources->front().files.size(), 2U);
    EXPECT_EQ(sources->front().files[0].first, "jq_1.8.orig.tar.gz");
    EXPECT_FALSE(parse_sources(text, "Sources", {"other"}).has_value());
    EXPECT_FALSE(parse_sources("Package: a\nVersion: 1\nDirectory: ../x\nChecksums-Sha256:\n",
                               "Sources",
                               {"a"})
                     .has_value());
    EXPECT_FALSE(parse_sources("Package: a\nVersion: 1\nDirectory: x\nChecksums-Sha256:\n " +
                                   kHash + " 1 ../../x\n",
                               "Sources",
                               {"a"})
                     .has_value());
}

TEST(Release, ReadsItsListAndFinds) {
    const auto release =
        parse_release("Suite: testing\nCodename: forky\nDate: d\nAcquire-By-Hash: yes\nSHA256:\n " +
                          kHash + " 5 main/z\n " + kHash + "  6 main/a\n",
                      "InRelease");
    ASSERT_TRUE(release.has_value());
    EXPECT_TRUE(release->acquire_by_hash);
    ASSERT_NE(release->find("main/z"), nullptr);
    EXPECT_EQ(release->find("main/z")->digest.size, 5U);
    EXPECT_EQ(release->find("main/q"), nullptr);
}

TEST(Release, RefusesWhatIsNotOne) {
    for (const std::string& text :
         std::vector<std::string>{"",
                                  "Suite: a\nDate: d\n",
                                  "Date: d\nSHA256:\n " + kHash + " 5 main/z\n",
                                  "Suite: a\nDate: d\nSHA256:\n " + kHash + " 5 ../z\n",
                                  "Suite: a\nDate: d\nSHA256:\n xyz 5 z\n",
                                  "Suite: a\nDate: d\nSHA256:\n " + kHash + " many z\n",
                                  "Suite: a\nDate: d\nSHA256:\n " + kHash + " 5 z\n\nSuite: b\n"}) {
        EXPECT_FALSE(parse_release(text, "InRelease").has_value()) << text;
    }
}

TEST(Date, ReadsWhatArchivesWrite) {
    EXPECT_EQ(detail::parse_date("Fri, 06 Nov 2026 08:08:01 UTC"), 1793952481);
    EXPECT_EQ(detail::parse_date("Thu, 01 Jan 1970 00:00:00 +0000"), 0);
    for (const char* text : {"",
                             "yesterday",
                             "Fri, 31 Feb 2026 08:08:01 UTC",
                             "Fri, 06 Nov 2026 25:08:01 UTC",
                             "Fri, 06 Nov 2026 08:08:01 CET",
                             "Fri, 06 Foo 2026 08:08:01 UTC",
                             "Fri, 06 Nov 2026 08:08 UTC"}) {
        EXPECT_FALSE(detail::parse_date(text).has_value()) << text;
    }
}

}  // namespace
}  // namespace tarn::debian
