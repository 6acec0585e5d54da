// SPDX-License-Identifier: MIT
#include "spec/detail/expander.hh"
#include "spec/detail/header.hh"
#include "spec/detail/joiner.hh"

#include <array>

namespace tarn::specs {
namespace {

// To the end of the line, and further while a macro is open; a backslash takes the next character
// as it is, a newline too.
std::string free_body(std::string_view text, std::size_t& at) {
    std::string body;
    std::array<std::size_t, 3> depth{};
    constexpr std::string_view kOpen = "{([";
    constexpr std::string_view kClose = "})]";
    while (at < text.size() && (depth[0] + depth[1] + depth[2] > 0 || text[at] != '\n')) {
        const char c = text[at];
        const char next = at + 1 < text.size() ? text[at + 1] : '\0';
        if (c == '\\' && at + 1 < text.size()) {
            ++at;
        } else if (c == '%' && (next == '%' || kOpen.find(next) != std::string_view::npos)) {
            if (next != '%' && next != '\0') {
                ++depth[kOpen.find(next)];
            }
            body += c;
            ++at;
        } else if (const std::size_t open = kOpen.find(c); open != std::string_view::npos) {
            depth[open] += depth[open] > 0 ? 1U : 0U;
        } else if (const std::size_t close = kClose.find(c); close != std::string_view::npos) {
            depth[close] -= depth[close] > 0 ? 1U : 0U;
        }
        body += text[at++];
    }
    while (!body.empty() && is_space(body.back())) {
        body.pop_back();
    }
    return body;
}

}  // namespace

std::size_t closing(std::string_view text, std::size_t open) {
    const char opening = text[open];
    const char wanted = opening == '{' ? '}' : opening == '(' ? ')' : ']';
    std::size_t depth = 0;
    for (std::size_t i = open; i < text.size(); ++i) {
        if (text[i] == '\\') {
            ++i;
        } else if (text[i] == opening) {
            ++depth;
        } else if (text[i] == wanted && --depth == 0) {
            return i + 1;
        }
    }
    return std::string_view::npos;
}

std::optional<Definition> read_definition(std::string_view text) {
    const auto skip_blanks = [&text](std::size_t from) {
        while (from < text.size() && is_blank(text[from])) {
            ++from;
        }
        return from;
    };
    std::size_t at = skip_blanks(0);
    const std::size_t begin = at;
    while (at < text.size() && is_word(text[at])) {
        ++at;
    }
    Definition result;
    result.name = text.substr(begin, at - begin);
    // rpm wants three characters.
    if (result.name.size() < 3 || is_digit(result.name[0])) {
        return std::nullopt;
    }
    if (at < text.size() && text[at] == '(') {
        const std::size_t close = text.find(')', at);
        if (close == std::string_view::npos) {
            return std::nullopt;
        }
        result.options = text.substr(at + 1, close - at - 1);
        at = close + 1;
    }
    at = skip_blanks(at);
    // The body may begin behind a continued line.
    while (at + 1 < text.size() && text[at] == '\\' && text[at + 1] == '\n') {
        at = skip_blanks(at + 2);
    }
    if (at < text.size() && text[at] == '{') {
        const std::size_t close = closing(text, at);
        if (close == std::string_view::npos) {
            return std::nullopt;
        }
        result.body = text.substr(at + 1, close - at - 2);
        at = close;
    } else {
        result.body = free_body(text, at);
    }
    result.length = at;
    return result;
}

}  // namespace tarn::specs
