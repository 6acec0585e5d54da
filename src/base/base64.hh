// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tarn {

// RFC 4648, with padding, without line breaks. Reading also takes the URL-safe alphabet and
// text without padding.
std::string base64(std::string_view bytes);
std::optional<std::string> from_base64(std::string_view text);

}  // namespace tarn
