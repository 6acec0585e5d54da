// SPDX-License-Identifier: MIT
// What a spec says of itself, asked of the distribution's own rpm in a sandbox: binary packages and
// what the spec lets them provide and require, BuildRequires, and the files it lists.
#pragma once

#include "base/result.hh"
#include "exec/action.hh"
#include "project/model.hh"
#include "render/render.hh"
#include "rpm/package.hh"

#include <string>
#include <string_view>
#include <vector>

namespace tarn::build {

struct SpecBinary {
    rpm::Nevra nevra;
    std::vector<std::string> provides;   // "jq(x86-64) = 1.8.2-1.tn1"
    std::vector<std::string> requires_;  // those the spec writes down
};

struct SpecQuery {
    std::vector<SpecBinary> binaries;
    std::vector<std::string> build_requires;
    // "/usr/bin/jq", and "pkgconfig(libjq)" for every .pc file: found in %files of the parsed spec.
    std::vector<std::string> listed;
};

// The sources laid out as rpmbuild wants them (SPECS/, SOURCES/) with the macro files on top.
Result<Tree> build_tree(const Rendered& rendered, const Digest& macros);

// The options every rpmbuild and rpmspec gets: directories, determinism, --with, --define ...
// `architecture`: to cross build for, or empty.
std::vector<std::string> common_options(const BuildConfig& config,
                                        const std::string& architecture = {});
std::map<std::string, std::string> build_environment(std::int64_t source_date_epoch);

// One component's three questions, as actions over `root` and the tree of build_tree().
struct QueryActions {
    Action binaries, sources, parsed;
};
QueryActions query_actions(const std::string& component,
                           const std::string& spec_name,
                           const BuildConfig& config,
                           const Digest& root,
                           const Digest& tree,
                           std::int64_t source_date_epoch,
                           const std::string& architecture = {});

// The outputs of the three actions -> a SpecQuery. kCorrupt when rpm said something unexpected.
Result<SpecQuery> parse_query(std::string_view binaries,
                              std::string_view sources,
                              std::string_view parsed);

// What rpm said against a spec, with "error: line N:" turned into "<spec>:N:".
std::vector<std::string> spec_errors(std::string_view log, const std::string& spec_name);

// Where a BuildRequires of this name is written: "jq.spec:14", or just "jq.spec".
std::string build_requires_place(std::string_view spec,
                                 const std::string& spec_name,
                                 std::string_view dependency);

}  // namespace tarn::build
