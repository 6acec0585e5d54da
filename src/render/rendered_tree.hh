// SPDX-License-Identifier: MIT
// Rendered specs as a directory that is kept in git: <directory>/<first letter>/<component>/ with
// the spec, `sources` and the files the spec refers to (declaration format, "rendered output").
#pragma once

#include "base/result.hh"
#include "project/model.hh"
#include "render/source_set.hh"
#include "spec/macros.hh"

#include <string>
#include <vector>

namespace tarn {

// "b/bash"; the first character in lower case.
std::string rendered_path(const std::string& component);
// The name of the link beside it for tools that do not decode URLs: "libxml%2B%2B"; empty when it
// would be the same.
std::string rendered_alias(const std::string& component);

// What is known of the macros of the distribution that a project makes, although none of its macro files is
// read: those that only other distributions define (%rhel, %suse_version) are not defined. Of one that the
// project declares, as an upstream say, nothing is known.
MacroTable distribution_macros(const Project& project);

// Takes away what a rendered directory does not hold: everything but the spec, `sources`, what the
// spec refers to (spec/macros.hh) and the macro file. Nothing is taken away when `skip_filter`, or
// when a reference could not be expanded and may be any file. A condition on a macro that neither the spec
// nor `known` speaks of is undecided: what either branch refers to is kept.
void filter_rendered(SourceSet& sources, const std::string& spec_name, bool skip_filter,
                     const MacroTable& known = {});

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
// Rendered directories, links to them and leftovers of killed runs in <directory>/<letter>/ that
// belong to none of `components` (sorted); removes them unless `check_only`. A directory without a
// spec and RENDER_FAILED is no rendered one, unless it is empty.
Result<std::vector<std::string>> remove_stale(const std::string& directory,
                                              const std::vector<std::string>& components,
                                              bool check_only);

}  // namespace tarn
