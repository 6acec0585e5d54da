// SPDX-License-Identifier: MIT
// Which platform this machine runs on, and which instance it is.
#pragma once

#include "provision/machine.hh"

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace tarn::guest {

enum class Platform { kNone, kAzure, kNoCloud };

struct Detection {
    Platform platform = Platform::kNone;
    std::string why;    // "chassis asset tag", "volume cidata on /dev/vdb", ...
    std::string vm_id;  // kAzure: as the platform writes it
    // kNoCloud: what "ds=nocloud;h=HOST;i=ID;s=URL" of SMBIOS or the kernel's command line says.
    std::map<std::string, std::string> seed;
    bool switched_off = false;  // tarn.provision=off
};

// Reads /sys/class/dmi/id, /sys/firmware/efi and /proc/cmdline. A seed on a disk is not looked for
// here: that takes reading disks (media.hh).
Detection detect(const Machine& machine);

// "ds=nocloud;h=web;i=i-1": nullopt when it is none. Also "ds=nocloud-net;...".
std::optional<std::map<std::string, std::string>> parse_seed_text(std::string_view text);

}  // namespace tarn::guest
