// SPDX-License-Identifier: MIT
// The part of #cloud-config about accounts, keys and passwords.
#pragma once

#include "provision/cloud_config.hh"

namespace tarn::guest {

// The document has been checked against the table of keys.
void read_users(const Node& root, CloudConfig& config, Problems& problems);

// A sudoers rule of one account that stays one rule of that account: "" or why not.
std::string why_no_sudo_rule(std::string_view rule);

}  // namespace tarn::guest
