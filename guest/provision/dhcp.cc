// SPDX-License-Identifier: MIT
#include "provision/dhcp.hh"

#include "base/strings.hh"

#include "imds/imds.hh"
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>

namespace tarn::guest {

namespace {

constexpr const char* kLeases = "/run/systemd/netif/leases";
constexpr long long kLook = 100;  // milliseconds between two looks at what no watch tells of
constexpr std::chrono::seconds kNetworkd(
    5);  // for its directory to appear: then it is not used here
constexpr std::size_t kFiles = 256;
constexpr std::size_t kRoutes = 256;

bool is_address(const std::string& text) {
    in_addr address{};
    return text.find('\0') == std::string::npos &&
           ::inet_pton(AF_INET, text.c_str(), &address) == 1;
}

// "a83f8110", also with separators: four bytes.
std::string address_of_hex(std::string_view text) {
    std::string digits;
    for (const char c : text) {
        if (c != ':' && c != ' ') {
            digits += c;
        }
    }
    const auto value = digits.size() == 8 ? parse_u64(digits, 16) : std::nullopt;
    if (!value || *value == 0) {
        return {};
    }
    return fmt::format(
        "{}.{}.{}.{}", *value >> 24, (*value >> 16) & 0xff, (*value >> 8) & 0xff, *value & 0xff);
}

}  // namespace

bool Lease::is_primary() const {
    return !wireserver.empty() || std::any_of(routes.begin(), routes.end(), [](const auto& route) {
        return route == std::string(kImdsAddress) + "/32" ||
               route == std::string(kWireserverAddress) + "/32";
    });
}

std::optional<Lease> parse_lease(std::string_view interface, std::string_view text) {
    Lease lease;
    lease.interface = interface;
    for (const std::string_view line : split_lines(text)) {
        const std::size_t equals = line.find('=');
        if (equals == std::string_view::npos || line.starts_with('#')) {
            continue;
        }
        const std::string_view key = trim(line.substr(0, equals));
        const std::string_view value = trim(line.substr(equals + 1));
        if (key == "ADDRESS") {
            lease.address = value;
        } else if (key == "OPTION_245") {
            lease.wireserver = address_of_hex(value);
        } else if (key == "ROUTES" || key == "CLASSLESS_ROUTES") {
            for (const std::string_view word : split_words(value)) {
                if (lease.routes.size() < kRoutes) {
                    lease.routes.emplace_back(word.substr(0, word.find(',')));
                }
            }
        }
    }
    return is_address(lease.address) ? std::optional<Lease>(std::move(lease)) : std::nullopt;
}

std::optional<Lease> current_lease(const Machine& machine) {
    const auto names = machine.list(kLeases);
    std::optional<Lease> first;
    if (!names) {
        return first;
    }
    for (std::size_t i = 0; i < std::min(names->size(), kFiles); ++i) {
        const std::string& name = (*names)[i];
        // networkd writes to a name of its own first, and renames.
        if (!parse_u64(name)) {
            continue;
        }
        const auto text = machine.read(std::string(kLeases) + "/" + name, 64u << 10);
        auto lease = text ? parse_lease(name, *text) : std::nullopt;
        if (lease && lease->is_primary()) {
            return lease;
        }
        if (lease && !first) {
            first = std::move(lease);
        }
    }
    return first;
}

// What networkd makes of all its links. Its leases are in a form of their own from version 262 on:
// that an address is there is known from here alone then.
static bool is_online(const Machine& machine) {
    const auto text = machine.read("/run/systemd/netif/state", 64u << 10);
    const auto lines = text ? split_lines(*text) : std::vector<std::string_view>{};
    return std::any_of(lines.begin(), lines.end(), [](std::string_view line) {
        return line == "OPER_STATE=routable" || line == "ONLINE_STATE=online";
    });
}

bool wait_until_online(const Machine& machine, std::chrono::milliseconds limit) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (machine.exists("/run/systemd/netif/state")) {
        if (is_online(machine)) {
            return true;
        }
        if (std::chrono::steady_clock::now() >= end) {
            break;
        }
        ::poll(nullptr, 0, 50);
    }
    return false;
}

std::optional<Lease> wait_for_lease(const Machine& machine, std::chrono::milliseconds limit) {
    const auto begin = std::chrono::steady_clock::now();
    const auto end = begin + limit;
    const Fd watch(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
    bool watched = false, online = false;
    for (;;) {
        if (!watched && watch) {
            if (const auto directory = machine.open_path(kLeases, O_PATH | O_DIRECTORY)) {
                const std::string link = fmt::format("/proc/self/fd/{}", directory->get());
                watched =
                    ::inotify_add_watch(
                        watch.get(), link.c_str(), IN_CLOSE_WRITE | IN_MOVED_TO | IN_ONLYDIR) >= 0;
            }
        }
        // Looked at after the watch is there: nothing that comes in between is missed.
        if (auto lease = current_lease(machine)) {
            return lease;
        }
        // Both files are written at about the same time: the second look is for the lease.
        if (online) {
            return std::nullopt;
        }
        online = is_online(machine);
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now())
                .count();
        const bool no_networkd = !machine.exists("/run/systemd/netif") &&
                                 std::chrono::steady_clock::now() - begin > kNetworkd;
        if (left <= 0 || no_networkd) {
            return std::nullopt;
        }
        // Without a directory yet there is nothing to watch: networkd makes it when it starts.
        pollfd item{watch.get(), POLLIN, 0};
        ::poll(&item,
               watched ? 1 : 0,
               static_cast<int>(std::min<long long>(left, kLook)));
        char events[4096];
        while (watched && ::read(watch.get(), events, sizeof events) > 0) {
        }
    }
}

}  // namespace tarn::guest
