// SPDX-License-Identifier: MIT
// Who asks, and what they may have. Root may have all; anyone the instance document without user
// data; tokens and attested documents are for those that a configuration file names.
//
// /etc/tarn/metadata.conf.d/*.conf (read in the order of their names, all of them; # comments):
//     token-user  = NAME|UID     [RESOURCE]
//     token-group = NAME|GID     [RESOURCE]
//     token-unit  = NAME.service [RESOURCE]
//     attest-user, attest-group, attest-unit = the same, without RESOURCE
// A line grants; none takes away. With RESOURCE the grant is for tokens of that resource only.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hh"

namespace tarn::guest {

struct Peer {
    pid_t pid = 0;
    uid_t uid = 65534;
    gid_t gid = 65534;
    std::vector<gid_t> groups;  // supplementary
    std::string unit;           // of the system manager; empty when unknown
    bool is_root() const { return uid == 0; }
};
// Of a connected UNIX socket. The unit is left empty unless the process is certain to be the one
// that connected (SO_PEERPIDFD).
Result<Peer> peer_of(int socket);
// "/system.slice/web.service/x" of /proc/PID/cgroup: the first part that is no slice. What a user's
// own manager started belongs to user@UID.service.
std::string unit_of_cgroup(std::string_view cgroup_file);

enum class Good { kToken, kAttested };
struct Grant {
    Good good = Good::kToken;
    enum { kUser, kGroup, kUnit } kind = kUser;
    std::uint32_t id = 0;
    std::string unit, resource;  // resource empty: any
};

struct Names {
    std::function<std::optional<std::uint32_t>(const std::string&)> user, group;
};
Names system_names();

class Access {
  public:
    // A line that cannot be understood grants nothing and is told of: "50-web.conf:3: ...".
    static Access parse(std::string_view text,
                        const std::string& file,
                        const Names& names,
                        std::vector<std::string>& complaints);
    static Access read(const std::string& directory,
                       const Names& names,
                       std::vector<std::string>& complaints);
    bool may(const Peer& peer, Good good, std::string_view resource = {}) const;
    std::size_t size() const { return grants_.size(); }

  private:
    std::vector<Grant> grants_;
};

}  // namespace tarn::guest
