// SPDX-License-Identifier: MIT
// A Debian binary package becomes an RPM: a curated conversion. Paths /usr-merged, conffiles
// %config(noreplace), dependencies from files and, through the name map, from control fields;
// maintainer scripts are never carried: each is covered by a declaration with a reason, or the
// import fails and shows it (docs/formats/import.md).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/events.hh"
#include "base/result.hh"
#include "diag/diagnostic.hh"
#include "project/lock.hh"
#include "project/model.hh"
#include "rpm/package.hh"
#include "store/store.hh"
#include "upstream/debian/deb.hh"

namespace tarn {

// The version of the conversion itself: part of every key; raise it when output changes.
inline constexpr int kImportVersion = 4;

// "1:2.43-7+b1" -> epoch 1, version "2.43", release "7+b1" + suffix; native "0.13" -> release "1".
// "-" inside the upstream version becomes "_". '~' sorts alike in both worlds.
rpm::Evr convert_version(const std::string& debian_version, const std::string& release_suffix);

// What is left of a maintainer script when blocks of covered generators, comments, blanks and
// boilerplate are taken away; `generators` receives every generator seen.
std::string uncovered_script(const std::string& script, const ImportPolicy& policy,
                             std::vector<std::string>& generators);

struct Converted {
    rpm::PackageMeta meta;
    Tree tree;
    std::vector<std::pair<std::string, std::uint32_t>> flags;
    std::vector<std::string> warnings;
};
// Pure. `known` are the Debian names in the closure, virtual ones included: a dependency on anything
// else that is not covered is an error. Absolute paths in it are programs that scripts may be run by. Errors point into the project's TOML where there is a rule to mend.
Result<Converted> convert(const Store& store, const debian::DebPackage& deb,
                          const Project& project, const std::vector<std::string>& known,
                          const SourceMap& sources);

struct ImportedPackage {
    LockedFile source;   // which .deb
    rpm::Nevra nevra;
    Digest rpm{};        // unsigned
    bool cached = false;
};

// All packages of the lock, in parallel, cached by (deb, rule, policy, kImportVersion). Collects
// the errors of all packages rather than stopping at the first.
Result<std::vector<ImportedPackage>> import_packages(const Store& store, const Project& project,
                                                     const Lock& lock, const SourceMap& sources,
                                                     unsigned jobs, std::stop_token stop,
                                                     Reporter& reporter);

}  // namespace tarn
