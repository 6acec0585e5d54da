// SPDX-License-Identifier: MIT
// Partition tables: GPT (UEFI 2.10, 5.3) in 512-byte sectors, and the footer of a fixed VHD.
#pragma once

#include "inspect/detail/region.hh"
#include "inspect/inspect.hh"

#include <optional>

namespace tarn::inspect {

// Size of the disk in front of a fixed VHD's footer; nullopt when the file has none. kUsage for a
// dynamic or differencing one.
Result<std::optional<std::uint64_t>> vhd_disk_size(const Region& file);

// Header and table are verified by their checksums; nullopt without a GPT.
Result<std::optional<std::vector<Partition>>> read_gpt(const Region& disk);

// "vfat", "ext4", "erofs", "verity" or empty, by magic numbers.
std::string detect_filesystem(const Region& partition);

// CRC-32 (IEEE 802.3).
std::uint32_t crc32(std::string_view bytes);

}  // namespace tarn::inspect
