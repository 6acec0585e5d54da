// SPDX-License-Identifier: MIT
// Conversion in two steps, so that the second alone depends on the other packages: a draft follows
// from one .deb, its rule and the policy; finishing it settles dependencies within a closure.
#pragma once

#include "import/detail/closure.hh"
#include "import/import.hh"
#include "rpm/filedeps.hh"

#include <string>
#include <vector>

namespace tarn::import {

struct Draft {
    std::string package;  // Debian name
    std::string version;  // Debian version
    rpm::PackageMeta meta;
    Tree tree;
    std::vector<std::pair<std::string, std::uint32_t>> flags;
    Control control;
    rpm::FileDependencies files;
    std::vector<std::string> warnings;
};

// What other packages need to know of one, and what of the others it depends on.
struct Facts {
    std::vector<std::string> offers;    // names and virtual names; programs as absolute paths
    std::vector<std::string> mentions;  // names in relations; paths required by files
};

Result<Draft> make_draft(const Store& store,
                         const debian::DebPackage& deb,
                         const Project& project,
                         const SourceMap& sources);
Facts facts_of(const Draft& draft, const Project& project);
struct Finished {
    Converted converted;
    std::vector<std::string> interpreters;  // required by scripts, had by nobody, so dropped
};
Result<Finished> finish_draft(Draft draft,
                              const Project& project,
                              const Closure& closure,
                              const SourceMap& sources);

// Metadata of a control file: everything but dependencies. `newest` is the time of its last file.
rpm::PackageMeta metadata_of(const debian::Stanza& control,
                             const Project& project,
                             const ImportRule& rule,
                             std::int64_t newest,
                             Problems& problems);

// Errors for every maintainer script that is not covered; warnings for those that have changed
// since they were reviewed.
void check_scripts(const debian::DebPackage& deb,
                   const std::string& package,
                   const ImportPolicy& policy,
                   const ImportRule& rule,
                   Problems& problems);

// The rule of a package, or one without any wish but with its name.
ImportRule rule_for(const Project& project, const std::string& package);

}  // namespace tarn::import
