// SPDX-License-Identifier: MIT
// What an image's `assert` table says it must not be.
#pragma once

#include "image/detail/kinds.hh"

namespace tarn::image {

// Looks at packages and at the finished tree. kFailed names everything that is wrong in one Error:
// which file of which package, or which package and why it is there.
Result<void> check_assertions(const Image& image,
                              const std::vector<ResolvedPackage>& packages,
                              const MergedPackages& merged,
                              const Tree& tree);

// `max-artifact`, against the bytes the artifacts take on disk.
Result<void> check_artifacts(const Image& image,
                             const std::string& directory,
                             const Artifacts& artifacts);

}  // namespace tarn::image
