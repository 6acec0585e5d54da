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

constexpr std::size_t kLongestHeader = 22;  // transfiletriggerpostun

bool ascii_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// The keyword in kHeaders that a word is in any case; empty when it is none.
std::string_view header_keyword(std::string_view token) {
    if (token.size() < 4 || token.size() > kLongestHeader + 1 || token[0] != '%') {
        return {};
    }
    std::array<char, kLongestHeader> lower{};
    for (std::size_t i = 1; i < token.size(); ++i) {
        if (!ascii_letter(token[i]) && token[i] != '_') {
            return {};
        }
        lower[i - 1] = token[i] == '_' ? '_' : static_cast<char>(token[i] | 0x20);
    }
    const auto found = std::find(
        kHeaders.begin(), kHeaders.end(), std::string_view(lower.data(), token.size() - 1));
    return found == kHeaders.end() ? std::string_view() : *found;
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
        } else if (!token.starts_with('-') && suffix.empty()) {
            suffix = token;
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
    // Most lines are decided by their first characters.
    if (line.empty() || (line[0] > ' ' && line[0] != '%' && line[0] < '\x7f')) {
        return std::nullopt;
    }
    const std::string_view text = spec_trim(line);
    if (text.size() < 4 || text[0] != '%' || !ascii_letter(text[1])) {
        return std::nullopt;
    }
    const std::string_view token = spec_first_word(text);
    const std::string_view keyword = header_keyword(token);
    if (keyword.empty()) {
        return std::nullopt;
    }
    return SpecHeader{std::string(token),
                      std::string(keyword),
                      has_package(keyword) ? header_package(spec_words(text)) : std::string()};
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
    document.text_ = text;
    document.final_newline_ = text.empty() || text.ends_with('\n');
    document.lines_.reserve(text.size() / 32 + 1);
    std::size_t begin = 0;
    while (begin < text.size()) {
        const std::size_t end = std::min(text.find('\n', begin), text.size());
        document.lines_.push_back({begin, end - begin});
        begin = end + 1;
    }
    document.find_sections();
    return document;
}

std::string SpecDocument::print() const {
    if (!edited_) {
        return text_;
    }
    std::size_t size = 0;
    for (const Line& line : lines_) {
        size += line.size + 1;
    }
    std::string text;
    text.reserve(size);
    for (std::size_t i = 0; i < lines_.size(); ++i) {
        text += line(i);
        text += '\n';
    }
    if (!final_newline_ && !text.empty()) {
        text.pop_back();
    }
    return text;
}

const std::vector<std::string>& SpecDocument::lines() const {
    if (!has_strings_) {
        strings_.clear();
        strings_.reserve(lines_.size());
        for (std::size_t i = 0; i < lines_.size(); ++i) {
            strings_.emplace_back(line(i));
        }
        has_strings_ = true;
    }
    return strings_;
}

const std::vector<SpecTag>& SpecDocument::tags() const {
    if (!has_tags_) {
        find_tags();
        has_tags_ = true;
    }
    return tags_;
}

void SpecDocument::find_sections() {
    has_strings_ = false;
    has_tags_ = false;
    sections_.assign(1, SpecSection{});
    for (std::size_t i = 0; i < lines_.size(); ++i) {
        if (auto header = parse_spec_header(line(i))) {
            sections_.back().end = i;
            sections_.push_back({std::move(header->name), std::move(header->package), i, i + 1});
        }
    }
    sections_.back().end = lines_.size();
}

void SpecDocument::find_tags() const {
    tags_.clear();
    for (std::size_t i = 0; i < sections_.size(); ++i) {
        const SpecSection& section = sections_[i];
        if (!section.name.empty() && to_lower(section.name) != "%package") {
            continue;
        }
        for (std::size_t at = section.begin + (i == 0 ? 0 : 1); at < section.end; ++at) {
            if (auto tag = parse_spec_tag(line(at))) {
                tags_.push_back({at, std::move(tag->name), std::move(tag->value), i});
            }
        }
    }
}

void SpecDocument::insert(std::size_t before_line, const std::vector<std::string>& lines) {
    std::vector<Line> physical;
    for (const std::string& line : lines) {
        for (std::string_view part : split(line, '\n')) {
            physical.push_back({text_.size(), part.size()});
            text_ += part;
        }
    }
    const std::size_t at = std::min(before_line, lines_.size());
    lines_.insert(
        lines_.begin() + static_cast<std::ptrdiff_t>(at), physical.begin(), physical.end());
    edited_ = true;
    find_sections();
}

void SpecDocument::remove(std::size_t first, std::size_t count) {
    const std::size_t begin = std::min(first, lines_.size());
    const std::size_t end = begin + std::min(count, lines_.size() - begin);
    lines_.erase(lines_.begin() + static_cast<std::ptrdiff_t>(begin),
                 lines_.begin() + static_cast<std::ptrdiff_t>(end));
    edited_ = true;
    find_sections();
}

void SpecDocument::replace(std::size_t line, std::string text) {
    TARN_CHECK(line < lines_.size());
    lines_.erase(lines_.begin() + static_cast<std::ptrdiff_t>(line));
    insert(line, {std::move(text)});
}

}  // namespace tarn
