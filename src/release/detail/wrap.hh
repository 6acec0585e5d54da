// SPDX-License-Identifier: MIT
// Filling a paragraph as Python's textwrap does, which rpmautospec uses.
#pragma once

#include <string>
#include <string_view>

namespace tarn::release {

// Lines of at most 75 characters joined by "\n", all but the first indented by two blanks. Breaks
// at white space, behind the hyphen of a hyphenated word and at dashes; longer words are cut.
std::u32string wrap(std::u32string_view text);

}  // namespace tarn::release
