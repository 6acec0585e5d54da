// SPDX-License-Identifier: MIT
// Overlays + a component's sources -> sources ready to build: a Tree with the spec and all files
// it needs. Knows no network and no sandbox.
#pragma once

#include "base/result.hh"
#include "diag/diagnostic.hh"
#include "project/model.hh"
#include "store/store.hh"

#include <string>

namespace tarn {

// Applies one overlay to the sources (spec included) in `sources`. Errors name the overlay's place,
// what matched nothing, and the nearest candidates of the spec. Returns the changed tree.
Result<Tree> apply_overlay(const Store& store,
                           const Tree& sources,
                           const std::string& spec_name,
                           const Overlay& overlay,
                           const SourceMap& map);

struct Rendered {
    Tree sources;           // flat: "<name>.spec", tarballs, patches
    std::string spec_name;  // "lz4.spec"
};

// All overlays in order over the component's own files (the directory of its spec) and `extra`
// (source files already fetched: file name -> blob).
Result<Rendered> render_component(const Store& store,
                                  const Component& component,
                                  const std::vector<std::pair<std::string, Digest>>& extra,
                                  const SourceMap& map,
                                  std::int64_t mtime);

}  // namespace tarn
