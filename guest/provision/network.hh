// SPDX-License-Identifier: MIT
// Network cards as .network files of systemd-networkd in /run/systemd/network, made anew every
// boot. A card is known by its hardware address and never renamed.
#pragma once

#include "base/result.hh"

#include "provision/machine.hh"
#include "provision/settings.hh"
#include "provision/tools.hh"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::guest {

struct NetworkFile {
    std::string name;  // "50-tarn-000d3a112233.network"
    std::string text;
};

// Azure's cards: the first one of the document has metric 100 and the only DNS, the second 200 and
// so on; secondary addresses are static; DHCPv6 only where an IPv6 address is listed. Virtual
// functions of SR-IOV, which share the address of the card they belong to, stay unmanaged.
std::vector<NetworkFile> network_files(const std::vector<Nic>& nics, bool azure);

// NoCloud's network-config, versions 1 and 2, as far as it is about single cards: addresses,
// routes, DNS, MTU. Bonds, bridges, VLANs, renaming and a file of another kind are kUsage with a
// place.
Result<std::vector<NetworkFile>> parse_network_config(std::string_view document,
                                                      std::string_view text);

// Files of an earlier boot stage that are not among these go. A running networkd is told.
Result<void> write_network(const Machine& machine,
                           const Tools& tools,
                           const std::vector<NetworkFile>& files);

}  // namespace tarn::guest
