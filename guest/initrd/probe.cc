// SPDX-License-Identifier: MIT
#include "probe.hh"

#include <algorithm>

namespace tarn::initrd {
namespace {

constexpr std::size_t kSector = 512;
constexpr std::uint32_t kMaxEntries = 128;

std::uint64_t le(std::string_view in, std::size_t at, unsigned width) {
    std::uint64_t value = 0;
    for (unsigned i = width; i-- > 0;) {
        value = (value << 8) | static_cast<unsigned char>(in[at + i]);
    }
    return value;
}

std::uint32_t crc32(std::string_view bytes) {
    std::uint32_t value = 0xffffffffu;
    for (const char c : bytes) {
        value ^= static_cast<unsigned char>(c);
        for (int bit = 0; bit < 8; ++bit) {
            value = (value & 1u) != 0 ? (value >> 1) ^ 0xedb88320u : value >> 1;
        }
    }
    return ~value;
}

std::string uuid_text(std::string_view bytes, bool mixed_endian) {
    static constexpr int kMixed[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string out;
    for (int i = 0; i < 16; ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) {
            out.push_back('-');
        }
        const auto at = static_cast<std::size_t>(mixed_endian ? kMixed[i] : i);
        const auto byte = static_cast<unsigned char>(bytes[at]);
        out.push_back(kDigits[byte >> 4]);
        out.push_back(kDigits[byte & 15]);
    }
    return out;
}

std::string label_text(std::string_view bytes) {
    return std::string(bytes.substr(0, std::min(bytes.find('\0'), bytes.size())));
}

bool header_holds(std::string_view head) {
    std::string header(head.substr(kSector, 92));
    const std::uint64_t expected = le(header, 16, 4);
    std::fill_n(header.begin() + 16, 4, '\0');
    return header.substr(0, 8) == "EFI PART" && le(header, 12, 4) == 92 &&
           crc32(header) == expected;
}

}  // namespace

std::vector<GptEntry> parse_gpt(std::string_view head) {
    if (head.size() < kGptHeadBytes || !header_holds(head)) {
        return {};
    }
    const std::string_view header = head.substr(kSector);
    const std::uint64_t table = le(header, 72, 8);
    const std::uint64_t count = le(header, 80, 4);
    const std::uint64_t size = le(header, 84, 4);
    if (table != 2 || count == 0 || count > kMaxEntries || size != 128) {
        return {};
    }
    const std::string_view entries = head.substr(2 * kSector, count * size);
    if (crc32(entries) != le(header, 88, 4)) {
        return {};
    }
    std::vector<GptEntry> out;
    for (std::uint32_t i = 0; i < count; ++i) {
        const std::string_view entry = entries.substr(i * size, size);
        if (le(entry, 0, 8) == 0 && le(entry, 8, 8) == 0) {
            continue;  // unused
        }
        GptEntry found;
        found.number = i + 1;
        found.type = uuid_text(entry.substr(0, 16), true);
        found.uuid = uuid_text(entry.substr(16, 16), true);
        for (std::size_t at = 56; at < 128 && le(entry, at, 2) != 0; at += 2) {
            const std::uint64_t unit = le(entry, at, 2);
            found.label.push_back(unit < 0x80 ? static_cast<char>(unit) : '?');
        }
        out.push_back(std::move(found));
    }
    return out;
}

Superblock parse_superblock(std::string_view head) {
    Superblock out;
    if (head.size() < kSuperblockBytes) {
        return out;
    }
    const std::string_view block = head.substr(1024);
    if (le(block, 0x38, 2) == 0xef53) {
        out.type = "ext4";
        out.uuid = uuid_text(block.substr(0x68, 16), false);
        out.label = label_text(block.substr(0x78, 16));
    } else if (le(block, 0, 4) == 0xe0f5e1e2u) {
        out.type = "erofs";
        out.uuid = uuid_text(block.substr(48, 16), false);
        out.label = label_text(block.substr(64, 16));
    }
    return out;
}

}  // namespace tarn::initrd
