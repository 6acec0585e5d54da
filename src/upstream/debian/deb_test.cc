// SPDX-License-Identifier: MIT
#include "upstream/debian/deb.hh"

#include "upstream/debian/detail/testing.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tarn::debian {
namespace {

using namespace testing_support;
using testing::ElementsAre;
using testing::HasSubstr;

class Deb : public testing::Test {
  protected:
    Deb() : directory_(*TempDir::make()), store_(*Store::open(directory_.path() + "/store")) {}

    Result<DebPackage> parse(const std::string& bytes, const DebLimits& limits = {}) {
        return parse_deb(store_, bytes, "a.deb", limits);
    }
    Result<DebPackage> data(const std::vector<TarItem>& items) {
        return parse(make_deb(control_of("a"), items));
    }
    // The error's message; empty when it was accepted.
    std::string refusal(const std::vector<TarItem>& items) {
        const auto deb = data(items);
        if (deb) {
            return {};
        }
        EXPECT_EQ(deb.error().kind, ErrorKind::kCorrupt);
        return deb.error().message;
    }

    TempDir directory_;
    Store store_;
};

TEST_F(Deb, IsReadWhateverItsCompression) {
    for (const std::string filter : {"", "gzip", "xz", "zstd"}) {
        std::vector<TarItem> control = control_of("a");
        control.push_back({"./postinst", "#!/bin/sh\nexit 0\n", AE_IFREG, 0755});
        control.push_back({"./conffiles", "/etc/a.conf\nremove-on-upgrade /etc/old.conf\n"});
        control.push_back({"./md5sums", "d41d8cd98f00b204e9800998ecf8427e  usr/bin/a\n"});
        const auto deb = parse(make_deb(control,
                                        {{"./", "", AE_IFDIR, 0755},
                                         {"./usr/", "", AE_IFDIR, 0755},
                                         {"./usr/bin/a", "hello", AE_IFREG, 0755},
                                         {"./etc/a.conf", "x=1\n"},
                                         {"./etc/b", "", AE_IFLNK, 0777, "a.conf"}},
                                        filter));
        ASSERT_TRUE(deb.has_value()) << filter << deb.error().message;
        EXPECT_EQ(deb->control.at("Package"), "a");
        EXPECT_EQ(deb->scripts.at("postinst"), "#!/bin/sh\nexit 0\n");
        EXPECT_THAT(deb->conffiles, ElementsAre("/etc/a.conf"));
        EXPECT_THAT(deb->md5sums, HasSubstr("usr/bin/a"));
        ASSERT_EQ(deb->data.entries().size(), 4U);
        const TreeEntry* const file = deb->data.find("usr/bin/a");
        ASSERT_NE(file, nullptr);
        EXPECT_EQ(file->mode, 0755U);
        EXPECT_EQ(file->user, "root");
        EXPECT_EQ(file->mtime, 1'700'000'000);
        EXPECT_EQ(*store_.read(file->content), "hello");
        EXPECT_EQ(deb->data.find("etc/b")->target, "a.conf");
    }
}

TEST_F(Deb, KeepsSpecialModesAndOwnersAsAttributes) {
    const auto deb = data({{"./usr/bin/su", "x", AE_IFREG, 04755},
                           {"./usr/bin/wall", "x", AE_IFREG, 02755, "", "", "root", "tty"},
                           {"./tmp", "", AE_IFDIR, 01777}});
    ASSERT_TRUE(deb.has_value());
    EXPECT_EQ(deb->data.find("usr/bin/su")->mode, 04755U);
    EXPECT_EQ(deb->data.find("usr/bin/wall")->mode, 02755U);
    EXPECT_EQ(deb->data.find("usr/bin/wall")->group, "tty");
    EXPECT_EQ(deb->data.find("tmp")->mode, 01777U);
}

TEST_F(Deb, KeepsNamesOutsideAscii) {
    const auto deb = data({{"./usr/share/ca/F\xc5\x91tan\xc3\xbas\xc3\xadtv\xc3\xa1ny.crt", "x"}});
    ASSERT_TRUE(deb.has_value()) << deb.error().message;
    EXPECT_NE(deb->data.find("usr/share/ca/F\xc5\x91tan\xc3\xbas\xc3\xadtv\xc3\xa1ny.crt"),
              nullptr);
}

TEST_F(Deb, LargeFilesAreStoredWhole) {
    std::string large(20U << 20, 'x');
    large[large.size() / 2] = 'y';
    const auto deb = data({{"./large", large}});
    ASSERT_TRUE(deb.has_value());
    EXPECT_EQ(deb->data.find("large")->content, Digest::of(large));
    EXPECT_TRUE(store_.has(Digest::of(large)));
}

TEST_F(Deb, RefusesPathsThatLeaveThePackage) {
    EXPECT_THAT(refusal({{"../evil", "x"}}), HasSubstr("`../evil` leaves the package"));
    EXPECT_THAT(refusal({{"./usr/../../evil", "x"}}), HasSubstr("leaves the package"));
    EXPECT_THAT(refusal({{"./usr/..", "", AE_IFDIR}}), HasSubstr("leaves the package"));
    EXPECT_THAT(refusal({{"/etc/passwd", "x"}}), HasSubstr("is an absolute path"));
    EXPECT_THAT(refusal({{".//etc/passwd", "x"}}), HasSubstr("refused"));
}

TEST_F(Deb, RefusesHardLinksToWhatIsNotInThePackage) {
    for (const char* target : {"/etc/shadow", "../../etc/shadow", "./missing", "./dir"}) {
        EXPECT_THAT(
            refusal({{"./dir", "", AE_IFDIR, 0755}, {"./link", "", AE_IFREG, 0644, "", target}}),
            HasSubstr("is a hard link to"))
            << target;
    }
}

TEST_F(Deb, RefusesDeviceNodesAndPipes) {
    EXPECT_THAT(refusal({{"./dev/null", "", AE_IFCHR}}), HasSubstr("is a device node"));
    EXPECT_THAT(refusal({{"./dev/sda", "", AE_IFBLK}}), HasSubstr("is a device node"));
    EXPECT_THAT(refusal({{"./pipe", "", AE_IFIFO}}), HasSubstr("is neither"));
}

TEST_F(Deb, RefusesNamesGivenTwice) {
    EXPECT_THAT(refusal({{"./a", "1"}, {"a", "2"}}), HasSubstr("`a` is there twice"));
    EXPECT_THAT(refusal({{"./d", "", AE_IFDIR}, {"./d/", "", AE_IFDIR}}),
                HasSubstr("is there twice"));
}

TEST_F(Deb, RefusesFilesBelowALinkInEitherOrder) {
    const TarItem link = {"./lib", "", AE_IFLNK, 0777, "/tmp"};
    const TarItem file = {"./lib/x", "x"};
    EXPECT_THAT(refusal({link, file}), HasSubstr("lies below `lib`"));
    EXPECT_THAT(refusal({file, link}), HasSubstr("lies below `lib`"));
}

TEST_F(Deb, SymbolicLinksAreValuesAndMayPointAnywhere) {
    const auto deb = data({{"./a", "", AE_IFLNK, 0777, "../../../etc/shadow"},
                           {"./b", "", AE_IFLNK, 0777, "/etc/shadow"}});
    ASSERT_TRUE(deb.has_value());
    EXPECT_EQ(deb->data.find("a")->target, "../../../etc/shadow");
}

TEST_F(Deb, HardLinksHangOnTheFirstPath) {
    const auto deb = data({{"./m", "content", AE_IFREG, 04755},
                           {"./z", "", AE_IFREG, 0600, "", "./m"},
                           {"./a", "", AE_IFREG, 0600, "", "./z"}});
    ASSERT_TRUE(deb.has_value()) << deb.error().message;
    EXPECT_EQ(deb->data.find("a")->hardlink, "");
    EXPECT_EQ(deb->data.find("m")->hardlink, "a");
    EXPECT_EQ(deb->data.find("z")->hardlink, "a");
    for (const char* path : {"a", "m", "z"}) {
        EXPECT_EQ(deb->data.find(path)->content, Digest::of("content"));
        EXPECT_EQ(deb->data.find(path)->mode, 04755U);
    }
}

TEST_F(Deb, TruncationAnywhereIsNoticed) {
    std::string noise;
    for (unsigned i = 0, x = 1; i < 20000; ++i) {
        x = x * 1103515245U + 12345U;
        noise += static_cast<char>(x >> 16);
    }
    for (const std::string filter : {"xz", "zstd", "gzip"}) {
        const std::string whole = make_deb(control_of("a"), {{"./noise", noise}}, filter);
        ASSERT_TRUE(parse(whole).has_value());
        for (std::size_t part = 0; part < 40; ++part) {
            const std::string cut = whole.substr(0, whole.size() * part / 40);
            const auto deb = parse(cut);
            ASSERT_FALSE(deb.has_value()) << filter << " " << cut.size();
            EXPECT_EQ(deb.error().kind, ErrorKind::kCorrupt);
        }
    }
}

TEST_F(Deb, TruncatedTarInsideAnIntactArchiveIsNoticed) {
    const std::string tar = make_tar({{"./a", std::string(5000, 'x')}}, "");
    const std::string bytes = "!<arch>\n" + ar_member("debian-binary", "2.0\n") +
                              ar_member("control.tar", make_tar(control_of("a"), "")) +
                              ar_member("data.tar", tar.substr(0, 2048));
    const auto deb = parse(bytes);
    ASSERT_FALSE(deb.has_value());
    EXPECT_EQ(deb.error().kind, ErrorKind::kCorrupt);
}

TEST_F(Deb, BombsAreRefused) {
    const std::string zeros(8U << 20, '\0');
    DebLimits limits;
    limits.data_bytes = 4U << 20;
    auto deb = parse(make_deb(control_of("a"), {{"./zeros", zeros}}), limits);
    ASSERT_FALSE(deb.has_value());
    EXPECT_THAT(deb.error().message, HasSubstr("more than 4194304 bytes"));

    limits = {};
    limits.control_bytes = 1U << 20;
    std::vector<TarItem> control = control_of("a");
    control.push_back({"./templates", zeros});
    EXPECT_FALSE(parse(make_deb(control, {}), limits).has_value());

    limits = {};
    limits.entries = 10;
    std::vector<TarItem> many;
    for (int i = 0; i < 11; ++i) {
        many.push_back({fmt::format("./{}", i), ""});
    }
    deb = parse(make_deb(control_of("a"), many), limits);
    ASSERT_FALSE(deb.has_value());
    EXPECT_THAT(deb.error().message, HasSubstr("10 entries"));
}

TEST_F(Deb, OtherFilesAreNotTakenForPackages) {
    const std::string control = ar_member("control.tar", make_tar(control_of("a"), ""));
    const std::string data_member = ar_member("data.tar", make_tar({{"./a", "x"}}, ""));
    const std::string binary = ar_member("debian-binary", "2.0\n");
    const std::string magic = "!<arch>\n";
    EXPECT_TRUE(parse(magic + binary + control + data_member).has_value());
    EXPECT_TRUE(parse(magic + binary + ar_member("_sig", "x") + control + data_member).has_value());
    for (const std::string& bytes : std::vector<std::string>{
             "",
             "hello",
             magic,
             magic + control + data_member,
             magic + binary + control,
             magic + binary + data_member,
             magic + binary + control + control + data_member,
             magic + binary + control + data_member + data_member,
             magic + ar_member("debian-binary", "3.0\n") + control + data_member,
             magic + binary + ar_member("control.tar", make_tar({}, "")) + data_member}) {
        const auto deb = parse(bytes);
        ASSERT_FALSE(deb.has_value());
        EXPECT_EQ(deb.error().kind, ErrorKind::kCorrupt);
        EXPECT_THAT(deb.error().message, HasSubstr("a.deb"));
    }
}

TEST_F(Deb, ReadsFromTheStore) {
    const Digest digest = *store_.put(make_deb(control_of("a"), {{"./x", "x"}}));
    EXPECT_TRUE(read_deb(store_, digest, "a").has_value());
    EXPECT_EQ(read_deb(store_, Digest::of("missing"), "a").error().kind, ErrorKind::kNotFound);
}

}  // namespace
}  // namespace tarn::debian
