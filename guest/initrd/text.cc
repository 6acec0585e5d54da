// SPDX-License-Identifier: MIT
#include "text.hh"

#include <algorithm>

namespace tarn::initrd {

std::vector<std::string_view> words(std::string_view line) {
    std::vector<std::string_view> out;
    while (true) {
        const std::size_t begin = line.find_first_not_of(" \t\r\n");
        if (begin == std::string_view::npos) {
            return out;
        }
        line.remove_prefix(begin);
        const std::size_t end = std::min(line.find_first_of(" \t\r\n"), line.size());
        out.push_back(line.substr(0, end));
        line.remove_prefix(end);
    }
}

std::vector<std::string_view> lines(std::string_view text) {
    std::vector<std::string_view> out;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        out.push_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return out;
}

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out) {
        c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    return out;
}

long number(std::string_view text, long otherwise) {
    if (text.empty() || text.size() > 9) {
        return otherwise;
    }
    long value = 0;
    for (const char c : text) {
        if (c < '0' || c > '9') {
            return otherwise;
        }
        value = value * 10 + (c - '0');
    }
    return value;
}

namespace {

// One pattern element against one character; advances `pattern` over the element.
bool match_one(std::string_view& pattern, char c) {
    const char head = pattern.front();
    const std::size_t close = head == '[' ? pattern.find(']', 2) : std::string_view::npos;
    if (close == std::string_view::npos) {
        pattern.remove_prefix(1);
        return head == '?' || head == c;
    }
    std::string_view set = pattern.substr(1, close - 1);
    pattern.remove_prefix(close + 1);
    const bool negated = set.front() == '!' || set.front() == '^';
    if (negated) {
        set.remove_prefix(1);
    }
    bool inside = false;
    while (!set.empty()) {
        if (set.size() >= 3 && set[1] == '-') {
            inside = inside || (c >= set[0] && c <= set[2]);
            set.remove_prefix(3);
        } else {
            inside = inside || c == set.front();
            set.remove_prefix(1);
        }
    }
    return inside != negated;
}

}  // namespace

// On a mismatch only the last '*' is tried again, one character further: linear stack, and at most
// |pattern| * |text| steps.
bool glob(std::string_view pattern, std::string_view text) {
    bool starred = false;
    std::string_view star_pattern;
    std::string_view star_text;
    while (true) {
        if (!pattern.empty() && pattern.front() == '*') {
            pattern.remove_prefix(1);
            starred = true;
            star_pattern = pattern;
            star_text = text;
            continue;
        }
        if (pattern.empty() && text.empty()) {
            return true;
        }
        if (!pattern.empty() && !text.empty() && match_one(pattern, text.front())) {
            text.remove_prefix(1);
            continue;
        }
        if (!starred || star_text.empty()) {
            return false;
        }
        star_text.remove_prefix(1);
        pattern = star_pattern;
        text = star_text;
    }
}

std::string module_name(std::string_view name) {
    std::string out(name);
    std::replace(out.begin(), out.end(), '-', '_');
    return out;
}

}  // namespace tarn::initrd
