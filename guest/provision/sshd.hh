// SPDX-License-Identifier: MIT
// How sshd lets people in: /etc/ssh/sshd_config.d/99-tarn-provision.conf.
//
// sshd takes the first value it meets, and reads drop-ins in the order of their names before the
// rest of sshd_config. 99 puts this file behind every other drop-in, so that a baseline or a reset
// of access by an administrator has the last word with a file of any lower number.
#pragma once

#include "base/result.hh"

#include "provision/machine.hh"
#include "provision/tools.hh"

namespace tarn::guest {

inline constexpr const char* kSshdDropIn = "/etc/ssh/sshd_config.d/99-tarn-provision.conf";

struct SshdSettings {
    bool password_authentication = false;
    bool root_with_keys = false;  // PermitRootLogin prohibit-password
};
// A running sshd is told.
Result<void> configure_sshd(const Machine& machine,
                            const Tools& tools,
                            const SshdSettings& settings);

}  // namespace tarn::guest
