// SPDX-License-Identifier: MIT
// Rendered specs as a directory that is kept in git: <directory>/<first letter>/<component>/ with
// the spec, `sources` and the files the spec refers to (declaration format, "rendered output").
#pragma once

#include "base/result.hh"
#include "render/source_set.hh"

#include <string>
#include <vector>

namespace tarn {

// "b/bash"; the first character in lower case.
std::string rendered_path(const std::string& component);
// The name of the link beside it for tools that do not decode URLs: "libxml%2B%2B"; empty when it
// would be the same.
std::string rendered_alias(const std::string& component);

// Takes away what a rendered directory does not hold: everything but the spec, `sources`, what the
// spec refers to (spec/macros.hh) and the macro file. Nothing is taken away when `skip_filter`, or
// when a reference could not be expanded and may be any file.
void filter_rendered(SourceSet& sources, const std::string& spec_name, bool skip_filter);

enum class RenderedState { kUnchanged, kChanged, kNew };
struct RenderedDirectory {
    std::string path;
    RenderedState state = RenderedState::kUnchanged;
    std::vector<std::string> differing;  // file names, sorted
};

// Compares with what is there, byte for byte and by executable bit; writes unless `check_only`.
// Written whole beside the place and renamed over it; the alias link is kept right. Equal content
// is not touched.
Result<RenderedDirectory> write_rendered(const std::string& directory,
                                         const std::string& component,
                                         const SourceSet& sources,
                                         bool check_only);
// Leaves a directory with nothing but RENDER_FAILED (one line that says where to look).
Result<RenderedDirectory> write_render_failed(const std::string& directory,
                                              const std::string& component,
                                              const std::string& line,
                                              bool check_only);
// Directories and links below that belong to none of `components` (sorted); removes them unless
// `check_only`.
Result<std::vector<std::string>> remove_stale(const std::string& directory,
                                              const std::vector<std::string>& components,
                                              bool check_only);

}  // namespace tarn
