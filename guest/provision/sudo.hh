// SPDX-License-Identifier: MIT
// /etc/sudoers.d/90-tarn-provision, 0440: who may do what, as provisioning was told.
#pragma once

#include "base/result.hh"

#include "provision/machine.hh"
#include "provision/tools.hh"

#include <string>
#include <utility>
#include <vector>

namespace tarn::guest {

inline constexpr const char* kSudoers = "/etc/sudoers.d/90-tarn-provision";

// A name and its rules; both have been checked (why_no_account_name, why_no_sudo_rule).
using SudoRules = std::vector<std::pair<std::string, std::vector<std::string>>>;

// Without rules there is no file. On a live machine `visudo -c` reads it before it is in place.
Result<void> write_sudoers(const Machine& machine, const Tools& tools, const SudoRules& rules);

}  // namespace tarn::guest
