// SPDX-License-Identifier: MIT
#include "base/fs.hh"
#include "pgp/detail/ed25519.hh"
#include "pgp/pgp.hh"

#include <gtest/gtest.h>

namespace tarn {
namespace {

constexpr std::int64_t kCreated = 1'700'000'000;

Result<SigningKey> make_key(const TempDir& directory) {
    return SigningKey::create(directory.path() + "/keys",
                              "k",
                              "Tester <t@example.org>",
                              KeyAlgorithm::kEd25519,
                              kCreated);
}

TEST(Ed25519, RawSignatureVerifiesWithTheKeyOfThePublicRing) {
    const TempDir directory = *TempDir::make();
    const auto key = make_key(directory);
    ASSERT_TRUE(key.has_value());
    const auto signature = key->sign_ed25519("some bytes");
    ASSERT_TRUE(signature.has_value()) << signature.error().message;
    EXPECT_EQ(signature->size(), 64U);
    EXPECT_EQ(*signature, *key->sign_ed25519("some bytes"));
    const auto ring = Keyring::parse(key->public_key_armored());
    ASSERT_TRUE(ring.has_value());
    const std::string point = ring->keys().at(0).point;
    EXPECT_EQ(point.size(), 32U);
    EXPECT_TRUE(verify_ed25519(point, "some bytes", *signature));
    EXPECT_FALSE(verify_ed25519(point, "other bytes", *signature));
    EXPECT_FALSE(verify_ed25519(point, "some bytes", signature->substr(1)));
    EXPECT_FALSE(verify_ed25519("short", "some bytes", *signature));
}

TEST(Ed25519, ParsesASecretKeyPacketWhoseSeedHasLeadingZeros) {
    const std::string curve("\x09\x2b\x06\x01\x04\x01\xda\x47\x0f\x01", 10);
    const std::string point = "\x40" + std::string(32, 'p');
    const std::string body = std::string("\x04\0\0\0\x01\x16", 6) + curve +
                             std::string("\x01\x07", 2) + point + std::string(1, '\0') +
                             std::string("\0\x0f", 2) + "\x7f\x01";
    const std::string packet = "\x94" + std::string(1, static_cast<char>(body.size())) + body;
    const auto numbers = pgp::parse_ed25519_key(packet);
    ASSERT_TRUE(numbers.has_value());
    EXPECT_EQ(numbers->point, std::string(32, 'p'));
    EXPECT_EQ(numbers->seed, std::string(30, '\0') + "\x7f\x01");
    for (std::size_t cut = 0; cut < packet.size() - 2; ++cut) {
        EXPECT_FALSE(pgp::parse_ed25519_key(packet.substr(0, cut)).has_value()) << cut;
    }
}

}  // namespace
}  // namespace tarn
