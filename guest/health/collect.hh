// SPDX-License-Identifier: MIT
// The machine's numbers. Names are those of Prometheus' node exporter where that has the same
// number, so that dashboards of others work; our own begin with tarn_.
#pragma once

#include <string>

#include "health/metrics.hh"
#include "health/state.hh"

namespace tarn::guest {

// Files below `root` ("/"). What is not there is left out.
Metrics collect(const std::string& root, const HealthInputs& inputs);

}  // namespace tarn::guest
