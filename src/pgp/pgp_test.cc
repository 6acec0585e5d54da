// SPDX-License-Identifier: MIT
#include "pgp/pgp.hh"

#include "base/fs.hh"
#include "base/strings.hh"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <thread>

namespace tarn {
namespace {

constexpr std::int64_t kCreated = 1'700'000'000;
constexpr std::int64_t kWhen = 1'710'000'000;

class Pgp : public testing::Test {
  protected:
    Pgp() : temp_(std::move(*TempDir::make())), keys_(temp_.path() + "/keys") {}

    SigningKey make(const std::string& name, KeyAlgorithm algorithm = KeyAlgorithm::kEd25519) {
        auto key = SigningKey::create(keys_, name, "Tester <t@example.org>", algorithm, kCreated);
        EXPECT_TRUE(key) << key.error().message;
        return std::move(*key);
    }

    static Keyring ring(const SigningKey& key) {
        auto keyring = Keyring::parse(key.public_key_armored());
        EXPECT_TRUE(keyring) << keyring.error().message;
        return std::move(*keyring);
    }

    TempDir temp_;
    std::string keys_;
};

unsigned mode_of(const std::string& path) {
    struct stat status{};
    EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
    return status.st_mode & 07777;
}

TEST_F(Pgp, CreatedKeyIsPrivateAndDescribed) {
    const SigningKey key = make("release");
    EXPECT_EQ(mode_of(keys_), 0700U);
    EXPECT_EQ(mode_of(keys_ + "/release.key"), 0600U);
    EXPECT_EQ(list_directory(keys_)->size(), 2U);
    EXPECT_EQ(key.info().fingerprint.size(), 40U);
    EXPECT_EQ(key.info().key_id, key.info().fingerprint.substr(24));
    EXPECT_EQ(key.info().user_id, "Tester <t@example.org>");
    EXPECT_EQ(key.info().created, kCreated);
    EXPECT_EQ(key.info().expires, 0);
    EXPECT_EQ(key.info().algorithm, KeyAlgorithm::kEd25519);
    EXPECT_FALSE(contains(key.public_key_armored(), "PRIVATE"));
    EXPECT_EQ(*read_file(keys_ + "/release.asc"), key.public_key_armored());
}

TEST_F(Pgp, CreateRefusesToReplaceAKey) {
    const SigningKey key = make("release");
    const auto again = SigningKey::create(
        keys_, "release", "Other <o@example.org>", KeyAlgorithm::kEd25519, kCreated);
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().kind, ErrorKind::kFailed);
    EXPECT_EQ(SigningKey::load(keys_, "release")->info().fingerprint, key.info().fingerprint);
}

TEST_F(Pgp, CreateRefusesNamesThatLeaveTheDirectory) {
    for (const char* name : {"", "../x", "a/b", ".hidden", "-x", "a b"}) {
        const auto key =
            SigningKey::create(keys_, name, "T <t@example.org>", KeyAlgorithm::kEd25519, kCreated);
        ASSERT_FALSE(key) << name;
        EXPECT_EQ(key.error().kind, ErrorKind::kUsage);
    }
}

TEST_F(Pgp, CreateRefusesADirectoryOpenToOthers) {
    ASSERT_TRUE(make_directories(keys_, 0700));
    ASSERT_EQ(::chmod(keys_.c_str(), 0755), 0);
    const auto key =
        SigningKey::create(keys_, "release", "T <t@example.org>", KeyAlgorithm::kEd25519, kCreated);
    ASSERT_FALSE(key);
    EXPECT_EQ(key.error().kind, ErrorKind::kUsage);
    EXPECT_TRUE(list_directory(keys_)->empty());
}

TEST_F(Pgp, LoadRefusesAKeyOthersMayRead) {
    make("release");
    ASSERT_EQ(::chmod((keys_ + "/release.key").c_str(), 0640), 0);
    const auto key = SigningKey::load(keys_, "release");
    ASSERT_FALSE(key);
    EXPECT_EQ(key.error().kind, ErrorKind::kUsage);
    EXPECT_EQ(key.error().help.size(), 1U);
}

TEST_F(Pgp, LoadOfAMissingKeySaysHowToMakeIt) {
    const auto key = SigningKey::load(keys_, "release");
    ASSERT_FALSE(key);
    EXPECT_EQ(key.error().kind, ErrorKind::kNotFound);
    EXPECT_EQ(key.error().help.at(0), "tarn key new release");
}

TEST_F(Pgp, LoadRefusesWhatIsNoPrivateKey) {
    const SigningKey key = make("release");
    ASSERT_TRUE(write_file_atomic(keys_ + "/public.key", key.public_key_armored(), 0600));
    ASSERT_TRUE(write_file_atomic(keys_ + "/noise.key", "not a key", 0600));
    EXPECT_EQ(SigningKey::load(keys_, "public").error().kind, ErrorKind::kCorrupt);
    EXPECT_EQ(SigningKey::load(keys_, "noise").error().kind, ErrorKind::kCorrupt);
}

TEST_F(Pgp, LoadMendsAMissingPublicFile) {
    const SigningKey key = make("release");
    ASSERT_TRUE(remove_tree(keys_ + "/release.asc"));
    ASSERT_TRUE(SigningKey::load(keys_, "release"));
    EXPECT_EQ(*read_file(keys_ + "/release.asc"), key.public_key_armored());
}

TEST_F(Pgp, SignatureIsV4BinaryDocumentWithSha256) {
    const SigningKey key = make("release");
    const std::string signature = *key.sign_detached("hello", kWhen);
    // New or old packet format, tag 2; then version 4, type 0x00, EdDSA (22), SHA-256 (8).
    const auto first = static_cast<unsigned char>(signature.at(0));
    EXPECT_EQ((first & 0x40U) != 0 ? first & 0x3fU : (first >> 2U) & 0xfU, 2U);
    EXPECT_EQ(signature.substr(2, 4), std::string("\x04\x00\x16\x08", 4));
}

TEST_F(Pgp, SameBytesKeyAndTimeGiveTheSameSignature) {
    const SigningKey key = make("release");
    const SigningKey loaded = std::move(*SigningKey::load(keys_, "release"));
    EXPECT_EQ(*key.sign_detached("hello", kWhen), *loaded.sign_detached("hello", kWhen));
    EXPECT_NE(*key.sign_detached("hello", kWhen), *key.sign_detached("hello", kWhen + 1));
}

TEST_F(Pgp, DetachedSignaturesVerify) {
    for (const auto algorithm : {KeyAlgorithm::kEd25519, KeyAlgorithm::kRsa4096}) {
        const SigningKey key = make(algorithm == KeyAlgorithm::kEd25519 ? "ed" : "rsa", algorithm);
        EXPECT_EQ(key.info().algorithm, algorithm);
        const Keyring keyring = ring(key);
        const auto binary = keyring.verify_detached("hello", *key.sign_detached("hello", kWhen));
        ASSERT_TRUE(binary) << binary.error().message;
        EXPECT_EQ(binary->at(0).fingerprint, key.info().fingerprint);
        const std::string armored = *key.sign_detached_armored("hello", kWhen);
        EXPECT_TRUE(armored.starts_with("-----BEGIN PGP SIGNATURE-----"));
        EXPECT_TRUE(keyring.verify_detached("hello", armored));
    }
}

TEST_F(Pgp, AlteredDataOrSignatureIsRefused) {
    const SigningKey key = make("release");
    const Keyring keyring = ring(key);
    std::string signature = *key.sign_detached("hello", kWhen);
    EXPECT_EQ(keyring.verify_detached("hellO", signature).error().kind, ErrorKind::kCorrupt);
    signature.back() = static_cast<char>(signature.back() ^ 1);
    EXPECT_EQ(keyring.verify_detached("hello", signature).error().kind, ErrorKind::kCorrupt);
    EXPECT_EQ(keyring.verify_detached("hello", "").error().kind, ErrorKind::kCorrupt);
}

TEST_F(Pgp, UnknownKeyIsNamed) {
    const SigningKey known = make("known");
    const SigningKey other = make("other");
    const auto verified =
        ring(known).verify_detached("hello", *other.sign_detached("hello", kWhen));
    ASSERT_FALSE(verified);
    EXPECT_EQ(verified.error().kind, ErrorKind::kCorrupt);
    EXPECT_TRUE(contains(verified.error().notes.at(0), other.info().key_id));
}

TEST_F(Pgp, SignatureIsNeverOlderThanItsKey) {
    const SigningKey key = make("release");
    EXPECT_EQ(*key.sign_detached("hello", 1), *key.sign_detached("hello", kCreated));
    EXPECT_TRUE(ring(key).verify_detached("hello", *key.sign_detached("hello", 1)));
}

TEST_F(Pgp, ThreadsMaySignAtOnce) {
    const SigningKey key = make("release");
    std::vector<std::string> signatures(16);
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] {
            for (std::size_t i = t; i < signatures.size(); i += 4) {
                signatures[i] = *key.sign_detached(std::to_string(i), kWhen);
            }
        });
    }
    for (auto& thread : threads) {
        thread.join();
    }
    const Keyring keyring = ring(key);
    for (std::size_t i = 0; i < signatures.size(); ++i) {
        EXPECT_TRUE(keyring.verify_detached(std::to_string(i), signatures[i]));
    }
}

TEST_F(Pgp, BadInputLeavesStderrAlone) {
    const Keyring keyring = ring(make("known"));
    const SigningKey other = make("other");
    const std::string signature = *other.sign_detached("hello", kWhen);
    testing::internal::CaptureStderr();
    EXPECT_FALSE(keyring.verify_detached("hello", signature));
    EXPECT_FALSE(keyring.verify_detached("hello", "noise"));
    EXPECT_FALSE(Keyring::parse("noise"));
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST_F(Pgp, ListsKeysByName) {
    EXPECT_TRUE(list_keys(keys_ + "/none")->empty());
    make("b");
    make("a");
    const auto keys = list_keys(keys_);
    ASSERT_TRUE(keys);
    ASSERT_EQ(keys->size(), 2U);
    EXPECT_EQ(keys->at(0).name, "a");
    EXPECT_EQ(keys->at(1).name, "b");
}

TEST(Keyring, NoiseIsNoKeyring) {
    EXPECT_EQ(Keyring::parse("no keys here").error().kind, ErrorKind::kCorrupt);
    EXPECT_EQ(Keyring::load({"/nonexistent/ring.gpg"}).error().kind, ErrorKind::kNotFound);
}

}  // namespace
}  // namespace tarn
