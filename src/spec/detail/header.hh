// SPDX-License-Identifier: MIT
// Words at the beginning of a line as rpm takes them: section headers, conditionals, tags.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::specs {

inline bool is_blank(char c) {
    return c == ' ' || c == '\t';
}
inline bool is_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}
inline bool is_alpha(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
inline bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
inline bool is_word(char c) {
    return is_alpha(c) || is_digit(c) || c == '_';
}
std::string_view skip_space(std::string_view text);
std::string_view strip_space(std::string_view text);

// The keyword of a header line: "files" of "%Files devel". rpm wants it in column 0, in any case;
// it has expanded the line by then, so that "%%files" is one, too.
std::string_view header_keyword_of(std::string_view line);

enum class SectionKind {
    kPreamble,
    kPackage,
    kScript,     // of the build: takes -a and -p without operand, no package
    kScriptlet,  // of a package, triggers too: -p interpreter
    kText,       // %description, %files, %verify..., %sepolicy: of a package
    kList        // %changelog, %sourcelist, %patchlist: of the whole spec
};
SectionKind section_kind(std::string_view keyword);

struct HeaderText {
    std::string operand;    // "devel", or of -n
    bool absolute = false;  // of -n
    std::vector<std::string> options;
};
HeaderText read_header(std::string_view line, SectionKind kind);

enum class ConditionWord { kNone, kIf, kElif, kElse, kEndif };
struct ConditionText {
    ConditionWord word = ConditionWord::kNone;
    std::string_view keyword;   // "ifarch"
    std::string_view argument;  // behind it, without white space around it
};
ConditionText condition_text(std::string_view line);

struct TagLine {
    std::string_view name;       // "Requires"
    std::string_view qualifier;  // "post" of "Requires(post)"
    std::string_view value;
};
std::optional<TagLine> tag_line(std::string_view line);

// "foo" of "%foo", "%{foo}", "%{?foo}", "%{foo arguments}"; empty when the word is something else.
std::string_view macro_of(std::string_view word);

}  // namespace tarn::specs
