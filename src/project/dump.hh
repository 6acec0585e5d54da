// SPDX-License-Identifier: MIT
// A resolved project as text, and the declaration format as a JSON Schema.
#pragma once

#include "diag/diagnostic.hh"
#include "project/model.hh"

#include <string>
#include <vector>

namespace tarn {

struct DumpOptions {
    bool origins = false;                 // JSON: {"value": ..., "origin": "file:line"} for every value
                                          // TOML: a comment behind every value
    std::vector<std::string> components;  // only these; all when empty
};
// Keys as in the format, components resolved (inheritance done), sorted; paths absolute.
std::string dump_json(const Project& project, const SourceMap& map, const DumpOptions& options);
std::string dump_toml(const Project& project, const SourceMap& map, const DumpOptions& options);

// An array of resolved components, each an object that begins with "name": `component list -O json`.
std::string dump_components_json(const Project& project,
                                 const std::vector<const Component*>& components,
                                 const SourceMap& map);

// One image as a JSON object, base and parts merged, with the keys of the format.
std::string image_json(const Project& project, const Image& image);

// JSON Schema (draft 2020-12) of a project file, Tarn's own keys included.
std::string project_schema();
// Of an overlay document.
std::string overlay_document_schema();

// ---- editing ------------------------------------------------------------------------------------

// `text` of a project file with `[components.<name>]` appended for each name, everything else byte
// for byte as it was.
std::string append_components(std::string_view text, const std::vector<std::string>& names);

// A new project: tarn.toml and .gitignore as a person would begin.
std::string project_skeleton(const std::string& name);
std::string gitignore_skeleton();

}  // namespace tarn
