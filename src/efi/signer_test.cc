// SPDX-License-Identifier: MIT
// Signing with a key at hand, and elsewhere.
#include "efi/signer.hh"

#include "efi/detail/testing.hh"

namespace tarn::efi {
namespace {

using testing::Made;
using testing::make_key;
using testing::run_tool;
using testing::small_program;

constexpr const char* kName = "EFI/BOOT/BOOTX64.EFI";

KeySource key_source(const Made& made) {
    KeySource out;
    out.certificate = made.certificate_path();
    out.key_file = made.key_path();
    return out;
}

TEST(Signer, SignsWithAKeyFile) {
    const Made made = make_key();
    const auto signer = open_signer(key_source(made));
    ASSERT_TRUE(signer.has_value());
    const auto out = (*signer)->sign(kName, small_program());
    ASSERT_TRUE(out.has_value());
    EXPECT_TRUE(verify_image(*out, {made.certificate}).has_value());
    EXPECT_EQ((*signer)->identity(), (*open_signer(key_source(made)))->identity());
    EXPECT_NE((*signer)->identity(), (*open_signer(key_source(make_key("Another"))))->identity());
}

TEST(Signer, OneWayToSignIsWanted) {
    const Made made = make_key();
    KeySource none;
    none.certificate = made.certificate_path();
    EXPECT_EQ(open_signer(none).error().message, "[secure-boot] names no way to sign");
    KeySource several = key_source(made);
    several.command = {"sign"};
    EXPECT_EQ(open_signer(several).error().message, "[secure-boot] names several ways to sign");
    KeySource bare = key_source(made);
    bare.certificate.clear();
    EXPECT_EQ(open_signer(bare).error().message, "[secure-boot] names no certificate");
    KeySource missing = key_source(made);
    missing.certificate += ".not";
    EXPECT_EQ(open_signer(missing).error().kind, ErrorKind::kNotFound);
}

struct Elsewhere {
    Made made = make_key();
    std::string program = small_program(5);
    std::string out = made.directory.path() + "/out";
    std::string signatures = made.directory.path() + "/signatures";
    std::string file;  // in `out`

    Elsewhere() {
        const Collector collector;
        EXPECT_EQ(*collector.sign(kName, program), program);
        const auto written = collector.write(out);
        EXPECT_TRUE(written.has_value());
        file = out + "/" + written->at(0).file;
    }
    KeySource source() const {
        KeySource key;
        key.certificate = made.certificate_path();
        key.signatures = signatures;
        return key;
    }
    Result<std::size_t> inject() const {
        return inject_signatures(out, made.certificate, signatures);
    }
    void sign_in_place() const {
        const std::string bare = *read_file(file);
        const auto whole = (*open_signer(key_source(made)))->sign(kName, bare);
        EXPECT_TRUE(write_file_atomic(file, *whole).has_value());
    }
};

TEST(Detached, WhatWasSignedElsewhereIsWhatAKeyAtHandMakes) {
    const Elsewhere elsewhere;
    const auto signer = open_signer(elsewhere.source());
    ASSERT_TRUE(signer.has_value());
    const auto before = (*signer)->sign(kName, elsewhere.program);
    ASSERT_FALSE(before.has_value());
    EXPECT_EQ(before.error().kind, ErrorKind::kNotFound);
    const Digest identity = (*signer)->identity();

    elsewhere.sign_in_place();
    const auto count = elsewhere.inject();
    ASSERT_TRUE(count.has_value()) << count.error().message;
    EXPECT_EQ(*count, 1u);
    const auto after = (*signer)->sign(kName, elsewhere.program);
    ASSERT_TRUE(after.has_value()) << after.error().message;
    EXPECT_EQ(*after, *(*open_signer(key_source(elsewhere.made)))->sign(kName, elsewhere.program));
    EXPECT_NE((*signer)->identity(), identity);
}

TEST(Detached, SbsignMakesADetachedSignatureThatIsTaken) {
    TARN_NEED_TOOL("sbsign");
    const Elsewhere elsewhere;
    const auto run = run_tool({"sbsign",
                               "--detached",
                               "--key",
                               elsewhere.made.key_path(),
                               "--cert",
                               elsewhere.made.certificate_path(),
                               "--output",
                               elsewhere.file + ".p7s",
                               elsewhere.file});
    ASSERT_EQ(run.exit_code, 0) << run.text;
    const auto count = elsewhere.inject();
    ASSERT_TRUE(count.has_value()) << count.error().message;
    EXPECT_TRUE((*open_signer(elsewhere.source()))->sign(kName, elsewhere.program).has_value());
}

TEST(Detached, SbsignSignsTheFileInPlace) {
    TARN_NEED_TOOL("sbsign");
    const Elsewhere elsewhere;
    const auto run = run_tool({"sbsign",
                               "--key",
                               elsewhere.made.key_path(),
                               "--cert",
                               elsewhere.made.certificate_path(),
                               "--output",
                               elsewhere.file,
                               elsewhere.file});
    ASSERT_EQ(run.exit_code, 0) << run.text;
    EXPECT_TRUE(elsewhere.inject().has_value());
}

TEST(Detached, AFileThatWasAlteredOrNotSignedIsRefusedAndNothingIsWritten) {
    const Elsewhere elsewhere;
    EXPECT_EQ(elsewhere.inject().error().kind, ErrorKind::kNotFound);
    elsewhere.sign_in_place();
    std::string bytes = *read_file(elsewhere.file);
    bytes[0x450] = static_cast<char>(bytes[0x450] ^ 1);
    ASSERT_TRUE(write_file_atomic(elsewhere.file, bytes).has_value());
    const auto refused = elsewhere.inject();
    ASSERT_FALSE(refused.has_value());
    EXPECT_NE(refused.error().message.find("differs in more than its signature"),
              std::string::npos);
    EXPECT_FALSE(path_exists(elsewhere.signatures));
}

TEST(Detached, ASignatureOfAnotherKeyIsRefused) {
    const Elsewhere elsewhere;
    const Made other = make_key("Another");
    const auto whole = (*open_signer(key_source(other)))->sign(kName, *read_file(elsewhere.file));
    ASSERT_TRUE(write_file_atomic(elsewhere.file, *whole).has_value());
    EXPECT_EQ(elsewhere.inject().error().kind, ErrorKind::kCorrupt);
}

TEST(Detached, ListsThatPointElsewhereAreRefused) {
    const Elsewhere elsewhere;
    const std::string list = elsewhere.out + "/unsigned.json";
    const std::string text = *read_file(list);
    for (const char* file : {"../x", "/etc/passwd", "a/b", ""}) {
        std::string altered = text;
        const std::string name = file_name(elsewhere.file);
        altered.replace(altered.find(name), name.size(), file);
        ASSERT_TRUE(write_file_atomic(list, altered).has_value());
        EXPECT_EQ(read_unsigned_list(elsewhere.out).error().kind, ErrorKind::kCorrupt) << file;
    }
    for (const char* nonsense : {"", "[]", "{\"version\": 2, \"images\": []}", "{\"images\": 1}"}) {
        ASSERT_TRUE(write_file_atomic(list, nonsense).has_value());
        EXPECT_EQ(read_unsigned_list(elsewhere.out).error().kind, ErrorKind::kCorrupt) << nonsense;
    }
}

TEST(Detached, ExportsNeedAnEmptyDirectory) {
    const Elsewhere elsewhere;
    const Collector collector;
    EXPECT_EQ(collector.write(elsewhere.out).error().kind, ErrorKind::kUsage);
}

}  // namespace
}  // namespace tarn::efi
