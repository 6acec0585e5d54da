// SPDX-License-Identifier: MIT
// The ssh host keys of this instance: those of the image go, new ones are made.
#pragma once

#include "base/result.hh"

#include "provision/machine.hh"
#include "provision/settings.hh"
#include "provision/tools.hh"

#include <string>
#include <utility>
#include <vector>

namespace tarn::guest {

struct HostKeys {
    bool delete_old = true;
    std::vector<std::string> types;  // empty: ed25519, then ecdsa
    // Given ones, "ed25519_private" and "ed25519_public"; none are made then.
    std::vector<std::pair<std::string, Secret>> given;
};
// Private keys 0600, public ones 0644, each pair put in place together.
Result<void> make_host_keys(const Machine& machine, const Tools& tools, const HostKeys& keys);

}  // namespace tarn::guest
