// SPDX-License-Identifier: MIT
#include "provision/problem.hh"

#include "base/strings.hh"

#include <algorithm>

namespace tarn::guest {
namespace {

constexpr std::size_t kShown = 40;    // problems told one by one
constexpr std::size_t kColumns = 90;  // of a line that is shown

bool looks_secret(std::string_view line) {
    const std::string lower = to_lower(line);
    return contains(lower, "passw") || contains(lower, "secret") || contains(lower, "private") ||
           contains(lower, "token") || contains(lower, "hash");
}

// What a terminal could take for more than text is not shown.
std::string printable(std::string_view line) {
    std::string result;
    for (const char c : line) {
        const auto byte = static_cast<unsigned char>(c);
        result += c == '\t' ? ' ' : byte < 0x20 || byte == 0x7f ? '?' : c;
    }
    return result;
}

void show_line(std::string_view text, const Problem& problem, std::vector<std::string>& notes) {
    const auto lines = split_lines(text);
    if (problem.secret || problem.mark.line == 0 || problem.mark.line > lines.size()) {
        return;
    }
    const std::string_view line = lines[problem.mark.line - 1];
    const std::size_t column = problem.mark.column;
    if (column == 0 || column > line.size() || column > kColumns || looks_secret(line)) {
        return;
    }
    const std::string number = std::to_string(problem.mark.line);
    // To the end of the word, and nothing behind it: it may be a secret under a mistyped key.
    const std::size_t end = column - 1 + std::max(1U, problem.width);
    const std::size_t word = std::min(line.find_first_of(" ,:}]", column - 1), line.size());
    const std::string shown = printable(line.substr(0, std::min(std::max(end, word), kColumns)));
    const std::size_t width = std::min(end, shown.size()) - (column - 1);
    notes.push_back(fmt::format("{} | {}", number, shown));
    notes.push_back(fmt::format("{} | {}{}",
                                std::string(number.size(), ' '),
                                std::string(column - 1, ' '),
                                std::string(width, '^')));
}

}  // namespace

bool any_refused(const Problems& problems) {
    return std::any_of(problems.begin(), problems.end(), [](const Problem& each) {
        return each.weight == Problem::Weight::kRefused;
    });
}

std::string one_line(std::string_view document, const Problem& problem) {
    std::string place(document);
    if (problem.mark.line != 0) {
        place += fmt::format(":{}:{}", problem.mark.line, problem.mark.column);
    }
    return fmt::format(
        "{}: {}{}{}", place, problem.text, problem.help.empty() ? "" : "; ", problem.help);
}

Error problems_error(std::string_view document, std::string_view text, Problems problems) {
    std::stable_sort(problems.begin(), problems.end(), [](const Problem& a, const Problem& b) {
        return a.mark.line != b.mark.line ? a.mark.line < b.mark.line
                                          : a.mark.column < b.mark.column;
    });
    Error result = error(ErrorKind::kUsage, "{}", one_line(document, problems.front()));
    show_line(text, problems.front(), result.notes);
    for (std::size_t i = 1; i < std::min(problems.size(), kShown); ++i) {
        result.notes.push_back(one_line(document, problems[i]));
        show_line(text, problems[i], result.notes);
    }
    if (problems.size() > kShown) {
        result.notes.push_back(fmt::format("and {} more", problems.size() - kShown));
    }
    return result;
}

}  // namespace tarn::guest
