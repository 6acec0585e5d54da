// SPDX-License-Identifier: MIT
// White space as the declaration format means it in specs: Unicode's, not only ASCII's.
#pragma once

#include <string_view>
#include <vector>

namespace tarn {

std::string_view spec_trim(std::string_view text);
std::vector<std::string_view> spec_words(std::string_view text);

}  // namespace tarn
