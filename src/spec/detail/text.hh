// SPDX-License-Identifier: MIT
// White space as the declaration format means it in specs: Unicode's, not only ASCII's.
#pragma once

#include <string_view>
#include <vector>

namespace tarn {

std::string_view spec_trim(std::string_view text);
std::string_view spec_first_word(std::string_view text);  // of text that begins with no space
std::vector<std::string_view> spec_words(std::string_view text);

}  // namespace tarn
