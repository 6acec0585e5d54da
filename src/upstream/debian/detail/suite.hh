// SPDX-License-Identifier: MIT
// The suites a project needs, and what their indexes say.
#pragma once

#include "upstream/debian/archive.hh"

#include <map>
#include <string>
#include <vector>

namespace tarn::debian::detail {

struct Suite {
    std::string distro_name;
    const Distro* distro = nullptr;
    const DistroVersion* version = nullptr;
    bool wants_packages = false;
    std::vector<std::string> wanted_sources;

    LockedSuite locked{};
    Release release{};
    std::vector<BinaryPackage> packages{};
    std::vector<SourcePackage> sources{};
};

// By the key it has in Lock::suites: the suite's name, or "distro/version" where two share it.
using Suites = std::map<std::string, Suite>;

// One source file of a component that is to come from a Debian source package.
struct WantedSource {
    const Component* component = nullptr;
    const SourceFile* file = nullptr;
    std::string suite;
};

struct Plan {
    Suites suites;
    std::map<std::string, std::string> group_suite;  // import group of the target -> key
    std::vector<WantedSource> sources;
};

// From the declaration alone.
Result<Plan> plan_suites(const Project& project, std::string_view target);

// Fetches, verifies and reads Release files and indexes.
Result<void> load_suites(const Store& store,
                         const LockRequest& request,
                         Suites& suites,
                         Reporter& reporter);

// The packages of every import group, by suite and name.
Result<std::vector<LockedFile>> solve_groups(const Project& project,
                                             const Plan& plan,
                                             const std::string& architecture);
// The files of source packages.
Result<std::vector<LockedFile>> find_sources(const Plan& plan);

// Several failures as one: what the first says, the others as notes, all advice once.
Error combine(std::vector<Error> errors);

}  // namespace tarn::debian::detail
