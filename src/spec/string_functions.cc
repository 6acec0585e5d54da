// SPDX-License-Identifier: MIT
// rpm's string built-ins; gsub takes Lua patterns without captures.
#include "base/strings.hh"
#include "spec/detail/expander.hh"
#include "spec/detail/header.hh"

#include <algorithm>
#include <charconv>

namespace tarn::specs {
namespace {

constexpr std::size_t kMostSteps = 1'000'000;

bool in_class(char c, char name) {
    const auto byte = static_cast<unsigned char>(c);
    const bool punctuation = byte > ' ' && byte < 0x7F && !is_alpha(c) && !is_digit(c);
    bool found = false;
    switch (name | 0x20) {
        case 'a':
            found = is_alpha(c);
            break;
        case 'd':
            found = is_digit(c);
            break;
        case 'l':
            found = c >= 'a' && c <= 'z';
            break;
        case 'u':
            found = c >= 'A' && c <= 'Z';
            break;
        case 's':
            found = is_space(c);
            break;
        case 'w':
            found = is_alpha(c) || is_digit(c);
            break;
        case 'p':
            found = punctuation;
            break;
        case 'c':
            found = byte < ' ' || byte == 0x7F;
            break;
        case 'x':
            found = is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
            break;
        default:
            return c == name;
    }
    const bool inverted = name >= 'A' && name <= 'Z';
    return found != inverted;
}

// A Lua pattern without captures, %b and %f.
class LuaPattern {
  public:
    explicit LuaPattern(std::string_view pattern) : pattern_(pattern) {
        anchored_ = pattern_.starts_with('^');
        if (anchored_) {
            pattern_.remove_prefix(1);
        }
    }

    bool supported() const {
        for (std::size_t at = 0; at < pattern_.size();) {
            const char c = pattern_[at];
            if (c == '(' || c == ')') {
                return false;
            }
            if (c == '%' && (at + 1 >= pattern_.size() || is_digit(pattern_[at + 1]) ||
                             pattern_[at + 1] == 'b' || pattern_[at + 1] == 'f')) {
                return false;
            }
            const std::size_t length = item_length(at);
            if (length == 0) {
                return false;
            }
            at += length;
        }
        return true;
    }
    bool anchored() const { return anchored_; }
    bool exhausted() const { return steps_ > kMostSteps; }

    // The end of the match that begins at `at`.
    std::optional<std::size_t> match(std::string_view text, std::size_t at) {
        return match_here(text, at, 0, 0);
    }

  private:
    std::size_t item_length(std::size_t at) const {
        if (pattern_[at] == '%') {
            return at + 1 < pattern_.size() ? 2 : 0;
        }
        if (pattern_[at] != '[') {
            return 1;
        }
        std::size_t end = at + 1;
        if (end < pattern_.size() && pattern_[end] == '^') {
            ++end;
        }
        for (bool first = true; end < pattern_.size(); first = false) {
            if (pattern_[end] == ']' && !first) {
                return end + 1 - at;
            }
            end += pattern_[end] == '%' ? 2U : 1U;
        }
        return 0;
    }

    bool fits(char c, std::size_t item, std::size_t length) const {
        if (pattern_[item] == '.') {
            return true;
        }
        if (pattern_[item] == '%') {
            return in_class(c, pattern_[item + 1]);
        }
        if (pattern_[item] != '[') {
            return c == pattern_[item];
        }
        std::string_view set = pattern_.substr(item + 1, length - 2);
        const bool inverted = set.starts_with('^');
        if (inverted) {
            set.remove_prefix(1);
        }
        bool found = false;
        for (std::size_t i = 0; i < set.size() && !found; ++i) {
            if (set[i] == '%' && i + 1 < set.size()) {
                found = in_class(c, set[++i]);
            } else if (i + 2 < set.size() && set[i + 1] == '-') {
                found = c >= set[i] && c <= set[i + 2];
                i += 2;
            } else {
                found = c == set[i];
            }
        }
        return found != inverted;
    }

    std::optional<std::size_t> match_here(std::string_view text,
                                          std::size_t at,
                                          std::size_t item,
                                          unsigned depth) {
        while (true) {
            if (++steps_ > kMostSteps || depth > 200) {
                steps_ = kMostSteps + 1;
                return std::nullopt;
            }
            if (item >= pattern_.size()) {
                return at;
            }
            if (pattern_[item] == '$' && item + 1 == pattern_.size()) {
                return at == text.size() ? std::optional(at) : std::nullopt;
            }
            const std::size_t length = item_length(item);
            const std::size_t next = item + length;
            const char repeat = next < pattern_.size() ? pattern_[next] : '\0';
            if (repeat == '*' || repeat == '+' || repeat == '?' || repeat == '-') {
                return repeated(text, at, item, length, depth);
            }
            if (at >= text.size() || !fits(text[at], item, length)) {
                return std::nullopt;
            }
            ++at;
            item = next;
        }
    }

    std::optional<std::size_t> repeated(std::string_view text,
                                        std::size_t at,
                                        std::size_t item,
                                        std::size_t length,
                                        unsigned depth) {
        const char repeat = pattern_[item + length];
        const std::size_t rest = item + length + 1;
        const std::size_t least = repeat == '+' ? 1 : 0;
        const std::size_t most = repeat == '?' ? 1 : text.size() - at;
        std::size_t count = 0;
        while (count < most && fits(text[at + count], item, length)) {
            if (++steps_ > kMostSteps) {
                return std::nullopt;
            }
            if (repeat == '-') {
                if (const auto end = match_here(text, at + count, rest, depth + 1)) {
                    return end;
                }
            }
            ++count;
        }
        for (std::size_t n = count;; --n) {
            if (n < least) {
                return std::nullopt;
            }
            const auto end = match_here(text, at + n, rest, depth + 1);
            if (end || n == 0 || repeat == '-') {
                return end;
            }
        }
    }

    std::string_view pattern_;
    bool anchored_ = false;
    std::size_t steps_ = 0;
};

std::optional<std::string> gsub(std::string_view text,
                                std::string_view pattern_text,
                                std::string_view replacement) {
    LuaPattern pattern(pattern_text);
    if (!pattern.supported()) {
        return std::nullopt;
    }
    std::string plain;
    for (std::size_t i = 0; i < replacement.size(); ++i) {
        if (replacement[i] == '%' && (++i >= replacement.size() || replacement[i] != '%')) {
            return std::nullopt;
        }
        plain += replacement[i];
    }
    std::string result;
    std::size_t at = 0;
    std::size_t last_end = std::string_view::npos;
    while (at <= text.size()) {
        const auto end = pattern.match(text, at);
        if (pattern.exhausted() || result.size() > kMostSteps) {
            return std::nullopt;
        }
        // As in Lua 5.4: no empty match directly behind a match.
        if (end && *end != last_end) {
            result += plain;
            at = last_end = *end;
        } else if (at < text.size()) {
            result += text[at++];
        } else {
            break;
        }
        if (pattern.anchored()) {
            break;
        }
    }
    if (at < text.size()) {
        result += text.substr(at);
    }
    return result;
}

std::optional<std::int64_t> number(std::string_view text) {
    std::int64_t value = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    return code == std::errc() && end == text.data() + text.size() ? std::optional(value)
                                                                   : std::nullopt;
}

// Lua's string.sub: from 1, negative numbers from the end.
std::optional<std::string> sub(std::string_view text, const std::vector<std::string>& arguments) {
    const auto first = number(arguments[1]);
    const auto last = arguments.size() > 2 ? number(arguments[2]) : std::optional<std::int64_t>(-1);
    if (!first || !last) {
        return std::nullopt;
    }
    const auto size = static_cast<std::int64_t>(text.size());
    const std::int64_t begin = *first < 0 ? std::max<std::int64_t>(size + *first + 1, 1)
                                          : std::max<std::int64_t>(*first, 1);
    const std::int64_t end = *last < 0 ? size + *last + 1 : std::min(*last, size);
    if (begin > end) {
        return std::string();
    }
    return std::string(text.substr(static_cast<std::size_t>(begin - 1),
                                   static_cast<std::size_t>(end - begin + 1)));
}

}  // namespace

std::optional<std::string> string_function(std::string_view name,
                                           const std::vector<std::string>& arguments) {
    if (arguments.empty()) {
        return std::nullopt;
    }
    std::string text = arguments[0];
    if (name == "lower") {
        return to_lower(text);
    }
    if (name == "upper") {
        std::transform(text.begin(), text.end(), text.begin(), [](char c) {
            return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
        });
        return text;
    }
    if (name == "len") {
        return std::to_string(text.size());
    }
    if (name == "reverse") {
        return std::string(text.rbegin(), text.rend());
    }
    if (name == "sub" && arguments.size() >= 2 && arguments.size() <= 3) {
        return sub(text, arguments);
    }
    if (name == "gsub" && arguments.size() == 3) {
        return gsub(text, arguments[1], arguments[2]);
    }
    if (name == "rep" && arguments.size() == 2) {
        const auto count = number(arguments[1]);
        if (!count || *count > 1000 || text.size() > 1000) {
            return std::nullopt;
        }
        std::string result;
        for (std::int64_t i = 0; i < *count; ++i) {
            result += text;
        }
        return result;
    }
    return std::nullopt;
}

}  // namespace tarn::specs
