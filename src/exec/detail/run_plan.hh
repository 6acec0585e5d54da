// SPDX-License-Identifier: MIT
// An action laid out on this machine's disk, and its outputs taken back from there.
#pragma once

#include "exec/action.hh"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace tarn::detail {

std::map<std::string, std::string> full_environment(const Action& action);
Result<void> check_action(const Action& action);

// A directory of the host that the command writes to.
struct Place {
    std::string path;       // in the sandbox
    std::string directory;  // on the host
};

struct ReadOnlyInput {
    std::string path;
    Tree tree;
};

struct RunPlan {
    Sandbox sandbox;
    std::vector<Place> places;             // sorted by path
    std::vector<ReadOnlyInput> read_only;  // the root too, when it is read-only
    // Directories on the host that bubblewrap makes as mount points in places; parents first.
    std::vector<std::string> mount_points;
};

// Lays the inputs out; private copies and output directories go below `work`.
Result<RunPlan> lay_out(const Store& store, const Action& action, const std::string& work);

// The tree of the outputs. `plan` has run.
Result<Tree> take_outputs(const Store& store, const Action& action, const RunPlan& plan);

// Keeps `work` for a person, as <store>/failed/<action>; drops older ones beyond ten.
Result<void> keep_failed(const Store& store,
                         const Action& action,
                         const RunPlan& plan,
                         const ActionResult& result,
                         const std::string& work);

}  // namespace tarn::detail
