// SPDX-License-Identifier: MIT
// The License tag from a Debian copyright file.
#pragma once

#include <string>
#include <string_view>

namespace tarn::import {

// An SPDX expression of all licenses a machine-readable copyright file (DEP-5, copyright-format
// 1.0) names for what is shipped, joined with AND, sorted; "LicenseRef-Debian-copyright" for any
// other text. Names without an SPDX identifier become "LicenseRef-Debian-<name>".
std::string license_of(std::string_view copyright);

}  // namespace tarn::import
