// SPDX-License-Identifier: MIT
// From the tree of a system to disk images: initrd, UKI, ESP, root file system, partition table,
// and the VHD.
#pragma once

#include "image/detail/gpt.hh"
#include "image/detail/stages.hh"
#include "image/detail/system_tree.hh"

#include <string>
#include <utility>
#include <vector>

namespace tarn::image {

struct DiskInput {
    const Image* image = nullptr;
    const Tree* tools = nullptr;
    const SystemTree* system = nullptr;
    BootFacts facts{};
    DiskLayout layout{};
    std::string directory;  // files are made here: <image>.raw, <image>.vhd
    std::string seed;
    std::int64_t time = 0;
    std::stop_token stop{};
};

// File name -> SHA-256, sorted.
using Artifacts = std::vector<std::pair<std::string, std::string>>;
Result<Artifacts> write_disks(const Store& store, const DiskInput& input, StageLog& stages);

}  // namespace tarn::image
