// SPDX-License-Identifier: MIT
#include "repo/detail/metadata.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tarn::repo {
namespace {

using testing::HasSubstr;

std::string data(const std::string& href, const std::string& sha = std::string(64, 'a')) {
    return "<data type=\"primary\"><checksum type=\"sha256\">" + sha +
           "</checksum><open-checksum type=\"sha256\">" + sha +
           "</open-checksum><location href=\"" + href +
           "\"/><size>10</size><open-size>20</open-size></data>";
}

Error repomd_error(const std::string& text) {
    const auto result = parse_repomd(text, "r");
    return result ? Error{ErrorKind::kFailed, "accepted"} : result.error();
}

TEST(Repomd, NamesItsFiles) {
    const auto repomd = parse_repomd(
        "<repomd><revision>7</revision>" + data("repodata/p.xml.zst") + "</repomd>", "r");
    ASSERT_TRUE(repomd) << repomd.error().message;
    EXPECT_EQ(repomd->revision, "7");
    EXPECT_EQ(repomd->data.at("primary").location, "repodata/p.xml.zst");
    EXPECT_EQ(repomd->data.at("primary").digest.size, 10u);
    EXPECT_EQ(repomd->data.at("primary").open.size, 20u);
}

TEST(Repomd, LocationsThatLeaveTheRepositoryAreRefused) {
    for (const char* bad : {"../x", "/etc/passwd", "repodata/../../x", ""}) {
        EXPECT_EQ(repomd_error("<repomd>" + data(bad) + "</repomd>").kind, ErrorKind::kCorrupt)
            << bad;
    }
}

TEST(Repomd, IncompleteOrDoubleDataIsRefused) {
    const std::string good = data("repodata/p");
    EXPECT_EQ(repomd_error("<repomd>" + good + good + "</repomd>").kind, ErrorKind::kCorrupt);
    EXPECT_EQ(repomd_error("<repomd>" + data("repodata/p", "abc") + "</repomd>").kind,
              ErrorKind::kCorrupt);
    EXPECT_EQ(repomd_error("<repomd><data type=\"primary\"/></repomd>").kind, ErrorKind::kCorrupt);
}

TEST(Repomd, EntitiesAndDocumentTypesAreRefused) {
    const Error error = repomd_error(
        "<!DOCTYPE r [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;\">]>"
        "<repomd><revision>&b;</revision></repomd>");
    EXPECT_EQ(error.kind, ErrorKind::kCorrupt);
    EXPECT_THAT(error.message, HasSubstr("not allowed"));
}

TEST(Repomd, BrokenXmlNamesTheLine) {
    const Error error = repomd_error("<repomd>\n<data>\n</repomd>");
    EXPECT_EQ(error.kind, ErrorKind::kCorrupt);
    EXPECT_THAT(error.message, HasSubstr("r:3:"));
    EXPECT_EQ(repomd_error("").kind, ErrorKind::kCorrupt);
    EXPECT_EQ(repomd_error("<html/>").kind, ErrorKind::kCorrupt);
}

std::string package(const std::string& inner) {
    return "<metadata xmlns:rpm=\"http://linux.duke.edu/metadata/rpm\"><package type=\"rpm\">" +
           inner + "</package></metadata>";
}
const std::string kHead =
    "<name>a</name><arch>noarch</arch><version epoch=\"0\" ver=\"1\" rel=\"2\"/>";
const std::string kChecksum =
    "<checksum type=\"sha256\" pkgid=\"YES\">" + std::string(64, 'b') + "</checksum>";
const std::string kTail =
    "<size package=\"5\" installed=\"6\"/><location href=\"Packages/a.rpm\"/>";

TEST(Primary, EpochZeroIsNone) {
    const auto items = parse_primary(package(kHead + kChecksum + kTail), "p");
    ASSERT_TRUE(items) << items.error().message;
    EXPECT_EQ(items->at(0).nevra.to_string(), "a-1-2.noarch");
    EXPECT_EQ(items->at(0).rpm.size, 5u);
    EXPECT_EQ(items->at(0).installed_size, 6u);
}

TEST(Primary, PackagesThatCannotBeVerifiedAreRefused) {
    const std::vector<std::string> bad{
        kHead + kTail,
        kHead + kChecksum,
        kChecksum + kTail,
        kHead + "<checksum type=\"md5\">" + std::string(64, 'b') + "</checksum>" + kTail,
        kHead + kChecksum + "<size package=\"x\"/><location href=\"a\"/>",
        kHead + kChecksum + "<size package=\"5\"/><location href=\"../a\"/>",
        "<version epoch=\"-1\" ver=\"1\"/>" + kHead + kChecksum + kTail};
    for (const std::string& each : bad) {
        const auto items = parse_primary(package(each), "p");
        ASSERT_FALSE(items) << each;
        EXPECT_EQ(items.error().kind, ErrorKind::kCorrupt);
    }
}

TEST(Primary, TruncatedDocumentIsRefused) {
    const std::string whole = package(kHead + kChecksum + kTail);
    for (const std::size_t length : {0ul, 10ul, whole.size() / 2, whole.size() - 1}) {
        EXPECT_FALSE(parse_primary(whole.substr(0, length), "p")) << length;
    }
}

TEST(Filelists, OnlyWantedPathsAreKept) {
    const auto found = parse_filelists(
        "<filelists><package pkgid=\"x\"><version ver=\"1\"/><file>/a</file><file>/b</file>"
        "</package></filelists>",
        {"/b", "/c"},
        "f");
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_EQ(*found, (std::map<std::string, std::vector<std::string>>{{"x", {"/b"}}}));
}

}  // namespace
}  // namespace tarn::repo
