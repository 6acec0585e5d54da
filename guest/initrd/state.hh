// SPDX-License-Identifier: MIT
// Where a machine with a read-only root keeps what changes: a partition for /var, made by
// systemd-repart on the first boot, and in it the upper layers of /etc and /root.
#pragma once

#include <string>

namespace tarn::initrd {

// Called when the root is "/" already. What cannot be had is said and done without: the machine
// then forgets, and does not stop.
void mount_state(const std::string& disk);

}  // namespace tarn::initrd
