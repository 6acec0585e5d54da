// SPDX-License-Identifier: MIT
// What the tests of this room share.
#pragma once

#include "base/hash.hh"
#include "rpm/detail/frame.hh"
#include "rpm/detail/header.hh"
#include "rpm/package.hh"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>

namespace tarn::rpm {

class PackageTest : public testing::Test {
  protected:
    PackageTest()
        : temp_(std::move(*TempDir::make())),
          store_(std::move(*Store::open(temp_.path() + "/s"))) {}

    TreeEntry file(const std::string& path,
                   const std::string& contents,
                   std::uint32_t mode = 0644) {
        TreeEntry entry;
        entry.path = path;
        entry.mode = mode;
        entry.mtime = 1'700'000'000;
        entry.user = entry.group = "root";
        entry.content = *store_.put(contents);
        return entry;
    }

    static TreeEntry other(const std::string& path, EntryKind kind, std::uint32_t mode) {
        TreeEntry entry;
        entry.path = path;
        entry.kind = kind;
        entry.mode = mode;
        entry.mtime = 1'700'000'000;
        entry.user = entry.group = "root";
        return entry;
    }

    static TreeEntry link(const std::string& path, const std::string& target) {
        TreeEntry entry = other(path, EntryKind::kSymlink, 0777);
        entry.target = target;
        return entry;
    }

    static PackageMeta meta(const std::string& name = "sample") {
        PackageMeta meta;
        meta.nevra = {name, {std::nullopt, "1.2", "3.tn1"}, "x86_64"};
        meta.summary = "A sample";
        meta.description = "Some words\nin two lines";
        meta.license = "MIT";
        meta.url = "https://example.org/";
        meta.source_rpm = "sample-1.2-3.tn1.src.rpm";
        meta.build_host = "builder";
        meta.build_time = 1'700'000'000;
        return meta;
    }

    Digest write(const PackageMeta& package,
                 std::vector<TreeEntry> entries,
                 const std::vector<std::pair<std::string, std::uint32_t>>& flags = {}) {
        auto tree = Tree::make(std::move(entries));
        EXPECT_TRUE(tree) << tree.error().message;
        auto digest = write_package(store_, package, *tree, flags, {});
        EXPECT_TRUE(digest) << digest.error().message;
        return *digest;
    }

    SigningKey key(const std::string& name = "k") {
        auto made = SigningKey::create(temp_.path() + "/keys",
                                       name,
                                       "T <t@example.org>",
                                       KeyAlgorithm::kEd25519,
                                       1'600'000'000);
        EXPECT_TRUE(made) << made.error().message;
        return std::move(*made);
    }

    // The package with another header, all digests of the header put right again.
    static std::string with_header(const std::string& bytes,
                                   const std::function<void(HeaderValue&)>& change) {
        const Frame frame = *parse_frame(bytes, "test");
        HeaderValue header = HeaderValue::import(frame.header_blob, "test")->copy();
        change(header);
        header.seal(RPMTAG_HEADERIMMUTABLE);
        const std::string changed = std::string(kHeaderMagic) + header.blob();
        return std::string(frame.lead) +
               make_signature_header(sha256_hex(changed),
                                     {changed.size() + frame.payload.size(), 0}) +
               changed + std::string(frame.payload);
    }

    TempDir temp_;
    Store store_;
};

}  // namespace tarn::rpm
