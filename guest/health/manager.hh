// SPDX-License-Identifier: MIT
// What the system manager says of itself, over its Varlink socket (systemd 257 and later). Where
// there is none, nothing is known and nothing fails.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hh"

namespace tarn::guest {

struct ManagerState {
    std::string system_state;  // "starting", "running", "degraded", "stopping", ...
    std::optional<std::uint64_t> failed_units, units, jobs;
    // "Firmware", "Loader", "Kernel", "InitRD", "Userspace", "Finish" in microseconds: of
    // CLOCK_MONOTONIC, except Firmware and Loader, which are how long before the kernel's start.
    std::map<std::string, std::uint64_t> timestamps;
};
// The parameters of io.systemd.Manager.Describe's reply. kCorrupt.
Result<ManagerState> parse_manager(std::string_view json);
// The name of a unit that io.systemd.Unit.List tells of, when it failed.
std::optional<std::string> parse_failed_unit(std::string_view json);

inline constexpr const char* kManagerSocket = "/run/systemd/io.systemd.Manager";
Result<ManagerState> ask_manager(const std::string& socket);
// At most `limit` names, sorted.
Result<std::vector<std::string>> ask_failed_units(const std::string& socket, std::size_t limit);

}  // namespace tarn::guest
