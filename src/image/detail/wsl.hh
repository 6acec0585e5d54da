// SPDX-License-Identifier: MIT
// The kind "wsl": a distribution for the Windows Subsystem for Linux (docs/formats/wsl.md).
#pragma once

#include "image/detail/kinds.hh"
#include "image/detail/overlay.hh"

namespace tarn::image {

// /etc/wsl.conf, /etc/wsl-distribution.conf, masks of the units WSL cannot have, an empty
// machine-id, /etc/default/locale. `tree` is that of the packages. What the image's files say wins.
Result<void> add_wsl_configuration(const Image& image, const Tree& tree, Overlay& overlay);

// <image>.wsl and <image>.distribution.json, the entry for a list of distributions. kFailed lists
// every rule (image/wsl_rules.hh) the finished archive breaks.
Result<Artifacts> write_wsl_image(const Store& store,
                                  const Composition& composition,
                                  StageLog& stages);

}  // namespace tarn::image
