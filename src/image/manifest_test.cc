// SPDX-License-Identifier: MIT
#include "base/strings.hh"
#include "image/image.hh"

#include <gtest/gtest.h>

namespace tarn {
namespace {

Manifest some_manifest() {
    Manifest out;
    out.image = "vm";
    out.distro = "tarn";
    out.version = "1.0";
    out.repository_snapshot = "abc";
    out.content_bytes = 42;
    ManifestPackage package;
    package.nevra = {"dbus", {1u, "1.2", "3.tn1"}, "x86_64"};
    package.rpm = Digest::of("rpm");
    package.size = 42;
    package.reason = "requested";
    package.origin = {"import", "import dbus 1:1.2-3 (forky)", {{"file", "pool/d.deb"}}};
    out.packages.push_back(package);
    package.nevra = {"jq", {std::nullopt, "1.8", "1"}, "x86_64"};
    out.packages.push_back(package);
    out.artifacts = {{"vm.raw", std::string(64, 'a')}};
    return out;
}

TEST(Manifest, ComesBackAsItWasWritten) {
    const std::string text = some_manifest().to_json();
    const auto back = Manifest::parse(text);
    ASSERT_TRUE(back.has_value());
    EXPECT_EQ(back->to_json(), text);
    EXPECT_EQ(back->packages[0].nevra.evr.epoch, 1u);
    EXPECT_FALSE(back->packages[1].nevra.evr.epoch);
    EXPECT_EQ(back->packages[0].origin.facts.at("file"), "pool/d.deb");
    EXPECT_EQ(back->packages[0].rpm, Digest::of("rpm"));
}

TEST(Manifest, BytesThatAreNoTextDoNotBreakIt) {
    Manifest odd = some_manifest();
    odd.packages[0].origin.text = "caf\xe9";
    EXPECT_TRUE(Manifest::parse(odd.to_json()).has_value());
}

TEST(Manifest, EveryMissingOrWrongValueIsAnErrorThatNamesIt) {
    const std::string good = some_manifest().to_json();
    for (const char* key : {"format",
                            "image",
                            "content-bytes",
                            "packages",
                            "artifacts",
                            "sha256",
                            "arch",
                            "reason",
                            "origin",
                            "kind"}) {
        const std::string bad = replace_all(good, std::string("\"") + key + "\":", "\"zzz\":");
        const auto result = Manifest::parse(bad);
        ASSERT_FALSE(result.has_value()) << key;
        EXPECT_EQ(result.error().kind, ErrorKind::kCorrupt);
        EXPECT_NE(result.error().message.find(key), std::string::npos) << result.error().message;
    }
    for (const char* text : {"", "[]", "null", "{", "{\"format\":2}", "{\"format\":-1}"}) {
        EXPECT_FALSE(Manifest::parse(text).has_value()) << text;
    }
}

}  // namespace
}  // namespace tarn
