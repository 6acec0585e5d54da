// SPDX-License-Identifier: MIT
// Which partitions a disk image has, and where: as declared ([[images.NAME.partitions]]), or the
// image's default. Offsets are given here, so that nothing can overlap.
#pragma once

#include "image/detail/gpt.hh"
#include "project/model.hh"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::image {

enum class PartitionRole {
    kEsp,
    kXbootldr,
    kRoot,
    kRootVerity,
    kRootVeritySig,
    kVar,
    kHome,
    kSrv,
    kSwap,
    kGeneric,
};
std::string_view role_name(PartitionRole role);  // "root-verity"

struct PlannedPartition {
    PartitionRole role = PartitionRole::kGeneric;
    std::string filesystem;  // made in it when it is not one of the system's own; empty: none
    bool empty_slot = false;  // label "_empty": for a later version of the system
    Partition gpt{};
};

struct Layout {
    std::uint64_t size = 0;  // of the disk
    Guid id{};
    std::vector<PlannedPartition> partitions;

    // The first of its role that is no empty slot; nullptr when there is none.
    const PlannedPartition* find(PartitionRole role) const;
    PlannedPartition* find(PartitionRole role);
    DiskLayout table() const;
};

// The label of a partition that waits for a version (systemd-repart, systemd-sysupdate).
inline constexpr std::string_view kEmptySlot = "_empty";

// kUsage for what a layout cannot be: it says which partition, and by how much a disk is too small.
Result<Layout> plan_layout(const Image& image,
                           std::string_view architecture,
                           const std::string& seed);

struct PartitionType {
    PartitionRole role = PartitionRole::kGeneric;
    Guid id{};
};
// By the name a declaration has, for a machine of an architecture.
std::optional<PartitionType> partition_type(std::string_view name, std::string_view architecture);

}  // namespace tarn::image
