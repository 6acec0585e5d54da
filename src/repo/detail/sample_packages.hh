// SPDX-License-Identifier: MIT
// Small packages for the tests of this room.
#pragma once

#include "base/fs.hh"
#include "repo/repo.hh"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tarn::repo {

struct Sample {
    std::string name = "hello";
    std::string version = "1.0";
    std::optional<std::uint32_t> epoch{};
    std::vector<std::string> requires_{};
    std::vector<std::string> files{"usr/bin/hello", "usr/share/hello/data"};
    std::string description = "Greets.";
};

inline rpm::PackageMeta sample_meta(const Sample& sample) {
    rpm::PackageMeta meta;
    meta.nevra = {sample.name, {sample.epoch, sample.version, "1.tn1"}, "x86_64"};
    meta.summary = "A friendly <program> & more";
    meta.description = sample.description;
    meta.license = "MIT";
    meta.group = "Unspecified";
    meta.url = "https://example.org/?a=1&b=2";
    meta.vendor = "Tarn Linux";
    meta.packager = "Tarn Linux";
    meta.source_rpm = sample.name + "-1.0-1.tn1.src.rpm";
    meta.build_host = "tarn";
    meta.build_time = 1'700'000'000;
    meta.provides.push_back({sample.name, 8, meta.nevra.evr.to_string()});
    for (const std::string& each : sample.requires_) {
        meta.requires_.push_back(rpm::Dependency::parse(each));
    }
    meta.changelog.push_back({1'600'000'000, "A <a@example.org>", "- first & last"});
    return meta;
}

// An unsigned package in the store.
inline Digest sample_package(const Store& store, const Sample& sample) {
    std::vector<TreeEntry> entries;
    for (const std::string& path : sample.files) {
        TreeEntry entry;
        entry.path = path;
        entry.mode = 0755;
        entry.mtime = 1'700'000'000;
        entry.content = store.put("contents of " + path + " " + sample.version).value();
        entries.push_back(std::move(entry));
    }
    TreeEntry directory;
    directory.path = "etc/hello.d";
    directory.kind = EntryKind::kDirectory;
    directory.mode = 0755;
    directory.mtime = 1'700'000'000;
    entries.push_back(std::move(directory));
    const Tree tree = Tree::make(std::move(entries)).value();
    const auto rpm = rpm::write_package(store, sample_meta(sample), tree, {}, {});
    EXPECT_TRUE(rpm) << rpm.error().message;
    return rpm.value();
}

// A store and a key in a directory of its own.
struct Bench {
    TempDir directory = TempDir::make().value();
    Store store = Store::open(directory.path() + "/store").value();
    SigningKey key = SigningKey::create(directory.path() + "/keys",
                                        "test",
                                        "Test <t@example.org>",
                                        KeyAlgorithm::kEd25519,
                                        1'700'000'000)
                         .value();
    Keyring ring = Keyring::parse(key.public_key_armored()).value();
    NullReporter reporter;

    Digest signed_package(const Sample& sample) const {
        const auto rpm =
            rpm::sign_package(store, sample_package(store, sample), key, 1'700'000'000);
        EXPECT_TRUE(rpm) << rpm.error().message;
        return rpm.value();
    }
    std::string repository() const { return directory.path() + "/repo"; }
    PublishRequest request(std::vector<Digest> rpms) const {
        PublishRequest out;
        out.directory = repository();
        out.rpms = std::move(rpms);
        out.key = &key;
        out.key_name = "test";
        out.revision = 1'700'000'000;
        out.jobs = 2;
        return out;
    }
};

}  // namespace tarn::repo
