// SPDX-License-Identifier: MIT
#include "base/compress.hh"
#include "base/fs.hh"
#include "base/strings.hh"
#include "import/import.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace tarn {
namespace {

using testing::Each;
using testing::Field;
using testing::HasSubstr;
using testing::IsTrue;
using testing::Not;

// One ustar member (POSIX.1-1988).
std::string tar_member(const std::string& name, const std::string& content, unsigned mode) {
    std::string header(512, '\0');
    const auto put = [&](std::size_t at, const std::string& text) {
        header.replace(at, text.size(), text);
    };
    put(0, name);
    put(100, fmt::format("{:07o}", mode));
    put(108, "0000000");
    put(116, "0000000");
    put(124, fmt::format("{:011o}", content.size()));
    put(136, fmt::format("{:011o}", 1'600'000'000));
    put(148, "        ");
    put(156, name.ends_with('/') ? "5" : "0");
    put(257,
        std::string("ustar\0"
                    "00",
                    8));
    put(265, "root");
    put(297, "root");
    unsigned sum = 0;
    for (const char c : header) {
        sum += static_cast<unsigned char>(c);
    }
    put(148, fmt::format("{:06o}", sum) + std::string("\0 ", 2));
    return header + content + std::string((512 - content.size() % 512) % 512, '\0');
}

std::string ar_member(const std::string& name, const std::string& content) {
    return fmt::format(
               "{:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", name, 0, 0, 0, 100644, content.size()) +
           content + (content.size() % 2 == 1 ? "\n" : "");
}

struct Deb {
    std::string name;
    std::string fields{};  // further control fields
    std::string postinst{};
    std::string path = "./usr/bin/" + name;
    std::string content = "#!/usr/bin/" + name + "\n";
};

std::string deb_bytes(const Deb& deb) {
    const std::string end(1024, '\0');
    std::string control =
        tar_member("./control",
                   fmt::format("Package: {}\nVersion: 1.0-1\nArchitecture: amd64\n"
                               "Maintainer: A <a@example.org>\n{}Description: a {}\n",
                               deb.name,
                               deb.fields,
                               deb.name),
                   0644);
    if (!deb.postinst.empty()) {
        control += tar_member("./postinst", deb.postinst, 0755);
    }
    return "!<arch>\n" + ar_member("debian-binary", "2.0\n") +
           ar_member("control.tar.gz", compress_gzip(control + end, 6)) +
           ar_member("data.tar.gz",
                     compress_gzip(tar_member(deb.path, deb.content, 0755) + end, 6));
}

class ImportPackages : public testing::Test {
  protected:
    TempDir directory_ = TempDir::make().value();
    Store store_ = Store::open(directory_.path()).value();
    Project project_;
    SourceMap sources_;
    NullReporter reporter_;
    Lock lock_;

    void SetUp() override { project_.import_policy.release_suffix = ".tn1"; }
    void add(const Deb& deb) {
        LockedFile file;
        file.suite = "forky";
        file.package = deb.name;
        file.version = "1.0-1";
        file.architecture = "amd64";
        file.path = "pool/" + deb.name + ".deb";
        file.digest = store_.put(deb_bytes(deb)).value();
        lock_.packages.push_back(std::move(file));
    }
    Result<std::vector<ImportedPackage>> run(unsigned jobs = 2) {
        return import_packages(store_, project_, lock_, sources_, jobs, {}, reporter_);
    }
    std::vector<ImportedPackage> good(unsigned jobs = 2) {
        auto result = run(jobs);
        EXPECT_TRUE(result) << result.error().rendered << result.error().message;
        return result ? std::move(*result) : std::vector<ImportedPackage>{};
    }
};

TEST_F(ImportPackages, PackagesMayDependOnEachOtherAndOnVirtualNames) {
    add({"a", "Depends: b (>= 1.0), virtual-c\n"});
    add({"b"});
    add({"c", "Provides: virtual-c\n"});
    const auto imported = good();
    ASSERT_EQ(imported.size(), 3u);
    const auto info = rpm::read_package(store_, imported[0].rpm);
    ASSERT_TRUE(info) << info.error().message;
    std::vector<std::string> names;
    for (const rpm::Dependency& each : info->meta.requires_) {
        names.push_back(each.to_string());
    }
    EXPECT_THAT(names, testing::IsSupersetOf({"b >= 1.0", "virtual-c", "/usr/bin/a"}));
}

TEST_F(ImportPackages, SecondRunOpensNoPackage) {
    add({"a", "Depends: b\n"});
    add({"b"});
    const auto first = good();
    EXPECT_THAT(first, Not(testing::Contains(Field(&ImportedPackage::cached, IsTrue()))));
    for (const LockedFile& each : lock_.packages) {
        ASSERT_EQ(::unlink(store_.blob_path(each.digest).c_str()), 0);
    }
    const auto second = good();
    EXPECT_THAT(second, Each(Field(&ImportedPackage::cached, IsTrue())));
    EXPECT_EQ(second[0].rpm, first[0].rpm);
    EXPECT_EQ(second[1].nevra.to_string(), "b-1.0-1.tn1.x86_64");
}

TEST_F(ImportPackages, NumberOfJobsMakesNoDifference) {
    for (const char* each : {"a", "b", "c", "d"}) {
        add({each});
    }
    const auto one = good(1);
    const TempDir other = TempDir::make().value();
    store_ = Store::open(other.path()).value();
    lock_.packages.clear();
    for (const char* each : {"a", "b", "c", "d"}) {
        add({each});
    }
    const auto many = good(4);
    for (std::size_t i = 0; i < one.size(); ++i) {
        EXPECT_EQ(one[i].rpm, many[i].rpm);
    }
}

TEST_F(ImportPackages, NewNameOfAnotherPackageConvertsItsUsersAgain) {
    add({"a", "Depends: b\n"});
    add({"b"});
    add({"c"});
    const auto before = good();
    project_.imports["b"].name = "bee";
    const auto after = good();
    EXPECT_FALSE(after[0].cached);
    EXPECT_FALSE(after[1].cached);
    EXPECT_TRUE(after[2].cached);
    EXPECT_NE(before[0].rpm, after[0].rpm);
}

TEST_F(ImportPackages, DamagedCacheEntryIsMadeAnew) {
    add({"a"});
    const auto first = good();
    ASSERT_EQ(::unlink(store_.blob_path(first[0].rpm).c_str()), 0);
    const auto second = good();
    EXPECT_FALSE(second[0].cached);
    EXPECT_EQ(second[0].rpm, first[0].rpm);
}

TEST_F(ImportPackages, ErrorsOfAllPackagesAreCollected) {
    add({"a", "", "#!/bin/sh\nupdate-a\n"});
    add({"b"});
    add({"c", "", "#!/bin/sh\nupdate-c\n"});
    const auto result = run();
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().message, "2 of 3 packages cannot be imported");
    EXPECT_THAT(result.error().rendered, HasSubstr("update-a"));
    EXPECT_THAT(result.error().rendered, HasSubstr("update-c"));
}

TEST_F(ImportPackages, UnknownDependenciesOfAllPackagesAreCollected) {
    add({"a", "Depends: nowhere\n"});
    add({"b", "Depends: elsewhere\n"});
    const auto result = run();
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error().rendered, HasSubstr("nowhere"));
    EXPECT_THAT(result.error().rendered, HasSubstr("elsewhere"));
}

TEST_F(ImportPackages, AlteredPackageIsCorrupt) {
    add({"a"});
    std::string bytes = deb_bytes({"a"});
    lock_.packages[0].digest = store_.put(bytes.substr(0, bytes.size() / 2)).value();
    const auto result = run();
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().kind, ErrorKind::kCorrupt);
}

TEST_F(ImportPackages, PackageThatIsNotWhatTheLockSaysIsCorrupt) {
    add({"a"});
    lock_.packages[0].version = "2.0-1";
    const auto result = run();
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().kind, ErrorKind::kCorrupt);
    EXPECT_THAT(result.error().rendered, HasSubstr("the lock says a 2.0-1"));
}

TEST_F(ImportPackages, TwoPackagesOfOneRpmNameAreAnError) {
    add({"a"});
    add({"b"});
    project_.imports["b"].name = "a";
    const auto result = run();
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error().message, HasSubstr("would both become the RPM package `a`"));
}

TEST_F(ImportPackages, StopRequestInterrupts) {
    add({"a"});
    std::stop_source stop;
    stop.request_stop();
    const auto result =
        import_packages(store_, project_, lock_, sources_, 2, stop.get_token(), reporter_);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().kind, ErrorKind::kInterrupted);
}

}  // namespace
}  // namespace tarn
