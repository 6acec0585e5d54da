// SPDX-License-Identifier: MIT
// Whether the machine may get work: provisioned, no failed unit, and nobody who objects. The body
// is that of Azure's Application Health probe, second version (learn.microsoft.com).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hh"
#include "health/manager.hh"

namespace tarn::guest {

// /run/tarn/provision/status.json, which tarn-provision writes.
struct Provisioning {
    std::string status, source;
    bool platform_ready = false, workload_ready = false;
    std::vector<std::string> errors;
    double ready_seconds = 0, end_seconds = 0;  // since power-on
    std::vector<std::pair<std::string, double>> steps;
};
Result<Provisioning> parse_provisioning(std::string_view json);

// A file of /etc/tarn/health.d or /run/tarn/health.d says what its writer knows:
//     Healthy | Unhealthy | Initializing  [why]
//     max-age SECONDS      (optional; older than that it counts as Unhealthy)
struct Opinion {
    std::string name, state, why;
    std::optional<std::uint64_t> max_age;
    std::uint64_t age = 0;
};
// What cannot be understood is an Unhealthy opinion that says so.
Opinion parse_opinion(const std::string& name, std::string_view text, std::uint64_t age);

enum class HealthState { kInitializing, kHealthy, kUnhealthy };
std::string_view state_name(HealthState state);

struct HealthInputs {
    std::optional<Provisioning> provisioning;  // none: not provisioned by us, no objection
    std::optional<ManagerState> manager;
    std::vector<std::string> failed_units;  // their names, as far as known
    std::vector<Opinion> opinions;
    std::string custom_metrics;  // JSON that is passed on, or empty
};
struct Health {
    HealthState state = HealthState::kHealthy;
    std::vector<std::string> reasons;  // why it is not kHealthy
    std::string custom_metrics;
};
Health evaluate(const HealthInputs& inputs);
std::string health_body(const Health& health);   // {"ApplicationHealthState":"Healthy"}
std::string verbose_body(const Health& health);  // with the reasons

// Reads all that below `root` ("/"); `socket` of the system manager.
HealthInputs read_inputs(const std::string& root, const std::string& socket);

}  // namespace tarn::guest
