// SPDX-License-Identifier: MIT
// The command line of tarn-health.
#pragma once

#include <string>
#include <vector>

#include "health/probe_server.hh"
#include "health/state.hh"

namespace tarn::guest {

// What a path answers: /health, /ready, /live, /metrics.
ProbeAnswer answer_probe(const ProbeRequest& request,
                         const std::string& root,
                         const HealthInputs& inputs);

// 0 done (status: healthy), 1 failed (status: not healthy), 2 usage.
int run_health(const std::vector<std::string>& arguments);

}  // namespace tarn::guest
