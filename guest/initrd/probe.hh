// SPDX-License-Identifier: MIT
// What is on a disk: GUID partition table (UEFI 2.10, 5.3) and the superblocks of ext4 (kernel
// Documentation/filesystems/ext4) and EROFS. Bytes of a disk are not to be trusted.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::initrd {

struct GptEntry {
    std::uint32_t number = 0;  // from 1, as in the device's name
    std::string type;          // UUID, lower case
    std::string uuid;          // lower case
    std::string label;         // ASCII; other characters as '?'
};

inline constexpr std::size_t kGptHeadBytes = 34 * 512;
// `head`: the first 34 sectors of a disk with 512-byte sectors. Empty when there is no table whose
// checksums hold.
std::vector<GptEntry> parse_gpt(std::string_view head);

struct Superblock {
    std::string type;  // "ext4", "erofs"; empty when neither
    std::string uuid;  // lower case
    std::string label;
};

inline constexpr std::size_t kSuperblockBytes = 2048;
// `head`: the first 2048 bytes of a partition.
Superblock parse_superblock(std::string_view head);

}  // namespace tarn::initrd
