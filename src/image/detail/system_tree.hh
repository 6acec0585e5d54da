// SPDX-License-Identifier: MIT
// From the payloads of packages to the tree of an installed system: configuration, accounts,
// triggers, certificates, rpmdb, owners as numbers.
#pragma once

#include "image/detail/configuration.hh"
#include "image/detail/packages.hh"
#include "image/detail/stages.hh"
#include "image/detail/triggers.hh"

namespace tarn::image {

struct SystemInput {
    const Image* image = nullptr;
    const std::vector<ResolvedPackage>* packages = nullptr;
    const MergedPackages* merged = nullptr;
    TriggerContext trigger{};
    BootFacts facts{};
    bool boots = true;  // a machine: kernel, fstab, host name
};

struct SystemTree {
    Tree tree;
    std::optional<Kernel> kernel;  // of an image that boots
};

Result<SystemTree> make_system_tree(const Store& store, const SystemInput& input, StageLog& stages);

}  // namespace tarn::image
