// SPDX-License-Identifier: MIT
#include "distgit/detail/place.hh"

#include "distgit/detail/transport.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tarn::distgit {
namespace {

using detail::judge;
using detail::parse_commit;
using detail::parse_time;
using detail::place_of;
using detail::Verdict;
using testing::HasSubstr;
using testing::Not;

TEST(Place, NamesDirectoryAndReference) {
    const auto place = place_of({"https://src.example.org/rpms/acl.git", "acl", "private/f43"});
    ASSERT_TRUE(place.has_value());
    EXPECT_EQ(place->host, "src.example.org");
    EXPECT_EQ(place->ref(), fmt::format("refs/tarn/{}/acl/private%2Ff43", place->key));
    EXPECT_EQ(place_of({"http://[::1]:80/a", "a", "m"})->host, "%5B%3A%3A1%5D%3A80");
    EXPECT_EQ(place_of({"file:///srv/a.git", "dbus-c++", "m"})->host, "file");
    EXPECT_EQ(place_of({"http://../a", "a", "m"})->host, "%2E.");
}

TEST(Place, TwoAddressesOfOnePackageAreTwoPlaces) {
    EXPECT_NE(place_of({"https://h/rpms/acl.git", "acl", "f43"})->ref(),
              place_of({"https://h/forks/acl.git", "acl", "f43"})->ref());
}

TEST(Place, PasswordsAreNotShown) {
    const auto place = place_of({"https://me:secret@h.example/acl", "acl", "f43"});
    ASSERT_TRUE(place.has_value());
    EXPECT_EQ(place->shown, "https://me@h.example/acl");
    EXPECT_EQ(place->host, "h.example");
    EXPECT_THAT(detail::reason("fatal: unable to access '" + place->url + "/': no", *place),
                Not(HasSubstr("secret")));
}

TEST(Place, WhatCouldBeAnOptionOrAnotherPlaceIsRefused) {
    for (const char* url : {"", "-x://h/a", "--upload-pack=x", "ext::sh -c x", "h:acl", "/srv/acl",
                            "ssh://-oProxyCommand=x/a", "https://-h/a", "https:///a", "https://h",
                            "file://h/a", "https://h/a\nb", "https://h/a b", "https://h/\x7f",
                            "ftp://h/a", "HTTPS//h"}) {
        const auto place = place_of({url, "acl", "f43"});
        ASSERT_FALSE(place.has_value()) << url;
        EXPECT_EQ(place.error().kind, ErrorKind::kUsage) << url;
        EXPECT_FALSE(place.error().help.empty());
    }
    for (const char* branch : {"", "-f43", "a..b", "/f43", "f43/", "a//b", "f43.lock", ".f43", "a b",
                               "a:b", "a^", "a~1", "*", "a\\b", "@{1}", "@", "a\x01", "+f43:x"}) {
        EXPECT_FALSE(place_of({"https://h/a", "acl", branch}).has_value()) << branch;
    }
    for (const char* package : {"", "-acl", "../acl", "a/b", ".", "..", "a b", "a.lock", "a\n"}) {
        EXPECT_FALSE(place_of({"https://h/a", package, "f43"}).has_value()) << package;
    }
    EXPECT_FALSE(place_of({"https://h/" + std::string(5000, 'a'), "acl", "f43"}).has_value());
}

TEST(Place, ErrorsAreOnePrintableLine) {
    const auto place = place_of({"https://h/\x1b[31m\n", "acl", "f43"});
    ASSERT_FALSE(place.has_value());
    EXPECT_EQ(place.error().message,
              "dist-git address `https://h/?[31m?`: begins with `-`, or has a blank or control "
              "character");
}

TEST(Time, IsRfc3339) {
    EXPECT_EQ(parse_time("1970-01-01T00:00:00Z"), 0);
    EXPECT_EQ(parse_time("2026-02-24T00:00:00-08:00"), 1771920000);
    EXPECT_EQ(parse_time("2026-02-24T08:00:00.123z"), 1771920000);
    EXPECT_EQ(parse_time("2026-02-24 09:30:00+01:30"), 1771920000);
    EXPECT_EQ(parse_time("1969-12-31T23:59:59Z"), -1);
    for (const char* text : {"", "2026-02-24", "2026-02-30T00:00:00Z", "2026-02-24T24:00:00Z",
                             "2026-02-24T00:00:00", "2026-02-24T00:00:00Zx", "yesterday",
                             "2026-02-24T00:00:00.Z", "2026-02-24T00:00:00+25:00",
                             "2026-13-01T00:00:00Z", "-026-01-01T00:00:00Z"}) {
        const auto time = parse_time(text);
        ASSERT_FALSE(time.has_value()) << text;
        EXPECT_EQ(time.error().kind, ErrorKind::kUsage);
    }
}

TEST(CommitId, IsSevenToFortyHexDigits) {
    EXPECT_EQ(parse_commit("ABCDEF0"), "abcdef0");
    for (const std::string& text :
         {std::string("abcdef"), std::string(41, 'a'), std::string("abcdefg"), std::string()}) {
        EXPECT_FALSE(parse_commit(text).has_value()) << text;
    }
}

TEST(GitAnswer, IsToldByItsWords) {
    EXPECT_EQ(judge("fatal: couldn't find remote ref refs/heads/x\n"), Verdict::kNoReference);
    EXPECT_EQ(judge("fatal: remote error: upload-pack: not our ref 12\n"), Verdict::kNoObject);
    EXPECT_EQ(judge("error: Server does not allow request for unadvertised object 12\n"),
              Verdict::kNoObject);
    EXPECT_EQ(judge("fatal: repository 'http://h/a/' not found\n"), Verdict::kNoRepository);
    EXPECT_EQ(judge("fatal: remote error: access denied or repository not exported: /a\n"),
              Verdict::kNoRepository);
    EXPECT_EQ(judge("fatal: could not read Username for 'http://h': terminal prompts disabled\n"),
              Verdict::kDenied);
    EXPECT_EQ(judge("fatal: write error: No space left on device\n"), Verdict::kNoSpace);
    EXPECT_EQ(judge("fatal: early EOF\n"), Verdict::kPassing);
    EXPECT_EQ(judge(""), Verdict::kPassing);
}

TEST(GitAnswer, ReasonIsTheFirstFatalLine) {
    const auto place = *place_of({"https://h/acl", "acl", "f43"});
    EXPECT_EQ(detail::reason("From h\nremote: x\nfatal: early \x1b""EOF\nfatal: more\n", place),
              "early ?EOF");
    EXPECT_EQ(detail::reason("", place), "git said nothing");
}

TEST(Lookaside, TemplateIsFilledInWithEscapedValues) {
    const LookasideFile file{"a b+1%.tar/gz", "SHA512", "00ff"};
    EXPECT_EQ(lookaside_url("https://l/$pkg/$filename/$hashtype/$hash/$filename$other",
                            "dbus-c++", file),
              "https://l/dbus-c++/a%20b+1%25.tar%2Fgz/sha512/00ff/a%20b+1%25.tar%2Fgz$other");
    EXPECT_EQ(lookaside_url("$hashtype$hash", "p", {"f", "MD5", "$pkg"}), "md5$pkg");
}

}  // namespace
}  // namespace tarn::distgit
