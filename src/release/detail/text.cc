// SPDX-License-Identifier: MIT
#include "release/detail/text.hh"

#include <re2/re2.h>

namespace tarn::release {
namespace {

constexpr char32_t kReplacement = 0xFFFD;

struct Lead {
    unsigned length;          // bytes in all; 0: no lead byte
    unsigned char low, high;  // what the second byte may be
    char32_t bits;
};

Lead lead_of(unsigned char c) {
    if (c >= 0xC2 && c <= 0xDF) {
        return {2, 0x80, 0xBF, c & 0x1FU};
    }
    if (c >= 0xE0 && c <= 0xEF) {
        return {3,
                static_cast<unsigned char>(c == 0xE0 ? 0xA0 : 0x80),
                static_cast<unsigned char>(c == 0xED ? 0x9F : 0xBF),
                c & 0x0FU};
    }
    if (c >= 0xF0 && c <= 0xF4) {
        return {4,
                static_cast<unsigned char>(c == 0xF0 ? 0x90 : 0x80),
                static_cast<unsigned char>(c == 0xF4 ? 0x8F : 0xBF),
                c & 0x07U};
    }
    return {0, 0, 0, 0};
}

bool matches(const RE2& expression, char32_t c) {
    return RE2::FullMatch(encode(std::u32string_view(&c, 1)), expression);
}

}  // namespace

std::u32string decode(std::string_view bytes) {
    std::u32string text;
    text.reserve(bytes.size());
    for (std::size_t at = 0; at < bytes.size();) {
        const auto first = static_cast<unsigned char>(bytes[at++]);
        if (first < 0x80) {
            text.push_back(first);
            continue;
        }
        Lead lead = lead_of(first);
        unsigned read = 1;
        for (; read < lead.length && at < bytes.size(); ++read, ++at) {
            const auto next = static_cast<unsigned char>(bytes[at]);
            if (next < lead.low || next > lead.high) {
                break;
            }
            lead.bits = (lead.bits << 6) | (next & 0x3FU);
            lead.low = 0x80;
            lead.high = 0xBF;
        }
        text.push_back(read == lead.length ? lead.bits : kReplacement);
    }
    return text;
}

std::string encode(std::u32string_view text) {
    std::string bytes;
    bytes.reserve(text.size());
    const auto put = [&](char32_t value) { bytes.push_back(static_cast<char>(value)); };
    for (const char32_t c : text) {
        if (c < 0x80) {
            put(c);
        } else if (c < 0x800) {
            put(0xC0 | (c >> 6));
            put(0x80 | (c & 0x3F));
        } else if (c < 0x10000) {
            put(0xE0 | (c >> 12));
            put(0x80 | ((c >> 6) & 0x3F));
            put(0x80 | (c & 0x3F));
        } else {
            put(0xF0 | (c >> 18));
            put(0x80 | ((c >> 12) & 0x3F));
            put(0x80 | ((c >> 6) & 0x3F));
            put(0x80 | (c & 0x3F));
        }
    }
    return bytes;
}

bool is_space(char32_t c) {
    return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20) || c == 0x85 || c == 0xA0 ||
           c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 ||
           c == 0x202F || c == 0x205F || c == 0x3000;
}

bool is_word(char32_t c) {
    if (c < 0x80) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               c == '_';
    }
    static const RE2 expression("[\\pL\\pN]");
    return matches(expression, c);
}

bool is_letter(char32_t c) {
    if (c < 0x80) {
        return is_word(c) && !(c >= '0' && c <= '9');
    }
    static const RE2 digit("\\p{Nd}");
    return is_word(c) && !matches(digit, c);
}

std::u32string_view strip_left(std::u32string_view text) {
    while (!text.empty() && is_space(text.front())) {
        text.remove_prefix(1);
    }
    return text;
}

std::u32string_view strip(std::u32string_view text) {
    text = strip_left(text);
    while (!text.empty() && is_space(text.back())) {
        text.remove_suffix(1);
    }
    return text;
}

std::vector<std::u32string_view> split_at_newlines(std::u32string_view text) {
    std::vector<std::u32string_view> lines;
    while (true) {
        const std::size_t end = text.find(U'\n');
        lines.push_back(text.substr(0, end));
        if (end == std::u32string_view::npos) {
            return lines;
        }
        text.remove_prefix(end + 1);
    }
}

Lines universal_lines(std::string_view bytes) {
    Lines result;
    while (!bytes.empty()) {
        const std::size_t end = bytes.find_first_of("\r\n");
        result.lines.push_back(bytes.substr(0, end));
        result.ended = end != std::string_view::npos;
        if (!result.ended) {
            break;
        }
        bytes.remove_prefix(bytes.substr(end).starts_with("\r\n") ? end + 2 : end + 1);
    }
    return result;
}

}  // namespace tarn::release
