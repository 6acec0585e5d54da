// SPDX-License-Identifier: MIT
#include "health/collect.hh"

#include <sys/statvfs.h>
#include <sys/timex.h>

#include <array>
#include <ctime>
#include <map>
#include <optional>
#include <set>

#include "base/fs.hh"
#include "base/strings.hh"
#include "health/proc.hh"

namespace tarn::guest {

namespace {

constexpr auto kCounter = MetricType::kCounter;
constexpr auto kGauge = MetricType::kGauge;

double to_double(std::uint64_t value) {
    return static_cast<double>(value);
}

class Collector {
  public:
    explicit Collector(std::string root) : root_(std::move(root)) {}
    std::string read(const char* path) const {
        return read_file(join_path(root_, path), 8u << 20).value_or(std::string());
    }
    const std::string& root() const { return root_; }

    void pressure() {
        static constexpr std::array<const char*, 3> kNames{"cpu", "io", "memory"};
        for (const std::string name : kNames) {
            const Pressure one = parse_pressure(read(("proc/pressure/" + name).c_str()));
            const std::string base = "node_pressure_" + name;
            if (one.some_seconds) {
                out.add(kCounter,
                        base + "_waiting_seconds",
                        "Time in which some tasks waited",
                        *one.some_seconds);
            }
            if (one.full_seconds && name != "cpu") {
                out.add(kCounter,
                        base + "_stalled_seconds",
                        "Time in which all tasks waited",
                        *one.full_seconds);
            }
            if (one.some_avg10) {
                out.add(kGauge,
                        "tarn_pressure_some_ratio",
                        "Share of the last 10 s in which some waited",
                        *one.some_avg10 / 100,
                        {{"resource", name}});
            }
        }
    }
    void processors() {
        const CpuTimes cpu = parse_stat(read("proc/stat"));
        for (const auto& [mode, seconds] : cpu.seconds) {
            out.add(kCounter,
                    "node_cpu_seconds",
                    "Time of all processors by mode",
                    seconds,
                    {{"mode", mode}});
        }
        static constexpr std::array<std::array<const char*, 3>, 2> kCounts{
            {{"ctxt", "node_context_switches", "Context switches"},
             {"processes", "node_forks", "Processes that were started"}}};
        for (const auto& [name, metric, help] : kCounts) {
            if (const auto found = cpu.counts.find(name); found != cpu.counts.end()) {
                out.add(kCounter, metric, help, to_double(found->second));
            }
        }
        if (const auto boot = cpu.counts.find("btime"); boot != cpu.counts.end()) {
            out.add(kGauge,
                    "node_boot_time_seconds",
                    "When the machine was started",
                    to_double(boot->second));
        }
        if (const auto running = cpu.counts.find("procs_running"); running != cpu.counts.end()) {
            out.add(kGauge,
                    "node_procs_running",
                    "Tasks that run or could",
                    to_double(running->second));
        }
        if (cpu.processors > 0) {
            out.add(kGauge, "tarn_processors", "Processors that are on", cpu.processors);
        }
    }
    void memory() {
        static constexpr std::array<const char*, 11> kNames{"MemTotal",
                                                            "MemFree",
                                                            "MemAvailable",
                                                            "Buffers",
                                                            "Cached",
                                                            "Dirty",
                                                            "Slab",
                                                            "SwapTotal",
                                                            "SwapFree",
                                                            "Committed_AS",
                                                            "SUnreclaim"};
        const auto values = parse_pairs(read("proc/meminfo"));
        for (const char* name : kNames) {
            if (const auto found = values.find(name); found != values.end()) {
                out.add(kGauge,
                        fmt::format("node_memory_{}_bytes", name),
                        "From /proc/meminfo",
                        to_double(found->second) * 1024);
            }
        }
        const auto vm = parse_pairs(read("proc/vmstat"));
        if (const auto kills = vm.find("oom_kill"); kills != vm.end()) {
            out.add(kCounter,
                    "tarn_oom_kills",
                    "Processes killed for want of memory",
                    to_double(kills->second));
        }
        for (const char* fault : {"pgmajfault", "pswpin", "pswpout"}) {
            if (const auto found = vm.find(fault); found != vm.end()) {
                out.add(kCounter,
                        fmt::format("tarn_vm_{}", fault),
                        "From /proc/vmstat",
                        to_double(found->second));
            }
        }
    }
    void disks() {
        for (const Disk& disk : parse_diskstats(read("proc/diskstats"))) {
            const Labels device = {{"device", disk.name}};
            out.add(kCounter,
                    "node_disk_reads_completed",
                    "Reads that ended",
                    to_double(disk.reads),
                    device);
            out.add(
                kCounter, "node_disk_read_bytes", "Bytes read", to_double(disk.read_bytes), device);
            out.add(kCounter,
                    "node_disk_read_time_seconds",
                    "Time of all reads",
                    disk.read_seconds,
                    device);
            out.add(kCounter,
                    "node_disk_writes_completed",
                    "Writes that ended",
                    to_double(disk.writes),
                    device);
            out.add(kCounter,
                    "node_disk_written_bytes",
                    "Bytes written",
                    to_double(disk.written_bytes),
                    device);
            out.add(kCounter,
                    "node_disk_write_time_seconds",
                    "Time of all writes",
                    disk.write_seconds,
                    device);
            out.add(kCounter,
                    "node_disk_io_time_seconds",
                    "Time in which the disk was busy",
                    disk.busy_seconds,
                    device);
            out.add(kGauge,
                    "node_disk_io_now",
                    "Requests under way",
                    to_double(disk.in_flight),
                    device);
        }
    }
    void network();
    void file_systems();
    void groups();
    void clock();

    Metrics out;

  private:
    std::string root_;
};

void Collector::network() {
    for (const NetDevice& net : parse_net_dev(read("proc/net/dev"))) {
        const Labels device = {{"device", net.name}};
        out.add(kCounter,
                "node_network_receive_bytes",
                "Bytes received",
                to_double(net.rx_bytes),
                device);
        out.add(kCounter,
                "node_network_receive_packets",
                "Packets received",
                to_double(net.rx_packets),
                device);
        out.add(kCounter,
                "node_network_receive_errs",
                "Errors of receiving",
                to_double(net.rx_errors),
                device);
        out.add(kCounter,
                "node_network_receive_drop",
                "Packets dropped",
                to_double(net.rx_dropped),
                device);
        out.add(
            kCounter, "node_network_transmit_bytes", "Bytes sent", to_double(net.tx_bytes), device);
        out.add(kCounter,
                "node_network_transmit_packets",
                "Packets sent",
                to_double(net.tx_packets),
                device);
        out.add(kCounter,
                "node_network_transmit_errs",
                "Errors of sending",
                to_double(net.tx_errors),
                device);
        out.add(kCounter,
                "node_network_transmit_drop",
                "Packets dropped",
                to_double(net.tx_dropped),
                device);
    }
    static constexpr std::array<std::array<const char*, 3>, 7> kTcp{{
        {"TcpExt.ListenDrops", "tarn_tcp_listen_drops", "Connections refused: the queue was full"},
        {"TcpExt.ListenOverflows", "tarn_tcp_listen_overflows", "Times an accept queue overflowed"},
        {"TcpExt.TCPReqQFullDrop",
         "tarn_tcp_request_queue_drops",
         "SYNs dropped: queue full, no cookies"},
        {"TcpExt.SyncookiesSent", "tarn_tcp_syncookies_sent", "SYN cookies sent"},
        {"TcpExt.TCPTimeouts", "tarn_tcp_timeouts", "Retransmission timeouts"},
        {"Tcp.RetransSegs", "tarn_tcp_retransmitted_segments", "Segments sent again"},
        {"Tcp.InErrs", "tarn_tcp_bad_segments", "Bad segments received"},
    }};
    auto values = parse_netstat(read("proc/net/netstat"));
    values.merge(parse_netstat(read("proc/net/snmp")));
    for (const auto& [name, metric, help] : kTcp) {
        if (const auto found = values.find(name); found != values.end()) {
            out.add(kCounter, metric, help, to_double(found->second));
        }
    }
}

void Collector::file_systems() {
    // Of a network they may hang: local ones only.
    static const std::set<std::string> kTypes = {
        "ext4", "ext3", "ext2", "xfs", "btrfs", "vfat", "f2fs", "erofs", "squashfs", "overlay"};
    std::string text = read("proc/1/mountinfo");  // this program's own may be rearranged
    if (text.empty()) {
        text = read("proc/self/mountinfo");
    }
    std::map<std::string, MountPoint> by_source;  // the shortest path of each
    for (MountPoint& mount : parse_mountinfo(text)) {
        if (!kTypes.contains(mount.type) || by_source.size() >= 64) {
            continue;
        }
        const auto [place, fresh] = by_source.try_emplace(mount.source, mount);
        if (!fresh && mount.path.size() < place->second.path.size()) {
            place->second = std::move(mount);
        }
    }
    for (const auto& [source, mount] : by_source) {
        struct statvfs stats{};
        if (statvfs(join_path(root_, mount.path == "/" ? "." : mount.path.substr(1)).c_str(),
                    &stats) != 0) {
            continue;
        }
        const Labels labels = {
            {"device", source}, {"fstype", mount.type}, {"mountpoint", mount.path}};
        const double block = to_double(stats.f_frsize);
        out.add(kGauge,
                "node_filesystem_size_bytes",
                "Size",
                to_double(stats.f_blocks) * block,
                labels);
        out.add(kGauge,
                "node_filesystem_avail_bytes",
                "Free for users",
                to_double(stats.f_bavail) * block,
                labels);
        out.add(kGauge, "node_filesystem_files", "Inodes", to_double(stats.f_files), labels);
        out.add(
            kGauge, "node_filesystem_files_free", "Free inodes", to_double(stats.f_ffree), labels);
        out.add(kGauge,
                "node_filesystem_readonly",
                "1 when it cannot be written",
                mount.read_only ? 1 : 0,
                labels);
    }
}

void Collector::groups() {
    const std::string top = join_path(root_, "sys/fs/cgroup");
    const auto names = list_directory(top);
    for (const std::string& name : names ? *names : std::vector<std::string>()) {
        if (!name.ends_with(".slice") && !name.ends_with(".scope")) {
            continue;
        }
        const auto text = read_file(join_path(join_path(top, name), "memory.events"), 64u << 10);
        for (const auto& [event, count] : parse_pairs(text ? *text : std::string())) {
            out.add(kCounter,
                    "tarn_cgroup_memory_events",
                    "Events of memory limits",
                    to_double(count),
                    {{"cgroup", name}, {"event", event}});
        }
    }
}

void Collector::clock() {
    timex state{};
    const int status = adjtimex(&state);
    if (status >= 0) {
        const double unit = (state.status & STA_NANO) != 0 ? 1e9 : 1e6;
        out.add(kGauge,
                "node_timex_sync_status",
                "1 when the clock is synchronised",
                status != TIME_ERROR ? 1 : 0);
        out.add(kGauge,
                "node_timex_offset_seconds",
                "Offset from the reference",
                static_cast<double>(state.offset) / unit);
        out.add(kGauge,
                "node_timex_maxerror_seconds",
                "The most it can be off",
                static_cast<double>(state.maxerror) / 1e6);
    }
    timespec real{}, boot{};
    clock_gettime(CLOCK_REALTIME, &real);
    clock_gettime(CLOCK_BOOTTIME, &boot);
    const auto seconds = [](const timespec& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
    };
    out.add(kGauge, "node_time_seconds", "The machine's clock", seconds(real));
    out.add(kGauge,
            "tarn_clock_origin_seconds",
            "Clock minus time since power-on: a jump is a step of the clock",
            seconds(real) - seconds(boot));
}

void add_health(const HealthInputs& inputs, Metrics& out) {
    const Health health = evaluate(inputs);
    for (const auto state :
         {HealthState::kInitializing, HealthState::kHealthy, HealthState::kUnhealthy}) {
        out.add(kGauge,
                "tarn_health_state",
                "1 for the state the health probe tells of",
                health.state == state ? 1 : 0,
                {{"state", std::string(state_name(state))}});
    }
    if (inputs.manager) {
        const ManagerState& manager = *inputs.manager;
        if (manager.failed_units) {
            out.add(
                kGauge, "tarn_failed_units", "Units that failed", to_double(*manager.failed_units));
        }
        for (const auto& [name, micros] : manager.timestamps) {
            out.add(kGauge,
                    "tarn_boot_timestamp_seconds",
                    "When a phase of the boot began (Finish: ended)",
                    to_double(micros) / 1e6,
                    {{"phase", to_lower(name)}});
        }
    }
    for (const std::string& unit : inputs.failed_units) {
        out.add(kGauge, "tarn_failed_unit", "1 for each unit that failed", 1, {{"name", unit}});
    }
    if (inputs.provisioning) {
        const Provisioning& one = *inputs.provisioning;
        out.add(kGauge,
                "tarn_provision_platform_ready",
                "1 when login works",
                one.platform_ready ? 1 : 0);
        out.add(kGauge,
                "tarn_provision_workload_ready",
                "1 when the user's commands are done",
                one.workload_ready ? 1 : 0);
        out.add(kGauge, "tarn_provision_ready_seconds", "Power-on to ready", one.ready_seconds);
        out.add(kGauge,
                "tarn_provision_end_seconds",
                "Power-on to the end of provisioning",
                one.end_seconds);
        std::set<std::string> seen;
        for (const auto& [step, seconds] : one.steps) {
            if (seen.insert(step).second) {
                out.add(kGauge,
                        "tarn_provision_step_seconds",
                        "Time of a step",
                        seconds,
                        {{"step", step}});
            }
        }
    }
}

}  // namespace

Metrics collect(const std::string& root, const HealthInputs& inputs) {
    Collector collector(root);
    collector.pressure();
    collector.processors();
    collector.memory();
    collector.disks();
    collector.network();
    collector.file_systems();
    collector.groups();
    collector.clock();
    add_health(inputs, collector.out);
    return std::move(collector.out);
}

}  // namespace tarn::guest
