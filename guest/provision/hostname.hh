// SPDX-License-Identifier: MIT
// The machine's name: /etc/hostname, the kernel's, and an entry in /etc/hosts.
#pragma once

#include "base/result.hh"

#include "provision/machine.hh"

#include <string>

namespace tarn::guest {

struct HostName {
    std::string name;  // what the machine is called; empty: leave it
    std::string fqdn;  // for /etc/hosts; may be empty
    bool write_file = true;
};
// "web.example.org" alone is a host `web` of that domain.
HostName host_name(const std::string& hostname, const std::string& fqdn, bool prefer_fqdn);

Result<void> set_hostname(const Machine& machine, const HostName& name);

// "127.0.1.1 FQDN NAME" between two comment lines; what else is in the file stays.
Result<void> manage_hosts(const Machine& machine, const HostName& name);

}  // namespace tarn::guest
