// SPDX-License-Identifier: MIT
// What a maintainer script does beyond what debhelper wrote into it.
#pragma once

#include "project/model.hh"

#include <string>
#include <vector>

namespace tarn::import {

struct ScriptLine {
    std::size_t number = 0;  // in the script, from 1
    std::string text;
};

// The lines that no generator of the policy and no boilerplate accounts for.
std::vector<ScriptLine> uncovered_lines(const std::string& script,
                                        const ImportPolicy& policy,
                                        std::vector<std::string>& generators);
// The same for a `triggers` file: activating ldconfig is what the composer does anyway.
std::vector<ScriptLine> uncovered_triggers(const std::string& triggers,
                                           const ImportPolicy& policy,
                                           std::vector<std::string>& generators);

bool never_imported(const ImportPolicy& policy, std::string_view name);

}  // namespace tarn::import
