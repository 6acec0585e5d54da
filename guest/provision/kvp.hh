// SPDX-License-Identifier: MIT
// The guest's pool of Hyper-V's key value exchange, /var/lib/hyperv/.kvp_pool_1: records of 512
// bytes of key and 2048 of value, padded with NUL, which hv_kvp_daemon gives to the host. It needs
// no network. Source: Linux' tools/hv/hv_kvp_daemon.c.
#pragma once

#include "base/result.hh"

#include "provision/machine.hh"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tarn::guest {

inline constexpr const char* kKvpPool = "/var/lib/hyperv/.kvp_pool_1";
inline constexpr std::size_t kKvpRecord = 512 + 2048;
inline constexpr const char* kProvisioningReport = "PROVISIONING_REPORT";

using KvpRecords = std::vector<std::pair<std::string, std::string>>;
// Whole records; a cut one at the end, and what is beyond 1024 of them, is left out.
KvpRecords parse_kvp(std::string_view bytes);

// Replaces the record of this key or adds one. Records from before `boot_epoch` (seconds of the
// clock at power-on: the pool is of the image, not of this boot) are dropped. kNoSpace when there
// are 1024 others.
Result<void> write_kvp(const Machine& machine,
                       std::string_view key,
                       std::string_view value,
                       std::int64_t boot_epoch);

// From /proc/stat; 0 when it is not there.
std::int64_t boot_epoch(const Machine& machine);

}  // namespace tarn::guest
