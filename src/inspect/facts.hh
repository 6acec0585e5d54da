// SPDX-License-Identifier: MIT
// What an image read back says about the system in it. All that can be named is a name and a text,
// so that two systems are compared the same way everywhere.
#pragma once

#include "inspect/inspect.hh"
#include "rpm/package.hh"

namespace tarn::inspect {

using Facts = std::map<std::string, std::string>;

struct System {
    Artifact artifact;
    std::vector<rpm::InstalledPackage> packages;  // of the rpmdb; empty without one
    std::string rpmdb;                            // its path; empty without one
    Facts package_versions;  // "bash.x86_64" -> "5.3-4.tn1"; several: joined by ", "
    // "sshd.service" -> "enabled", "masked", "installed"; "always on": a link of a package pulls it
    // in
    Facts units;
    Facts sysctl;         // "kernel.kptr_restrict" -> "2": as systemd-sysctl applies them
    Facts kernels;        // version -> "modules" and where its configuration is
    Facts kernel_config;  // "CONFIG_EROFS_FS" -> "m"
    Facts command_line;   // "console" -> "tty1 ttyS0"; a word without "=" -> ""
    Facts users;          // "root" -> "0:0 /root /usr/bin/bash"
    Facts groups;         // "wheel" -> "10 (alice,bob)"
    Facts privileges;     // path -> "setuid 4755 root", "capabilities cap_net_raw=ep"
    // "sshd.service" -> "22/tcp". Of units that are on: what sockets listen on, Port of
    // sshd_config, and the ports a few well-known services open unless they are told otherwise,
    // marked "usual".
    Facts ports;
};

// Reads the rpmdb and the settings of an artifact.
Result<System> examine(const Store& store, Artifact artifact);

// The text of security.capability as `getcap` shows it: "cap_net_raw=ep"; hex when it is not known.
std::string capability_text(std::string_view attribute);

}  // namespace tarn::inspect
