// SPDX-License-Identifier: MIT
// GUID partition table (UEFI 2.10, chapter 5): protective MBR, primary and backup, 512-byte
// sectors, 128 entries, partitions on 1 MiB.
#pragma once

#include "base/result.hh"
#include "image/detail/guid.hh"

#include <cstdint>
#include <string>
#include <vector>

namespace tarn::image {

inline constexpr std::uint64_t kMiB = 1024 * 1024;
inline constexpr std::uint64_t kSector = 512;

struct Partition {
    Guid type{};
    Guid id{};
    std::string label;         // ASCII, at most 36
    std::uint64_t offset = 0;  // bytes, multiple of 1 MiB
    std::uint64_t size = 0;    // bytes, multiple of 512
    std::uint64_t attributes = 0;
};

struct DiskLayout {
    std::uint64_t size = 0;  // whole disk, multiple of 1 MiB
    Guid id{};
    std::vector<Partition> partitions;  // in order, not overlapping
};

// Discoverable Partitions Specification.
inline constexpr std::string_view kTypeEsp = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b";
inline constexpr std::string_view kTypeRootX86_64 = "4f68bce3-e8cd-4db1-96e7-fbcaf984b709";
inline constexpr std::uint64_t kAttributeGrow = 1ULL << 59;
inline constexpr std::uint64_t kAttributeReadOnly = 1ULL << 60;

struct GptBytes {
    std::string head;  // at offset 0: protective MBR, header, entries
    std::string tail;  // at the end of the disk: entries, header
};
Result<GptBytes> make_gpt(const DiskLayout& layout);

}  // namespace tarn::image
