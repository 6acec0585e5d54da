// SPDX-License-Identifier: MIT
// What runs inside the guest during a boot test: a unit and a script, handed over as systemd
// credentials. The script writes one line a finding to a second port:
//   BEGIN | END | CHECK <name> pass|fail <detail> | DATA <name> <line>
#pragma once

#include <map>
#include <optional>
#include <string>

#include "project/model.hh"

namespace tarn::vm {

struct GuestServers {
    std::string good_url;  // the published snapshot
    std::string bad_url;   // the same with one altered package
    std::string results = "/dev/ttyS1";  // where findings go
};
// What the machine should have become by provisioning. Not looked at in an image that does not
// provision itself.
struct Provisioned {
    std::string user, hostname;
    bool password = false;    // the user has one
    std::string private_key;  // of OpenSSH
};
// Credential name -> bytes.
std::map<std::string, std::string> check_credentials(
    const Image& image, const GuestServers& servers,
    const std::optional<Provisioned>& provisioned = std::nullopt);
// Credentials that log root in on the consoles.
std::map<std::string, std::string> console_credentials();

}  // namespace tarn::vm
