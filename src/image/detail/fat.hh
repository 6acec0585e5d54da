// SPDX-License-Identifier: MIT
// A FAT32 file system written in one go (Microsoft FAT32 specification 1.03): what an EFI system
// partition needs. Long names in ASCII; every file contiguous; one time for everything.
#pragma once

#include "base/result.hh"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::image {

struct FatFile {
    std::string path;  // "EFI/BOOT/BOOTX64.EFI"; directories are made
    std::string_view bytes;
};

struct FatOptions {
    std::uint64_t size = 0;            // of the partition, at least 33 MiB
    std::uint64_t hidden_sectors = 0;  // sectors before the partition
    std::uint32_t volume_id = 0;
    std::string label = "ESP";  // at most 11, upper case
    std::int64_t time = 0;      // seconds, UTC
};

// Pieces to be written at an offset within the partition; what is not written is zero.
using PieceSink = std::function<Result<void>(std::uint64_t offset, std::string_view bytes)>;

// kNoSpace when the files do not fit.
Result<void> write_fat32(const FatOptions& options,
                         const std::vector<FatFile>& files,
                         const PieceSink& sink);

}  // namespace tarn::image
