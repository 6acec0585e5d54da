// SPDX-License-Identifier: MIT
// The kind "container": an OCI image in layers (docs/formats/container.md).
#pragma once

#include "image/detail/kinds.hh"

namespace tarn::image {

// "glibc-2.43-7.tn1.src.rpm" -> "glibc": what groups packages into layers. A package that does not
// say its source is its own.
std::string source_name(const RepoIndex::Item& item);

// <image>.oci/ and <image>.docker.tar, as the formats say.
Result<Artifacts> write_container_image(const Store& store,
                                        const Composition& composition,
                                        StageLog& stages);

}  // namespace tarn::image
