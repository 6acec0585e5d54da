// SPDX-License-Identifier: MIT
#include "verity/verity.hh"

#include "base/base64.hh"
#include "base/fd.hh"
#include "base/parallel.hh"

#include <algorithm>
#include <vector>

namespace tarn::verity {
namespace {

constexpr std::size_t kSum = 32;
constexpr std::uint64_t kSumsPerBlock = kBlock / kSum;
// Blocks a task hashes: a whole number of hash blocks, 1 MiB of data.
constexpr std::uint64_t kPiece = 2 * kSumsPerBlock;
constexpr std::size_t kSuperblockBytes = 512;
constexpr std::string_view kSignature{"verity\0\0", 8};
constexpr std::string_view kAlgorithm = "sha256";

std::uint64_t blocks_for(std::uint64_t count, std::uint64_t per_block) {
    return count / per_block + (count % per_block == 0 ? 0 : 1);
}

// Blocks of each level, the lowest first. None over a single block of data.
std::vector<std::uint64_t> level_sizes(std::uint64_t data_blocks) {
    std::vector<std::uint64_t> out;
    for (std::uint64_t below = data_blocks; below > 1;) {
        below = blocks_for(below, kSumsPerBlock);
        out.push_back(below);
    }
    return out;
}

void put(std::string& out, std::size_t at, std::uint64_t value, unsigned width) {
    for (unsigned i = 0; i < width; ++i) {
        out[at + i] = static_cast<char>((value >> (8 * i)) & 0xff);
    }
}

std::uint64_t take(std::string_view in, std::size_t at, unsigned width) {
    std::uint64_t value = 0;
    for (unsigned i = width; i-- > 0;) {
        value = (value << 8) | static_cast<unsigned char>(in[at + i]);
    }
    return value;
}

std::string superblock(const Parameters& parameters, std::uint64_t data_blocks) {
    std::string out(kBlock, '\0');
    out.replace(0, kSignature.size(), kSignature);
    put(out, 8, 1, 4);   // version
    put(out, 12, 1, 4);  // hash type: the salt comes first
    std::copy(parameters.uuid.begin(), parameters.uuid.end(), out.begin() + 16);
    out.replace(32, kAlgorithm.size(), kAlgorithm);
    put(out, 64, kBlock, 4);
    put(out, 68, kBlock, 4);
    put(out, 72, data_blocks, 8);
    put(out, 80, parameters.salt.size(), 2);
    out.replace(88, parameters.salt.size(), parameters.salt);
    return out;
}

Sha256Sum sum_of(std::string_view salt, std::string_view block) {
    Hasher hasher;
    hasher.update(salt);
    hasher.update(block);
    return hasher.finish();
}

// The sums of consecutive blocks, written to `out` from its start.
void sum_blocks(std::string_view salt, std::string_view blocks, char* out) {
    for (std::size_t at = 0; at < blocks.size(); at += kBlock) {
        const Sha256Sum sum = sum_of(salt, blocks.substr(at, kBlock));
        std::copy(sum.begin(), sum.end(), out + at / kBlock * kSum);
    }
}

// The lowest level: the sums of the data, in whole blocks.
Result<std::string> data_level(const Range& data,
                               std::string_view salt,
                               unsigned jobs,
                               const std::stop_token& stop) {
    const std::uint64_t blocks = data.size / kBlock;
    std::string out(blocks_for(blocks, kSumsPerBlock) * kBlock, '\0');
    const std::uint64_t pieces = blocks_for(blocks, kPiece);
    const auto hash_piece = [&](std::size_t piece) -> Result<void> {
        const std::uint64_t first = piece * kPiece;
        const std::uint64_t count = std::min(kPiece, blocks - first);
        const std::string bytes = TARN_TRY(
            pread_exact(data.fd, data.offset + first * kBlock, count * kBlock, data.path));
        sum_blocks(salt, bytes, out.data() + first * kSum);
        return {};
    };
    TARN_TRY(parallel_for(pieces, jobs, stop, hash_piece));
    return out;
}

std::string level_above(std::string_view below, std::string_view salt) {
    std::string out(blocks_for(below.size() / kBlock, kSumsPerBlock) * kBlock, '\0');
    sum_blocks(salt, below, out.data());
    return out;
}

Result<void> check_data(const Range& data) {
    if (data.size == 0 || data.size % kBlock != 0) {
        return fail(ErrorKind::kUsage,
                    "{}: dm-verity needs whole blocks of {} bytes, not {} bytes",
                    data.path,
                    kBlock,
                    data.size);
    }
    if (data.size > kMaxData) {
        return fail(ErrorKind::kUsage,
                    "{}: {} bytes are more than a hash tree is made over here ({} GiB)",
                    data.path,
                    data.size,
                    kMaxData >> 30);
    }
    return {};
}

}  // namespace

std::uint64_t hash_bytes(std::uint64_t data_bytes) {
    std::uint64_t blocks = 1;
    for (const std::uint64_t level : level_sizes(blocks_for(data_bytes, kBlock))) {
        blocks += level;
    }
    return blocks * kBlock;
}

Result<HashTree> make_tree(const Range& data,
                           const Parameters& parameters,
                           unsigned jobs,
                           std::stop_token stop) {
    TARN_TRY(check_data(data));
    if (parameters.salt.size() > kMaxSalt) {
        return fail(ErrorKind::kUsage,
                    "a dm-verity salt has at most {} bytes, not {}",
                    kMaxSalt,
                    parameters.salt.size());
    }
    const std::string_view salt = parameters.salt;
    HashTree out;
    out.bytes = superblock(parameters, data.size / kBlock);
    if (data.size == kBlock) {
        out.root = sum_of(salt, TARN_TRY(pread_exact(data.fd, data.offset, kBlock, data.path)));
        return out;
    }
    std::vector<std::string> levels;
    levels.push_back(TARN_TRY(data_level(data, salt, jobs, stop)));
    while (levels.back().size() > kBlock) {
        levels.push_back(level_above(levels.back(), salt));
    }
    out.root = sum_of(salt, levels.back());
    out.bytes.reserve(hash_bytes(data.size));
    for (auto level = levels.rbegin(); level != levels.rend(); ++level) {
        out.bytes += *level;
    }
    return out;
}

Result<Superblock> parse_superblock(std::string_view bytes) {
    const auto refuse = [](std::string_view what) {
        return fail(ErrorKind::kCorrupt, "the dm-verity superblock {}", what);
    };
    if (bytes.size() < kSuperblockBytes) {
        return refuse("is cut short");
    }
    if (bytes.substr(0, kSignature.size()) != kSignature) {
        return refuse("has no signature: this is no dm-verity hash partition");
    }
    if (take(bytes, 8, 4) != 1 || take(bytes, 12, 4) != 1) {
        return refuse("is not of version 1 with hash type 1");
    }
    const std::string_view algorithm = bytes.substr(32, 32);
    if (algorithm.substr(0, algorithm.find('\0')) != kAlgorithm) {
        return refuse("names another hash than sha256");
    }
    if (take(bytes, 64, 4) != kBlock || take(bytes, 68, 4) != kBlock) {
        return refuse("has blocks of another size than 4096 bytes");
    }
    Superblock out;
    out.data_blocks = take(bytes, 72, 8);
    const std::uint64_t salt = take(bytes, 80, 2);
    if (out.data_blocks == 0 || out.data_blocks > kMaxData / kBlock || salt > kMaxSalt) {
        return refuse("has impossible sizes");
    }
    std::copy_n(bytes.begin() + 16, out.uuid.size(), reinterpret_cast<char*>(out.uuid.data()));
    out.salt = bytes.substr(88, salt);
    return out;
}

namespace {

// The first place that is wrong, in words. When everything above the lowest level is as the root
// says, it is the tree that was damaged, and else the data.
Error describe_difference(const Range& data,
                          const Range& hash,
                          const HashTree& made,
                          const std::string& found,
                          const Sha256Sum& root) {
    const std::string& expected = made.bytes;
    const std::uint64_t lowest =
        expected.size() - blocks_for(data.size / kBlock, kSumsPerBlock) * kBlock;
    const auto differs_from = [&](std::uint64_t from) {
        const auto begin = expected.begin() + static_cast<std::ptrdiff_t>(from);
        const auto at = std::mismatch(
            begin, expected.end(), found.begin() + static_cast<std::ptrdiff_t>(from));
        return static_cast<std::uint64_t>(at.first - expected.begin());
    };
    const std::uint64_t place = differs_from(lowest);
    const std::uint64_t block = (place - lowest) / kSum;
    if (made.root != root && place < expected.size() && block < data.size / kBlock) {
        return error(ErrorKind::kCorrupt,
                     "{}: block {} (byte {}) is not what the hash tree says",
                     data.path,
                     block,
                     data.offset + block * kBlock);
    }
    return error(ErrorKind::kCorrupt,
                 "{}: byte {} of the hash tree is not what the data says",
                 hash.path,
                 hash.offset + differs_from(kBlock));
}

}  // namespace

Result<void> verify(const Range& data,
                    const Range& hash,
                    const Sha256Sum& root,
                    unsigned jobs,
                    std::stop_token stop) {
    if (hash.size < kBlock) {
        return fail(ErrorKind::kCorrupt, "{}: too short for a dm-verity hash tree", hash.path);
    }
    const std::string head = TARN_TRY(pread_exact(hash.fd, hash.offset, kBlock, hash.path));
    auto parsed = parse_superblock(head);
    if (!parsed) {
        return fail(std::move(parsed.error()).context(hash.path));
    }
    Range covered = data;
    covered.size = parsed->data_blocks * kBlock;
    const std::uint64_t tree_bytes = hash_bytes(covered.size);
    if (covered.size > data.size || tree_bytes > hash.size) {
        return fail(ErrorKind::kCorrupt,
                    "{}: the superblock tells of {} blocks of data, which there is no room for",
                    hash.path,
                    parsed->data_blocks);
    }
    const HashTree made =
        TARN_TRY(make_tree(covered, {parsed->uuid, parsed->salt}, jobs, std::move(stop)));
    const std::string found = TARN_TRY(pread_exact(hash.fd, hash.offset, tree_bytes, hash.path));
    const bool same = std::string_view(made.bytes).substr(kBlock) ==
                      std::string_view(found).substr(kBlock);
    if (!same) {
        return fail(describe_difference(covered, hash, made, found, root));
    }
    if (made.root != root) {
        return fail(ErrorKind::kCorrupt,
                    "{}: the root hash is {}, not {}",
                    hash.path,
                    root_text(made.root),
                    root_text(root));
    }
    return {};
}

Uuid data_partition(const Sha256Sum& root) {
    Uuid out{};
    std::copy_n(root.begin(), out.size(), out.begin());
    return out;
}

Uuid hash_partition(const Sha256Sum& root) {
    Uuid out{};
    std::copy_n(root.begin() + 16, out.size(), out.begin());
    return out;
}

std::string root_text(const Sha256Sum& root) {
    return to_hex({reinterpret_cast<const char*>(root.data()), root.size()});
}

Result<Sha256Sum> parse_root(std::string_view text) {
    std::string raw;
    if (text.size() != 2 * kSum || !from_hex(text, raw)) {
        return fail(ErrorKind::kUsage, "`{}` is no root hash: it has 64 hexadecimal digits", text);
    }
    Sha256Sum out{};
    std::copy(raw.begin(), raw.end(), reinterpret_cast<char*>(out.data()));
    return out;
}

Result<std::string> signature_block(const Sha256Sum& root,
                                    std::string_view pkcs7,
                                    std::string_view certificate) {
    std::string out = fmt::format(
        R"({{"rootHash":"{}","certificateFingerprint":"{}","signature":"{}"}})",
        root_text(root),
        sha256_hex(certificate),
        base64(pkcs7));
    if (out.size() >= kSignatureBytes) {
        return fail(ErrorKind::kUsage,
                    "a root hash signature of {} bytes does not fit its partition",
                    pkcs7.size());
    }
    out.resize(kSignatureBytes, '\0');
    return out;
}

}  // namespace tarn::verity
