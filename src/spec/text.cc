// SPDX-License-Identifier: MIT
#include "spec/detail/text.hh"

#include <array>

namespace tarn {
namespace {

// White space beyond ASCII in UTF-8: U+0085, U+00A0, U+1680, U+2000-200A, U+2028, U+2029, U+202F,
// U+205F, U+3000.
constexpr std::array<std::string_view, 19> kWide = {
    "\xC2\x85",     "\xC2\xA0",     "\xE1\x9A\x80", "\xE2\x80\x80", "\xE2\x80\x81",
    "\xE2\x80\x82", "\xE2\x80\x83", "\xE2\x80\x84", "\xE2\x80\x85", "\xE2\x80\x86",
    "\xE2\x80\x87", "\xE2\x80\x88", "\xE2\x80\x89", "\xE2\x80\x8A", "\xE2\x80\xA8",
    "\xE2\x80\xA9", "\xE2\x80\xAF", "\xE2\x81\x9F", "\xE3\x80\x80",
};

bool narrow_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

std::size_t leading_space(std::string_view text) {
    if (text.empty()) {
        return 0;
    }
    if (narrow_space(text.front())) {
        return 1;
    }
    if (static_cast<unsigned char>(text.front()) < 0xC2) {
        return 0;
    }
    for (std::string_view wide : kWide) {
        if (text.starts_with(wide)) {
            return wide.size();
        }
    }
    return 0;
}

std::size_t trailing_space(std::string_view text) {
    if (text.empty()) {
        return 0;
    }
    if (narrow_space(text.back())) {
        return 1;
    }
    if (static_cast<unsigned char>(text.back()) < 0x80) {
        return 0;
    }
    for (std::string_view wide : kWide) {
        if (text.ends_with(wide)) {
            return wide.size();
        }
    }
    return 0;
}

}  // namespace

std::string_view spec_trim(std::string_view text) {
    while (const std::size_t space = leading_space(text)) {
        text.remove_prefix(space);
    }
    while (const std::size_t space = trailing_space(text)) {
        text.remove_suffix(space);
    }
    return text;
}

std::string_view spec_first_word(std::string_view text) {
    std::size_t length = 0;
    while (length < text.size() && leading_space(text.substr(length)) == 0) {
        ++length;
    }
    return text.substr(0, length);
}

std::vector<std::string_view> spec_words(std::string_view text) {
    std::vector<std::string_view> words;
    text = spec_trim(text);
    while (!text.empty()) {
        const std::string_view word = spec_first_word(text);
        words.push_back(word);
        text = spec_trim(text.substr(word.size()));
    }
    return words;
}

}  // namespace tarn
