// SPDX-License-Identifier: MIT
// The device mapper's ioctls (kernel include/uapi/linux/dm-ioctl.h), as far as one read-only device
// needs them.
#pragma once

#include "verity.hh"

#include <string>

namespace tarn::initrd {

// Makes /dev/mapper/<name>. `uuid` is the device mapper's own, "CRYPT-VERITY-...". Empty when done,
// else what went wrong.
std::string map_verity(const std::string& name, const std::string& uuid, const VerityTable& table);

}  // namespace tarn::initrd
