// SPDX-License-Identifier: MIT
// dm-verity (kernel Documentation/admin-guide/device-mapper/verity.rst; on-disk format of
// cryptsetup): a tree of SHA-256 sums over 4096-byte blocks whose root stands for all the data.
//
//   block 0       superblock: 512 bytes, then zeros
//   then          the levels, root level first; 128 sums a block, the rest of a block zero
//
// A sum is SHA-256 of salt and block (hash type 1). The root hash is the sum of the root level's
// only block, or of the data's when that is a single block.
#pragma once

#include "base/hash.hh"
#include "base/result.hh"

#include <array>
#include <cstdint>
#include <stop_token>
#include <string>
#include <string_view>

namespace tarn::verity {

inline constexpr std::uint64_t kBlock = 4096;
inline constexpr std::uint64_t kMaxData = 64ULL << 30;  // bytes: the tree is made in memory
inline constexpr std::size_t kMaxSalt = 256;
inline constexpr std::size_t kSignatureBytes = 4096;

using Uuid = std::array<std::uint8_t, 16>;  // in the order they are printed

// A piece of an open file; the path is for errors alone.
struct Range {
    int fd = -1;
    std::uint64_t offset = 0;
    std::uint64_t size = 0;
    std::string path;
};

struct Parameters {
    Uuid uuid{};
    std::string salt;  // bytes, at most kMaxSalt
};

struct Superblock {
    Uuid uuid{};
    std::string salt;
    std::uint64_t data_blocks = 0;
};

struct HashTree {
    Sha256Sum root{};
    std::string bytes;  // superblock and levels: what the hash partition holds
};

// Superblock and levels over so many bytes of data (rounded up to a block).
std::uint64_t hash_bytes(std::uint64_t data_bytes);

// kUsage when the data is empty, no whole number of blocks or larger than kMaxData, or the salt is
// too long; kCorrupt when the file ends early. The same at any `jobs`.
Result<HashTree> make_tree(const Range& data,
                           const Parameters& parameters,
                           unsigned jobs = 1,
                           std::stop_token stop = {});

// kCorrupt when it is not of the one format that is written here.
Result<Superblock> parse_superblock(std::string_view bytes);

// Whether the data is what `root` stands for. Superblock and salt are not trusted: they enter the
// root. kCorrupt names the first place that is not what it should be.
Result<void> verify(const Range& data,
                    const Range& hash,
                    const Sha256Sum& root,
                    unsigned jobs = 1,
                    std::stop_token stop = {});

// UUIDs by which a root hash finds its partitions (Discoverable Partitions Specification): the
// first 128 bits for the data, the last 128 for the hashes.
Uuid data_partition(const Sha256Sum& root);
Uuid hash_partition(const Sha256Sum& root);

std::string root_text(const Sha256Sum& root);  // 64 digits, as in roothash=
Result<Sha256Sum> parse_root(std::string_view text);

// A signature partition (same specification): one JSON object, padded with NUL to
// kSignatureBytes. `pkcs7` is DER over root_text(), `certificate` the signer's in DER. kUsage when
// it does not fit.
Result<std::string> signature_block(const Sha256Sum& root,
                                    std::string_view pkcs7,
                                    std::string_view certificate);

}  // namespace tarn::verity
