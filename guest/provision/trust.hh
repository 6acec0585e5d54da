// SPDX-License-Identifier: MIT
// ca_certs: certificates the machine trusts from now on.
#pragma once

#include "base/result.hh"

#include "provision/machine.hh"
#include "provision/tools.hh"

#include <string>
#include <vector>

namespace tarn::guest {

// Into the place the machine's update-ca-trust or update-ca-certificates reads, which is then run.
Result<void> trust_certificates(const Machine& machine,
                                const Tools& tools,
                                const std::vector<std::string>& certificates);

}  // namespace tarn::guest
