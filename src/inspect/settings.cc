// SPDX-License-Identifier: MIT
#include "base/strings.hh"
#include "inspect/detail/facts.hh"

#include <algorithm>
#include <array>
#include <set>

namespace tarn::inspect {
namespace {

constexpr std::string_view kSystemUnits = "usr/lib/systemd/system/";
constexpr std::string_view kSetUnits = "etc/systemd/system/";
constexpr std::array<std::string_view, 8> kUnitTypes = {
    ".service", ".socket", ".timer", ".path", ".mount", ".automount", ".swap", ".target"};

bool is_unit(std::string_view name) {
    return std::ranges::any_of(kUnitTypes,
                               [&](std::string_view type) { return name.ends_with(type); });
}

// Files of the directories, the first of a name wins; by name.
std::map<std::string, std::string> layered(const Tree& tree,
                                           const std::vector<std::string>& directories,
                                           std::string_view suffix) {
    std::map<std::string, std::string> out;
    for (const std::string& directory : directories) {
        for (const TreeEntry* entry : tree.below(directory)) {
            const std::string_view name =
                std::string_view(entry->path)
                    .substr(std::min(directory.size() + 1, entry->path.size()));
            if (name.ends_with(suffix) && name.find('/') == std::string_view::npos) {
                out.try_emplace(std::string(name), entry->path);
            }
        }
    }
    return out;
}

bool is_network_address(std::string_view address) {
    return !address.empty() && address.find_first_of("/@%") != 0 && !address.starts_with("vsock") &&
           !address.starts_with("kobject");
}

struct UsualPort {
    std::string_view unit, text;
};
// What the services of a server listen on unless their settings say otherwise.
constexpr std::array<UsualPort, 8> kUsual{{
    {"chrony.service", "323/udp on loopback (usual)"},
    {"chronyd.service", "323/udp on loopback (usual)"},
    {"nginx.service", "80/tcp (usual)"},
    {"postgresql.service", "5432/tcp on loopback (usual)"},
    {"redis.service", "6379/tcp on loopback (usual)"},
    {"rpcbind.service", "111/tcp 111/udp (usual)"},
    {"systemd-networkd.service", "68/udp 546/udp as a DHCP client (usual)"},
    {"systemd-resolved.service", "53/tcp 53/udp on loopback, 5355/tcp 5355/udp (usual)"},
}};

// Port adds to those before; ListenAddress may name one too. Files of sshd_config.d are taken
// along: the configurations that are shipped include them.
std::string ssh_ports(const Store& store, const Tree& tree) {
    std::vector<std::string> files = {"etc/ssh/sshd_config"};
    for (const auto& [name, path] : layered(tree, {"etc/ssh/sshd_config.d"}, ".conf")) {
        files.push_back(path);
    }
    std::vector<std::string> ports;
    for (const std::string& file : files) {
        const std::string text = read(store, tree, file).value_or("");
        for (const std::string_view line : split_lines(text)) {
            const auto words = split_words(line);
            const std::string key = words.size() < 2 ? std::string() : to_lower(words[0]);
            if (key == "port") {
                ports.push_back(std::string(words[1]) + "/tcp");
            } else if (key == "listenaddress" && std::ranges::count(words[1], ':') == 1) {
                ports.push_back(std::string(words[1]) + "/tcp");
            }
        }
    }
    return ports.empty() ? "22/tcp" : join(ports, " ");
}

}  // namespace

Facts read_units(const Tree& tree) {
    Facts out;
    std::set<std::string> vendor;  // pulled in by links of packages
    for (const TreeEntry& entry : tree.entries()) {
        const std::string_view path = entry.path;
        const std::string name(path.substr(path.rfind('/') + 1));
        if (!is_unit(name)) {
            continue;
        }
        if (path.starts_with(kSystemUnits) || path.starts_with(kSetUnits)) {
            out.try_emplace(name, "installed");
        }
        if (entry.kind != EntryKind::kSymlink) {
            continue;
        }
        const std::string_view place = path.substr(0, path.rfind('/'));
        const bool pulled = place.ends_with(".wants") || place.ends_with(".requires") ||
                            place.ends_with(".upholds");
        if (path.starts_with(kSetUnits) && entry.target == "/dev/null") {
            out[name] = "masked";
        } else if (pulled && path.starts_with(kSetUnits)) {
            out[name] = "enabled";
        } else if (pulled && path.starts_with(kSystemUnits)) {
            vendor.insert(name);
        }
    }
    for (const std::string& name : vendor) {
        if (std::string& state = out[name]; state == "installed") {
            state = "always on";
        }
    }
    return out;
}

Facts read_sysctl(const Store& store, const Tree& tree) {
    Facts out;
    const auto take = [&](const std::string& path) {
        const std::string text = read(store, tree, path).value_or("");
        for (std::string_view line : split_lines(text)) {
            line = trim(line);
            const std::size_t equal = line.find('=');
            if (line.empty() || line[0] == '#' || line[0] == ';' ||
                equal == std::string_view::npos) {
                continue;
            }
            std::string_view key = trim(line.substr(0, equal));
            key.remove_prefix(key.starts_with('-') ? 1 : 0);
            // "net/ipv4/conf/eth0.1/forwarding" keeps its dots, as sysctl.d(5) has it.
            std::string name(key);
            if (const std::size_t first = name.find_first_of("./");
                first != std::string::npos && name[first] == '/') {
                for (char& c : name) {
                    c = c == '/' ? '.' : c == '.' ? '/' : c;
                }
            }
            out[name] = trim(line.substr(equal + 1));
        }
    };
    for (const auto& [name, path] :
         layered(tree, {"etc/sysctl.d", "run/sysctl.d", "usr/lib/sysctl.d"}, ".conf")) {
        take(path);
    }
    return out;
}

std::vector<std::string> unit_values(const Store& store,
                                     const Tree& tree,
                                     const std::string& unit,
                                     std::string_view section,
                                     const std::vector<std::string>& keys) {
    std::vector<std::string> files;
    for (const std::string_view directory : {kSetUnits, kSystemUnits}) {
        if (resolve(tree, std::string(directory) + unit) != nullptr) {
            files.push_back(std::string(directory) + unit);
            break;
        }
    }
    for (const auto& [name, path] :
         layered(tree,
                 {std::string(kSetUnits) + unit + ".d", std::string(kSystemUnits) + unit + ".d"},
                 ".conf")) {
        files.push_back(path);
    }
    std::vector<std::string> out;
    for (const std::string& file : files) {
        std::string here;
        const std::string text = read(store, tree, file).value_or("");
        for (std::string_view line : split_lines(text)) {
            line = trim(line);
            if (line.starts_with('[') && line.ends_with(']')) {
                here = line.substr(1, line.size() - 2);
            }
            const std::size_t equal = line.find('=');
            if (here != section || equal == std::string_view::npos) {
                continue;
            }
            const std::string key(trim(line.substr(0, equal)));
            if (std::ranges::find(keys, key) == keys.end()) {
                continue;
            }
            const std::string value(trim(line.substr(equal + 1)));
            if (value.empty()) {
                out.clear();
            } else {
                out.push_back(key + "=" + value);
            }
        }
    }
    return out;
}

Facts read_ports(const Store& store, const Tree& tree, const Facts& units) {
    Facts out;
    for (const auto& [unit, state] : units) {
        if (state != "enabled" && state != "always on") {
            continue;
        }
        std::vector<std::string> ports;
        if (unit.ends_with(".socket")) {
            for (const std::string& value :
                 unit_values(store, tree, unit, "Socket", {"ListenStream", "ListenDatagram"})) {
                const std::string_view address =
                    std::string_view(value).substr(value.find('=') + 1);
                if (is_network_address(address)) {
                    ports.push_back(std::string(address) +
                                    (value.starts_with("ListenStream") ? "/tcp" : "/udp"));
                }
            }
        } else if (unit == "sshd.service" || unit == "ssh.service") {
            ports.push_back(ssh_ports(store, tree));
        } else {
            for (const UsualPort& usual : kUsual) {
                if (unit == usual.unit) {
                    ports.emplace_back(usual.text);
                }
            }
        }
        if (!ports.empty()) {
            out[unit] = join(ports, " ");
        }
    }
    return out;
}

}  // namespace tarn::inspect
