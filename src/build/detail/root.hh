// SPDX-License-Identifier: MIT
// Buildroots: which packages, and the tree they make. Both are remembered in the store by the list
// of package digests, so that an unchanged build neither solves nor merges.
#pragma once

#include "base/result.hh"
#include "build/build.hh"

#include <string>
#include <vector>

namespace tarn::build {

// As resolve_root, remembered. `who` is named in errors ("jq").
Result<std::vector<Digest>> resolve_remembered(
    const Store& store,
    const std::vector<const AvailablePackage*>& available,
    const std::vector<std::string>& names,
    const std::string& who);

// Digest of the root tree made of these packages; the tree itself lies in the store.
Result<Digest> root_digest(const Store& store, const std::vector<Digest>& rpms, unsigned jobs);

// The package among `available` that has this file or provides this name; empty when none.
std::string owner_of(const std::vector<const AvailablePackage*>& available, std::string_view what);

}  // namespace tarn::build
