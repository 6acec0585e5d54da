// SPDX-License-Identifier: MIT
#include "spec/document.hh"

#include "base/strings.hh"
#include "spec/detail/text.hh"

#include <algorithm>
#include <array>

namespace tarn {
namespace {

constexpr std::array<std::string_view, 32> kHeaders = {
    "package",
    "prep",
    "conf",
    "build",
    "install",
    "check",
    "clean",
    "generate_buildrequires",
    "pre",
    "post",
    "preun",
    "postun",
    "pretrans",
    "posttrans",
    "preuntrans",
    "postuntrans",
    "verify",
    "triggerin",
    "triggerun",
    "triggerprein",
    "triggerpostun",
    "filetriggerin",
    "filetriggerun",
    "filetriggerpostun",
    "transfiletriggerin",
    "transfiletriggerun",
    "transfiletriggerpostun",
    "description",
    "files",
    "changelog",
    "patchlist",
    "sourcelist",
};

// The lower-cased keyword of a section header; empty when the token is none.
std::string header_keyword(std::string_view token) {
    if (token.size() < 2 || token[0] != '%') {
        return {};
    }
    std::string keyword = to_lower(token.substr(1));
    return std::find(kHeaders.begin(), kHeaders.end(), keyword) == kHeaders.end() ? std::string()
                                                                                  : keyword;
}

bool takes_operand(std::string_view option) {
    return option == "-f" || option == "-p" || option == "-l" || option == "-P";
}

// "devel" of "%files devel", "foo-devel" of "%files -n foo-devel"; never expanded, never joined.
std::string header_package(const std::vector<std::string_view>& tokens) {
    std::string absolute;
    std::string suffix;
    for (std::size_t i = 1; i < tokens.size(); ++i) {
        const std::string_view token = tokens[i];
        if (token == "--") {
            break;
        }
        if (token == "-n") {
            if (++i < tokens.size()) {
                absolute = tokens[i];
            }
        } else if (takes_operand(token)) {
            ++i;
        } else if (!token.starts_with('-')) {
            suffix = token;
            break;
        }
    }
    return absolute.empty() ? suffix : absolute;
}

bool has_package(std::string_view keyword) {
    return keyword != "changelog" && keyword != "patchlist" && keyword != "sourcelist";
}

}  // namespace

std::optional<SpecHeader> parse_spec_header(std::string_view line) {
    if (line.starts_with('#')) {
        return std::nullopt;
    }
    // Most lines are decided by their first visible character.
    const std::string_view text = spec_trim(line);
    if (!text.starts_with('%')) {
        return std::nullopt;
    }
    const std::vector<std::string_view> tokens = spec_words(text);
    const std::string keyword = header_keyword(tokens.front());
    if (keyword.empty()) {
        return std::nullopt;
    }
    return SpecHeader{std::string(tokens.front()),
                      keyword,
                      has_package(keyword) ? header_package(tokens) : std::string()};
}

std::optional<SpecTagText> parse_spec_tag(std::string_view line) {
    if (line.starts_with('#')) {
        return std::nullopt;
    }
    const std::string_view text = spec_trim(line);
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos || colon == 0) {
        return std::nullopt;
    }
    const std::string_view name = text.substr(0, colon);
    if (name.find_first_of(" \t\n\f\r") != std::string_view::npos) {
        return std::nullopt;
    }
    std::string_view value = text.substr(colon + 1);
    const std::size_t begin = value.find_first_not_of(" \t\n\f\r");
    value = begin == std::string_view::npos ? std::string_view() : value.substr(begin);
    return SpecTagText{std::string(name), std::string(value)};
}

SpecDocument SpecDocument::parse(std::string_view text) {
    SpecDocument document;
    document.final_newline_ = text.empty() || text.ends_with('\n');
    std::size_t begin = 0;
    while (begin < text.size()) {
        const std::size_t end = std::min(text.find('\n', begin), text.size());
        document.lines_.emplace_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    document.index();
    return document;
}

std::string SpecDocument::print() const {
    std::size_t size = 0;
    for (const std::string& line : lines_) {
        size += line.size() + 1;
    }
    std::string text;
    text.reserve(size);
    for (const std::string& line : lines_) {
        text += line;
        text += '\n';
    }
    if (!final_newline_ && !text.empty()) {
        text.pop_back();
    }
    return text;
}

void SpecDocument::index() {
    sections_.assign(1, SpecSection{});
    tags_.clear();
    bool bears_tags = true;
    for (std::size_t i = 0; i < lines_.size(); ++i) {
        if (auto header = parse_spec_header(lines_[i])) {
            sections_.back().end = i;
            bears_tags = header->keyword == "package";
            sections_.push_back({std::move(header->name), std::move(header->package), i, i + 1});
        } else if (bears_tags) {
            if (auto tag = parse_spec_tag(lines_[i])) {
                tags_.push_back(
                    {i, std::move(tag->name), std::move(tag->value), sections_.size() - 1});
            }
        }
    }
    sections_.back().end = lines_.size();
}

void SpecDocument::insert(std::size_t before_line, const std::vector<std::string>& lines) {
    std::vector<std::string> physical;
    for (const std::string& line : lines) {
        for (std::string_view part : split(line, '\n')) {
            physical.emplace_back(part);
        }
    }
    const std::size_t at = std::min(before_line, lines_.size());
    lines_.insert(lines_.begin() + static_cast<std::ptrdiff_t>(at),
                  std::make_move_iterator(physical.begin()),
                  std::make_move_iterator(physical.end()));
    index();
}

void SpecDocument::remove(std::size_t first, std::size_t count) {
    const std::size_t begin = std::min(first, lines_.size());
    const std::size_t end = begin + std::min(count, lines_.size() - begin);
    lines_.erase(lines_.begin() + static_cast<std::ptrdiff_t>(begin),
                 lines_.begin() + static_cast<std::ptrdiff_t>(end));
    index();
}

void SpecDocument::replace(std::size_t line, std::string text) {
    TARN_CHECK(line < lines_.size());
    if (text.find('\n') == std::string::npos) {
        lines_[line] = std::move(text);
        index();
        return;
    }
    lines_.erase(lines_.begin() + static_cast<std::ptrdiff_t>(line));
    insert(line, {std::move(text)});
}

}  // namespace tarn
