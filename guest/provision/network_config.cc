// SPDX-License-Identifier: MIT
// NoCloud's network-config. Source: docs.cloud-init.io, "Networking config Version 1" and "2".
#include "base/strings.hh"

#include "provision/names.hh"
#include "provision/network.hh"
#include "provision/schema.hh"
#include <arpa/inet.h>

#include <algorithm>
#include <optional>

namespace tarn::guest {
namespace {

constexpr Key kText{.name = "", .takes = kTakesText};
constexpr Key kNameserverKeys[] = {
    {.name = "addresses", .takes = kTakesList, .about = "servers", .item = &kText},
    {.name = "search", .takes = kTakesList, .about = "domains", .item = &kText},
};
constexpr Key kRouteKeys[] = {
    {.name = "to", .takes = kTakesText, .about = "`default` or a network"},
    {.name = "via", .takes = kTakesText, .about = "gateway"},
    {.name = "metric", .takes = kTakesInt, .about = "lower is preferred"},
    {.name = "on-link", .takes = kTakesBool, .about = "the gateway is reached directly"},
};
constexpr Key kRoute{.name = "", .takes = kTakesMap, .members = kRouteKeys};
constexpr Key kMatchKeys[] = {
    {.name = "macaddress", .takes = kTakesText, .about = "hardware address"},
    {.name = "name", .takes = kTakesText, .about = "name, may have `*`"},
    {.name = "driver", .takes = kTakesText, .about = "kernel driver"},
};
constexpr Key kOverrideKeys[] = {
    {.name = "route-metric", .takes = kTakesInt, .about = "of the routes DHCP gives"},
    {.name = "use-dns", .takes = kTakesBool, .about = "take DHCP's servers"},
    {.name = "use-routes", .takes = kTakesBool, .about = "take DHCP's routes"},
};
constexpr Key kEthernetKeys[] = {
    {.name = "match",
     .takes = kTakesMap,
     .about = "which card; default: by the name above",
     .members = kMatchKeys},
    {.name = "dhcp4", .takes = kTakesBool, .about = "DHCP"},
    {.name = "dhcp6", .takes = kTakesBool, .about = "DHCPv6"},
    {.name = "accept-ra", .takes = kTakesBool, .about = "router advertisements"},
    {.name = "addresses", .takes = kTakesList, .about = "`ADDRESS/PREFIX`", .item = &kText},
    {.name = "gateway4", .takes = kTakesText, .about = "default route"},
    {.name = "gateway6", .takes = kTakesText, .about = "default route"},
    {.name = "nameservers", .takes = kTakesMap, .about = "DNS", .members = kNameserverKeys},
    {.name = "routes", .takes = kTakesList, .about = "further routes", .item = &kRoute},
    {.name = "mtu", .takes = kTakesInt, .about = "bytes"},
    {.name = "dhcp4-overrides", .takes = kTakesMap, .about = "of DHCP", .members = kOverrideKeys},
    {.name = "dhcp6-overrides", .takes = kTakesMap, .about = "of DHCPv6", .members = kOverrideKeys},
    {.name = "optional", .takes = kTakesBool, .about = "the boot does not wait for it"},
};
constexpr Key kEthernet{.name = "", .takes = kTakesMap, .members = kEthernetKeys};
constexpr Key kSubnetKeys[] = {
    {.name = "type",
     .takes = kTakesText,
     .about = "how it gets its address",
     .choices = "dhcp|dhcp4|dhcp6|static|static6|manual"},
    {.name = "address", .takes = kTakesText, .about = "`ADDRESS/PREFIX`"},
    {.name = "netmask", .takes = kTakesText, .about = "when the address has no prefix"},
    {.name = "gateway", .takes = kTakesText, .about = "default route"},
    {.name = "dns_nameservers", .takes = kTakesText | kTakesList, .about = "DNS", .item = &kText},
    {.name = "dns_search", .takes = kTakesText | kTakesList, .about = "domains", .item = &kText},
};
constexpr Key kSubnet{.name = "", .takes = kTakesMap, .members = kSubnetKeys};
constexpr Key kItemKeys[] = {
    {.name = "type", .takes = kTakesText, .about = "kind", .choices = "physical|nameserver"},
    {.name = "name", .takes = kTakesText, .about = "name of the card"},
    {.name = "mac_address", .takes = kTakesText, .about = "hardware address"},
    {.name = "mtu", .takes = kTakesInt, .about = "bytes"},
    {.name = "subnets", .takes = kTakesList, .about = "addresses", .item = &kSubnet},
    {.name = "address",
     .takes = kTakesText | kTakesList,
     .about = "of a nameserver",
     .item = &kText},
    {.name = "search",
     .takes = kTakesText | kTakesList,
     .about = "of a nameserver",
     .item = &kText},
};
constexpr Key kItem{.name = "", .takes = kTakesMap, .members = kItemKeys};
constexpr Key kKeys[] = {
    {.name = "version", .takes = kTakesInt, .about = "1 or 2"},
    {.name = "ethernets",
     .takes = kTakesMap,
     .about = "version 2: cards by a name",
     .each = &kEthernet},
    {.name = "config",
     .takes = kTakesList,
     .about = "version 1: cards and servers",
     .item = &kItem},
    {.name = "renderer",
     .takes = kTakesText,
     .about = "networkd, whatever it says",
     .handling = Handling::kAccepted},
};

struct Card {
    std::string id, mac, name, driver;
    bool dhcp4 = false, dhcp6 = false;
    std::optional<bool> accept_ra;
    std::vector<std::string> addresses, dns, search;
    std::vector<std::string> routes;  // whole sections
    std::vector<std::pair<std::string, std::string>> dhcp4_options, dhcp6_options;
    std::int64_t mtu = 0;
    bool optional = false;
};

bool is_address(std::string_view text) {
    unsigned char bytes[16];
    const std::string copy(text);
    return ::inet_pton(AF_INET, copy.c_str(), bytes) == 1 ||
           ::inet_pton(AF_INET6, copy.c_str(), bytes) == 1;
}

bool is_network(std::string_view text) {
    const std::size_t slash = text.find('/');
    const auto prefix =
        slash == std::string_view::npos ? std::nullopt : parse_u64(text.substr(slash + 1));
    const std::uint64_t most = contains(text, ":") ? 128 : 32;
    return prefix && *prefix <= most && is_address(text.substr(0, slash));
}

std::optional<unsigned> prefix_of(std::string_view netmask) {
    in_addr raw{};
    if (::inet_pton(AF_INET, std::string(netmask).c_str(), &raw) != 1) {
        const auto number = parse_u64(netmask);
        return number && *number <= 128 ? std::optional(static_cast<unsigned>(*number))
                                        : std::nullopt;
    }
    const std::uint32_t mask = ntohl(raw.s_addr);
    const auto ones = static_cast<unsigned>(__builtin_popcount(mask));
    const bool whole = ones == 0 || mask == ~std::uint32_t{0} << (32 - ones);
    return whole ? std::optional(ones) : std::nullopt;
}

bool is_mac(std::string_view text) {
    const auto parts = split(text, ':');
    return parts.size() == 6 && std::all_of(parts.begin(), parts.end(), [](std::string_view part) {
               return part.size() == 2 && parse_u64(part, 16).has_value();
           });
}

bool is_card_name(std::string_view text) {
    return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_' || c == '-' || c == '.' || c == '*' || c == '?' || c == ':' || c == '@';
    });
}

class Reader {
  public:
    explicit Reader(Problems& problems) : say_(problems) {}

    std::vector<Card> read(const Node& root) {
        const Node* version = root.find("version");
        const bool first = root.find("config") != nullptr;
        if (version == nullptr || version->integer != (first ? 1 : 2)) {
            refuse(version == nullptr ? root : *version,
                   "`version` must be 2 with `ethernets`, or 1 with `config`");
        }
        if (const Node* ethernets = root.find("ethernets")) {
            for (const auto& [id, node] : ethernets->members) {
                ethernet(id, node);
            }
        }
        for (const Node& item : first ? root.find("config")->items : std::vector<Node>()) {
            first_version(item);
        }
        for (Card& card : cards_) {
            card.dns.insert(card.dns.end(), dns_.begin(), dns_.end());
            card.search.insert(card.search.end(), search_.begin(), search_.end());
        }
        return std::move(cards_);
    }

  private:
    void refuse(const Node& node, std::string text) {
        say_.push_back({Problem::Weight::kRefused,
                        node.mark,
                        static_cast<unsigned>(std::clamp<std::size_t>(node.text.size(), 1, 80)),
                        std::move(text),
                        {},
                        false});
    }

    static std::vector<const Node*> list_of(const Node* node) {
        std::vector<const Node*> result;
        if (node != nullptr && node->is_scalar() && !node->is_null()) {
            result.push_back(node);
        }
        for (std::size_t i = 0; node != nullptr && i < node->items.size(); ++i) {
            result.push_back(&node->items[i]);
        }
        return result;
    }

    void addresses(const Node* list, std::vector<std::string>& out) {
        for (const Node* each : list_of(list)) {
            if (!is_address(each->text)) {
                refuse(*each, "this is no address");
            }
            out.push_back(each->text);
        }
    }
    void domains(const Node* list, std::vector<std::string>& out) {
        for (const Node* each : list_of(list)) {
            if (!why_no_hostname(each->text).empty()) {
                refuse(*each, "this is no domain");
            }
            out.push_back(each->text);
        }
    }

    void gateway(const Node* node, Card& card) {
        if (node != nullptr && !node->is_null()) {
            if (!is_address(node->text)) {
                refuse(*node, "this is no address of a gateway");
            }
            card.routes.push_back(fmt::format("[Route]\nGateway={}\n", node->text));
        }
    }

    void identity(const Node& place, Card& card) {
        if (!card.mac.empty() && !is_mac(card.mac)) {
            refuse(place, "this is no hardware address `00:0d:3a:11:22:33`");
        }
        for (const std::string* each : {&card.name, &card.driver, &card.id}) {
            if (!each->empty() && !is_card_name(*each)) {
                refuse(place, "this is no name of a network card");
            }
        }
    }

    void ethernet(const std::string& id, const Node& node) {
        Card card;
        card.id = id;
        const auto flag = [&](const char* key) {
            const Node* value = node.find(key);
            return value != nullptr && !value->is_null() && is_true(*value);
        };
        const auto text = [](const Node& map, const char* key) {
            const Node* value = map.find(key);
            return value == nullptr || value->is_null() ? std::string() : value->text;
        };
        if (const Node* match = node.find("match")) {
            card.mac = to_lower(text(*match, "macaddress"));
            card.name = text(*match, "name");
            card.driver = text(*match, "driver");
        }
        if (card.mac.empty() && card.name.empty() && card.driver.empty()) {
            card.name = id;
        }
        identity(node, card);
        card.dhcp4 = flag("dhcp4");
        card.dhcp6 = flag("dhcp6");
        card.optional = flag("optional");
        if (const Node* ra = node.find("accept-ra"); ra != nullptr && !ra->is_null()) {
            card.accept_ra = is_true(*ra);
        }
        for (const Node* each : list_of(node.find("addresses"))) {
            if (!is_network(each->text)) {
                refuse(*each, "an address reads `10.0.0.5/24`");
            }
            card.addresses.push_back(each->text);
        }
        gateway(node.find("gateway4"), card);
        gateway(node.find("gateway6"), card);
        for (const Node* each : list_of(node.find("routes"))) {
            route(*each, card);
        }
        if (const Node* servers = node.find("nameservers")) {
            addresses(servers->find("addresses"), card.dns);
            domains(servers->find("search"), card.search);
        }
        mtu(node.find("mtu"), card);
        overrides(node.find("dhcp4-overrides"), card.dhcp4_options);
        overrides(node.find("dhcp6-overrides"), card.dhcp6_options);
        cards_.push_back(std::move(card));
    }

    void mtu(const Node* node, Card& card) {
        if (node != nullptr && !node->is_null()) {
            card.mtu = node->integer;
            if (card.mtu < 68 || card.mtu > 65536) {
                refuse(*node, "an MTU is from 68 to 65536");
            }
        }
    }

    void route(const Node& node, Card& card) {
        const Node* to = node.find("to");
        const Node* via = node.find("via");
        const Node* metric = node.find("metric");
        const Node* direct = node.find("on-link");
        const bool all = to != nullptr &&
                         (to->text == "default" || to->text == "0.0.0.0/0" || to->text == "::/0");
        if (to == nullptr || (!all && !is_network(to->text)) ||
            (via != nullptr && !is_address(via->text))) {
            refuse(node, "a route has `to`, `default` or a network, and `via`, an address");
            return;
        }
        std::string text = "[Route]\n";
        text += all ? "" : fmt::format("Destination={}\n", to->text);
        text += via == nullptr ? "" : fmt::format("Gateway={}\n", via->text);
        text += metric == nullptr ? "" : fmt::format("Metric={}\n", metric->integer);
        text += direct != nullptr && is_true(*direct) ? "GatewayOnLink=yes\n" : "";
        card.routes.push_back(text);
    }

    static void overrides(const Node* node,
                          std::vector<std::pair<std::string, std::string>>& options) {
        if (node == nullptr) {
            return;
        }
        for (const auto& [key, value] : node->members) {
            const std::string answer = is_true(value) ? "yes" : "no";
            if (key == "route-metric") {
                options.emplace_back("RouteMetric", std::to_string(value.integer));
            } else {
                options.emplace_back(key == "use-dns" ? "UseDNS" : "UseRoutes", answer);
            }
        }
    }

    void first_version(const Node& item) {
        const Node* type = item.find("type");
        if (type == nullptr) {
            refuse(item, "this has no `type`");
            return;
        }
        if (type->text == "nameserver") {
            addresses(item.find("address"), dns_);
            domains(item.find("search"), search_);
            return;
        }
        Card card;
        const Node* name = item.find("name");
        const Node* mac = item.find("mac_address");
        card.id = name == nullptr ? "card" : name->text;
        card.mac = mac == nullptr ? std::string() : to_lower(mac->text);
        card.name = mac == nullptr ? card.id : std::string();
        identity(item, card);
        mtu(item.find("mtu"), card);
        for (const Node* each : list_of(item.find("subnets"))) {
            subnet(*each, card);
        }
        cards_.push_back(std::move(card));
    }

    void subnet(const Node& node, Card& card) {
        const Node* type = node.find("type");
        const std::string kind = type == nullptr ? "static" : type->text;
        card.dhcp4 = card.dhcp4 || kind == "dhcp" || kind == "dhcp4";
        card.dhcp6 = card.dhcp6 || kind == "dhcp6";
        const Node* address = node.find("address");
        const Node* netmask = node.find("netmask");
        if (address != nullptr) {
            std::string text = address->text;
            const auto prefix = netmask == nullptr ? std::nullopt : prefix_of(netmask->text);
            if (!contains(text, "/") && prefix) {
                text += fmt::format("/{}", *prefix);
            }
            if (!is_network(text)) {
                refuse(*address, "an address reads `10.0.0.5/24`, or has a `netmask`");
            }
            card.addresses.push_back(text);
        }
        gateway(node.find("gateway"), card);
        addresses(node.find("dns_nameservers"), card.dns);
        domains(node.find("dns_search"), card.search);
    }

    Problems& say_;
    std::vector<Card> cards_;
    std::vector<std::string> dns_, search_;
};

std::string render(const Card& card) {
    std::string text = "# Written by tarn-provision from network-config.\n[Match]\n";
    text += card.mac.empty() ? "" : fmt::format("MACAddress={}\n", card.mac);
    text += card.name.empty() ? "" : fmt::format("Name={}\n", card.name);
    text += card.driver.empty() ? "" : fmt::format("Driver={}\n", card.driver);
    if (card.mtu != 0 || card.optional) {
        text += "\n[Link]\n";
        text += card.mtu == 0 ? "" : fmt::format("MTUBytes={}\n", card.mtu);
        text += card.optional ? "RequiredForOnline=no\n" : "";
    }
    text += fmt::format("\n[Network]\nDHCP={}\n",
                        card.dhcp4 && card.dhcp6 ? "yes"
                        : card.dhcp4             ? "ipv4"
                        : card.dhcp6             ? "ipv6"
                                                 : "no");
    if (card.accept_ra) {
        text += fmt::format("IPv6AcceptRA={}\n", *card.accept_ra ? "yes" : "no");
    }
    for (const std::string& each : card.addresses) {
        text += fmt::format("Address={}\n", each);
    }
    for (const std::string& each : card.dns) {
        text += fmt::format("DNS={}\n", each);
    }
    if (!card.search.empty()) {
        text += fmt::format("Domains={}\n", join(card.search, " "));
    }
    for (const std::string& each : card.routes) {
        text += "\n" + each;
    }
    const std::pair<const char*, const decltype(card.dhcp4_options)*> sections[] = {
        {"DHCPv4", &card.dhcp4_options}, {"DHCPv6", &card.dhcp6_options}};
    for (const auto& [section, options] : sections) {
        if (!options->empty()) {
            text += fmt::format("\n[{}]\n", section);
        }
        for (const auto& [key, value] : *options) {
            text += fmt::format("{}={}\n", key, value);
        }
    }
    return text;
}

}  // namespace

const std::span<const Key> kNetworkConfigKeys = kKeys;

Result<std::vector<NetworkFile>> parse_network_config(std::string_view document,
                                                      std::string_view text) {
    Problems problems;
    Node root = TARN_TRY(parse_yaml(document, text, problems));
    if (const Node* inner = root.find("network"); inner != nullptr && root.members.size() == 1) {
        Node copy = *inner;
        root = std::move(copy);
    }
    check_document(root, kNetworkConfigKeys, problems);
    std::vector<Card> cards;
    if (problems.empty() && root.kind == Node::Kind::kMap) {
        cards = Reader(problems).read(root);
    }
    if (!problems.empty()) {
        return fail(problems_error(document, text, problems));
    }
    std::vector<NetworkFile> files;
    for (std::size_t i = 0; i < cards.size(); ++i) {
        files.push_back({fmt::format("50-tarn-{:03}.network", i), render(cards[i])});
    }
    return files;
}

}  // namespace tarn::guest
