// SPDX-License-Identifier: MIT
#include "verity.hh"

#include <algorithm>

namespace tarn::initrd {
namespace {

constexpr std::size_t kRootDigits = 64;
constexpr std::uint64_t kMaxBlock = 65536;
constexpr std::uint64_t kSectorBytes = 512;

std::uint64_t le(std::string_view in, std::size_t at, unsigned width) {
    std::uint64_t value = 0;
    for (unsigned i = width; i-- > 0;) {
        value = (value << 8) | static_cast<unsigned char>(in[at + i]);
    }
    return value;
}

std::string hex(std::string_view bytes) {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string out;
    for (const char c : bytes) {
        out.push_back(kDigits[static_cast<unsigned char>(c) >> 4]);
        out.push_back(kDigits[static_cast<unsigned char>(c) & 15]);
    }
    return out;
}

std::string dashed(std::string_view digits) {
    std::string out(digits);
    for (const std::size_t at : {20u, 16u, 12u, 8u}) {
        out.insert(at, 1, '-');
    }
    return out;
}

bool usable_block(std::uint64_t size) {
    return size >= kSectorBytes && size <= kMaxBlock && (size & (size - 1)) == 0;
}

bool is_root_hash(std::string_view text) {
    return text.size() == kRootDigits &&
           text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

std::optional<VeritySuperblock> parse_verity_superblock(std::string_view head) {
    if (head.size() < kVeritySuperblockBytes ||
        head.substr(0, 8) != std::string_view("verity\0\0", 8) || le(head, 8, 4) != 1 ||
        le(head, 12, 4) != 1) {
        return std::nullopt;
    }
    VeritySuperblock out;
    out.uuid = hex(head.substr(16, 16));
    const std::string_view algorithm = head.substr(32, 32);
    out.algorithm = algorithm.substr(0, algorithm.find('\0'));
    out.data_block = le(head, 64, 4);
    out.hash_block = le(head, 68, 4);
    out.data_blocks = le(head, 72, 8);
    const std::uint64_t salt = le(head, 80, 2);
    // A word of the table must not become two.
    const bool named = !out.algorithm.empty() &&
                       out.algorithm.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_") ==
                           std::string::npos;
    if (!named || !usable_block(out.data_block) || !usable_block(out.hash_block) ||
        out.data_blocks == 0 || out.data_blocks > (UINT64_MAX >> 17) || salt > 256) {
        return std::nullopt;
    }
    out.salt = salt == 0 ? "-" : hex(head.substr(88, salt));
    return out;
}

std::string verity_data_uuid(std::string_view root_hash) {
    return is_root_hash(root_hash) ? dashed(root_hash.substr(0, 32)) : "";
}

std::string verity_hash_uuid(std::string_view root_hash) {
    return is_root_hash(root_hash) ? dashed(root_hash.substr(32)) : "";
}

std::vector<std::string> verity_options(std::string_view options,
                                        std::vector<std::string>& unknown) {
    static constexpr std::string_view kKnown[][2] = {
        {"panic-on-corruption", "panic_on_corruption"},
        {"restart-on-corruption", "restart_on_corruption"},
        {"ignore-corruption", "ignore_corruption"},
        {"ignore-zero-blocks", "ignore_zero_blocks"},
        {"check-at-most-once", "check_at_most_once"},
    };
    std::vector<std::string> out;
    while (!options.empty()) {
        const std::string_view word = options.substr(0, options.find(','));
        options.remove_prefix(std::min(word.size() + 1, options.size()));
        const auto* found = std::find_if(
            std::begin(kKnown), std::end(kKnown), [&](const auto& pair) { return pair[0] == word; });
        if (found != std::end(kKnown)) {
            out.emplace_back((*found)[1]);
        } else if (!word.empty()) {
            unknown.emplace_back(word);
        }
    }
    return out;
}

VerityTable verity_table(const VeritySuperblock& superblock,
                         std::string_view root_hash,
                         std::string_view data_device,
                         std::string_view hash_device,
                         const std::vector<std::string>& options) {
    VerityTable out;
    out.sectors = superblock.data_blocks * (superblock.data_block / kSectorBytes);
    // Version 1: the salt in front. The tree begins in the block behind the superblock's.
    out.parameters = "1 ";
    out.parameters.append(data_device).append(" ").append(hash_device);
    for (const std::uint64_t number :
         {superblock.data_block, superblock.hash_block, superblock.data_blocks}) {
        out.parameters += " " + std::to_string(number);
    }
    out.parameters += " 1 " + superblock.algorithm + " ";
    out.parameters.append(root_hash).append(" ").append(superblock.salt);
    if (!options.empty()) {
        out.parameters += " " + std::to_string(options.size());
        for (const std::string& option : options) {
            out.parameters += " " + option;
        }
    }
    return out;
}

}  // namespace tarn::initrd
