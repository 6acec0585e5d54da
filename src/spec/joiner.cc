// SPDX-License-Identifier: MIT
#include "spec/detail/joiner.hh"

namespace tarn::specs {
namespace {

bool ends_in_odd_backslashes(std::string_view line) {
    std::size_t count = 0;
    while (count < line.size() && line[line.size() - 1 - count] == '\\') {
        ++count;
    }
    return count % 2 == 1;
}

}  // namespace

void LineJoiner::feed(std::string_view line) {
    if (!macros_ || (!in_macro() && line.find('%') == std::string_view::npos)) {
        continued_ = ends_in_odd_backslashes(line);
        return;
    }
    continued_ = false;
    for (std::size_t i = 0; i < line.size(); ++i) {
        const char c = line[i];
        const bool last = i + 1 == line.size();
        if (c == '\\') {
            continued_ = last;
            ++i;
        } else if (c != '%') {
            count(c);
        } else if (!last) {
            const char next = line[i + 1];
            if (next == '{' || next == '(' || next == '[') {
                open_macro(next);
                ++i;
            } else if (next == '%') {
                ++i;
            }
        }
    }
}

void LineJoiner::open_macro(char bracket) {
    (bracket == '{' ? braces_ : bracket == '(' ? parentheses_ : brackets_) += 1;
}

// Brackets without '%' count only inside a macro of their kind.
void LineJoiner::count(char c) {
    const auto step = [c](char open, char close, std::uint64_t& depth) {
        if (depth > 0 && c == open) {
            ++depth;
        } else if (depth > 0 && c == close) {
            --depth;
        }
    };
    step('{', '}', braces_);
    step('(', ')', parentheses_);
    step('[', ']', brackets_);
}

}  // namespace tarn::specs
