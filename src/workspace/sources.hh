// SPDX-License-Identifier: MIT
// The sources of a component, from where they lie to ready to build: the directory of a local spec or a
// commit of a dist-git; files of the lookaside and source-files; overlays; release and changelog.
#pragma once

#include <string>
#include <vector>

#include "base/events.hh"
#include "base/result.hh"
#include "render/render.hh"
#include "workspace/workspace.hh"

namespace tarn {

struct SourcesOptions {
    bool download = true;        // `sources` and source-files; without, archive overlays are left out
    bool overlays = true;
    bool release = true;         // count the project's own changes; false: leave Release alone
    bool allow_no_hashes = false;
    bool validate_locks = true;
    bool keep_steps = false;     // fill ComponentSources::steps
};

struct PristineSources {
    SourceSet files;
    std::string spec_name;        // as upstream calls it
    std::string upstream_commit;  // empty: local
};

struct ComponentSources {
    SourceSet files;
    std::string spec_name;        // "<component>.spec"
    std::string upstream_commit;
    std::vector<std::string> warnings;
    std::vector<RenderStep> steps;  // the last one is the release
};

// Nothing applied yet, nothing downloaded that is not in git.
Result<PristineSources> pristine_sources(Workspace& workspace, const Component& component,
                                         const SourcesOptions& options);
// Files of the lookaside and source-files put in.
Result<void> add_downloads(Workspace& workspace, const Component& component, SourceSet& files,
                           const SourcesOptions& options, Reporter& reporter);
// Overlays and release over pristine sources.
Result<ComponentSources> prepared_sources(Workspace& workspace, const Component& component,
                                          PristineSources pristine, const SourcesOptions& options);
// All three.
Result<ComponentSources> component_sources(Workspace& workspace, const Component& component,
                                           const SourcesOptions& options, Reporter& reporter);

// What relies on locks begins with this: one Error that names every component without a valid lock.
// A local component needs none.
Result<void> check_locks(const Workspace& workspace,
                         const std::vector<const Component*>& components, bool orphans);

}  // namespace tarn
