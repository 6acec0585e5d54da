// SPDX-License-Identifier: MIT
// What DHCP said, from systemd-networkd's lease files (/run/systemd/netif/leases/<ifindex>).
#pragma once

#include "base/result.hh"

#include "provision/machine.hh"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::guest {

struct Lease {
    std::string interface;            // its index, the name of the file
    std::string address;              // IPv4
    std::string wireserver;           // of option 245; empty when there is none
    std::vector<std::string> routes;  // destinations: "169.254.169.254/32"
    // Azure's primary interface: option 245, or a route to one of the platform's addresses.
    bool is_primary() const;
};
// nullopt: no lease yet (no address). Lines it does not know are skipped.
std::optional<Lease> parse_lease(std::string_view interface, std::string_view text);

// The primary interface's lease, else the first there is.
std::optional<Lease> current_lease(const Machine& machine);
// Waits for one; nullopt after `limit`.
std::optional<Lease> wait_for_lease(const Machine& machine, std::chrono::milliseconds limit);

// Waits until networkd says that the machine is online; at once when there is no networkd.
bool wait_until_online(const Machine& machine, std::chrono::milliseconds limit);

}  // namespace tarn::guest
