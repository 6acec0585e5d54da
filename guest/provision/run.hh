// SPDX-License-Identifier: MIT
// The three stages of a boot: early (before the network), network, workload. Each can be killed at
// any moment; the next boot goes on where it was.
#pragma once

#include "base/result.hh"

#include "imds/imds.hh"
#include "provision/apply.hh"
#include "provision/health.hh"
#include "provision/machine.hh"
#include "provision/state.hh"

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace tarn::guest {

struct RunOptions {
    Endpoint imds{kImdsAddress, 80};
    std::optional<Endpoint> wireserver;  // else option 245, else the well-known address
    std::string source_address;          // of both; empty: the primary lease's
    bool wait_for_dhcp = true;
    std::chrono::milliseconds lease{300'000};
    std::chrono::milliseconds drive{2'000};    // for an optical drive to appear, on a first boot
    std::chrono::milliseconds online{60'000};  // for the network, before the workload's steps
    RetryPolicy imds_policy;
    // With the media read, or on a later boot, the metadata service is not waited for as long.
    std::chrono::milliseconds imds_optional{60'000};
    HealthPolicy health;
    std::chrono::milliseconds failure_report{300'000};  // total of telling a failure
    std::chrono::milliseconds lock{120'000};
    std::function<Result<Plan>(const Settings&, const Machine&)> planner = plan;
    std::function<void(std::string_view)> log = [](std::string_view) {};
    // Told once login works: what waits for it may start. The report is still to be sent.
    std::function<void()> applied = [] {};
};

// An error was reported to the platform already, as far as it could be, and is in status.json.
Result<void> run_early(const Machine& machine, const RunOptions& options);
Result<void> run_network(const Machine& machine, const RunOptions& options);
Result<void> run_workload(const Machine& machine, const RunOptions& options);

}  // namespace tarn::guest
