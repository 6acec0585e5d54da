// SPDX-License-Identifier: MIT
// What one package adds to primary, filelists and other. Fragments depend on the package alone, so
// that they can be kept between publications.
#pragma once

#include "repo/repo.hh"

#include <string>
#include <vector>

namespace tarn::repo {

struct Fragment {
    std::string name, evr, arch;  // what packages are sorted by, with the location
    std::string location;
    std::string primary, filelists, other;
};

// "Packages/b/bash-5.3-2.tn1.x86_64.rpm"
std::string location_of(const rpm::PackageInfo& info);
Fragment make_fragment(const RepoPackage& package);
// Sorts; kFailed when two packages have one location.
Result<Repodata> assemble(std::vector<Fragment> fragments, std::int64_t revision, unsigned jobs);

// Which files primary.xml lists: those a dependency usually names.
bool is_primary_path(std::string_view absolute);

}  // namespace tarn::repo
