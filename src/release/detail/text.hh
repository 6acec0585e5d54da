// SPDX-License-Identifier: MIT
// Text as rpmautospec (Python) sees it: code points, Unicode white space, word characters.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tarn::release {

// UTF-8 to code points; each malformed sequence becomes U+FFFD.
std::u32string decode(std::string_view bytes);
std::string encode(std::u32string_view text);

bool is_space(char32_t c);
bool is_word(char32_t c);    // letters, numbers, '_'
bool is_letter(char32_t c);  // word characters that are not decimal digits
std::u32string_view strip_left(std::u32string_view text);
std::u32string_view strip(std::u32string_view text);
std::vector<std::u32string_view> split_at_newlines(std::u32string_view text);

// Lines without their ends, which are "\n", "\r\n" or "\r"; `ended` says whether the last has one.
struct Lines {
    std::vector<std::string_view> lines;
    bool ended = true;
};
Lines universal_lines(std::string_view bytes);

}  // namespace tarn::release
