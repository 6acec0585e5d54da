// SPDX-License-Identifier: MIT
#include "emulator/scenario.hh"

#include "base/fs.hh"
#include "base/hash.hh"
#include "base/strings.hh"
#include "emulator/detail/scenario_reader.hh"

#include <arpa/inet.h>

namespace tarn::emulator {

std::optional<std::uint32_t> parse_ipv4(std::string_view text) {
    in_addr address{};
    if (text.size() > 15 || ::inet_pton(AF_INET, std::string(text).c_str(), &address) != 1) {
        return std::nullopt;
    }
    return ntohl(address.s_addr);
}

std::string ipv4_text(std::uint32_t address) {
    return fmt::format(
        "{}.{}.{}.{}", address >> 24, (address >> 16) & 255, (address >> 8) & 255, address & 255);
}

std::optional<Subnet> Subnet::parse(std::string_view text) {
    const std::size_t slash = text.find('/');
    if (slash == std::string_view::npos) {
        return std::nullopt;
    }
    const auto address = parse_ipv4(text.substr(0, slash));
    const auto prefix = parse_u64(text.substr(slash + 1));
    if (!address || !prefix || *prefix < 8 || *prefix > 30) {
        return std::nullopt;
    }
    Subnet subnet;
    subnet.prefix = static_cast<unsigned>(*prefix);
    subnet.first = *address & ~static_cast<std::uint32_t>(subnet.size() - 1);
    return subnet;
}

namespace {

// A UUID that follows from a text: version 8 (RFC 9562), what a hash of one's own is for.
std::string uuid_of(const std::string& text) {
    std::string hex = sha256_hex(text).substr(0, 32);
    hex[12] = '8';
    hex[16] = "89ab"[static_cast<unsigned char>(hex[16]) % 4];
    return hex.substr(0, 8) + "-" + hex.substr(8, 4) + "-" + hex.substr(12, 4) + "-" +
           hex.substr(16, 4) + "-" + hex.substr(20);
}

std::string host_name(const std::string& name) {
    std::string out;
    for (const char c : to_lower(name)) {
        const bool fine = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
        out += fine ? c : '-';
    }
    return out.substr(0, 63);
}

}  // namespace

void complete(Instance& instance, std::size_t number) {
    if (instance.vm_id.empty()) {
        instance.vm_id = uuid_of("vm " + instance.name);
    }
    instance.vm_id = to_lower(instance.vm_id);
    if (instance.computer_name.empty()) {
        instance.computer_name = host_name(instance.name);
    }
    if (instance.nics.empty()) {
        instance.nics.emplace_back();
    }
    for (std::size_t i = 0; i < instance.nics.size(); ++i) {
        Nic& nic = instance.nics[i];
        if (nic.mac.empty()) {  // 00-0D-3A is Microsoft's
            nic.mac = fmt::format("000D3A{:06X}", (number * 8 + i) & 0xffffff);
        }
        if (nic.address.empty()) {
            nic.address = !instance.source.empty() && i == 0
                              ? instance.source
                              : ipv4_text(0x0a000004U + static_cast<std::uint32_t>(number * 8 + i));
        }
        if (const auto address = parse_ipv4(nic.address);
            address && nic.prefix > 0 && nic.prefix <= 32) {
            nic.subnet = ipv4_text(*address & (~0U << (32 - nic.prefix)));
        }
    }
    for (std::size_t i = 0; i < instance.identities.size(); ++i) {
        Identity& identity = instance.identities[i];
        const std::string base = fmt::format("identity {} {}", instance.name, i);
        if (identity.client_id.empty()) {
            identity.client_id = uuid_of(base + " client");
        }
        if (identity.object_id.empty()) {
            identity.object_id = uuid_of(base + " object");
        }
        if (identity.resource_id.empty()) {
            identity.resource_id = "/subscriptions/" + uuid_of("subscription") +
                                   "/resourcegroups/emulated/providers/Microsoft.ManagedIdentity/"
                                   "userAssignedIdentities/" +
                                   fmt::format("{}-{}", instance.name, i);
        }
    }
}

Result<Scenario> Scenario::generated(std::size_t count,
                                     const std::string& subnet,
                                     const Instance& like) {
    Scenario scenario;
    std::optional<Subnet> range;
    if (!subnet.empty()) {
        range = Subnet::parse(subnet);
        if (!range) {
            return fail(error(ErrorKind::kUsage, "`{}` is no subnet", subnet)
                            .advise("write an IPv4 network of 8 to 30 bits, as 10.7.0.0/16"));
        }
    } else if (count > 1) {
        return fail(error(ErrorKind::kUsage, "{} instances cannot be told apart", count)
                        .advise("give the subnet their connections come from"));
    }
    // The first address is the network's, the last its broadcast.
    if (count == 0 || (range && count > range->size() - 2)) {
        return fail(ErrorKind::kUsage, "{} instances do not fit into {}", count, subnet);
    }
    scenario.instances.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        Instance instance = like;
        if (instance.name.empty() || count > 1) {
            instance.name = fmt::format("{}-{}", like.name.empty() ? "node" : like.name, i + 1);
        }
        if (range) {
            instance.source = ipv4_text(range->first + static_cast<std::uint32_t>(i) + 1);
        }
        complete(instance, i);
        scenario.instances.push_back(std::move(instance));
    }
    return scenario;
}

Result<Scenario> Scenario::parse(std::string text,
                                 const std::string& shown,
                                 const std::string& directory) {
    SourceMap map;
    const SourceMap::File& file = map.add(shown, std::move(text));
    Diagnostics diagnostics(map);
    Scenario scenario;
    if (const auto root = declaration::parse_toml(map, file, diagnostics)) {
        scenario = read_scenario(*root, directory, diagnostics);
    }
    TARN_TRY(diagnostics.checkpoint(ErrorKind::kUsage));
    return scenario;
}

Result<Scenario> Scenario::read(const std::string& path) {
    std::string text = TARN_TRY(read_file(path, declaration::kFileLimit));
    return parse(std::move(text), path, parent_path(path));
}

}  // namespace tarn::emulator
