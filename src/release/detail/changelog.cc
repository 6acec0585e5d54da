// SPDX-License-Identifier: MIT
#include "release/detail/changelog.hh"

#include "release/detail/text.hh"
#include "release/detail/wrap.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace tarn::release {
namespace {

using View = std::u32string_view;

// Takes `word` off the front of `text`; false, and nothing taken, when it is not there.
bool take(View& text, View word) {
    if (!text.starts_with(word)) {
        return false;
    }
    text.remove_prefix(word.size());
    return true;
}

// Two words with white space between them, and any in front.
bool take_words(View& text, View first, View second) {
    View rest = strip_left(text);
    if (!take(rest, first) || rest.empty() || !is_space(rest.front())) {
        return false;
    }
    rest = strip_left(rest);
    if (!take(rest, second)) {
        return false;
    }
    text = rest;
    return true;
}

void read_bump(View part, MagicComments& result) {
    if (!take_words(part, U"bump", U"release")) {
        return;
    }
    part = strip_left(part);
    if (take(part, U":")) {
        part = strip_left(part);
    }
    std::uint64_t value = 0;
    for (const char32_t c : part) {
        if (c < '0' || c > '9') {
            break;
        }
        value = std::min(value * 10 + (c - '0'), kHighestRelease + 1);
    }
    if (value > kHighestRelease) {
        result.bump_too_high = true;
    } else {
        result.bump_release = std::max(result.bump_release, value);
    }
}

// The text behind an ellipsis at the front of a line; false when there is none.
bool take_ellipsis(View& line) {
    const std::size_t dots = std::min(line.find_first_not_of(U'.'), line.size());
    const std::size_t signs = std::min(line.find_first_not_of(U'…'), line.size());
    if (dots < 3 && signs == 0) {
        return false;
    }
    line = strip_left(line.substr(dots >= 3 ? dots : signs));
    return true;
}

std::u32string double_percent(View line) {
    std::u32string result;
    for (const char32_t c : line) {
        result.append(c == '%' ? 2 : 1, c);
    }
    return result;
}

enum class State { kBeforeSubject, kSubject, kBeforeBody, kContinuation, kBody };

// Reads a message line by line into items.
class Items {
  public:
    // False when nothing that follows can count.
    bool read(View line) {
        switch (state_) {
            case State::kBeforeSubject:
                if (line.empty()) {
                    return true;
                }
                state_ = State::kSubject;
                if (take(line, U"-")) {
                    line = strip_left(line);
                }
                if (line.empty()) {
                    state_ = State::kBeforeBody;
                    return true;
                }
                add(line);
                return true;
            case State::kSubject:
                if (line.empty()) {
                    state_ = State::kBeforeBody;
                } else {
                    add(line);
                }
                return true;
            case State::kBeforeBody:
                return line.empty() || begin_body(line);
            case State::kContinuation:
                if (!line.empty() && line.front() != '-') {
                    add(line);
                    return true;
                }
                state_ = State::kBody;
                return read_body(line);
            case State::kBody:
                return read_body(line);
        }
        return false;
    }
    std::vector<std::u32string> take_items() { return std::move(items_); }

  private:
    bool begin_body(View line) {
        if (take_ellipsis(line)) {
            state_ = State::kContinuation;
            add(line);
            return true;
        }
        if (line.front() != '-') {
            return false;
        }
        state_ = State::kBody;
        return read_body(line);
    }
    bool read_body(View line) {
        if (line.empty()) {
            return false;
        }
        if (take(line, U"-")) {
            items_.emplace_back();
            lines_in_last_ = 0;
            line = strip_left(line);
        }
        add(line);
        return true;
    }
    // Lines of an item are joined by a blank, empty ones as well.
    void add(View line) {
        if (lines_in_last_++ > 0) {
            items_.back() += U' ';
        }
        items_.back() += line;
    }

    std::vector<std::u32string> items_{1};
    std::size_t lines_in_last_ = 0;
    State state_ = State::kBeforeSubject;
};

}  // namespace

MagicComments magic_comments(std::string_view message) {
    MagicComments result;
    const std::u32string text = decode(message);
    for (const View whole : split_at_newlines(text)) {
        View line = strip(whole);
        if (line.size() < 2 || line.front() != '[' || line.back() != ']') {
            continue;
        }
        line = line.substr(1, line.size() - 2);
        while (true) {
            const std::size_t comma = line.find(U',');
            View part = line.substr(0, comma);
            View words = part;
            result.skip_changelog |= take_words(words, U"skip", U"changelog");
            read_bump(part, result);
            if (comma == View::npos) {
                break;
            }
            line.remove_prefix(comma + 1);
        }
    }
    return result;
}

std::vector<std::u32string> changelog_items(std::string_view message) {
    const std::u32string text = decode(message);
    Items items;
    for (const View line : split_at_newlines(text)) {
        if (!items.read(strip(double_percent(strip(line))))) {
            break;
        }
    }
    return items.take_items();
}

std::string changelog_date(std::int64_t time) {
    constexpr std::array<std::string_view, 7> kDays = {
        "Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
    constexpr std::array<std::string_view, 12> kMonths = {
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    constexpr std::int64_t kDay = 86400;
    constexpr std::int64_t kFirst = -62135596800;  // of the year 1
    constexpr std::int64_t kLast = 253402300799;   // of the year 9999
    time = std::clamp(time, kFirst, kLast);
    const std::int64_t days = (time - (time % kDay + kDay) % kDay) / kDay;
    // Howard Hinnant's civil_from_days: years begin in March, eras have 400 years.
    const std::int64_t shifted = days + 719468;
    const std::int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    const std::int64_t of_era = shifted - era * 146097;
    const std::int64_t year_of_era =
        (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    const std::int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const std::int64_t march = (5 * of_year + 2) / 153;
    const std::int64_t day = of_year - (153 * march + 2) / 5 + 1;
    const std::int64_t month = march < 10 ? march + 3 : march - 9;
    const std::int64_t year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
    return fmt::format("{} {} {:02} {}",
                       kDays.at(static_cast<std::size_t>((days % 7 + 7) % 7)),
                       kMonths.at(static_cast<std::size_t>(month - 1)),
                       day,
                       year);
}

std::string changelog_entry(const EntryHead& head, const std::vector<std::u32string>& items) {
    std::string entry = fmt::format("* {} {} <{}>",
                                    changelog_date(head.time),
                                    encode(decode(head.author)),
                                    encode(decode(head.email)));
    if (!head.epoch_version.empty()) {
        entry += " - " + head.epoch_version + "-" + head.release;
    }
    for (const std::u32string& item : items) {
        entry += "\n" + encode(wrap(U"- " + item));
    }
    return entry;
}

}  // namespace tarn::release
