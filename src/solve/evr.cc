// SPDX-License-Identifier: MIT
// Comparing versions without a libsolv pool: callers compare two strings now and then, from any
// thread. The tests hold it against libsolv's own comparison.
#include "solve/solve.hh"

#include <algorithm>
#include <cctype>

namespace tarn {
namespace {

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool is_alpha(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
int sign(int value) {
    return (value > 0) - (value < 0);
}

struct Parts {
    std::string_view epoch, version, release;
    bool has_release = false;
};

// "1:2.3-4": the epoch ends at the first colon after digits only, the release starts after the
// last dash.
Parts split_evr(std::string_view evr) {
    Parts parts;
    const std::size_t digits = std::min(evr.find_first_not_of("0123456789"), evr.size());
    if (digits < evr.size() && evr[digits] == ':') {
        parts.epoch = evr.substr(0, digits);
        evr.remove_prefix(digits + 1);
    }
    const std::size_t dash = evr.rfind('-');
    if (dash != std::string_view::npos) {
        parts.release = evr.substr(dash + 1);
        parts.has_release = true;
        evr = evr.substr(0, dash);
    }
    parts.version = evr;
    return parts;
}

std::string_view take_while(std::string_view& text, bool (*wanted)(char)) {
    std::size_t length = 0;
    while (length < text.size() && wanted(text[length])) {
        ++length;
    }
    const std::string_view taken = text.substr(0, length);
    text.remove_prefix(length);
    return taken;
}

// Numbers of any length: leading zeros do not count.
int compare_numbers(std::string_view a, std::string_view b) {
    a.remove_prefix(std::min(a.find_first_not_of('0'), a.size()));
    b.remove_prefix(std::min(b.find_first_not_of('0'), b.size()));
    if (a.size() != b.size()) {
        return a.size() < b.size() ? -1 : 1;
    }
    return sign(a.compare(b));
}

void skip_separators(std::string_view& text) {
    take_while(text, [](char c) { return !is_digit(c) && !is_alpha(c) && c != '~' && c != '^'; });
}

// '~' sorts before the end of the string, '^' after it but before anything else.
// Returns true when the two heads decide or consume a mark; `order` is set when they decide.
bool compare_marks(std::string_view& a, std::string_view& b, int& order) {
    const bool tilde_a = a.starts_with('~');
    const bool tilde_b = b.starts_with('~');
    const bool caret_a = a.starts_with('^');
    const bool caret_b = b.starts_with('^');
    if (tilde_a || tilde_b) {
        order = tilde_a == tilde_b ? 0 : (tilde_a ? -1 : 1);
    } else if (caret_a || caret_b) {
        if (caret_a == caret_b) {
            order = 0;
        } else if (caret_a) {
            order = b.empty() ? 1 : -1;
        } else {
            order = a.empty() ? -1 : 1;
        }
    } else {
        return false;
    }
    if (order == 0) {
        a.remove_prefix(1);
        b.remove_prefix(1);
    }
    return true;
}

int rpm_compare_part(std::string_view a, std::string_view b) {
    while (!a.empty() || !b.empty()) {
        skip_separators(a);
        skip_separators(b);
        int order = 0;
        if (compare_marks(a, b, order)) {
            if (order != 0) {
                return order;
            }
            continue;
        }
        if (a.empty() || b.empty()) {
            break;
        }
        const bool numeric = is_digit(a.front());
        if (numeric != is_digit(b.front())) {
            return numeric ? 1 : -1;  // a number is newer than letters
        }
        const std::string_view part_a = take_while(a, numeric ? is_digit : is_alpha);
        const std::string_view part_b = take_while(b, numeric ? is_digit : is_alpha);
        order = numeric ? compare_numbers(part_a, part_b) : sign(part_a.compare(part_b));
        if (order != 0) {
            return order;
        }
    }
    return static_cast<int>(!a.empty()) - static_cast<int>(!b.empty());
}

// dpkg's weight of a character outside numbers: '~', then the end, then letters, then the rest.
int deb_weight(std::string_view text) {
    if (text.empty() || is_digit(text.front())) {
        return 0;
    }
    const char c = text.front();
    if (c == '~') {
        return -1;
    }
    return is_alpha(c) ? static_cast<unsigned char>(c) : static_cast<unsigned char>(c) + 256;
}

int deb_compare_part(std::string_view a, std::string_view b) {
    while (!a.empty() || !b.empty()) {
        while ((!a.empty() && !is_digit(a.front())) || (!b.empty() && !is_digit(b.front()))) {
            const int weight_a = deb_weight(a);
            const int weight_b = deb_weight(b);
            if (weight_a != weight_b) {
                return weight_a < weight_b ? -1 : 1;
            }
            a.remove_prefix(std::min<std::size_t>(1, a.size()));
            b.remove_prefix(std::min<std::size_t>(1, b.size()));
        }
        const int order = compare_numbers(take_while(a, is_digit), take_while(b, is_digit));
        if (order != 0) {
            return order;
        }
    }
    return 0;
}

}  // namespace

int compare_evr(VersionScheme scheme, std::string_view a, std::string_view b) {
    const Parts parts_a = split_evr(a);
    const Parts parts_b = split_evr(b);
    int order = compare_numbers(parts_a.epoch, parts_b.epoch);
    if (order != 0) {
        return order;
    }
    const auto compare = scheme == VersionScheme::kRpm ? rpm_compare_part : deb_compare_part;
    order = compare(parts_a.version, parts_b.version);
    if (order != 0) {
        return order;
    }
    // For dpkg a missing revision equals "0"; in RPM it is older than any release.
    if (scheme == VersionScheme::kRpm && parts_a.has_release != parts_b.has_release) {
        return parts_a.has_release ? 1 : -1;
    }
    return compare(parts_a.release, parts_b.release);
}

}  // namespace tarn
