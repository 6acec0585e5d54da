// SPDX-License-Identifier: MIT
#pragma once

#include "emulator/scenario.hh"
#include "project/toml.hh"

namespace tarn::emulator {

// Everything that is wrong is reported; what is returned then is of no use.
Scenario read_scenario(const declaration::Value& root,
                       const std::string& directory,
                       Diagnostics& diagnostics);

}  // namespace tarn::emulator
