// SPDX-License-Identifier: MIT
// Public keys as in authorized_keys (sshd(8)): "[options] type base64 [comment]".
#pragma once

#include "base/result.hh"

#include "provision/machine.hh"

#include <string>
#include <string_view>
#include <vector>

namespace tarn::guest {

// The line without CR and blanks around it, checked: one line, a type OpenSSH logs in with, and
// base64 that says the same type. kUsage says why not ("it is an X.509 certificate").
Result<std::string> parse_public_key(std::string_view line);

// HOME/.ssh/authorized_keys with these keys added to what is there: the directory 0700, the file
// 0600, both the user's, no link followed on the way. The home is there already.
Result<void> add_authorized_keys(const Machine& machine,
                                 const std::string& home,
                                 Owner owner,
                                 const std::vector<std::string>& keys);

}  // namespace tarn::guest
