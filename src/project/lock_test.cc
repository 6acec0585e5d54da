// SPDX-License-Identifier: MIT
#include "project/lock.hh"

#include "base/strings.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tarn {
namespace {

using testing::HasSubstr;

LockedFile file(std::string suite, std::string package, std::string text) {
    LockedFile made;
    made.suite = std::move(suite);
    made.package = package;
    made.version = "1:2.0-1";
    made.architecture = "amd64";
    made.path = "pool/main/" + package + ".deb";
    made.digest = Digest::of(text);
    made.groups = {"vm", "buildroot"};
    made.reason = "required by \"x\"";
    return made;
}

Lock example() {
    Lock lock;
    lock.request = Digest::of("request");
    LockedSuite suite;
    suite.distro = "debian";
    suite.version = "forky";
    suite.suite = "forky";
    suite.date = "Sat, 01 Aug 2026 08:00:00 UTC";
    suite.valid_until = "Sat, 08 Aug 2026 08:00:00 UTC";
    suite.release = Digest::of("release");
    suite.signer = "ABCDEF";
    lock.suites["forky"] = suite;
    lock.packages = {file("forky", "bash", "b"), file("forky", "acl", "a")};
    lock.sources = {file("forky", "jq", "j")};
    return lock;
}

std::string error_of(const std::string& text) {
    const auto lock = Lock::parse(text, "locks/debian.lock");
    return lock ? "no error" : lock.error().message;
}

std::string changed(const std::string& from, const std::string& to) {
    std::string text = example().serialize();
    EXPECT_THAT(text, HasSubstr(from));
    return replace_all(text, from, to);
}

TEST(Lock, ReadsWhatItWrote) {
    const std::string text = example().serialize();
    const auto lock = Lock::parse(text, "debian.lock");
    ASSERT_TRUE(lock.has_value()) << lock.error().message;
    EXPECT_EQ(lock->serialize(), text);
    EXPECT_EQ(lock->packages.size(), 2U);
    EXPECT_EQ(lock->packages[0].package, "acl");
    EXPECT_EQ(lock->packages[0].groups, (std::vector<std::string>{"vm", "buildroot"}));
    EXPECT_EQ(lock->packages[1].reason, "required by \"x\"");
    EXPECT_EQ(lock->suites.at("forky").release, Digest::of("release"));
}

TEST(Lock, HasOnePackageALine) {
    std::size_t lines_with_package = 0;
    const std::string text = example().serialize();
    for (std::string_view line : split_lines(text)) {
        lines_with_package += contains(line, "\"package\": ") ? 1U : 0U;
    }
    EXPECT_EQ(lines_with_package, 3U);
}

TEST(Lock, DoesNotDependOnTheOrderOfPackages) {
    Lock turned = example();
    std::swap(turned.packages[0], turned.packages[1]);
    EXPECT_EQ(turned.serialize(), example().serialize());
}

TEST(Lock, KeepsAnEmptyLock) {
    Lock empty;
    const auto lock = Lock::parse(empty.serialize(), "debian.lock");
    ASSERT_TRUE(lock.has_value()) << lock.error().message;
    EXPECT_TRUE(lock->packages.empty());
}

TEST(Lock, RefusesWhatIsNotJson) {
    EXPECT_THAT(error_of(""), HasSubstr("not valid JSON"));
    EXPECT_THAT(error_of("{\n\"format\": 1,\n"), HasSubstr("line 3"));
    EXPECT_THAT(error_of(std::string(100'000, '[')), HasSubstr("damaged"));
    EXPECT_THAT(error_of("[]"), HasSubstr("must be an object"));
    const std::string text = example().serialize();
    for (std::size_t length = 0; length + 1 < text.size(); length += 7) {
        EXPECT_THAT(error_of(text.substr(0, length)), HasSubstr("damaged")) << length;
    }
}

TEST(Lock, RefusesDamagedFields) {
    EXPECT_THAT(error_of(changed("\"format\": 1", "\"format\": 2")), HasSubstr("format 2"));
    EXPECT_THAT(error_of(changed("\"format\": 1", "\"format\": \"1\"")), HasSubstr("format"));
    EXPECT_THAT(error_of(changed("\"version\": \"1:2.0-1\", ", "")), HasSubstr("\"version\""));
    EXPECT_THAT(error_of(changed("\"package\": \"acl\"", "\"package\": 1")),
                HasSubstr("packages[0] \"package\" must be a string"));
    EXPECT_THAT(error_of(changed("\"package\": \"acl\"", "\"package\": \"\"")),
                HasSubstr("is empty"));
    EXPECT_THAT(error_of(changed("\"package\": \"acl\"", "\"package\": \"a\\u0000l\"")),
                HasSubstr("plain text"));
    EXPECT_THAT(error_of(changed("\"package\": \"acl\"", "\"package\": \"zsh\"")),
                HasSubstr("out of order"));
    EXPECT_THAT(error_of(changed("pool/main/acl.deb", "../acl.deb")),
                HasSubstr("leaves the archive"));
    EXPECT_THAT(error_of(changed("pool/main/acl.deb", "/pool/acl.deb")),
                HasSubstr("leaves the archive"));
    EXPECT_THAT(error_of(changed(Digest::of("a").hex(), "00")), HasSubstr("not a digest"));
    EXPECT_THAT(error_of(changed("\"architecture\"", "\"arch\"")), HasSubstr("unknown key"));
    EXPECT_THAT(
        error_of(changed("\"suite\": \"forky\", \"package\"", "\"suite\": \"sid\", \"package\"")),
        HasSubstr("not locked"));
    EXPECT_THAT(error_of(changed("\"groups\": [", "\"groups\": [1, ")),
                HasSubstr("must hold strings"));
}

TEST(Lock, ErrorsNameTheFileAndWhatToDo) {
    const auto lock = Lock::parse("{}", "locks/debian.lock");
    ASSERT_FALSE(lock.has_value());
    EXPECT_EQ(lock.error().kind, ErrorKind::kCorrupt);
    EXPECT_THAT(lock.error().message, HasSubstr("locks/debian.lock"));
    EXPECT_FALSE(lock.error().help.empty());
}

}  // namespace
}  // namespace tarn
