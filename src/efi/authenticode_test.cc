// SPDX-License-Identifier: MIT
// Signatures against the tools that make and check them: sbsigntool, pesign.
#include "efi/authenticode.hh"

#include "efi/detail/pe.hh"
#include "efi/detail/testing.hh"

namespace tarn::efi {
namespace {

using testing::Made;
using testing::make_key;
using testing::run_tool;
using testing::small_program;

std::string signed_program(const Made& made, const std::string& program) {
    const auto signature = make_signature(program, *made.key, made.certificate);
    EXPECT_TRUE(signature.has_value());
    auto out = attach_signature(program, *signature);
    EXPECT_TRUE(out.has_value());
    return std::move(*out);
}

std::string hex(const Sha256Sum& sum) {
    return to_hex({reinterpret_cast<const char*>(sum.data()), sum.size()});
}

TEST(Authenticode, OwnSignatureHoldsAndIsTheSameEveryTime) {
    const Made made = make_key();
    const std::string program = small_program();
    const std::string once = signed_program(made, program);
    EXPECT_EQ(once, signed_program(made, program));
    EXPECT_EQ(once.size() % 8, 0u);
    const auto verdict = verify_image(once, {made.certificate});
    EXPECT_TRUE(verdict.has_value()) << verdict.error().message;
    EXPECT_EQ(*image_hash(once), *image_hash(program));
    EXPECT_EQ(*strip_signatures(once), *strip_signatures(program));
    EXPECT_EQ(image_signatures(once)->size(), 1u);
    EXPECT_TRUE(image_signatures(program)->empty());
}

TEST(Authenticode, EveryAlteredByteOfTheProgramIsRefused) {
    const Made made = make_key();
    const std::string whole = signed_program(made, small_program(5));
    const auto image = parse_pe(whole);
    ASSERT_TRUE(image.has_value());
    for (std::size_t at = 0; at < image->content_size; at += 13) {
        if (at >= image->checksum && at < image->checksum + 4) {
            continue;  // the only bytes besides the table's entry that no signature covers
        }
        std::string altered = whole;
        altered[at] = static_cast<char>(altered[at] ^ 1);
        EXPECT_FALSE(verify_image(altered, {made.certificate}).has_value()) << at;
    }
}

TEST(Authenticode, UntrustedUnsignedAndForeignSignaturesAreRefused) {
    const Made made = make_key();
    const Made other = make_key("Another");
    const std::string program = small_program();
    const std::string whole = signed_program(made, program);
    EXPECT_FALSE(verify_image(whole, {other.certificate}).has_value());
    EXPECT_FALSE(verify_image(whole, {}).has_value());
    EXPECT_FALSE(verify_image(program, {made.certificate}).has_value());
    const auto moved = attach_signature(small_program(8), image_signatures(whole)->at(0));
    ASSERT_TRUE(moved.has_value());
    const auto verdict = verify_image(*moved, {made.certificate});
    ASSERT_FALSE(verdict.has_value());
    EXPECT_EQ(verdict.error().notes.at(0), "the signature is one of another program");
}

TEST(Authenticode, ASecondSignatureIsAddedAndEitherIsEnough) {
    const Made made = make_key();
    const Made other = make_key("Another");
    const std::string twice = signed_program(other, signed_program(made, small_program(3)));
    EXPECT_EQ(image_signatures(twice)->size(), 2u);
    EXPECT_TRUE(verify_image(twice, {made.certificate}).has_value());
    EXPECT_TRUE(verify_image(twice, {other.certificate}).has_value());
}

TEST(Authenticode, KeyAndCertificateMustBelongTogether) {
    const Made made = make_key();
    const Made other = make_key("Another");
    const auto signature = make_signature(small_program(), *made.key, other.certificate);
    ASSERT_FALSE(signature.has_value());
    EXPECT_NE(signature.error().message.find("CN=Another"), std::string::npos);
}

TEST(Authenticode, SbverifyAcceptsOursAndRefusesAnAlteredOne) {
    TARN_NEED_TOOL("sbverify");
    const Made made = make_key();
    for (const std::size_t tail : {0u, 5u, 16u}) {
        const std::string path = made.directory.path() + "/program.efi";
        std::string whole = signed_program(made, small_program(tail));
        ASSERT_TRUE(write_file_atomic(path, whole).has_value());
        const auto good = run_tool({"sbverify", "--cert", made.certificate_path(), path});
        EXPECT_EQ(good.exit_code, 0) << tail << ": " << good.text;
        whole[0x500] = static_cast<char>(whole[0x500] ^ 1);
        ASSERT_TRUE(write_file_atomic(path, whole).has_value());
        EXPECT_NE(run_tool({"sbverify", "--cert", made.certificate_path(), path}).exit_code, 0);
    }
}

TEST(Authenticode, SignaturesOfSbsignHold) {
    TARN_NEED_TOOL("sbsign");
    const Made made = make_key();
    const std::string path = made.directory.path() + "/program.efi";
    const std::string out = made.directory.path() + "/signed.efi";
    for (const std::size_t tail : {0u, 5u, 16u}) {
        const std::string program = small_program(tail);
        ASSERT_TRUE(write_file_atomic(path, program).has_value());
        const auto run = run_tool({"sbsign",
                                   "--key",
                                   made.key_path(),
                                   "--cert",
                                   made.certificate_path(),
                                   "--output",
                                   out,
                                   path});
        ASSERT_EQ(run.exit_code, 0) << run.text;
        std::string whole = *read_file(out);
        const auto verdict = verify_image(whole, {made.certificate});
        EXPECT_TRUE(verdict.has_value()) << tail << ": " << verdict.error().message;
        EXPECT_EQ(*strip_signatures(whole), *strip_signatures(program));
        whole[0x410] = static_cast<char>(whole[0x410] ^ 1);
        EXPECT_FALSE(verify_image(whole, {made.certificate}).has_value());
    }
}

TEST(Authenticode, HashIsThatOfPesign) {
    TARN_NEED_TOOL("pesign");
    const TempDir directory = std::move(*TempDir::make());
    const std::string path = directory.path() + "/program.efi";
    const std::string program = small_program();
    ASSERT_TRUE(write_file_atomic(path, program).has_value());
    const auto run = run_tool({"pesign", "-h", "-d", "sha256", "-i", path});
    EXPECT_NE(run.text.find(hex(*image_hash(program))), std::string::npos) << run.text;
}

TEST(Authenticode, ProgramsThatAreBrokenAreRefused) {
    const std::string program = small_program();
    for (std::size_t size = 0; size < program.size(); size += 7) {
        EXPECT_FALSE(image_hash(std::string_view(program).substr(0, size)).has_value()) << size;
    }
    std::string overlapping = program;
    put_le(overlapping, 0x98 + 240 + 40 + 20, 0x500, 4);
    EXPECT_FALSE(image_hash(overlapping).has_value());
    std::string table = program;
    put_le(table, 0x98 + 112 + 32, 0x400, 4);
    put_le(table, 0x98 + 112 + 36, 0x10, 4);
    EXPECT_FALSE(image_signatures(table).has_value());
    const Made made = make_key();
    std::string gap = small_program(0x200);
    put_le(gap, 0x98 + 240 + 40 + 20, 0x800, 4);  // leaves 0x600 to 0x800 to no section
    EXPECT_FALSE(make_signature(gap, *made.key, made.certificate).has_value());
}

TEST(Authenticode, DamagedSignaturesAreRefusedAndNeverCrash) {
    const Made made = make_key();
    const std::string program = small_program();
    const std::string signature = *make_signature(program, *made.key, made.certificate);
    const auto hash = image_hash(program);
    ASSERT_TRUE(verify_signature(signature, *hash, {made.certificate}).has_value());
    for (std::size_t at = 0; at < signature.size(); at += 11) {
        EXPECT_FALSE(
            verify_signature(std::string_view(signature).substr(0, at), *hash, {made.certificate})
                .has_value())
            << at;
        std::string altered = signature;
        altered[at] = static_cast<char>(altered[at] ^ 0x20);
        // Bytes that say nothing (flags, the text nobody reads) are part of what is hashed too;
        // only the unsigned outer structure may be spelt in more ways than one.
        static_cast<void>(verify_signature(altered, *hash, {made.certificate}));
    }
}

}  // namespace
}  // namespace tarn::efi
