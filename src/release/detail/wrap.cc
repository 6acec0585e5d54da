// SPDX-License-Identifier: MIT
#include "release/detail/wrap.hh"

#include "release/detail/text.hh"

#include <algorithm>
#include <vector>

namespace tarn::release {
namespace {

constexpr std::size_t kWidth = 75;
constexpr std::u32string_view kIndent = U"  ";

// The white space that a line may be broken at; the others (no-break space) are parts of words.
bool is_blank(char32_t c) {
    return (c >= '\t' && c <= '\r') || c == ' ';
}

bool is_word_punctuation(char32_t c) {
    return is_word(c) ||
           (c < 0x80 && std::u32string_view(U"!\"'&.,?").find(c) != std::u32string_view::npos);
}

std::u32string expand_blanks(std::u32string_view text) {
    std::u32string result;
    std::size_t column = 0;
    for (const char32_t c : text) {
        if (c == '\t') {
            const std::size_t width = 8 - column % 8;
            result.append(width, U' ');
            column += width;
            continue;
        }
        column = c == '\r' || c == '\n' ? 0 : column + 1;
        result.push_back(is_blank(c) ? U' ' : c);
    }
    return result;
}

class Splitter {
  public:
    explicit Splitter(std::u32string_view text) : text_(text) {}

    std::vector<std::u32string_view> run() {
        std::vector<std::u32string_view> chunks;
        for (std::size_t at = 0; at < text_.size();) {
            const std::size_t end = chunk_end(at);
            chunks.push_back(text_.substr(at, end - at));
            at = end;
        }
        return chunks;
    }

  private:
    bool letter(std::size_t at) const { return at < text_.size() && is_letter(text_[at]); }
    // A run of two or more hyphens at `at`, between words: where it ends; else 0.
    std::size_t dash_end(std::size_t at) const {
        if (at == 0 || !is_word_punctuation(text_[at - 1])) {
            return 0;
        }
        const std::size_t end = std::min(text_.find_first_not_of(U'-', at), text_.size());
        return end >= at + 2 && end < text_.size() && is_word(text_[end]) ? end : 0;
    }
    // A hyphen at `at` inside a hyphenated word: two letters, or letter-hyphen-letter, before it
    // and two letters, which may have a hyphen between them, behind it.
    bool hyphen_breaks(std::size_t at) const {
        const bool before = (at >= 2 && letter(at - 1) && letter(at - 2)) ||
                            (at >= 3 && letter(at - 1) && text_[at - 2] == '-' && letter(at - 3));
        if (!before || !letter(at + 1)) {
            return false;
        }
        return letter(at + 2) || (at + 2 < text_.size() && text_[at + 2] == '-' && letter(at + 3));
    }
    std::size_t chunk_end(std::size_t begin) const {
        std::size_t at = begin;
        if (is_blank(text_[at])) {
            while (at < text_.size() && is_blank(text_[at])) {
                ++at;
            }
            return at;
        }
        if (text_[at] == '-') {
            if (const std::size_t end = dash_end(at); end != 0) {
                return end;
            }
        }
        for (++at; at < text_.size() && !is_blank(text_[at]); ++at) {
            if (text_[at] != '-') {
                continue;
            }
            if (hyphen_breaks(at)) {
                return at + 1;
            }
            if (dash_end(at) != 0) {
                return at;
            }
        }
        return at;
    }

    std::u32string_view text_;
};

bool only_space(std::u32string_view chunk) {
    return strip(chunk).empty();
}

// How much of a word that fits no line goes on this one: up to its last hyphen when it has one.
std::size_t cut_long_word(std::u32string_view word, std::size_t room) {
    if (word.size() <= room) {
        return word.size();
    }
    const std::u32string_view head = word.substr(0, room);
    const std::size_t hyphen = head.rfind(U'-');
    const bool use = hyphen != std::u32string_view::npos && hyphen > 0 &&
                     head.substr(0, hyphen).find_first_not_of(U'-') != std::u32string_view::npos;
    return use ? hyphen + 1 : room;
}

}  // namespace

std::u32string wrap(std::u32string_view given) {
    const std::u32string text = expand_blanks(given);
    std::vector<std::u32string_view> chunks = Splitter(text).run();
    std::u32string result;
    bool first = true;
    for (std::size_t next = 0; next < chunks.size();) {
        const std::size_t width = first ? kWidth : kWidth - kIndent.size();
        if (!first && only_space(chunks[next])) {
            ++next;
        }
        std::vector<std::u32string_view> line;
        std::size_t length = 0;
        while (next < chunks.size() && length + chunks[next].size() <= width) {
            length += chunks[next].size();
            line.push_back(chunks[next++]);
        }
        if (next < chunks.size() && chunks[next].size() > width) {
            const std::size_t cut = cut_long_word(chunks[next], width - length);
            line.push_back(chunks[next].substr(0, cut));
            chunks[next].remove_prefix(cut);
        }
        if (!line.empty() && only_space(line.back())) {
            line.pop_back();
        }
        if (line.empty()) {
            continue;
        }
        if (!first) {
            result += U'\n';
            result += kIndent;
        }
        for (const std::u32string_view chunk : line) {
            result += chunk;
        }
        first = false;
    }
    return result;
}

}  // namespace tarn::release
