// SPDX-License-Identifier: MIT
// Overlays + a component's sources -> sources ready to build. Knows no network and no sandbox.
// Order: archive overlays; macro file and its load line; the component's overlays; skipped %check; the
// header; `sources`.
#pragma once

#include "base/result.hh"
#include "diag/diagnostic.hh"
#include "project/model.hh"
#include "render/source_set.hh"
#include "store/store.hh"

#include <string>
#include <vector>

namespace tarn {

// What one step changed, for `component explain`.
struct RenderStep {
    std::string what;                  // "overlay 2: spec-add-tag", "macro file", "skipped %check"
    const Overlay* overlay = nullptr;  // nullptr: synthesised
    struct Change {
        std::string path;
        std::string before, after;  // contents; empty: not there
    };
    std::vector<Change> changes;
};

struct RenderRequest {
    const Component* component = nullptr;
    const RenderWording* wording = nullptr;  // of the project
    const SourceMap* map = nullptr;
    std::string pristine_spec_name;  // as it lies in the sources: "<upstream-name>.spec"
    bool archives_present = true;    // false: archive overlays are skipped, with a warning
    bool allow_no_hashes = false;    // compute missing hashes of source-files
    bool skip_overlays = false;      // only rename the spec
    bool strict = false;             // warn of overlays that do more or less than they look like
    bool keep_steps = false;         // fill Prepared::steps
    // %fedora_upstream_version and the like for emit-upstream-provenance; empty: none.
    std::vector<std::pair<std::string, std::string>> provenance{};
};

struct Prepared {
    std::string spec_name;  // "<component>.spec"
    std::vector<std::string> warnings;
    std::vector<RenderStep> steps;
};

// Changes `sources` in place. Errors name the overlay's place, what matched nothing, and the
// nearest candidates of the spec; nothing of `sources` is to be used then.
Result<Prepared> prepare_sources(SourceSet& sources, const RenderRequest& request);

// One overlay alone.
Result<void> apply_overlay(SourceSet& sources,
                           const std::string& spec_name,
                           const Overlay& overlay,
                           const SourceMap& map);

// The macro file's text for a component; empty when there is nothing to define.
std::string macros_file_text(const Component& component,
                             const RenderWording& wording,
                             const std::vector<std::pair<std::string, std::string>>& provenance);

struct Rendered {
    Tree sources;           // "<name>.spec", tarballs, patches
    std::string spec_name;  // "lz4.spec"
};

// prepare_sources over the component's own files (the directory of its spec, without TOML and other
// specs) and `extra` (source files already fetched: file name -> blob), as a Tree.
Result<Rendered> render_component(const Store& store,
                                  const RenderRequest& request,
                                  const std::vector<std::pair<std::string, Digest>>& extra,
                                  std::int64_t mtime);

}  // namespace tarn
