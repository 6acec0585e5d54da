// SPDX-License-Identifier: MIT
// The last step of preparing sources: release and changelog from history.
#pragma once

#include "workspace/sources.hh"

#include <string>
#include <utility>
#include <vector>

namespace tarn {

// Changes the spec of `sources`: a bumped Release, or rpmautospec's block and changelog.
Result<void> apply_release(Workspace& workspace,
                           const Component& component,
                           ComponentSources& sources,
                           bool keep_step);

// %fedora_upstream_version and %fedora_upstream_release of the pristine spec; empty unless the
// upstream is Fedora with a numbered release.
Result<std::vector<std::pair<std::string, std::string>>> upstream_provenance(
    Workspace& workspace,
    const Component& component,
    const SourceSet& pristine,
    const std::string& spec_name,
    const std::string& upstream_commit);

}  // namespace tarn
