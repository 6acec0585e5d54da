// SPDX-License-Identifier: MIT
// One spelling of any bytes as a word of printable ASCII without spaces: bytes outside 0x21..0x7e,
// and those of `special`, are written \xHH (lower case).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tarn::detail {

inline constexpr std::string_view kWordSpecial = "\\=";

void append_escaped(std::string& out, std::string_view bytes, std::string_view special);
std::string escaped(std::string_view bytes, std::string_view special = kWordSpecial);
// nullopt on a broken escape. Does not check that every escape was needed.
std::optional<std::string> unescaped(std::string_view text);

}  // namespace tarn::detail
