// SPDX-License-Identifier: MIT
#include "provision/network.hh"

#include "provision/fake_root.hh"
#include <gtest/gtest.h>

namespace tarn::guest {
namespace {

std::vector<Nic> nics() {
    Nic first;
    first.mac = "00:0D:3A:11:22:33";
    first.ipv4 = {{"10.1.0.7", 24}, {"10.1.0.8", 24}};
    Nic second;
    second.mac = "00:0d:3a:11:22:44";
    second.ipv4 = {{"10.2.0.7", 24}};
    second.ipv6 = {{"fd00::7", 128}, {"fd00::8", 128}};
    return {first, second};
}

TEST(Network, OfAzureByHardwareAddress) {
    const auto files = network_files(nics(), true);
    ASSERT_EQ(files.size(), 3U);
    EXPECT_TRUE(contains(files[0].text, "Driver=mlx4_en mlx4_core mlx5_en mlx5_core mana"));
    EXPECT_LT(files[0].name, files[1].name) << "a virtual function has the same address";
    EXPECT_EQ(files[1].name, "50-tarn-000d3a112233.network");
    EXPECT_EQ(files[1].text,
              "# Written by tarn-provision from the platform's metadata.\n"
              "[Match]\nMACAddress=00:0d:3a:11:22:33\n\n"
              "[Network]\nDHCP=ipv4\nAddress=10.1.0.8/24\n\n"
              "[DHCPv4]\nRouteMetric=100\nUseDNS=yes\n");
    EXPECT_TRUE(contains(files[2].text, "DHCP=yes\nAddress=fd00::8/128\n"));
    EXPECT_TRUE(contains(files[2].text, "[DHCPv4]\nRouteMetric=200\nUseDNS=no\n"));
    EXPECT_TRUE(contains(files[2].text, "[IPv6AcceptRA]\nRouteMetric=200\nUseDNS=no\n"));
    EXPECT_EQ(network_files(nics(), false).size(), 2U);
    EXPECT_TRUE(network_files({}, true).empty());
}

TEST(Network, FilesOfBeforeGo) {
    FakeRoot root;
    root.put("/run/systemd/network/50-tarn-gone.network", "x");
    root.put("/run/systemd/network/70-other.network", "x");
    root.put("/run/systemd/netif/links/2", "");
    root.put("/usr/bin/networkctl", "", 0755);
    const auto files = network_files(nics(), true);
    ASSERT_TRUE(write_network(root.machine(), root.tools(), files).has_value());
    EXPECT_EQ(list_directory(root.path("/run/systemd/network"))->size(), 4U);
    EXPECT_EQ(root.calls, (std::vector<std::string>{"/usr/bin/networkctl reload"}));
    root.calls.clear();
    ASSERT_TRUE(write_network(root.machine(), root.tools(), files).has_value());
    EXPECT_TRUE(root.calls.empty()) << "nothing has changed";
}

std::string text_of(std::string_view config) {
    const auto files = parse_network_config("network-config", config);
    EXPECT_TRUE(files.has_value()) << (files ? "" : files.error().message);
    return files && !files->empty() ? files->front().text : "";
}

TEST(NetworkConfig, Version2) {
    EXPECT_EQ(text_of("network:\n  version: 2\n  ethernets:\n    lan:\n"
                      "      match: {macaddress: \"52:54:00:AA:BB:CC\"}\n"
                      "      dhcp4: false\n      addresses: [10.0.0.5/24, \"fd00::5/64\"]\n"
                      "      gateway4: 10.0.0.1\n"
                      "      nameservers: {addresses: [10.0.0.2], search: [example.org]}\n"
                      "      routes: [{to: 10.9.0.0/16, via: 10.0.0.9, metric: 50}]\n"
                      "      mtu: 1400\n"),
              "# Written by tarn-provision from network-config.\n"
              "[Match]\nMACAddress=52:54:00:aa:bb:cc\n\n[Link]\nMTUBytes=1400\n\n"
              "[Network]\nDHCP=no\nAddress=10.0.0.5/24\nAddress=fd00::5/64\nDNS=10.0.0.2\n"
              "Domains=example.org\n\n[Route]\nGateway=10.0.0.1\n\n"
              "[Route]\nDestination=10.9.0.0/16\nGateway=10.0.0.9\nMetric=50\n");
    EXPECT_TRUE(contains(text_of("version: 2\nethernets: {\"en*\": {dhcp4: yes, dhcp6: yes}}\n"),
                         "Name=en*\n\n[Network]\nDHCP=yes\n"));
    EXPECT_TRUE(contains(text_of("version: 2\nethernets:\n  eth0:\n    dhcp4: true\n"
                                 "    dhcp4-overrides: {route-metric: 300, use-dns: false}\n"),
                         "[DHCPv4]\nRouteMetric=300\nUseDNS=no\n"));
}

TEST(NetworkConfig, Version1) {
    EXPECT_EQ(
        text_of(
            "version: 1\nconfig:\n  - type: physical\n    name: eth0\n"
            "    mac_address: \"52:54:00:aa:bb:cc\"\n    subnets:\n"
            "      - {type: static, address: 10.0.0.5, netmask: 255.255.255.0, gateway: 10.0.0.1}\n"
            "      - {type: dhcp6}\n"
            "  - {type: nameserver, address: [10.0.0.2], search: example.org}\n"),
        "# Written by tarn-provision from network-config.\n"
        "[Match]\nMACAddress=52:54:00:aa:bb:cc\n\n[Network]\nDHCP=ipv6\nAddress=10.0.0.5/24\n"
        "DNS=10.0.0.2\nDomains=example.org\n\n[Route]\nGateway=10.0.0.1\n");
}

TEST(NetworkConfig, WhatIsNotReadIsToldWithItsPlace) {
    const std::pair<const char*, const char*> wrong[] = {
        {"version: 3\nethernets: {}\n", "network-config:1:10"},
        {"ethernets: {}\n", "`version` must be"},
        {"version: 2\nbonds: {}\n", "`bonds`"},
        {"version: 2\nethernets: {eth0: {set-name: lan}}\n", "`set-name`"},
        {"version: 2\nethernets: {eth0: {addresses: [10.0.0.5]}}\n", "an address reads"},
        {"version: 2\nethernets: {eth0: {addresses: [10.0.0.5/33]}}\n", "an address reads"},
        {"version: 2\nethernets: {eth0: {gateway4: x}}\n", "no address of a gateway"},
        {"version: 2\nethernets: {eth0: {match: {macaddress: x}}}\n", "no hardware address"},
        {"version: 2\nethernets: {\"a b\": {dhcp4: true}}\n", "no name of a network card"},
        {"version: 2\nethernets: {eth0: {mtu: 9}}\n", "an MTU"},
        {"version: 2\nethernets: {eth0: {routes: [{via: 10.0.0.1}]}}\n", "a route has"},
        {"version: 2\nethernets: {eth0: {nameservers: {addresses: [\"1\\n[Match]\"]}}}\n",
         "no address"},
        {"version: 1\nconfig: [{type: bond, name: b}]\n", "must be one of"},
        {"version: 1\nconfig: [{name: eth0}]\n", "has no `type`"},
        {"version: 1\nconfig: disabled\n", "must be a list"},
        {"[1, 2]\n", "must be a mapping"},
    };
    for (const auto& [text, why] : wrong) {
        const auto files = parse_network_config("network-config", text);
        ASSERT_FALSE(files.has_value()) << text;
        EXPECT_TRUE(contains(files.error().message, why)) << files.error().message;
    }
}

}  // namespace
}  // namespace tarn::guest
