// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

namespace tarn::evidence {

inline constexpr std::string_view kLicenseListVersion = "3.28";
bool is_spdx_license(std::string_view id);    // exactly as written on the list
bool is_spdx_exception(std::string_view id);  // what may stand behind WITH

}  // namespace tarn::evidence
