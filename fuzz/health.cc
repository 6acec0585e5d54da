// rooms: guest_health
// SPDX-License-Identifier: MIT
// Files of /proc, requests of probes, the system manager's answers, and what others publish.
#include "health/metrics.hh"
#include "health/probe_server.hh"
#include "health/proc.hh"
#include "health/timeline.hh"

#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace tarn::guest;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    (void)parse_pressure(text);
    (void)parse_pairs(text);
    (void)parse_stat(text);
    (void)parse_diskstats(text);
    (void)parse_netstat(text);
    Metrics metrics;
    for (const NetDevice& one : parse_net_dev(text)) {
        metrics.add(MetricType::kCounter, "x", "X", 1, {{"device", one.name}});
    }
    for (const MountPoint& one : parse_mountinfo(text)) {
        metrics.add(MetricType::kGauge, "y", "Y", 1, {{"path", one.path}});
    }
    // A line is one sample or a comment, whatever devices are called.
    const std::string shown = metrics_text(metrics, negotiate(text));
    for (const char c : shown) {
        if (c != '\n' && (c < ' ' || c > '~')) {
            __builtin_trap();
        }
    }
    if (const auto request = parse_probe(text); request && !request->path.starts_with('/')) {
        __builtin_trap();
    }
    HealthInputs inputs;
    if (auto manager = parse_manager(text)) {
        inputs.manager = *manager;
    }
    if (auto provisioning = parse_provisioning(text)) {
        inputs.provisioning = *provisioning;
    }
    inputs.opinions = {parse_opinion("x", text, 5)};
    (void)health_body(evaluate(inputs));
    (void)verbose_body(evaluate(inputs));
    (void)parse_failed_unit(text);
    (void)add_boot(text, make_boot(inputs));
    return 0;
}
