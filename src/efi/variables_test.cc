// SPDX-License-Identifier: MIT
#include "efi/variables.hh"

#include "efi/detail/testing.hh"

#include <algorithm>

namespace tarn::efi {
namespace {

using testing::Made;
using testing::make_key;
using testing::run_tool;

constexpr std::int64_t kTime = 1700000000;

SecureBootKeys one_key(const Made& made) {
    return {made.certificate, made.certificate, {made.certificate}};
}

TEST(Variables, TimeIsCalendarTime) {
    EXPECT_EQ(efi_time(kTime), std::string("\xe7\x07\x0b\x0e\x16\x0d\x14\0\0\0\0\0\0\0\0\0", 16));
}

TEST(Variables, SignatureListsComeBack) {
    const Made made = make_key();
    const Made other = make_key("Other");
    const std::string lists = signature_lists({made.certificate, other.certificate});
    const auto back = certificates_in(lists);
    ASSERT_TRUE(back.has_value());
    EXPECT_EQ(*back, (std::vector{made.certificate.der, other.certificate.der}));
    for (std::size_t size = 1; size < lists.size(); size += 17) {
        if (size != signature_lists({made.certificate}).size()) {
            EXPECT_FALSE(certificates_in(std::string_view(lists).substr(0, size))) << size;
        }
    }
}

TEST(Variables, SigListToCertsReadsOurs) {
    TARN_NEED_TOOL("sig-list-to-certs");
    const Made made = make_key();
    const std::string base = made.directory.path() + "/db";
    ASSERT_TRUE(write_file_atomic(base + ".esl", signature_lists({made.certificate})).has_value());
    const auto run = run_tool({"sig-list-to-certs", base + ".esl", base});
    ASSERT_EQ(run.exit_code, 0) << run.text;
    EXPECT_EQ(*read_file(base + "-0.der"), made.certificate.der);
}

TEST(Variables, UpdatesHoldForTheirKeyValueAndTime) {
    const Made made = make_key();
    const Made other = make_key("Other");
    const Variable db = enrolled_variables(one_key(made), kTime).at(2);
    const auto update = signed_update(db, *made.key, made.certificate);
    ASSERT_TRUE(update.has_value());
    EXPECT_EQ(*update, *signed_update(db, *made.key, made.certificate));
    const auto verdict = verify_update(db, *update, {made.certificate});
    EXPECT_TRUE(verdict.has_value()) << verdict.error().message;
    EXPECT_FALSE(verify_update(db, *update, {other.certificate}).has_value());
    Variable later = db;
    later.time += 1;
    EXPECT_FALSE(verify_update(later, *update, {made.certificate}).has_value());
    Variable renamed = db;
    renamed.name = "dbx";
    EXPECT_FALSE(verify_update(renamed, *update, {made.certificate}).has_value());
    for (std::size_t size = 0; size < update->size(); size += 31) {
        EXPECT_FALSE(verify_update(db, update->substr(0, size), {made.certificate}).has_value());
    }
}

// efitools has no reader of .auth files: OpenSSL checks what was signed.
TEST(Variables, OpensslAcceptsTheUpdatesSignature) {
    TARN_NEED_TOOL("openssl");
    const Made made = make_key();
    const std::string directory = made.directory.path();
    const Variable pk = enrolled_variables(one_key(made), kTime).at(0);
    const std::string update = *signed_update(pk, *made.key, made.certificate);
    const std::size_t length = take_le(update, 16, 4);
    const std::string bare = update.substr(40, length - 24);
    // The digest algorithm's name lies where EDK2 looks for it, without looking further.
    EXPECT_EQ(bare.substr(13, 9), "\x60\x86\x48\x01\x65\x03\x04\x02\x01");
    std::string text = utf16("PK") + guid_bytes(kGlobalVariable);
    append_le(text, kKeyAttributes, 4);
    text += efi_time(kTime) + pk.data;
    std::string wrapped("\x30\x82\0\0\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02\xa0\x82\0\0", 19);
    for (const auto& [at, size] : {std::pair{2u, bare.size() + 15}, {17u, bare.size()}}) {
        wrapped[at] = static_cast<char>(size >> 8);
        wrapped[at + 1] = static_cast<char>(size & 0xff);
    }
    ASSERT_TRUE(write_file_atomic(directory + "/p7", wrapped + bare).has_value());
    ASSERT_TRUE(write_file_atomic(directory + "/text", text).has_value());
    const auto run = run_tool({"openssl",
                               "smime",
                               "-verify",
                               "-binary",
                               "-inform",
                               "DER",
                               "-in",
                               directory + "/p7",
                               "-content",
                               directory + "/text",
                               "-CAfile",
                               made.certificate_path(),
                               "-purpose",
                               "any",
                               "-out",
                               "/dev/null"});
    EXPECT_EQ(run.exit_code, 0) << run.text;
}

TEST(VariableStore, BlankIsWhatOvmfComesWith) {
    const std::string path = "/usr/share/OVMF/OVMF_VARS_4M.fd";
    if (!path_exists(path)) {
        GTEST_SKIP() << path << " is not installed here";
    }
    EXPECT_TRUE(blank_variable_store() == *read_file(path));
}

// Everything but the variables themselves, which are those of others.
TEST(VariableStore, BlankForAavmfIsLaidOutAsAavmfDoes) {
    const std::string path = "/usr/share/AAVMF/AAVMF_VARS.ms.fd";
    if (!path_exists(path)) {
        GTEST_SKIP() << path << " is not installed here";
    }
    const std::string blank = blank_variable_store(VariableFlash::kAavmf);
    const std::string theirs = *read_file(path);
    EXPECT_TRUE(blank.substr(0, 0x48 + 28) == theirs.substr(0, 0x48 + 28));
    EXPECT_TRUE(blank.substr(0x40000) == theirs.substr(0x40000));
    EXPECT_TRUE(read_variables(blank)->empty());
}

TEST(VariableStore, VariablesComeBackAndAreReplacedByName) {
    const Made made = make_key();
    const auto variables = enrolled_variables(one_key(made), kTime);
    const auto store = with_variables(blank_variable_store(), variables);
    ASSERT_TRUE(store.has_value());
    EXPECT_EQ(store->size(), blank_variable_store().size());
    EXPECT_EQ(*read_variables(*store), variables);
    EXPECT_TRUE(read_variables(blank_variable_store())->empty());

    Variable other{"Other", std::string(kGlobalVariable), kNonVolatile | kBootServices, "x", 0};
    const auto more = with_variables(*store, {other});
    other.data = "longer";
    const auto replaced = with_variables(*more, {other});
    const auto back = read_variables(*replaced);
    ASSERT_TRUE(back.has_value());
    ASSERT_EQ(back->size(), variables.size() + 1);
    EXPECT_EQ(back->back(), other);
}

TEST(VariableStore, StoresOfOthersAreRead) {
    const std::string path = "/usr/share/OVMF/OVMF_VARS_4M.ms.fd";
    if (!path_exists(path)) {
        GTEST_SKIP() << path << " is not installed here";
    }
    const auto variables = read_variables(*read_file(path));
    ASSERT_TRUE(variables.has_value()) << variables.error().message;
    const auto db = std::ranges::find(*variables, "db", &Variable::name);
    ASSERT_NE(db, variables->end());
    EXPECT_EQ(db->attributes, kKeyAttributes);
    EXPECT_GE(certificates_in(db->data)->size(), 2u);
}

TEST(VariableStore, TooMuchAndNonsenseAreErrors) {
    const std::string blank = blank_variable_store();
    const Variable large{"L", std::string(kGlobalVariable), 3, std::string(300'000, 'x'), 0};
    EXPECT_EQ(with_variables(blank, {large}).error().kind, ErrorKind::kNoSpace);
    for (const std::size_t at : {0x10u, 0x28u, 0x32u, 0x48u, 0x5cu}) {
        std::string broken = blank;
        broken[at] = static_cast<char>(broken[at] ^ 1);
        EXPECT_EQ(read_variables(broken).error().kind, ErrorKind::kCorrupt) << at;
    }
    for (std::size_t size = 0; size < 0x64; ++size) {
        EXPECT_FALSE(read_variables(std::string_view(blank).substr(0, size)).has_value()) << size;
    }
    std::string cut = *with_variables(blank, {{"A", std::string(kGlobalVariable), 3, "x", 0}});
    put_le(cut, 0x64 + 40, 0x7fffffff, 4);
    EXPECT_FALSE(read_variables(cut).has_value());
}

}  // namespace
}  // namespace tarn::efi
