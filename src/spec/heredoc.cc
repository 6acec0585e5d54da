// SPDX-License-Identifier: MIT
#include "spec/detail/heredoc.hh"

#include "spec/detail/header.hh"

#include <unordered_map>

namespace tarn::specs {
namespace {

struct Opener {
    std::string_view word;
    bool strip_tabs = false;
};

bool is_delimiter(char c) {
    return is_word(c) || c == '.' || c == '!' || c == '-' || c == '+' || c == '@';
}

// What stands behind "<<"; an empty word when it opens nothing.
Opener opener_at(std::string_view text) {
    Opener opener;
    if (text.starts_with('-')) {
        opener.strip_tabs = true;
        text.remove_prefix(1);
    }
    while (!text.empty() && is_blank(text.front())) {
        text.remove_prefix(1);
    }
    if (text.empty()) {
        return opener;
    }
    const char quote = text.front();
    if (quote == '\'' || quote == '"') {
        const std::size_t close = text.find(quote, 1);
        opener.word =
            close == std::string_view::npos ? std::string_view() : text.substr(1, close - 1);
        return opener;
    }
    if (quote == '\\') {
        text.remove_prefix(1);
    }
    // A number is a shift, as in $((1 << 4)).
    if (text.empty() || !(is_alpha(text[0]) || text[0] == '_' || text[0] == '!')) {
        return opener;
    }
    std::size_t length = 0;
    while (length < text.size() && is_delimiter(text[length])) {
        ++length;
    }
    opener.word = text.substr(0, length);
    return opener;
}

std::vector<Opener> openers(std::string_view line) {
    std::vector<Opener> found;
    for (std::size_t at = line.find("<<"); at != std::string_view::npos; at = line.find("<<", at)) {
        at += 2;
        if (at < line.size() && line[at] == '<') {
            ++at;
            continue;
        }
        const Opener opener = opener_at(line.substr(at));
        if (!opener.word.empty()) {
            found.push_back(opener);
        }
    }
    return found;
}

std::string_view terminator_text(std::string_view line) {
    while (line.starts_with('\t')) {
        line.remove_prefix(1);
    }
    if (line.ends_with('\r')) {
        line.remove_suffix(1);
    }
    return line;
}

bool ends(std::string_view line, const Opener& opener) {
    return terminator_text(line) == opener.word && (opener.strip_tabs || !line.starts_with('\t'));
}

bool is_script(LineKind kind) {
    return kind == LineKind::kText || kind == LineKind::kBlank || kind == LineKind::kComment;
}

// Where each text that may end a here-document occurs last: an opener without an end costs nothing.
using LastLines = std::unordered_map<std::string_view, std::size_t>;
LastLines last_lines(const std::vector<std::string_view>& lines,
                     std::size_t begin,
                     std::size_t end) {
    constexpr std::size_t kLongestWord = 256;
    LastLines last;
    for (std::size_t i = begin; i < end; ++i) {
        const std::string_view text = terminator_text(lines[i]);
        if (!text.empty() && text.size() <= kLongestWord) {
            last[text] = i;
        }
    }
    return last;
}

}  // namespace

std::vector<std::size_t> mark_here_documents(const std::vector<std::string_view>& lines,
                                             std::vector<PreciseLine>& kinds,
                                             std::size_t begin,
                                             std::size_t end) {
    std::vector<std::size_t> unclosed;
    LastLines last;
    for (std::size_t i = begin; i < end; ++i) {
        if (kinds[i].kind != LineKind::kText || lines[i].find("<<") == std::string_view::npos) {
            continue;
        }
        if (last.empty()) {
            last = last_lines(lines, begin, end);
        }
        const std::size_t opening = i;
        for (const Opener& opener : openers(lines[opening])) {
            const auto found = last.find(opener.word);
            if (found == last.end() || found->second <= i) {
                unclosed.push_back(opening);
                break;
            }
            for (bool closed = false; !closed && i < found->second;) {
                ++i;
                closed = is_script(kinds[i].kind) && ends(lines[i], opener);
                if (is_script(kinds[i].kind)) {
                    kinds[i].kind = LineKind::kHereDocument;
                }
            }
        }
    }
    return unclosed;
}

}  // namespace tarn::specs
