// SPDX-License-Identifier: MIT
// One overlay over the sources of a component.
#pragma once

#include "diag/diagnostic.hh"
#include "render/detail/spec_edit.hh"
#include "render/source_set.hh"

#include <string>
#include <vector>

namespace tarn::overlay {

struct Stage {
    SourceSet& sources;
    const std::string& spec_name;
    const SourceMap& map;
    bool precise = false;                          // the view of specs is rpm's own
    std::vector<std::string>* warnings = nullptr;  // where to put those of strict mode
};

// Rules that a load may let pass with a warning: a type that is known, the keys it needs.
Outcome<void> check_complete(const Overlay& overlay);

// An overlay of a spec or of loose files.
Result<void> apply(const Stage& stage, const Overlay& overlay);

// The overlay's place and what is wrong with it.
Error describe(const Mismatch& mismatch, const Overlay& overlay, const SourceMap& map);
std::string describe_warning(std::string message, const Overlay& overlay, const SourceMap& map);

// Bounded: at most twelve names.
std::string some_names(const std::vector<std::string>& names);

}  // namespace tarn::overlay
