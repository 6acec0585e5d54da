// SPDX-License-Identifier: MIT
#include "repo/repo.hh"

#include "base/compress.hh"
#include "base/hash.hh"
#include "base/strings.hh"
#include "repo/detail/fragments.hh"
#include "repo/detail/metadata.hh"
#include "repo/detail/sample_packages.hh"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tarn {
namespace {

using repo::Bench;
using repo::Sample;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

RepoPackage package_of(const Store& store, const Sample& sample) {
    RepoPackage out{sample_package(store, sample), {}, {}};
    out.info = rpm::read_package(store, out.rpm).value();
    out.location = repo::location_of(out.info);
    return out;
}

std::string document(const Repodata& repodata, const std::string& type) {
    for (const auto& [name, bytes] : repodata.files) {
        if (name.ends_with("-" + type + ".xml.zst")) {
            return decompress(bytes, Compression::kZstd).value();
        }
        if (name == type) {
            return bytes;
        }
    }
    return {};
}

TEST(Repodata, OrderOfPackagesMakesNoDifference) {
    const Bench bench;
    const RepoPackage a = package_of(bench.store, {});
    const RepoPackage b = package_of(bench.store, {.name = "zebra"});
    const Repodata one = make_repodata({a, b}, 7, 1).value();
    const Repodata two = make_repodata({b, a}, 7, 2).value();
    EXPECT_EQ(one.files, two.files);
}

TEST(Repodata, FilesAreNamedByTheirDigest) {
    const Bench bench;
    const Repodata repodata = make_repodata({package_of(bench.store, {})}, 7, 1).value();
    ASSERT_EQ(repodata.files.size(), 4u);
    for (const auto& [name, bytes] : repodata.files) {
        if (name != "repomd.xml") {
            EXPECT_EQ(name.substr(0, 64), sha256_hex(bytes));
            EXPECT_THAT(document(repodata, "repomd.xml"), HasSubstr("repodata/" + name));
        }
    }
}

TEST(Repodata, PrimaryListsOnlyUsualPathsAndEscapesText) {
    const Bench bench;
    const Repodata repodata =
        make_repodata({package_of(bench.store, {.description = "a\x01 b\xff <c>"})}, 7, 1).value();
    const std::string primary = document(repodata, "primary");
    EXPECT_THAT(primary, HasSubstr("<file>/usr/bin/hello</file>"));
    EXPECT_THAT(primary, HasSubstr("<file type=\"dir\">/etc/hello.d</file>"));
    EXPECT_THAT(primary, Not(HasSubstr("/usr/share/hello/data")));
    EXPECT_THAT(primary, HasSubstr("A friendly &lt;program&gt; &amp; more"));
    EXPECT_THAT(primary, HasSubstr("a? b? &lt;c&gt;"));
    EXPECT_THAT(primary, Not(HasSubstr("rpmlib(")));
    EXPECT_THAT(document(repodata, "filelists"), HasSubstr("<file>/usr/share/hello/data</file>"));
    EXPECT_THAT(document(repodata, "other"), HasSubstr("- first &amp; last"));
}

TEST(Repodata, TwoPackagesOfOneNameAreRefused) {
    const Bench bench;
    const RepoPackage a = package_of(bench.store, {});
    const RepoPackage b = package_of(bench.store, {.epoch = 1});
    EXPECT_FALSE(make_repodata({a, b}, 7, 1));
}

TEST(Repodata, WhatIsWrittenIsRead) {
    const Bench bench;
    const RepoPackage a = package_of(
        bench.store,
        {.epoch = 2, .requires_ = {"libc.so.6(GLIBC_2.43)(64bit)", "(a or b)", "x >= 1:2-3"}});
    const auto items =
        repo::parse_primary(document(make_repodata({a}, 7, 1).value(), "primary"), "test");
    ASSERT_TRUE(items) << items.error().message;
    ASSERT_EQ(items->size(), 1u);
    const RepoIndex::Item& item = items->front();
    EXPECT_EQ(item.nevra.to_string(), a.info.meta.nevra.to_string());
    EXPECT_EQ(item.rpm, a.rpm);
    EXPECT_EQ(item.location, "Packages/h/hello-1.0-1.tn1.x86_64.rpm");
    EXPECT_EQ(item.source_rpm, "hello-1.0-1.tn1.src.rpm");
    EXPECT_THAT(item.provides, Contains("hello = 2:1.0-1.tn1"));
    EXPECT_THAT(
        item.requires_,
        testing::UnorderedElementsAre("libc.so.6(GLIBC_2.43)(64bit)", "(a or b)", "x >= 1:2-3"));
    EXPECT_THAT(item.files, ElementsAre("/etc/hello.d", "/usr/bin/hello"));
}

// ---- publishing --------------------------------------------------------------------------------

TEST(Publish, PublishedRepositoryIsReadBack) {
    Bench bench;
    const Digest rpm = bench.signed_package({});
    const auto published = publish(bench.store, bench.request({rpm, rpm}), bench.reporter);
    ASSERT_TRUE(published) << published.error().message;
    EXPECT_EQ(published->packages, 1u);
    EXPECT_EQ(published->bytes, rpm.size);
    EXPECT_FALSE(published->unchanged);
    const auto index = read_repository(bench.repository() + "/current", bench.ring);
    ASSERT_TRUE(index) << index.error().message;
    ASSERT_EQ(index->items.size(), 1u);
    EXPECT_EQ(index->revision, "1700000000");
    const std::string bytes = read_file(join_path(index->path, index->items[0].location)).value();
    EXPECT_EQ(Digest::of(bytes), index->items[0].rpm);
    EXPECT_TRUE(rpm::verify_package(bytes, "hello", bench.ring));
    EXPECT_TRUE(path_exists(index->path + "/RPM-GPG-KEY-test"));
}

TEST(Publish, SameAgainIsUnchangedAndIdentical) {
    Bench bench;
    const PublishRequest request = bench.request({bench.signed_package({})});
    const auto first = publish(bench.store, request, bench.reporter).value();
    const std::string repomd = read_file(first.path + "/repodata/repomd.xml").value();
    const auto second = publish(bench.store, request, bench.reporter).value();
    EXPECT_TRUE(second.unchanged);
    EXPECT_EQ(second.path, first.path);
    PublishRequest elsewhere = request;
    elsewhere.directory = bench.directory.path() + "/other";
    elsewhere.jobs = 1;
    const auto third = publish(bench.store, elsewhere, bench.reporter).value();
    EXPECT_EQ(third.snapshot, first.snapshot);
    EXPECT_EQ(read_file(third.path + "/repodata/repomd.xml").value(), repomd);
}

TEST(Publish, OlderSnapshotsStayAndCanBecomeCurrentAgain) {
    Bench bench;
    const Digest one = bench.signed_package({});
    const Digest two = bench.signed_package({.version = "2.0"});
    const auto first = publish(bench.store, bench.request({one}), bench.reporter).value();
    const auto second = publish(bench.store, bench.request({two}), bench.reporter).value();
    EXPECT_NE(first.snapshot, second.snapshot);
    EXPECT_TRUE(read_repository(first.path, bench.ring));
    const auto again = publish(bench.store, bench.request({one}), bench.reporter).value();
    EXPECT_FALSE(again.unchanged);
    EXPECT_EQ(read_symlink(bench.repository() + "/current").value(), "snapshots/" + first.snapshot);
}

TEST(Publish, SnapshotWithAMissingPackageIsMadeAnew) {
    Bench bench;
    const PublishRequest request = bench.request({bench.signed_package({})});
    const auto first = publish(bench.store, request, bench.reporter).value();
    const std::string package = first.path + "/Packages/h/hello-1.0-1.tn1.x86_64.rpm";
    ASSERT_EQ(::unlink(package.c_str()), 0);
    const auto second = publish(bench.store, request, bench.reporter).value();
    EXPECT_FALSE(second.unchanged);
    EXPECT_TRUE(path_exists(package));
}

TEST(Publish, NameOfTheKeyCannotLeaveTheSnapshot) {
    Bench bench;
    PublishRequest request = bench.request({});
    request.key_name = "../../x";
    EXPECT_EQ(publish(bench.store, request, bench.reporter).error().kind, ErrorKind::kUsage);
}

TEST(Publish, StoppedBeforeItBeginsPublishesNothing) {
    Bench bench;
    std::stop_source stop;
    stop.request_stop();
    PublishRequest request = bench.request({bench.signed_package({})});
    request.stop = stop.get_token();
    const auto published = publish(bench.store, request, bench.reporter);
    ASSERT_FALSE(published);
    EXPECT_EQ(published.error().kind, ErrorKind::kInterrupted);
    EXPECT_FALSE(path_exists(bench.repository() + "/current"));
}

TEST(Publish, KilledAtAnyMomentLeavesAWholeRepository) {
    Bench bench;
    const auto before =
        publish(bench.store, bench.request({bench.signed_package({.name = "old"})}), bench.reporter)
            .value();
    std::vector<Digest> rpms;
    for (int i = 0; i < 12; ++i) {
        rpms.push_back(bench.signed_package({.name = fmt::format("p{}", i)}));
    }
    const PublishRequest request = bench.request(rpms);
    for (unsigned delay = 0; delay < 20'000; delay += 1'000) {
        const pid_t child = ::fork();
        ASSERT_GE(child, 0);
        if (child == 0) {
            static_cast<void>(publish(bench.store, request, bench.reporter));
            ::_exit(0);
        }
        ::usleep(delay);
        ::kill(child, SIGKILL);
        ASSERT_EQ(::waitpid(child, nullptr, 0), child);
        const auto index = read_repository(bench.repository() + "/current", bench.ring);
        ASSERT_TRUE(index) << index.error().message;
        ASSERT_TRUE(index->items.size() == 1 || index->items.size() == rpms.size());
    }
    const auto after = publish(bench.store, request, bench.reporter);
    ASSERT_TRUE(after) << after.error().message;
    EXPECT_NE(after->snapshot, before.snapshot);
    const auto names = list_directory(bench.repository() + "/snapshots").value();
    EXPECT_THAT(names, testing::UnorderedElementsAre(before.snapshot, after->snapshot));
}

// In a mount namespace of its own, with a file system of a few pages.
int publish_on_full_disk(const Bench& bench, const PublishRequest& request) {
    constexpr int kCannotRun = 77;
    if (::unshare(CLONE_NEWNS) != 0 ||
        ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("tarn-test", request.directory.c_str(), "tmpfs", 0, "size=16k") != 0) {
        return kCannotRun;
    }
    NullReporter reporter;
    const auto published = publish(bench.store, request, reporter);
    const bool clean = !published && published.error().kind == ErrorKind::kNoSpace &&
                       list_directory(request.directory + "/snapshots").value().empty() &&
                       !path_exists(request.directory + "/current");
    return clean ? 0 : 1;
}

TEST(Publish, FullDiskLeavesNothingBehind) {
    Bench bench;
    std::vector<Digest> rpms;
    for (int i = 0; i < 12; ++i) {
        rpms.push_back(bench.signed_package({.name = fmt::format("p{}", i)}));
    }
    const PublishRequest request = bench.request(rpms);
    ASSERT_TRUE(make_directories(request.directory));
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        ::_exit(publish_on_full_disk(bench, request));
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77) {
        GTEST_SKIP() << "a small file system cannot be mounted here (not root)";
    }
    EXPECT_EQ(WEXITSTATUS(status), 0);
}

// ---- reading -----------------------------------------------------------------------------------

struct Published1 : testing::Test {
    Bench bench;
    std::string path;
    void SetUp() override {
        path = publish(bench.store, bench.request({bench.signed_package({})}), bench.reporter)
                   .value()
                   .path;
    }
    std::string metadata(const std::string& type) const {
        const std::vector<std::string> names = list_directory(path + "/repodata").value();
        for (const std::string& name : names) {
            if (name.ends_with(type)) {
                return path + "/repodata/" + name;
            }
        }
        return {};
    }
    Error error_of_reading() const {
        const auto index = read_repository(path, bench.ring);
        return index ? Error{ErrorKind::kFailed, "it was accepted"} : index.error();
    }
    void flip(const std::string& file, std::size_t at) const {
        std::string bytes = read_file(file).value();
        bytes[at] = static_cast<char>(bytes[at] ^ 1);
        ASSERT_TRUE(write_file_atomic(file, bytes));
    }
};

TEST_F(Published1, FlippedByteOfRepomdIsRefused) {
    flip(metadata("repomd.xml"), 200);
    EXPECT_EQ(error_of_reading().kind, ErrorKind::kCorrupt);
}

TEST_F(Published1, FlippedByteOfTheMetadataIsRefused) {
    flip(metadata("primary.xml.zst"), 40);
    EXPECT_EQ(error_of_reading().kind, ErrorKind::kCorrupt);
    EXPECT_THAT(error_of_reading().message, HasSubstr("primary.xml.zst"));
}

TEST_F(Published1, TruncatedMetadataIsRefused) {
    const std::string bytes = read_file(metadata("primary.xml.zst")).value();
    ASSERT_TRUE(write_file_atomic(metadata("primary.xml.zst"), bytes.substr(0, bytes.size() / 2)));
    EXPECT_EQ(error_of_reading().kind, ErrorKind::kCorrupt);
}

TEST_F(Published1, UnsignedRepositoryIsRefused) {
    ASSERT_EQ(::unlink((path + "/repodata/repomd.xml.asc").c_str()), 0);
    EXPECT_EQ(error_of_reading().kind, ErrorKind::kCorrupt);
    EXPECT_THAT(error_of_reading().message, HasSubstr("not signed"));
}

TEST_F(Published1, SignatureOfAnotherKeyIsRefused) {
    const SigningKey other = SigningKey::create(bench.directory.path() + "/keys",
                                                "other",
                                                "Other <o@example.org>",
                                                KeyAlgorithm::kEd25519,
                                                1'700'000'000)
                                 .value();
    const Keyring ring = Keyring::parse(other.public_key_armored()).value();
    const auto index = read_repository(path, ring);
    ASSERT_FALSE(index);
    EXPECT_EQ(index.error().kind, ErrorKind::kCorrupt);
}

TEST_F(Published1, MissingRepositorySaysHowToPublish) {
    const auto index = read_repository(path + "/nowhere", bench.ring);
    ASSERT_FALSE(index);
    EXPECT_EQ(index.error().kind, ErrorKind::kNotFound);
    EXPECT_FALSE(index.error().help.empty());
}

TEST(Read, FileRequiredOutsideTheUsualPathsIsFoundInFilelists) {
    Bench bench;
    const auto published =
        publish(bench.store,
                bench.request({bench.signed_package({}),
                               bench.signed_package({.name = "user",
                                                     .requires_ = {"/usr/share/hello/data"},
                                                     .files = {"usr/bin/user"}})}),
                bench.reporter)
            .value();
    const RepoIndex index = read_repository(published.path, bench.ring).value();
    ASSERT_EQ(index.items.size(), 2u);
    EXPECT_THAT(index.items[0].files, Contains("/usr/share/hello/data"));
    EXPECT_THAT(index.items[1].files, Not(Contains("/usr/share/hello/data")));
}

}  // namespace
}  // namespace tarn
