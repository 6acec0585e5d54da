// SPDX-License-Identifier: MIT
#include "spec/detail/header.hh"

#include "base/strings.hh"

#include <algorithm>
#include <array>

namespace tarn::specs {
namespace {

struct Keyword {
    std::string_view name;
    SectionKind kind;
};

constexpr std::array<Keyword, 39> kKeywords = {{
    {"package", SectionKind::kPackage},
    {"description", SectionKind::kText},
    {"files", SectionKind::kText},
    {"changelog", SectionKind::kList},
    {"prep", SectionKind::kScript},
    {"conf", SectionKind::kScript},
    {"generate_buildrequires", SectionKind::kScript},
    {"build", SectionKind::kScript},
    {"install", SectionKind::kScript},
    {"check", SectionKind::kScript},
    {"clean", SectionKind::kScript},
    {"pre", SectionKind::kScriptlet},
    {"post", SectionKind::kScriptlet},
    {"preun", SectionKind::kScriptlet},
    {"postun", SectionKind::kScriptlet},
    {"pretrans", SectionKind::kScriptlet},
    {"posttrans", SectionKind::kScriptlet},
    {"preuntrans", SectionKind::kScriptlet},
    {"postuntrans", SectionKind::kScriptlet},
    {"verify", SectionKind::kScriptlet},
    {"verifyscript", SectionKind::kScriptlet},
    {"trigger", SectionKind::kScriptlet},
    {"triggerin", SectionKind::kScriptlet},
    {"triggerun", SectionKind::kScriptlet},
    {"triggerprein", SectionKind::kScriptlet},
    {"triggerpostun", SectionKind::kScriptlet},
    {"filetrigger", SectionKind::kScriptlet},
    {"filetriggerin", SectionKind::kScriptlet},
    {"filetriggerun", SectionKind::kScriptlet},
    {"filetriggerpostun", SectionKind::kScriptlet},
    {"transfiletrigger", SectionKind::kScriptlet},
    {"transfiletriggerin", SectionKind::kScriptlet},
    {"transfiletriggerun", SectionKind::kScriptlet},
    {"transfiletriggerpostun", SectionKind::kScriptlet},
    {"sourcelist", SectionKind::kList},
    {"patchlist", SectionKind::kList},
    {"sepolicy", SectionKind::kText},
    {"preamble", SectionKind::kPreamble},
    {"end", SectionKind::kList},
}};

const Keyword* find_keyword(std::string_view word) {
    const std::string lower = to_lower(word);
    const auto* found = std::find_if(kKeywords.begin(),
                                     kKeywords.end(),
                                     [&](const Keyword& keyword) { return keyword.name == lower; });
    return found == kKeywords.end() ? nullptr : found;
}

std::size_t word_length(std::string_view text) {
    std::size_t length = 0;
    while (length < text.size() && !is_space(text[length])) {
        ++length;
    }
    return length;
}

// Words of a header; a %{...} with blanks in it is one word.
std::vector<std::string_view> header_words(std::string_view text) {
    std::vector<std::string_view> words;
    for (text = skip_space(text); !text.empty(); text = skip_space(text)) {
        std::size_t length = 0;
        std::size_t depth = 0;
        for (; length < text.size() && (depth > 0 || !is_space(text[length])); ++length) {
            if (text[length] == '{') {
                ++depth;
            } else if (text[length] == '}' && depth > 0) {
                --depth;
            }
        }
        words.push_back(text.substr(0, length));
        text.remove_prefix(length);
    }
    return words;
}

bool takes_operand(std::string_view option, SectionKind kind) {
    switch (kind) {
        case SectionKind::kScriptlet:
            return option == "-p" || option == "-f" || option == "-P";
        case SectionKind::kText:
            return option == "-f" || option == "-l";
        case SectionKind::kPackage:
            return option == "-l";
        default:
            return false;
    }
}

}  // namespace

std::string_view skip_space(std::string_view text) {
    while (!text.empty() && is_space(text.front())) {
        text.remove_prefix(1);
    }
    return text;
}

std::string_view strip_space(std::string_view text) {
    text = skip_space(text);
    while (!text.empty() && is_space(text.back())) {
        text.remove_suffix(1);
    }
    return text;
}

std::string_view header_keyword_of(std::string_view line) {
    constexpr std::size_t kLongest = 22;  // transfiletriggerpostun
    if (line.starts_with("%%")) {
        line.remove_prefix(1);
    }
    if (line.size() < 4 || line[0] != '%' || !is_alpha(line[1])) {
        return {};
    }
    std::size_t length = 1;
    while (length < line.size() && length <= kLongest + 1 && is_word(line[length])) {
        ++length;
    }
    if (length < line.size() && !is_space(line[length]) && line[length] != '\0') {
        return {};
    }
    const Keyword* keyword = find_keyword(line.substr(1, length - 1));
    return keyword == nullptr ? std::string_view() : keyword->name;
}

SectionKind section_kind(std::string_view keyword) {
    const Keyword* found = find_keyword(keyword);
    return found == nullptr ? SectionKind::kPreamble : found->kind;
}

HeaderText read_header(std::string_view line, SectionKind kind) {
    HeaderText header;
    const std::vector<std::string_view> words = header_words(line.substr(word_length(line)));
    for (std::size_t i = 0; i < words.size(); ++i) {
        const std::string_view word = words[i];
        if (word == "--") {
            break;
        }
        if (word == "-n" && kind != SectionKind::kScript && kind != SectionKind::kList) {
            if (++i < words.size()) {
                header.operand = words[i];
                header.absolute = true;
            }
        } else if (word.starts_with('-')) {
            header.options.emplace_back(word);
            if (takes_operand(word, kind) && i + 1 < words.size()) {
                header.options.back() += " " + std::string(words[++i]);
            }
        } else if (header.operand.empty() && kind != SectionKind::kScript &&
                   kind != SectionKind::kList) {
            header.operand = word;
        }
    }
    return header;
}

ConditionText condition_text(std::string_view line) {
    constexpr std::array<std::pair<std::string_view, ConditionWord>, 10> kWords = {{
        {"if", ConditionWord::kIf},
        {"ifarch", ConditionWord::kIf},
        {"ifnarch", ConditionWord::kIf},
        {"ifos", ConditionWord::kIf},
        {"ifnos", ConditionWord::kIf},
        {"elif", ConditionWord::kElif},
        {"elifarch", ConditionWord::kElif},
        {"elifos", ConditionWord::kElif},
        {"else", ConditionWord::kElse},
        {"endif", ConditionWord::kEndif},
    }};
    std::string_view text = skip_space(line);
    if (text.starts_with("%%")) {
        text.remove_prefix(1);  // as for headers
    }
    if (text.size() < 3 || text[0] != '%' || (text[1] != 'i' && text[1] != 'e')) {
        return {};
    }
    const std::size_t length = word_length(text);
    for (const auto& [word, meaning] : kWords) {
        if (text.substr(1, length - 1) == word) {
            return {meaning, word, strip_space(text.substr(length))};
        }
    }
    return {};
}

std::optional<TagLine> tag_line(std::string_view line) {
    const std::string_view text = strip_space(line);
    std::size_t at = 0;
    while (at < text.size() && is_word(text[at])) {
        ++at;
    }
    if (at == 0 || !is_alpha(text[0])) {
        return std::nullopt;
    }
    TagLine tag;
    // A number may be a macro: "Source%{n}".
    while (at < text.size() && text.substr(at).starts_with("%{")) {
        const std::size_t close = text.find('}', at);
        if (close == std::string_view::npos) {
            return std::nullopt;
        }
        at = close + 1;
    }
    while (at < text.size() && is_digit(text[at])) {
        ++at;
    }
    tag.name = text.substr(0, at);
    if (at < text.size() && text[at] == '(') {
        const std::size_t close = text.find(')', at);
        if (close == std::string_view::npos) {
            return std::nullopt;
        }
        tag.qualifier = text.substr(at + 1, close - at - 1);
        at = close + 1;
    }
    while (at < text.size() && is_blank(text[at])) {
        ++at;
    }
    if (at >= text.size() || text[at] != ':') {
        return std::nullopt;
    }
    tag.value = skip_space(text.substr(at + 1));
    return tag;
}

std::string_view macro_of(std::string_view word) {
    if (!word.starts_with('%')) {
        return {};
    }
    word.remove_prefix(1);
    const bool braced = word.starts_with('{');
    if (braced) {
        if (!word.ends_with('}')) {
            return {};
        }
        word = word.substr(1, word.size() - 2);
    }
    while (!word.empty() && (word.front() == '?' || word.front() == '!')) {
        word.remove_prefix(1);
    }
    std::size_t length = 0;
    while (length < word.size() && is_word(word[length])) {
        ++length;
    }
    const bool whole = length == word.size() || (braced && is_space(word[length]));
    return whole ? word.substr(0, length) : std::string_view();
}

}  // namespace tarn::specs
