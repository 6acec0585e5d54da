// SPDX-License-Identifier: MIT
#include "metadata/access.hh"

#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

#include "base/fd.hh"
#include "base/fs.hh"
#include "base/strings.hh"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

namespace tarn::guest {

std::string unit_of_cgroup(std::string_view cgroup_file) {
    for (const std::string_view line : split_lines(cgroup_file)) {
        if (!line.starts_with("0::/")) {
            continue;
        }
        for (const std::string_view part : split(line.substr(4), '/')) {
            if (!part.ends_with(".slice")) {
                return part.ends_with(".service") || part.ends_with(".scope") ? std::string(part)
                                                                              : std::string();
            }
        }
    }
    return {};
}

namespace {

std::vector<gid_t> groups_of(int socket) {
    std::array<gid_t, 256> groups{};
    socklen_t size = sizeof groups;
    // A peer in more groups than that is judged by its first one and its user.
    if (getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size) != 0) {
        return {};
    }
    return {groups.begin(), groups.begin() + size / sizeof(gid_t)};
}

std::string unit_of_peer(int socket, pid_t pid) {
    int raw = -1;
    socklen_t size = sizeof raw;
    if (pid <= 0 || getsockopt(socket, SOL_SOCKET, SO_PEERPIDFD, &raw, &size) != 0) {
        return {};
    }
    const Fd pidfd(raw);
    const auto cgroup = read_file(fmt::format("/proc/{}/cgroup", pid), 64u << 10);
    // Readable: it has ended, and the number may be another's by now.
    pollfd ended{pidfd.get(), POLLIN, 0};
    if (!cgroup || poll(&ended, 1, 0) != 0) {
        return {};
    }
    return unit_of_cgroup(*cgroup);
}

}  // namespace

Result<Peer> peer_of(int socket) {
    ucred credentials{};
    socklen_t size = sizeof credentials;
    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
        return fail(sys_error("ask for", "the credentials of a client"));
    }
    Peer peer;
    peer.pid = credentials.pid;
    peer.uid = credentials.uid;
    peer.gid = credentials.gid;
    if (!peer.is_root()) {
        peer.groups = groups_of(socket);
        peer.unit = unit_of_peer(socket, peer.pid);
    }
    return peer;
}

Names system_names() {
    Names names;
    names.user = [](const std::string& name) -> std::optional<std::uint32_t> {
        const passwd* entry = getpwnam(name.c_str());
        return entry != nullptr ? std::optional<std::uint32_t>(entry->pw_uid) : std::nullopt;
    };
    names.group = [](const std::string& name) -> std::optional<std::uint32_t> {
        const ::group* entry = getgrnam(name.c_str());
        return entry != nullptr ? std::optional<std::uint32_t>(entry->gr_gid) : std::nullopt;
    };
    return names;
}

namespace {

const std::vector<std::string>& keys() {
    static const std::vector<std::string> kKeys = {
        "token-user", "token-group", "token-unit", "attest-user", "attest-group", "attest-unit"};
    return kKeys;
}

Result<Grant> parse_grant(std::string_view line, const Names& names) {
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) {
        return fail(ErrorKind::kUsage, "expected `key = value`");
    }
    const std::string key(trim(line.substr(0, equals)));
    if (std::ranges::find(keys(), key) == keys().end()) {
        return fail(ErrorKind::kUsage, "unknown key `{}`; {}", key, did_you_mean(key, keys()));
    }
    const auto words = split_words(line.substr(equals + 1));
    Grant grant;
    grant.good = key.starts_with("token") ? Good::kToken : Good::kAttested;
    if (words.empty() || words.size() > (grant.good == Good::kToken ? 2U : 1U)) {
        return fail(ErrorKind::kUsage,
                    "`{}` takes a name{}",
                    key,
                    grant.good == Good::kToken ? " and perhaps one resource" : "");
    }
    grant.resource = words.size() == 2 ? std::string(words[1]) : std::string();
    const std::string name(words[0]);
    if (key.ends_with("-unit")) {
        if (!name.ends_with(".service") && !name.ends_with(".scope")) {
            return fail(ErrorKind::kUsage, "`{}` is no unit that has processes", name);
        }
        grant.kind = Grant::kUnit;
        grant.unit = name;
        return grant;
    }
    const bool user = key.ends_with("-user");
    grant.kind = user ? Grant::kUser : Grant::kGroup;
    const auto number = parse_u64(name);
    const auto id = number && *number < 0xffffffffU
                        ? std::optional<std::uint32_t>(static_cast<std::uint32_t>(*number))
                        : (user ? names.user : names.group)(name);
    if (!id) {
        return fail(ErrorKind::kUsage, "there is no {} `{}`", user ? "user" : "group", name);
    }
    grant.id = *id;
    return grant;
}

}  // namespace

Access Access::parse(std::string_view text,
                     const std::string& file,
                     const Names& names,
                     std::vector<std::string>& complaints) {
    Access access;
    std::size_t number = 0;
    for (const std::string_view raw : split_lines(text)) {
        ++number;
        const std::string_view line = trim(raw.substr(0, raw.find('#')));
        if (line.empty()) {
            continue;
        }
        auto grant = parse_grant(line, names);
        if (grant) {
            access.grants_.push_back(std::move(*grant));
        } else {
            complaints.push_back(fmt::format("{}:{}: {}", file, number, grant.error().message));
        }
    }
    return access;
}

Access Access::read(const std::string& directory,
                    const Names& names,
                    std::vector<std::string>& complaints) {
    Access all;
    const auto files = list_directory(directory);
    if (!files) {
        if (files.error().kind != ErrorKind::kNotFound) {
            complaints.push_back(files.error().message);
        }
        return all;
    }
    for (const std::string& name : *files) {
        if (!name.ends_with(".conf")) {
            continue;
        }
        const std::string path = join_path(directory, name);
        const auto text = read_file(path, 1u << 20);
        if (!text) {
            complaints.push_back(text.error().message);
            continue;
        }
        Access one = parse(*text, path, names, complaints);
        all.grants_.insert(all.grants_.end(), one.grants_.begin(), one.grants_.end());
    }
    return all;
}

namespace {

// "https://vault.azure.net/" is the same resource without its last slash.
std::string_view bare(std::string_view resource) {
    return resource.ends_with('/') ? resource.substr(0, resource.size() - 1) : resource;
}

}  // namespace

bool Access::may(const Peer& peer, Good good, std::string_view resource) const {
    if (peer.is_root()) {
        return true;
    }
    return std::ranges::any_of(grants_, [&](const Grant& grant) {
        if (grant.good != good ||
            (!grant.resource.empty() && bare(grant.resource) != bare(resource))) {
            return false;
        }
        switch (grant.kind) {
            case Grant::kUser:
                return peer.uid == grant.id;
            case Grant::kGroup:
                return peer.gid == grant.id ||
                       std::ranges::find(peer.groups, grant.id) != peer.groups.end();
            case Grant::kUnit:
                return !peer.unit.empty() && peer.unit == grant.unit;
        }
        return false;
    });
}

}  // namespace tarn::guest
