// SPDX-License-Identifier: MIT
#include "rpm/test_package.hh"

namespace tarn::rpm {
namespace {

constexpr std::int64_t kTime = 1'720'000'000;

class RpmdbRead : public PackageTest {};

TEST_F(RpmdbRead, GivesBackWhatWasInstalled) {
    const Digest alpha =
        write(meta("alpha"), {file("usr/bin/alpha", "a", 04755), link("usr/bin/a", "alpha")});
    const Digest beta = write(meta("beta"), {file("etc/beta", "b")});
    const auto installed = read_rpmdb(*make_rpmdb(store_, {alpha, beta}, kTime), "the database");
    ASSERT_TRUE(installed.has_value()) << installed.error().message;
    ASSERT_EQ(installed->size(), 2U);
    const InstalledPackage& first = installed->front();
    EXPECT_EQ(first.info.meta.nevra.name, "alpha");
    EXPECT_EQ(first.rpm_sha256, alpha.hex());
    EXPECT_EQ(first.install_time, kTime);
    const PackageInfo whole = *read_package(store_, alpha);
    ASSERT_EQ(first.info.files.size(), whole.files.size());
    for (std::size_t i = 0; i < whole.files.size(); ++i) {
        EXPECT_EQ(first.info.files[i].entry, whole.files[i].entry);
        EXPECT_EQ(first.info.files[i].digest_hex, whole.files[i].digest_hex);
    }
}

TEST_F(RpmdbRead, RefusesWhatIsNoDatabase) {
    const std::string good = *make_rpmdb(store_, {write(meta("alpha"), {file("a", "a")})}, kTime);
    for (const std::string& bytes :
         {std::string(), std::string(4096, 'x'), good.substr(0, 99), good.substr(0, 4096)}) {
        const auto read = read_rpmdb(bytes, "lib/rpmdb.sqlite");
        ASSERT_FALSE(read.has_value());
        EXPECT_EQ(read.error().kind, ErrorKind::kCorrupt);
        EXPECT_NE(read.error().message.find("lib/rpmdb.sqlite"), std::string::npos);
    }
    // Whatever is damaged, it is an answer and no crash.
    for (std::size_t at = 100; at < good.size(); at += 997) {
        std::string bad = good;
        bad[at] = static_cast<char>(bad[at] ^ 0x5a);
        static_cast<void>(read_rpmdb(bad, "bad"));
    }
}

}  // namespace
}  // namespace tarn::rpm
