// SPDX-License-Identifier: MIT
// What an image's bytes follow from.
#pragma once

#include "image/detail/packages.hh"

namespace tarn::image {

// The declaration and the packages: every UUID of the image is derived from its digest. Places of
// files do not count, their contents do.
Result<KeyBuilder> content_key(const Project& project,
                               const Image& image,
                               const std::vector<ResolvedPackage>& packages);

// Everything else an artifact or the manifest depends on.
void add_surroundings(KeyBuilder& key,
                      const ComposeRequest& request,
                      const Digest& tools,
                      const std::vector<ResolvedPackage>& packages);

}  // namespace tarn::image
