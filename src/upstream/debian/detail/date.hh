// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace tarn::debian::detail {

// "Fri, 06 Nov 2026 08:08:01 UTC" as seconds since 1970: the form of Date and Valid-Until. English
// whatever the locale; "UTC", "GMT" or "+0000" only, which is what archives write.
std::optional<std::int64_t> parse_date(std::string_view text);

}  // namespace tarn::debian::detail
