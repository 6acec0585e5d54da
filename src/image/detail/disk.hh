// SPDX-License-Identifier: MIT
// The kind "disk": from the tree of a system to disk images: initrd, UKI, ESP, root file system,
// partition table, and the formats clouds take.
#pragma once

#include "image/detail/kinds.hh"

namespace tarn::image {

// The partitions' numbers, which fstab and the kernel's command line name.
Result<BootFacts> plan_disk_image(const ComposeRequest& request, const std::string& seed);
// <image>.raw, <image>.vhd. kNoSpace when the tree does not fit.
Result<Artifacts> write_disk_image(const Store& store,
                                   const Composition& composition,
                                   StageLog& stages);

}  // namespace tarn::image
