// SPDX-License-Identifier: MIT
// `component update` and `component changed`: the locks of components, written and compared.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/events.hh"
#include "base/result.hh"
#include "workspace/workspace.hh"

namespace tarn {

struct UpdateRequest {
    std::vector<const Component*> components;
    bool bump = false;          // one more manual bump: a mass rebuild
    bool check_only = false;    // say what would change
    bool force = false;         // choose every commit again
    bool prune_orphans = false; // locks of components that are gone
};

struct UpdateRow {
    std::string component;
    std::string upstream_commit, previous_commit;
    bool changed = false;
    bool skipped = false;
    std::string skip_reason;
    std::string error;             // in one line
    std::optional<Error> problem;  // the same, as it is shown to a person
};

struct UpdateOutcome {
    std::vector<UpdateRow> rows;
    std::vector<std::string> pruned;
    bool failed = false;  // some commit could not be found: no lock was written
};
Result<UpdateOutcome> update_components(Workspace& workspace, const UpdateRequest& request,
                                        Reporter& reporter);

struct ChangedRow {
    std::string component;
    std::string change;         // "added", "changed", "deleted", "unchanged"
    bool sources_change = false;
    std::string error;          // `sources` changed though the fingerprint did not
};
// Locks at two commits of the project's repository; `components` empty: all that have a lock at
// either. Sorted by name.
Result<std::vector<ChangedRow>> changed_components(const Project& project, const std::string& from,
                                                   const std::string& to,
                                                   const std::vector<std::string>& components);

}  // namespace tarn
