// SPDX-License-Identifier: MIT
// `component history`: how far a component is from its upstream, and since when.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hh"
#include "workspace/workspace.hh"

namespace tarn {

struct CustomizationItem {
    std::string kind;         // "overlay", "build", "check", "release", "source", "spec", "render"
    std::string value;        // "spec-add-tag", "without=doc", ...
    std::string description;
};

struct FingerprintChange {
    std::string project_commit, author, email, subject;
    std::int64_t time = 0;
    std::string upstream_commit;
};

struct ComponentHistory {
    std::string name;
    std::size_t toml_commits = 0;  // commits that touched the file that declares it
    bool shared_toml = false;      // which declares others too
    std::string toml_path;         // relative to the project
    std::string latest_commit;     // of those
    std::vector<CustomizationItem> customizations;
    std::vector<FingerprintChange> fingerprint_changes;  // newest first
    bool has_lock = false;
    bool has_import = false;
    unsigned manual_bump = 0;
    std::vector<std::string> warnings;
    bool bare() const { return customizations.empty(); }
};

// Most customised first, then by name. One walk over the project's repository for all.
Result<std::vector<ComponentHistory>> component_history(
    Workspace& workspace, const std::vector<const Component*>& components);

// What a component changes of its upstream, from its declaration alone.
std::vector<CustomizationItem> customizations(const Component& component);

}  // namespace tarn
