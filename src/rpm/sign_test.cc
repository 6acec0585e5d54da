// SPDX-License-Identifier: MIT
#include "base/process.hh"
#include "base/strings.hh"
#include "rpm/test_package.hh"

namespace tarn::rpm {
namespace {

constexpr std::int64_t kWhen = 1'710'000'000;

class Sign : public PackageTest {
  protected:
    Sign() : key_(key()), ring_(*Keyring::parse(key_.public_key_armored())) {
        unsigned_ = write(meta(), {file("etc/x", "some text")});
        signed_ = *sign_package(store_, unsigned_, key_, kWhen);
        bytes_ = *store_.read(signed_);
    }

    SigningKey key_;
    Keyring ring_;
    Digest unsigned_, signed_;
    std::string bytes_;
};

TEST_F(Sign, SignedPackageVerifies) {
    const auto verified = verify_package(bytes_, "p", ring_);
    EXPECT_TRUE(verified) << verified.error().message;
    // Only the signature header differs, and it keeps its length.
    const std::string before = *store_.read(unsigned_);
    const PackageInfo info = *read_package(before, "p");
    EXPECT_EQ(bytes_.size(), before.size());
    EXPECT_EQ(bytes_.substr(info.header_start), before.substr(info.header_start));
}

TEST_F(Sign, AgainGivesTheSameAndReplaces) {
    EXPECT_EQ(*sign_package(store_, unsigned_, key_, kWhen), signed_);
    EXPECT_EQ(*sign_package(store_, signed_, key_, kWhen), signed_);
    const SigningKey second = key("second");
    const std::string resigned = *store_.read(*sign_package(store_, signed_, second, kWhen));
    EXPECT_FALSE(verify_package(resigned, "p", ring_));
    EXPECT_TRUE(verify_package(resigned, "p", *Keyring::parse(second.public_key_armored())));
}

TEST_F(Sign, RsaSignaturesFitTheReservedSpace) {
    const SigningKey rsa = *SigningKey::create(
        temp_.path() + "/keys", "rsa", "T <t@example.org>", KeyAlgorithm::kRsa4096, 1'600'000'000);
    const std::string bytes = *store_.read(*sign_package(store_, unsigned_, rsa, kWhen));
    EXPECT_EQ(bytes.size(), bytes_.size());
    EXPECT_TRUE(verify_package(bytes, "p", *Keyring::parse(rsa.public_key_armored())));
}

TEST_F(Sign, UnsignedAndUnknownAreRefused) {
    const auto plain = verify_package(*store_.read(unsigned_), "p.rpm", ring_);
    ASSERT_FALSE(plain);
    EXPECT_EQ(plain.error().message, "p.rpm is not signed");
    const SigningKey stranger = key("stranger");
    const auto unknown =
        verify_package(bytes_, "p.rpm", *Keyring::parse(stranger.public_key_armored()));
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().kind, ErrorKind::kCorrupt);
    EXPECT_TRUE(contains(unknown.error().notes.at(0), key_.info().key_id));
}

TEST_F(Sign, FlippedBytesOfHeaderOrPayloadAreRefused) {
    const PackageInfo info = *read_package(bytes_, "p");
    for (std::size_t i = info.header_start; i < bytes_.size(); i += 3) {
        std::string altered = bytes_;
        altered[i] = static_cast<char>(altered[i] ^ 0x10);
        const auto verified = verify_package(altered, "p", ring_);
        ASSERT_FALSE(verified) << i;
        ASSERT_EQ(verified.error().kind, ErrorKind::kCorrupt) << i;
    }
}

TEST_F(Sign, HeaderWithOtherDigestsIsNotSigned) {
    // Whoever alters the header and its digest still has no signature of it.
    std::string forged = with_header(
        bytes_, [](HeaderValue& header) { header.put_string(RPMTAG_LICENSE, "other"); });
    EXPECT_TRUE(read_package(forged, "p"));
    EXPECT_FALSE(verify_package(forged, "p", ring_));
    const Frame frame = *parse_frame(forged, "p");
    const Frame original = *parse_frame(bytes_, "p");
    HeaderValue signature = HeaderValue::import(frame.signature_blob, "p")->copy();
    signature.put_copy(
        *HeaderValue::import(original.signature_blob, "p"), RPMSIGTAG_DSA, RPMSIGTAG_DSA);
    forged =
        std::string(frame.lead) +
        make_signed_header(signature,
                           frame.header_start - kLeadSize,
                           HeaderValue::import(original.signature_blob, "p")->binary(RPMSIGTAG_DSA),
                           false) +
        std::string(frame.header) + std::string(frame.payload);
    const auto verified = verify_package(forged, "p", ring_);
    ASSERT_FALSE(verified);
    EXPECT_TRUE(contains(verified.error().message, "no signature"));
}

TEST_F(Sign, RpmItselfAgrees) {
    if (!find_program("rpmkeys")) {
        GTEST_SKIP() << "rpm is not installed";
    }
    const std::string path = temp_.path() + "/p.rpm";
    ASSERT_TRUE(write_file_atomic(path, bytes_));
    const std::string public_key = temp_.path() + "/keys/k.asc";
    Command import;
    import.argv = {"rpmkeys", "--dbpath", temp_.path() + "/db", "--import", public_key};
    ASSERT_EQ(run(import)->exit_code, 0);
    Command check;
    check.argv = {"rpmkeys",
                  "--dbpath",
                  temp_.path() + "/db",
                  "--define",
                  "_pkgverify_level all",
                  "--checksig",
                  path};
    EXPECT_EQ(run(check)->output, path + ": digests signatures OK\n");
}

}  // namespace
}  // namespace tarn::rpm
