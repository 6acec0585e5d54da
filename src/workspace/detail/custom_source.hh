// SPDX-License-Identifier: MIT
// Source files that a script of the project makes (origin `custom`): run in a sandbox without
// network, over a root made as buildroots are; what it leaves in its output directory becomes an
// archive. The paths inside are azldev's.
#pragma once

#include "base/events.hh"
#include "base/result.hh"
#include "distgit/distgit.hh"
#include "exec/action.hh"
#include "render/source_set.hh"
#include "workspace/workspace.hh"

#include <string>

namespace tarn {

struct CustomScript {
    std::string component;
    std::string filename;  // of the archive
    std::string script;    // its name
    Digest root;           // Tree
    Digest directory;      // Tree: the script and its inputs
    std::int64_t source_date_epoch = 0;
};
Action custom_action(const CustomScript& script);

// The archive, in the store. A script that fails: kFailed with the end of what it said.
Result<Digest> run_custom_script(const Store& store, Executor& executor, const CustomScript& script,
                                 const RunOptions& options);

// The file of `source`: when it has a hash from the store or, as `request` says, a lookaside; else made.
// `files` holds what it may name as `inputs`.
Result<Digest> custom_source(Workspace& workspace, const Component& component,
                             const SourceFile& source, const distgit::LookasideRequest& request,
                             const SourceSet& files, Reporter& reporter);

}  // namespace tarn
