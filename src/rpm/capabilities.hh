// SPDX-License-Identifier: MIT
// File capabilities in their two forms: the raw extended attribute "security.capability" of a Tree
// (vfs_cap_data of linux/capability.h) and the words of an RPM header ("cap_net_raw=ep").
#pragma once

#include "base/result.hh"

#include <string>
#include <string_view>

namespace tarn::rpm {

inline constexpr std::string_view kCapabilityAttribute = "security.capability";

Result<std::string> capabilities_to_text(std::string_view attribute);
Result<std::string> capabilities_to_attribute(const std::string& text);

}  // namespace tarn::rpm
