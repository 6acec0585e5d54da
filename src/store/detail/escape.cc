// SPDX-License-Identifier: MIT
#include "store/detail/escape.hh"

namespace tarn::detail {

namespace {

constexpr std::string_view kDigits = "0123456789abcdef";

}  // namespace

void append_escaped(std::string& out, std::string_view bytes, std::string_view special) {
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte <= 0x20 || byte >= 0x7f || special.find(c) != std::string_view::npos) {
            out += "\\x";
            out += kDigits[byte >> 4U];
            out += kDigits[byte & 15U];
        } else {
            out += c;
        }
    }
}

std::string escaped(std::string_view bytes, std::string_view special) {
    std::string result;
    result.reserve(bytes.size());
    append_escaped(result, bytes, special);
    return result;
}

std::optional<std::string> unescaped(std::string_view text) {
    std::string result;
    result.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\') {
            result += text[i];
            continue;
        }
        if (i + 3 >= text.size() || text[i + 1] != 'x') {
            return std::nullopt;
        }
        const std::size_t high = kDigits.find(text[i + 2]);
        const std::size_t low = kDigits.find(text[i + 3]);
        if (high == std::string_view::npos || low == std::string_view::npos) {
            return std::nullopt;
        }
        result += static_cast<char>(high * 16 + low);
        i += 3;
    }
    return result;
}

}  // namespace tarn::detail
