// SPDX-License-Identifier: MIT
// From a declaration to a lock to files in the store, over a small signed archive on disk.
#include "upstream/debian/archive.hh"
#include "upstream/debian/detail/testing.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace tarn::debian {
namespace {

using namespace testing_support;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::int64_t kNow = 1793952481;  // Fri, 06 Nov 2026 08:08:01 UTC

class WarningReporter : public NullReporter {
  public:
    void warn(std::string_view line) override { warnings.emplace_back(line); }
    std::vector<std::string> warnings;
};

class LockTest : public testing::Test {
  protected:
    LockTest() : directory_(*TempDir::make()), store_(*Store::open(directory_.path() + "/store")) {
        Distro distro;
        distro.name = "debian";
        distro.kind = UpstreamKind::kDebian;
        distro.default_version = "forky";
        distro.keyrings = {archive_.keyring()};
        for (const char* name : {"forky", "backports"}) {
            DistroVersion version;
            version.name = name;
            version.suite = name;
            version.components = {"main"};
            distro.versions[name] = version;
        }
        project_.distros["debian"] = distro;
        project_.default_distro.name = "debian";
        fill();
    }

    void fill() {
        archive_.add("forky", "bash", "5.3-2", "Depends: libc6 (>= 2.40), debconf | cdebconf\n");
        archive_.add("forky", "libc6", "2.43-7");
        archive_.add("forky", "kmod", "34-1", "Depends: libc6\n");
        archive_.add("forky", "linux-base", "4.12");
        archive_.add("forky", "linux-image-cloud", "7.2-1");
        archive_.add("forky", "broken", "1", "Depends: libnowhere\n");
        archive_.add("backports",
                     "linux-image-cloud",
                     "6.18-1",
                     "Depends: linux-image-6.18-cloud (= 6.18-1)\n");
        archive_.add("backports",
                     "linux-image-6.18-cloud",
                     "6.18-1",
                     "Depends: kmod, linux-base (>= 4.0)\n");
        archive_.add("backports", "kmod", "33-1~bpo");
        archive_.add_source("forky",
                            "jq",
                            {"jq_1.8.orig-docs.tar.gz",
                             "jq_1.8.orig.tar.gz.asc",
                             "jq_1.8.orig.tar.gz",
                             "jq_1.8-1.dsc"});
        archive_.publish("forky");
        archive_.publish("backports");
        group("userland", "forky", {"bash"});
        project_.import_policy.never_import = {{"debconf", "no"}};
    }

    ImportGroup& group(const std::string& name,
                       const std::string& version,
                       const std::vector<std::string>& packages) {
        ImportGroup& made = project_.import_groups[name];
        made.name = name;
        made.upstream = {"debian", version, {}, {}};
        made.packages = packages;
        return made;
    }
    void source(const std::string& package,
                const std::string& member = {},
                const std::string& hash = {}) {
        SourceFile file;
        file.filename = "x.tar.gz";
        file.origin_type = "debian";
        file.package = package;
        file.member = member;
        file.hash_type = hash.empty() ? "" : "SHA256";
        file.hash = hash;
        project_.components["c"].name = "c";
        project_.components["c"].source_files = {file};
    }
    DistroVersion& forky() { return project_.distros["debian"].versions["forky"]; }

    Result<Lock> lock() {
        LockRequest request;
        request.project = &project_;
        request.mirror = archive_.url();
        request.now = kNow;
        request.fetch.retry_pause = std::chrono::milliseconds(1);
        return make_lock(store_, request, reporter_);
    }
    Error lock_error() {
        const auto made = lock();
        EXPECT_FALSE(made.has_value());
        return made ? Error{} : made.error();
    }
    static std::vector<std::string> lines(const std::vector<LockedFile>& files) {
        std::vector<std::string> all;
        for (const LockedFile& file : files) {
            all.push_back(fmt::format("{} {} {} [{}] {}",
                                      file.suite,
                                      file.package,
                                      file.version,
                                      join(file.groups, ","),
                                      file.reason));
        }
        return all;
    }
    Result<void> fetch_all(const Lock& made) {
        return fetch_locked(store_, made, archive_.url(), {}, reporter_);
    }

    TempDir directory_;
    Store store_;
    TestArchive archive_;
    Project project_;
    WarningReporter reporter_;
};

TEST_F(LockTest, TakesTheClosureOfAGroup) {
    const auto made = lock();
    ASSERT_TRUE(made.has_value()) << made.error().message;
    EXPECT_THAT(lines(made->packages),
                ElementsAre("forky bash 5.3-2 [userland] requested",
                            "forky libc6 2.43-7 [userland] required by bash"));
    EXPECT_EQ(made->suites.at("forky").signer, archive_.key().info().fingerprint);
    EXPECT_EQ(made->suites.at("forky").date, "Fri, 30 Oct 2026 08:08:01 UTC");
    EXPECT_EQ(made->request, lock_request_digest(project_));
    EXPECT_TRUE(reporter_.warnings.empty());
    EXPECT_EQ(lock()->serialize(), made->serialize());
}

TEST_F(LockTest, KernelComesFromItsSuiteAndTheRestFromTheMainOne) {
    group("userland", "forky", {"bash", "kmod"});
    group("kernel", "backports", {"linux-image-cloud"});
    const auto made = lock();
    ASSERT_TRUE(made.has_value()) << made.error().message;
    EXPECT_THAT(lines(made->packages),
                ElementsAre("backports linux-image-6.18-cloud 6.18-1 [kernel] required by "
                            "linux-image-cloud",
                            "backports linux-image-cloud 6.18-1 [kernel] requested",
                            "forky bash 5.3-2 [userland] requested",
                            "forky kmod 34-1 [kernel,userland] requested",
                            "forky libc6 2.43-7 [kernel,userland] required by bash",
                            "forky linux-base 4.12 [kernel] required by linux-image-6.18-cloud"));
}

TEST_F(LockTest, OnePackageFromTwoSuitesIsAnErrorThatSaysWhy) {
    group("userland", "forky", {"bash", "kmod"});
    group("kernel", "backports", {"linux-image-cloud", "kmod"});
    const Error error = lock_error();
    EXPECT_EQ(error.message, "`kmod` would be imported from two suites");
    EXPECT_THAT(error.notes,
                Contains(HasSubstr("kmod 33-1~bpo from backports: import group "
                                   "`kernel`")));
    EXPECT_THAT(error.notes, Contains(HasSubstr("kmod 34-1 from forky: import group `userland`")));
}

TEST_F(LockTest, UnknownPackageComesWithSuggestions) {
    group("userland", "forky", {"bsh"});
    const Error error = lock_error();
    EXPECT_EQ(error.kind, ErrorKind::kNotFound);
    EXPECT_EQ(error.message, "import group `userland` (forky): unknown package `bsh`");
    EXPECT_THAT(error.help, Contains("did you mean `bash`?"));
}

TEST_F(LockTest, UnresolvableClosureIsExplained) {
    group("userland", "forky", {"bash", "broken"});
    const Error error = lock_error();
    EXPECT_EQ(error.message, "import group `userland` (forky): `broken` cannot be resolved");
    EXPECT_THAT(error.notes, Contains("broken 1 requires libnowhere, which nothing provides"));
}

TEST_F(LockTest, ExcludedPackagesAreNotTaken) {
    group("userland", "forky", {"bash"}).exclude = {"libc6"};
    EXPECT_THAT(lock_error().notes, Contains(HasSubstr("`libc6` is excluded")));
}

TEST_F(LockTest, UnsignedReleaseIsRefused) {
    put(archive_.in_release("forky"), archive_.release_text("forky"));
    const Error error = lock_error();
    EXPECT_EQ(error.kind, ErrorKind::kCorrupt);
    EXPECT_THAT(error.message, HasSubstr("is not signed"));
}

TEST_F(LockTest, ReleaseSignedByAStrangerIsRefused) {
    const TestArchive stranger;
    put(archive_.in_release("forky"), clearsign(stranger.key(), archive_.release_text("forky")));
    EXPECT_EQ(lock_error().kind, ErrorKind::kCorrupt);
}

TEST_F(LockTest, AlteredReleaseIsRefused) {
    std::string text = *read_file(archive_.in_release("forky"));
    text.replace(text.find("Origin: Test"), 12, "Origin: Evil");
    put(archive_.in_release("forky"), text);
    EXPECT_EQ(lock_error().kind, ErrorKind::kCorrupt);
    text = *read_file(archive_.in_release("backports"));
    put(archive_.in_release("forky"), text.substr(0, text.size() / 2));
    EXPECT_EQ(lock_error().kind, ErrorKind::kCorrupt);
}

TEST_F(LockTest, ReleaseOfAnotherSuiteIsRefused) {
    put(archive_.in_release("forky"), *read_file(archive_.in_release("backports")));
    EXPECT_THAT(lock_error().message, HasSubstr("is the Release of `backports`"));
}

TEST_F(LockTest, MissingSuiteIsNamed) {
    group("userland", "backports", {"kmod"});
    ASSERT_TRUE(remove_tree(archive_.path() + "/dists/backports").has_value());
    const Error error = lock_error();
    EXPECT_EQ(error.kind, ErrorKind::kNotFound);
    EXPECT_THAT(error.message, HasSubstr("the mirror has no suite `backports`"));
}

TEST_F(LockTest, ExpiredReleaseNeedsADecisionThatIsRecorded) {
    archive_.publish("forky", "Valid-Until: Fri, 06 Nov 2026 08:08:00 UTC\n");
    const Error error = lock_error();
    EXPECT_EQ(error.kind, ErrorKind::kCorrupt);
    EXPECT_THAT(error.message, HasSubstr("has expired: valid until Fri, 06 Nov 2026"));
    EXPECT_THAT(error.help, Contains(HasSubstr("expired-release")));

    forky().expired_release = {true, "a pinned snapshot", "2099-01-01"};
    EXPECT_THAT(lock_error().message, HasSubstr("is older than 2099-01-01"));
    forky().expired_release = {true, "a pinned snapshot", "yesterday"};
    EXPECT_THAT(lock_error().message, HasSubstr("`yesterday` is no date"));

    forky().expired_release = {true, "a pinned snapshot", "2000-01-01"};
    const auto made = lock();
    ASSERT_TRUE(made.has_value());
    EXPECT_EQ(made->suites.at("forky").expired_reason, "a pinned snapshot");
    EXPECT_THAT(reporter_.warnings, Contains(HasSubstr("a pinned snapshot")));
}

TEST_F(LockTest, ReleaseThatIsStillValidIsTakenWithoutAWord) {
    archive_.publish("forky", "Valid-Until: Fri, 06 Nov 2026 08:08:01 UTC\n");
    forky().expired_release = {true, "not needed", "2000-01-01"};
    const auto made = lock();
    ASSERT_TRUE(made.has_value());
    EXPECT_EQ(made->suites.at("forky").expired_reason, "");
    EXPECT_TRUE(reporter_.warnings.empty());
}

TEST_F(LockTest, AlteredOrTruncatedIndexIsRefused) {
    const std::string path = archive_.path() + "/dists/forky/main/binary-amd64/Packages";
    const std::string good = *read_file(path);
    std::string altered = good;
    altered[good.find("5.3-2")] = '6';
    put(path, altered);
    EXPECT_THAT(lock_error().message, HasSubstr("is altered"));
    put(path, good.substr(0, good.size() / 2));
    EXPECT_THAT(lock_error().message, HasSubstr("is truncated"));
    put(path, good + "\nPackage: evil\n");
    EXPECT_THAT(lock_error().message, HasSubstr("is larger than"));
    put(path, good);
    EXPECT_TRUE(lock().has_value());
}

TEST_F(LockTest, IndexesComeByNameWhenTheMirrorHasNoneByHash) {
    archive_.publish("forky", "Acquire-By-Hash: yes\n");
    EXPECT_TRUE(lock().has_value());
}

TEST_F(LockTest, IndexesComeByHashWhereOffered) {
    archive_.publish("forky", "Acquire-By-Hash: yes\n");
    const std::string directory = archive_.path() + "/dists/forky/main/binary-amd64/";
    const std::string text = *read_file(directory + "Packages");
    put(directory + "by-hash/SHA256/" + Digest::of(text).hex(), text);
    ASSERT_TRUE(remove_tree(directory + "Packages").has_value());
    EXPECT_TRUE(lock().has_value());
}

TEST_F(LockTest, FindsThePristineTarballOfASource) {
    source("jq");
    const auto made = lock();
    ASSERT_TRUE(made.has_value()) << made.error().message;
    ASSERT_EQ(made->sources.size(), 1U);
    EXPECT_EQ(made->sources[0].path, "pool/jq/jq_1.8.orig.tar.gz");
    EXPECT_EQ(made->sources[0].package, "jq");
    EXPECT_EQ(made->sources[0].digest, Digest::of("content of jq_1.8.orig.tar.gz"));
    source("jq", "jq_1.8-1.dsc");
    EXPECT_EQ(lock()->sources[0].path, "pool/jq/jq_1.8-1.dsc");
    source("jq", "", Digest::of("content of jq_1.8.orig.tar.gz").hex());
    EXPECT_TRUE(lock().has_value());
}

TEST_F(LockTest, SourcesThatAreNotThereAreNamed) {
    source("jqq");
    EXPECT_THAT(lock_error().message, HasSubstr("has no source package `jqq`"));
    source("jq", "jq.zip");
    EXPECT_THAT(lock_error().notes, Contains("it has jq_1.8.orig.tar.gz"));
    source("jq", "", std::string(64, '0'));
    EXPECT_THAT(lock_error().message, HasSubstr("the archive has another file"));
}

TEST_F(LockTest, RequestDigestFollowsWhatIsAskedForOnly) {
    const Digest before = lock_request_digest(project_);
    project_.import_groups["userland"].description = "other words";
    project_.import_policy.never_import[0].reason = "other words";
    project_.description = "other words";
    EXPECT_EQ(lock_request_digest(project_), before);
    const auto changes = [&](const std::function<void(Project&)>& change) {
        Project changed = project_;
        change(changed);
        return lock_request_digest(changed) != before;
    };
    EXPECT_TRUE(changes([](Project& p) { p.import_groups["userland"].packages = {"kmod"}; }));
    EXPECT_TRUE(changes([](Project& p) { p.import_groups["userland"].exclude = {"kmod"}; }));
    EXPECT_TRUE(
        changes([](Project& p) { p.import_groups["userland"].upstream.version = "backports"; }));
    EXPECT_TRUE(changes([](Project& p) { p.import_policy.never_import.clear(); }));
    EXPECT_TRUE(changes([](Project& p) { p.import_policy.virtual_packages["awk"] = "mawk"; }));
    EXPECT_TRUE(changes([](Project& p) { p.distros["debian"].versions["forky"].suite = "sid"; }));
    source("jq");
    EXPECT_NE(lock_request_digest(project_), before);
}

TEST_F(LockTest, EachTargetHasItsOwnGroupsAndDigest) {
    const Digest before = lock_request_digest(project_);
    group("kernel", "backports", {"linux-image-cloud"}).architectures = {"aarch64"};
    group("cross", "forky", {"kmod"}).architectures = {"cross-aarch64"};
    project_.import_policy.architectures = {"x86_64", "aarch64"};
    EXPECT_EQ(lock_request_digest(project_), before) << "what others import is nothing to x86_64";
    EXPECT_NE(lock_request_digest(project_, "aarch64"), before);
    source("jq");
    const auto locked = [&](const std::string& target) {
        LockRequest request;
        request.project = &project_;
        request.mirror = archive_.url();
        request.target = target;
        request.now = kNow;
        return make_lock(store_, request, reporter_);
    };
    const auto cross = locked("cross-aarch64");
    ASSERT_TRUE(cross.has_value()) << cross.error().message;
    ASSERT_EQ(cross->packages.size(), 2U) << "kmod and libc6, and nothing of the userland";
    EXPECT_EQ(cross->packages[0].package, "kmod");
    EXPECT_TRUE(cross->sources.empty()) << "they are in the lock of x86_64";
    EXPECT_FALSE(locked("x86_64")->sources.empty());
    EXPECT_EQ(cross->request, lock_request_digest(project_, "cross-aarch64"));
}

TEST_F(LockTest, AnArchitectureThatIsNotImportedIsRefused) {
    LockRequest request;
    request.project = &project_;
    request.target = "aarch64";
    const auto refused = make_lock(store_, request, reporter_);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().kind, ErrorKind::kUsage);
    EXPECT_EQ(refused.error().message, "the project does not import aarch64 packages");
    EXPECT_THAT(refused.error().help,
                ElementsAre("add \"aarch64\" to architectures of [import-policy]"));
}

TEST_F(LockTest, DistroThatIsNotDebianIsRefused) {
    project_.import_groups["userland"].upstream.name = "fedora";
    EXPECT_EQ(lock_error().kind, ErrorKind::kUsage);
}

TEST_F(LockTest, LockedFilesComeIntoTheStore) {
    source("jq");
    const Lock made = *lock();
    ASSERT_TRUE(fetch_all(made).has_value());
    for (const auto* files : {&made.packages, &made.sources}) {
        for (const LockedFile& file : *files) {
            EXPECT_TRUE(store_.has(file.digest)) << file.path;
        }
    }
    ASSERT_TRUE(remove_tree(archive_.path()).has_value());
    EXPECT_TRUE(fetch_all(made).has_value()) << "nothing is asked for again";
}

TEST_F(LockTest, VanishedPackageMakesTheLockStale) {
    const Lock made = *lock();
    ASSERT_EQ(unlink((archive_.path() + "/pool/bash_5.3-2_amd64.deb").c_str()), 0);
    auto fetched = fetch_all(made);
    ASSERT_FALSE(fetched.has_value());
    EXPECT_EQ(fetched.error().kind, ErrorKind::kNotFound);
    EXPECT_EQ(fetched.error().message, "lock is stale: bash 5.3-2 is no longer on the mirror");
    EXPECT_THAT(fetched.error().help, ElementsAre("run `tarn lock` to lock again"));
}

TEST_F(LockTest, ManyVanishedPackagesAreCounted) {
    Lock made = *lock();
    for (int i = 0; i < 7; ++i) {
        LockedFile gone = made.packages[0];
        gone.package = fmt::format("gone{}", i);
        gone.path = fmt::format("pool/gone{}.deb", i);
        gone.digest = Digest::of(gone.package);
        made.packages.push_back(gone);
    }
    const auto fetched = fetch_all(made);
    ASSERT_FALSE(fetched.has_value());
    EXPECT_EQ(fetched.error().message,
              "lock is stale: gone0 5.3-2 and 6 more are no longer on the mirror");
    EXPECT_EQ(fetched.error().notes.size(), 6U);
    EXPECT_EQ(fetched.error().notes.back(), "... and 2 more");
}

TEST_F(LockTest, AlteredOrTruncatedPackageIsRefused) {
    const Lock made = *lock();
    const std::string path = archive_.path() + "/pool/bash_5.3-2_amd64.deb";
    const std::string good = *read_file(path);
    std::string altered = good;
    altered[good.size() / 2] = static_cast<char>(altered[good.size() / 2] ^ 1);
    put(path, altered);
    auto fetched = fetch_all(made);
    ASSERT_FALSE(fetched.has_value());
    EXPECT_EQ(fetched.error().kind, ErrorKind::kCorrupt);
    EXPECT_THAT(fetched.error().message, HasSubstr("bash 5.3-2"));
    EXPECT_THAT(fetched.error().message, HasSubstr("is altered"));
    put(path, good.substr(0, 100));
    fetched = fetch_all(made);
    EXPECT_THAT(fetched.error().message, HasSubstr("is truncated"));
    put(path, good);
    EXPECT_TRUE(fetch_all(made).has_value());
}

}  // namespace
}  // namespace tarn::debian
