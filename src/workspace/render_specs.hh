// SPDX-License-Identifier: MIT
// `component render`: the specs of components with their overlays, as a directory kept in git.
#pragma once

#include <string>
#include <vector>

#include "base/events.hh"
#include "base/result.hh"
#include "workspace/workspace.hh"

namespace tarn {

struct RenderSpecsRequest {
    std::vector<const Component*> components;
    std::string output_directory;  // empty: the project's rendered-specs-dir
    bool check_only = false;       // compare, write nothing
    bool clean_stale = false;      // remove directories of components that are not in the project
    bool overwrite = true;         // false: an existing directory that differs is an error
    bool validate_locks = true;
    bool release = true;
};

struct RenderRow {
    std::string component;
    std::string output_directory;
    std::string status;  // "ok", "error", "cancelled"
    Error error{};       // of "error"
    bool changed = false;
};

struct RenderSpecsOutcome {
    std::vector<RenderRow> rows;         // in the order asked for
    std::vector<std::string> stale;      // removed, or to be removed
    std::vector<std::string> warnings;
    std::size_t from_index = 0;          // known to be unchanged without being rendered
};

// A failed component leaves a directory with RENDER_FAILED; the others go on.
Result<RenderSpecsOutcome> render_specs(Workspace& workspace, const RenderSpecsRequest& request,
                                        Reporter& reporter);

}  // namespace tarn
