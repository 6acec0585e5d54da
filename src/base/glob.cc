// SPDX-License-Identifier: MIT
// The doublestar dialect: '*', '?', '[...]' stop at '/', "**" as a whole path part does not,
// "{a,b}" are alternatives, '\' escapes.
#include "base/strings.hh"

namespace tarn {

namespace {

// Alternatives nest, and "**" and alternatives are tried one after the other; this bounds the work
// a hostile pattern can ask for. What goes beyond it does not match.
constexpr int kMaxDepth = 64;
constexpr std::size_t kMaxSteps = 200'000;

struct Effort {
    int depth = 0;
    std::size_t* steps = nullptr;
    Effort deeper() const { return {depth + 1, steps}; }
};

bool match_class(std::string_view pattern, std::size_t& at, char c, bool& ok) {
    std::size_t i = at + 1;
    const bool negated = i < pattern.size() && (pattern[i] == '!' || pattern[i] == '^');
    i += negated ? 1 : 0;
    bool found = false;
    bool first = true;
    while (i < pattern.size() && (pattern[i] != ']' || first)) {
        first = false;
        if (pattern[i] == '\\' && i + 1 < pattern.size()) {
            ++i;
        }
        const char low = pattern[i++];
        char high = low;
        if (i + 1 < pattern.size() && pattern[i] == '-' && pattern[i + 1] != ']') {
            high = pattern[i + 1];
            i += 2;
        }
        found = found || (low <= c && c <= high);
    }
    ok = i < pattern.size();
    at = i + 1;
    return found != negated && c != '/';
}

std::size_t closing_brace(std::string_view pattern, std::size_t open) {
    int depth = 0;
    for (std::size_t i = open; i < pattern.size(); ++i) {
        if (pattern[i] == '\\') {
            ++i;
        } else if (pattern[i] == '{') {
            ++depth;
        } else if (pattern[i] == '}' && --depth == 0) {
            return i;
        }
    }
    return std::string_view::npos;
}

bool match(std::string_view pattern, std::string_view text, Effort effort);

bool match_braces(std::string_view pattern, std::string_view text, Effort effort) {
    const std::size_t close = closing_brace(pattern, 0);
    if (close == std::string_view::npos) {
        return false;
    }
    const std::string_view inner = pattern.substr(1, close - 1);
    const std::string_view rest = pattern.substr(close + 1);
    int level = 0;
    std::size_t start = 0;
    for (std::size_t i = 0; i <= inner.size(); ++i) {
        if (i < inner.size() && inner[i] == '\\') {
            ++i;
            continue;
        }
        if (i < inner.size() && inner[i] == '{') {
            ++level;
        } else if (i < inner.size() && inner[i] == '}') {
            --level;
        }
        if (i >= inner.size() || (inner[i] == ',' && level == 0)) {
            const std::string option = std::string(inner.substr(start, i - start)) +
                                       std::string(rest);
            if (match(option, text, effort.deeper())) {
                return true;
            }
            start = i + 1;
        }
    }
    return false;
}

bool match_double_star(std::string_view rest, std::string_view text, Effort effort) {
    // "**/x" also matches "x"; a trailing "**" matches everything.
    if (rest.empty()) {
        return true;
    }
    rest.remove_prefix(1);
    for (std::size_t i = 0;;) {
        if (match(rest, text.substr(i), effort.deeper())) {
            return true;
        }
        const std::size_t slash = text.find('/', i);
        if (slash == std::string_view::npos) {
            return false;
        }
        i = slash + 1;
    }
}

bool is_double_star(std::string_view pattern, std::size_t at) {
    return (at == 0 || pattern[at - 1] == '/') && pattern.substr(at, 2) == "**" &&
           (at + 2 == pattern.size() || pattern[at + 2] == '/');
}

// One character against a literal, '?' or class; goes on behind both when it fits.
bool match_one(std::string_view pattern, std::string_view text, std::size_t& p, std::size_t& t) {
    if (t >= text.size()) {
        return false;
    }
    std::size_t next = p;
    if (pattern[p] == '[') {
        bool ok = false;
        if (!match_class(pattern, next, text[t], ok) || !ok) {
            return false;
        }
    } else if (pattern[p] == '?') {
        if (text[t] == '/') {
            return false;
        }
        ++next;
    } else {
        next += pattern[p] == '\\' && p + 1 < pattern.size() ? 1U : 0U;
        if (pattern[next++] != text[t]) {
            return false;
        }
    }
    p = next;
    ++t;
    return true;
}

bool match(std::string_view pattern, std::string_view text, Effort effort) {
    if (effort.depth > kMaxDepth) {
        return false;
    }
    std::size_t p = 0;
    std::size_t t = 0;
    std::size_t star = std::string_view::npos;
    std::size_t star_text = 0;
    for (;;) {
        if (++*effort.steps > kMaxSteps) {
            return false;
        }
        if (p == pattern.size()) {
            if (t == text.size()) {
                return true;
            }
        } else if (is_double_star(pattern, p)) {
            if (match_double_star(pattern.substr(p + 2), text.substr(t), effort)) {
                return true;
            }
        } else if (pattern[p] == '*') {
            star = ++p;
            star_text = t;
            continue;
        } else if (pattern[p] == '{') {
            if (match_braces(pattern.substr(p), text.substr(t), effort)) {
                return true;
            }
        } else if (match_one(pattern, text, p, t)) {
            continue;
        }
        // Nothing fits here: the last '*' takes one character more.
        if (star == std::string_view::npos || star_text >= text.size() ||
            text[star_text] == '/') {
            return false;
        }
        t = ++star_text;
        p = star;
    }
}

}  // namespace

bool glob_match(std::string_view pattern, std::string_view path) {
    std::size_t steps = 0;
    // A trailing "/**" also matches the directory itself, as in doublestar.
    if (pattern.ends_with("/**") && match(pattern.substr(0, pattern.size() - 3), path, Effort{0, &steps})) {
        return true;
    }
    return match(pattern, path, Effort{0, &steps});
}

}  // namespace tarn
