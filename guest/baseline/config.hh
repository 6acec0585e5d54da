// SPDX-License-Identifier: MIT
// What a machine says of its baseline: roles, profile, exceptions.
#pragma once

#include "baseline/rule.hh"
#include "baseline/target.hh"

#include <string>

namespace tarn::guest::baseline {

// /usr/lib/tarn/baseline.d/*.toml, then /etc/tarn/baseline.d/*.toml, which hide those of the same
// name; roles and exceptions add up, the last profile counts. kUsage.
Result<MachineConfig> load_machine_config(const Target& target);

// Roles that can be seen: "router" and "container" are declared, "immutable" is a verified root,
// "trusted-launch" a machine whose platform says that Secure Boot is on, "kdump" an enabled kdump.
std::vector<std::string> detect_roles(const Target& target);

// The id of the machine: of SMBIOS, else /etc/machine-id; empty when there is none.
std::string machine_id(const Target& target);

}  // namespace tarn::guest::baseline
