// SPDX-License-Identifier: MIT
// Packages by dnf5, and repositories.
#pragma once

#include "base/result.hh"

#include "provision/cloud_config.hh"
#include "provision/machine.hh"
#include "provision/tools.hh"

#include <string>
#include <vector>

namespace tarn::guest {

struct PackageWork {
    bool update = false, upgrade = false, reboot_if_required = false;
    std::vector<std::string> install;
    bool any() const { return update || upgrade || !install.empty(); }
};
Result<void> do_packages(const Machine& machine, const Tools& tools, const PackageWork& work);

// /etc/yum.repos.d/ID.repo, 0644.
Result<void> write_repository(const Machine& machine, const Repository& repository);

}  // namespace tarn::guest
