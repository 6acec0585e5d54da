// SPDX-License-Identifier: MIT
// Which components a command is about (declaration format, "component selection"): spec paths, then
// names and patterns in argument order, then groups; each once.
#pragma once

#include "base/result.hh"
#include "project/model.hh"

#include <string>
#include <vector>

namespace tarn {

struct Selection {
    std::vector<std::string> names;   // exact, or patterns with * ? [...]
    std::vector<std::string> groups;
    std::vector<std::string> spec_paths;
    bool all = false;
    bool listed_members = true;  // groups: also members they list (azldev: only those found by specs)
    bool empty() const { return names.empty() && groups.empty() && spec_paths.empty() && !all; }
};

struct Selected {
    std::vector<const Component*> components;  // all: by name
    std::vector<std::string> warnings;         // a pattern that matches nothing, no criteria
};
// Every exact name, group and spec path that does not exist, in one Error with "did you mean".
Result<Selected> select_components(const Project& project, const Selection& selection);

}  // namespace tarn
