// SPDX-License-Identifier: MIT
#include "provision/network.hh"

#include "base/strings.hh"

#include <algorithm>

namespace tarn::guest {
namespace {

constexpr const char* kDirectory = "/run/systemd/network";
constexpr std::string_view kPrefix = "50-tarn-";
constexpr const char* kVirtualFunctions = "10-tarn-virtual-functions.network";

std::string compact(std::string_view mac) {
    return replace_all(to_lower(mac), ":", "");
}

NetworkFile network_of(const Nic& nic, std::size_t index) {
    const std::size_t metric = (index + 1) * 100;
    const char* dns = index == 0 ? "yes" : "no";
    const bool ipv6 = !nic.ipv6.empty();
    std::string text = "# Written by tarn-provision from the platform's metadata.\n";
    text += fmt::format("[Match]\nMACAddress={}\n\n", to_lower(nic.mac));
    text += fmt::format("[Network]\nDHCP={}\n", ipv6 ? "yes" : "ipv4");
    for (const auto* family : {&nic.ipv4, &nic.ipv6}) {
        for (std::size_t i = 1; i < family->size(); ++i) {
            const IpAddress& each = (*family)[i];
            text += fmt::format("Address={}/{}\n", each.address, each.prefix);
        }
    }
    text += fmt::format("\n[DHCPv4]\nRouteMetric={}\nUseDNS={}\n", metric, dns);
    if (ipv6) {
        text += fmt::format("\n[DHCPv6]\nUseDNS={}\n", dns);
        text += fmt::format("\n[IPv6AcceptRA]\nRouteMetric={}\nUseDNS={}\n", metric, dns);
    }
    return {fmt::format("{}{}.network", kPrefix, compact(nic.mac)), text};
}

}  // namespace

std::vector<NetworkFile> network_files(const std::vector<Nic>& nics, bool azure) {
    std::vector<NetworkFile> files;
    if (azure && !nics.empty()) {
        files.push_back({kVirtualFunctions,
                         "# Written by tarn-provision: they belong to the cards of hv_netvsc.\n"
                         "[Match]\nDriver=mlx4_en mlx4_core mlx5_en mlx5_core mana\n\n"
                         "[Link]\nUnmanaged=yes\n"});
    }
    for (std::size_t i = 0; i < nics.size(); ++i) {
        files.push_back(network_of(nics[i], i));
    }
    return files;
}

Result<void> write_network(const Machine& machine,
                           const Tools& tools,
                           const std::vector<NetworkFile>& files) {
    TARN_TRY(machine.make_directory(kDirectory, 0755, Owner{}));
    bool changed = false;
    for (const std::string& name : TARN_TRY(machine.list(kDirectory))) {
        const bool ours = name.starts_with(kPrefix) || name == kVirtualFunctions;
        const bool wanted = std::any_of(
            files.begin(), files.end(), [&](const NetworkFile& each) { return each.name == name; });
        if (ours && !wanted) {
            TARN_TRY(machine.remove(fmt::format("{}/{}", kDirectory, name)));
            changed = true;
        }
    }
    for (const NetworkFile& each : files) {
        const std::string path = fmt::format("{}/{}", kDirectory, each.name);
        if (machine.read(path, 1u << 20).value_or("") != each.text) {
            TARN_TRY(machine.write(path, each.text, 0644, Owner{}));
            changed = true;
        }
    }
    const std::string networkctl = "/usr/bin/networkctl";
    // Its socket is there as long as networkd runs.
    if (changed && machine.exists("/run/systemd/netif/links") && machine.exists(networkctl)) {
        static_cast<void>(
            tools.run(machine, {{networkctl, "reload"}, {}, false, std::chrono::seconds(30)}));
    }
    return {};
}

}  // namespace tarn::guest
