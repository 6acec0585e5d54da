// SPDX-License-Identifier: MIT
// For tests: small UDF and ISO 9660 images made in memory, each with files in its root directory.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace tarn::guest {

using ImageFiles = std::vector<std::pair<std::string, std::string>>;

struct UdfShape {
    enum class Allocation { kShort, kLong, kEmbedded, kContinued };
    Allocation allocation = Allocation::kShort;
    std::uint32_t block = 2048;
    bool extended_entries = false;  // 266 in place of 261, as from UDF 2.00 on
    bool wide_names = false;        // 16 bits a character
    std::string partition_map;      // of type 2: its name
};
std::string udf_image(const std::string& label,
                      const ImageFiles& files,
                      const UdfShape& shape = {});

enum class IsoNames { kPlain, kRockRidge, kRockRidgeContinued, kJoliet };
std::string iso_image(const std::string& label, const ImageFiles& files, IsoNames names);

// FAT16 with long names where a name needs one.
std::string fat_image(const std::string& label, const ImageFiles& files);

}  // namespace tarn::guest
