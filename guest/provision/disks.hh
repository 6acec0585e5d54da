// SPDX-License-Identifier: MIT
// mounts and swap: lines of /etc/fstab that provisioning owns.
//
// The temporary disk of Azure (/dev/disk/azure/resource) is left alone unless `mounts` names it, as
// `ephemeral0` or by its path. It is then formatted, but only when it is what the platform hands
// out: one partition with NTFS and the platform's warning of data loss as its label, or no file
// system at all.
#pragma once

#include "base/result.hh"

#include "provision/cloud_config.hh"
#include "provision/machine.hh"
#include "provision/tools.hh"

#include <string>
#include <vector>

namespace tarn::guest {

// The fstab with these lines in place of those provisioning wrote before; what is wrong with one is
// kUsage. Pure.
Result<std::string> fstab_with(std::string_view fstab,
                               const std::vector<MountLine>& mounts,
                               const std::string& swap_file);

// Writes it, makes the swap file, mounts.
Result<void> set_up_mounts(const Machine& machine, const Tools& tools, const CloudConfig& config);

// What a disk or partition holds. kFreshNtfs: NTFS whose volume is called "Temporary Storage".
enum class DiskContent { kNothing, kFreshNtfs, kOther };
Result<DiskContent> look_at_disk(int fd, const std::string& path);

}  // namespace tarn::guest
