// SPDX-License-Identifier: MIT
// [secure-boot]: who signs.
#include "project/loaded_test.hh"

namespace tarn {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(SecureBootTable, PathsAreRelativeToTheFile) {
    Loaded it;
    it.file("tarn.toml", R"(
[secure-boot]
certificate = "keys/boot.crt"
signatures = "signatures"
)")
        .load();
    EXPECT_EQ(it.project().secure_boot.certificate, it.path("keys/boot.crt"));
    EXPECT_EQ(it.project().secure_boot.signatures, it.path("signatures"));
    EXPECT_TRUE(it.project().secure_boot.key.empty());
}

TEST(SecureBootTable, ACommandIsAList) {
    Loaded it;
    it.file("tarn.toml", "[secure-boot]\ncommand = [\"sign\", \"--with\", \"a token\"]\n").load();
    EXPECT_THAT(it.project().secure_boot.command, ElementsAre("sign", "--with", "a token"));
}

TEST(SecureBootTable, TwoWaysToSignAreRefused) {
    Loaded it;
    it.file("tarn.toml", "[secure-boot]\nkey = \"a.key\"\npkcs11 = \"pkcs11:token=t\"\n").load();
    EXPECT_FALSE(it.loaded());
    EXPECT_THAT(it.said(), HasSubstr("tarn.toml:3:10"));
    EXPECT_THAT(it.said(), HasSubstr("`key` and `pkcs11` both say who signs: give one"));
}

}  // namespace
}  // namespace tarn
