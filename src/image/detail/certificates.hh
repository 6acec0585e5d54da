// SPDX-License-Identifier: MIT
// The bundle of certificate authorities: /usr/share/ca-certificates/**/*.crt in one file, where
// OpenSSL, GnuTLS and curl look for it.
#pragma once

#include "image/detail/overlay.hh"

namespace tarn::image {

// Adds the bundle and its links; nothing when the image has no authorities. kCorrupt for a file
// that is no PEM certificate.
Result<void> add_certificates(const Store& store, const Tree& tree, Overlay& overlay);

}  // namespace tarn::image
