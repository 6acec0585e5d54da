// SPDX-License-Identifier: MIT
// Reading FAT16 and FAT32 (Microsoft's FAT specification 1.03), long names included.
#pragma once

#include "inspect/detail/region.hh"
#include "inspect/inspect.hh"

namespace tarn::inspect {

struct FatFile {
    std::string path;
    std::string bytes;
};
// Every file of the file system, sorted by path; kCorrupt beyond 1 GiB of all together, and for a
// chain that turns round.
Result<std::vector<FatFile>> read_fat(const Region& partition, const Limits& limits);

}  // namespace tarn::inspect
