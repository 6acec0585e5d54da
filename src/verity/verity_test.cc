// SPDX-License-Identifier: MIT
#include "verity/verity.hh"

#include "base/fd.hh"
#include "base/fs.hh"
#include "base/process.hh"
#include "base/strings.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>

namespace tarn::verity {
namespace {

using testing::HasSubstr;

std::string sample(std::uint64_t blocks) {
    std::string out(blocks * kBlock, '\0');
    std::uint32_t state = 1;
    for (char& c : out) {
        state = state * 1664525U + 1013904223U;
        c = static_cast<char>(state >> 24);
    }
    return out;
}

// Two files with data in front of the ranges, as partitions have.
struct Pair {
    TempDir directory;
    Fd data_file, hash_file;
    Range data, hash;
};

Pair make_pair(std::uint64_t blocks, const Parameters& parameters, HashTree& tree) {
    auto directory = TempDir::make();
    Pair out{std::move(*directory), {}, {}, {}, {}};
    out.data.path = out.directory.path() + "/data";
    out.hash.path = out.directory.path() + "/hash";
    EXPECT_TRUE(write_file_atomic(out.data.path, std::string(512, 'x') + sample(blocks)));
    out.data_file = *open_file(out.data.path, O_RDWR);
    out.data = {out.data_file.get(), 512, blocks * kBlock, out.data.path};
    auto made = make_tree(out.data, parameters, 3);
    EXPECT_TRUE(made) << made.error().message;
    tree = std::move(*made);
    EXPECT_TRUE(write_file_atomic(out.hash.path, std::string(1024, 'y') + tree.bytes));
    out.hash_file = *open_file(out.hash.path, O_RDWR);
    out.hash = {out.hash_file.get(), 1024, tree.bytes.size(), out.hash.path};
    return out;
}

Parameters parameters() {
    Parameters out;
    for (std::size_t i = 0; i < out.uuid.size(); ++i) {
        out.uuid[i] = static_cast<std::uint8_t>(i * 17);
    }
    out.salt = "0123456789abcdef0123456789abcdef";
    return out;
}

void flip(const Range& range, std::uint64_t at) {
    std::string byte = *pread_exact(range.fd, range.offset + at, 1, range.path);
    byte[0] = static_cast<char>(byte[0] ^ 1);
    ASSERT_TRUE(pwrite_all(range.fd, byte, range.offset + at, range.path));
}

TEST(Verity, SizesOfTheTree) {
    EXPECT_EQ(hash_bytes(kBlock), kBlock);
    EXPECT_EQ(hash_bytes(2 * kBlock), 2 * kBlock);
    EXPECT_EQ(hash_bytes(128 * kBlock), 2 * kBlock);
    EXPECT_EQ(hash_bytes(129 * kBlock), 4 * kBlock);
    EXPECT_EQ(hash_bytes(128 * 128 * kBlock), (1 + 1 + 128) * kBlock);
    EXPECT_EQ(hash_bytes((128 * 128 + 1) * kBlock), (1 + 1 + 2 + 129) * kBlock);
}

TEST(Verity, WhatIsMadeVerifiesAtEverySize) {
    for (const std::uint64_t blocks : {1u, 2u, 127u, 128u, 129u, 257u, 16385u}) {
        HashTree tree;
        const Pair pair = make_pair(blocks, parameters(), tree);
        EXPECT_EQ(tree.bytes.size(), hash_bytes(blocks * kBlock));
        EXPECT_TRUE(verify(pair.data, pair.hash, tree.root, 2)) << blocks;
        EXPECT_EQ(make_tree(pair.data, parameters(), 1)->bytes, tree.bytes) << blocks;
    }
}

TEST(Verity, AFlippedByteOfTheDataIsFound) {
    HashTree tree;
    const Pair pair = make_pair(300, parameters(), tree);
    flip(pair.data, 200 * kBlock + 17);
    const auto result = verify(pair.data, pair.hash, tree.root);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().kind, ErrorKind::kCorrupt);
    EXPECT_THAT(result.error().message, HasSubstr("data: block 200 (byte 819712) is not what"));
}

TEST(Verity, AFlippedByteOfTheTreeIsFound) {
    for (const std::uint64_t at : {kBlock + 5, 2 * kBlock + 7, 3 * kBlock - 1}) {
        HashTree tree;
        const Pair pair = make_pair(300, parameters(), tree);
        flip(pair.hash, at);
        const auto result = verify(pair.data, pair.hash, tree.root);
        ASSERT_FALSE(result) << at;
        EXPECT_THAT(result.error().message,
                    HasSubstr(fmt::format("hash: byte {} of the hash tree", 1024 + at)));
    }
}

TEST(Verity, AnotherRootIsRefused) {
    HashTree tree;
    const Pair pair = make_pair(3, parameters(), tree);
    Sha256Sum root = tree.root;
    root[31] ^= 1;
    const auto result = verify(pair.data, pair.hash, root);
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error().message, HasSubstr("the root hash is " + root_text(tree.root)));
}

TEST(Verity, SaltEntersTheRoot) {
    HashTree salted;
    HashTree plain;
    const Pair one = make_pair(3, parameters(), salted);
    const Pair two = make_pair(3, {parameters().uuid, ""}, plain);
    EXPECT_NE(salted.root, plain.root);
    EXPECT_TRUE(verify(two.data, two.hash, plain.root));
}

TEST(Verity, DataThatCannotBeHashedIsRefused) {
    HashTree tree;
    Pair pair = make_pair(2, parameters(), tree);
    pair.data.size = kBlock + 1;
    EXPECT_THAT(make_tree(pair.data, {}).error().message, HasSubstr("whole blocks"));
    pair.data.size = 0;
    EXPECT_EQ(make_tree(pair.data, {}).error().kind, ErrorKind::kUsage);
    pair.data.size = kMaxData + kBlock;
    EXPECT_THAT(make_tree(pair.data, {}).error().message, HasSubstr("64 GiB"));
    pair.data.size = 9 * kBlock;
    EXPECT_EQ(make_tree(pair.data, {}).error().kind, ErrorKind::kCorrupt);
    EXPECT_THAT(make_tree(pair.data, {{}, std::string(257, 's')}).error().message,
                HasSubstr("at most 256"));
}

TEST(Verity, SuperblockIsReadBack) {
    HashTree tree;
    const Pair pair = make_pair(5, parameters(), tree);
    const auto read = parse_superblock(tree.bytes);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->uuid, parameters().uuid);
    EXPECT_EQ(read->salt, parameters().salt);
    EXPECT_EQ(read->data_blocks, 5u);
}

TEST(Verity, SuperblocksOfAnotherKindAreRefused) {
    HashTree tree;
    const Pair pair = make_pair(5, parameters(), tree);
    EXPECT_THAT(parse_superblock("verity").error().message, HasSubstr("cut short"));
    struct Case {
        std::size_t at;
        const char* says;
    };
    for (const Case& each : {Case{0, "no signature"},
                             Case{8, "version 1"},
                             Case{12, "version 1"},
                             Case{33, "sha256"},
                             Case{65, "4096"},
                             Case{69, "4096"},
                             Case{79, "impossible"},
                             Case{81, "impossible"}}) {
        std::string bad = tree.bytes;
        bad[each.at] = static_cast<char>(bad[each.at] ^ 0x44);
        EXPECT_THAT(parse_superblock(bad).error().message, HasSubstr(each.says)) << each.at;
    }
}

TEST(Verity, ASuperblockThatLiesAboutItsSizeIsRefused) {
    HashTree tree;
    Pair pair = make_pair(5, parameters(), tree);
    ASSERT_TRUE(pwrite_all(pair.hash.fd, "\x06", pair.hash.offset + 72, pair.hash.path));
    EXPECT_THAT(verify(pair.data, pair.hash, tree.root).error().message, HasSubstr("6 blocks"));
    pair.hash.size = 100;
    EXPECT_THAT(verify(pair.data, pair.hash, tree.root).error().message, HasSubstr("too short"));
}

TEST(Verity, PartitionsAreNamedByTheRoot) {
    const auto root =
        parse_root("00112233445566778899aabbccddeeff0123456789abcdeffedcba9876543210");
    ASSERT_TRUE(root);
    EXPECT_EQ(data_partition(*root)[1], 0x11);
    EXPECT_EQ(data_partition(*root)[15], 0xff);
    EXPECT_EQ(hash_partition(*root)[0], 0x01);
    EXPECT_EQ(hash_partition(*root)[15], 0x10);
    EXPECT_EQ(root_text(*root), "00112233445566778899aabbccddeeff0123456789abcdeffedcba9876543210");
    EXPECT_FALSE(parse_root("0011"));
    EXPECT_FALSE(parse_root(std::string(64, 'g')));
}

TEST(Verity, SignatureBlockIsJsonAndPadding) {
    Sha256Sum root{};
    const auto block = signature_block(root, "ab", "certificate");
    ASSERT_TRUE(block);
    EXPECT_EQ(block->size(), kSignatureBytes);
    EXPECT_EQ(block->substr(0, block->find('\0')),
              "{\"rootHash\":\"" + std::string(64, '0') + "\",\"certificateFingerprint\":\"" +
                  sha256_hex("certificate") + "\",\"signature\":\"YWI=\"}");
    EXPECT_FALSE(signature_block(root, std::string(4000, 'x'), ""));
}

// ---- the peer --------------------------------------------------------------------------------

Result<ProcessResult> veritysetup(std::vector<std::string> arguments) {
    Command command;
    command.argv = {path_exists("/usr/sbin/veritysetup") ? "/usr/sbin/veritysetup"
                                                         : "/sbin/veritysetup"};
    command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
    command.merge_error = true;
    return run(command);
}

bool has_veritysetup() {
    return path_exists("/usr/sbin/veritysetup") || path_exists("/sbin/veritysetup");
}

TEST(Verity, ByteForByteWhatVeritysetupWrites) {
    if (!has_veritysetup()) {
        GTEST_SKIP() << "veritysetup is not installed (package cryptsetup-bin)";
    }
    for (const std::uint64_t blocks : {1u, 2u, 128u, 129u, 16385u}) {
        const auto directory = TempDir::make();
        const std::string data = directory->path() + "/data";
        const std::string theirs = directory->path() + "/theirs";
        ASSERT_TRUE(write_file_atomic(data, sample(blocks)));
        const auto formatted = veritysetup({"format",
                                            "--uuid=00112233-4455-6677-8899-aabbccddeeff",
                                            "--salt=" + to_hex(parameters().salt),
                                            data,
                                            theirs});
        ASSERT_TRUE(formatted);
        ASSERT_EQ(formatted->exit_code, 0) << formatted->output;
        const Fd fd = *open_file(data, O_RDONLY);
        const auto made = make_tree({fd.get(), 0, blocks * kBlock, data}, parameters(), 2);
        ASSERT_TRUE(made);
        EXPECT_THAT(formatted->output, HasSubstr(root_text(made->root)));
        // Its file ends with the last block it wrote.
        EXPECT_EQ(*read_file(theirs), made->bytes) << blocks;
    }
}

TEST(Verity, VeritysetupVerifiesWhatIsWrittenHere) {
    if (!has_veritysetup()) {
        GTEST_SKIP() << "veritysetup is not installed (package cryptsetup-bin)";
    }
    const auto directory = TempDir::make();
    const std::string data = directory->path() + "/data";
    const std::string hash = directory->path() + "/hash";
    ASSERT_TRUE(write_file_atomic(data, sample(1000)));
    const Fd fd = *open_file(data, O_RDWR);
    const Range range{fd.get(), 0, 1000 * kBlock, data};
    const auto made = make_tree(range, parameters());
    ASSERT_TRUE(made);
    ASSERT_TRUE(write_file_atomic(hash, made->bytes));
    EXPECT_EQ(veritysetup({"verify", data, hash, root_text(made->root)})->exit_code, 0);
    flip(range, 777 * kBlock);
    EXPECT_NE(veritysetup({"verify", data, hash, root_text(made->root)})->exit_code, 0);
}

}  // namespace
}  // namespace tarn::verity
