// SPDX-License-Identifier: MIT
// Parts of prepare_sources that are not overlays of specs and loose files.
#pragma once

#include "render/detail/apply.hh"
#include "render/detail/archive.hh"
#include "render/render.hh"

#include <string>
#include <vector>

namespace tarn::overlay {

// The overlays of the component that change members of `archive`, all at once. What changed inside
// is told in `changes` when it is not null.
Result<void> apply_to_archive(const Stage& stage,
                              const RenderRequest& request,
                              const std::string& archive,
                              std::vector<RenderStep::Change>* changes);

// Names of the archives that overlays work in, in the order they are first named.
std::vector<std::string> archives_of(const Component& component);

// `sources` after source-files.
Result<void> update_sources_file(SourceSet& sources, const RenderRequest& request);

// An error of a source-files entry, drawn at its place.
Error source_file_error(const SourceFile& file,
                        const SourceMap& map,
                        std::string message,
                        std::string help);
// The hash of an entry's file, upper-case type and lower-case digits.
std::string hash_of(const SourceFile& file, std::string_view bytes);
std::string hash_type_of(const SourceFile& file);  // SHA512 unless said

}  // namespace tarn::overlay
