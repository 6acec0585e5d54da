// SPDX-License-Identifier: MIT
// Files of /proc, /sys and cgroups as numbers. Pure; what a line does not say is left out, what is
// garbage gives nothing. Formats: proc(5), Documentation/accounting/psi.rst, iostats.rst.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::guest {

struct Pressure {
    std::optional<double> some_seconds, full_seconds;  // in all
    std::optional<double> some_avg10, full_avg10;      // per cent
};
Pressure parse_pressure(std::string_view text);

// "name value" or "name: value kB" lines; values as they stand.
std::map<std::string, std::uint64_t> parse_pairs(std::string_view text);

struct CpuTimes {
    std::map<std::string, double> seconds;  // "user", "system", "steal", ... of all processors
    std::map<std::string, std::uint64_t> counts;  // "ctxt", "processes", "procs_running", "btime"
    unsigned processors = 0;
};
CpuTimes parse_stat(std::string_view text);

struct Disk {
    std::string name;
    std::uint64_t reads = 0, read_bytes = 0, writes = 0, written_bytes = 0;
    double read_seconds = 0, write_seconds = 0, busy_seconds = 0;
    std::uint64_t in_flight = 0;
};
std::vector<Disk> parse_diskstats(std::string_view text);  // without loop, ram and zram devices

struct NetDevice {
    std::string name;
    std::uint64_t rx_bytes = 0, rx_packets = 0, rx_errors = 0, rx_dropped = 0;
    std::uint64_t tx_bytes = 0, tx_packets = 0, tx_errors = 0, tx_dropped = 0;
};
std::vector<NetDevice> parse_net_dev(std::string_view text);

// Two lines a protocol, names and then numbers: {"TcpExt.ListenDrops": 3}.
std::map<std::string, std::uint64_t> parse_netstat(std::string_view text);

struct MountPoint {
    std::string path, type, source, options;
    bool read_only = false;
};
// /proc/self/mountinfo; escapes (\040) are resolved.
std::vector<MountPoint> parse_mountinfo(std::string_view text);

}  // namespace tarn::guest
