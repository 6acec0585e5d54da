// SPDX-License-Identifier: MIT
#include "selinux/detail/lines.hh"

#include "base/strings.hh"

#include <algorithm>

namespace tarn::selinux {
namespace {

constexpr std::string_view kMeta = ".^$?*+|[({])}";
// What may follow a backslash in a literal; any other escape means something to PCRE2.
constexpr std::string_view kEscapable = ".^$?*+|[({])}-_,";
constexpr std::string_view kSpace = " \t\r\v\f";
constexpr std::size_t kLongestWord = 65534;

std::vector<std::string_view> words_of(std::string_view line) {
    std::vector<std::string_view> out;
    std::size_t at = line.find_first_not_of(kSpace);
    while (at != std::string_view::npos) {
        const std::size_t end = std::min(line.find_first_of(kSpace, at), line.size());
        out.push_back(line.substr(at, end - at));
        at = line.find_first_not_of(kSpace, end);
    }
    return out;
}

bool word_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
}

Result<void> set_kind(std::string_view word, SpecLine& out) {
    constexpr std::pair<char, EntryKind> kKinds[] = {{'-', EntryKind::kFile},
                                                     {'d', EntryKind::kDirectory},
                                                     {'l', EntryKind::kSymlink},
                                                     {'c', EntryKind::kCharDevice},
                                                     {'b', EntryKind::kBlockDevice},
                                                     {'p', EntryKind::kFifo}};
    if (word.size() == 2 && word[0] == '-') {
        if (word[1] == 's') {
            out.never = true;
            return {};
        }
        for (const auto& [letter, kind] : kKinds) {
            if (word[1] == letter) {
                out.kind = kind;
                return {};
            }
        }
    }
    return fail(error(ErrorKind::kCorrupt, "`{}` is no file type", word)
                    .advise("file types are --, -d, -l, -c, -b, -p and -s"));
}

// How many bytes of `expression` the unit at `at` takes when it stands for one byte of its own;
// 0 for what has a meaning. `byte` is that byte.
std::size_t literal_unit(std::string_view expression, std::size_t at, char& byte) {
    const char c = expression[at];
    if (c == '\\') {
        if (at + 1 < expression.size() && contains(kEscapable, expression.substr(at + 1, 1))) {
            byte = expression[at + 1];
            return 2;
        }
        return 0;
    }
    if (contains(kMeta, expression.substr(at, 1))) {
        return 0;
    }
    byte = c;
    return 1;
}

// Whether a '|' stands outside all groups and classes: then no beginning is shared.
bool top_level_choice(std::string_view expression) {
    int depth = 0;
    for (std::size_t i = 0; i < expression.size(); ++i) {
        const char c = expression[i];
        if (c == '\\') {
            ++i;
        } else if (c == '(' || c == '[') {
            ++depth;
        } else if (c == ')' || c == ']') {
            --depth;
        } else if (c == '|' && depth <= 0) {
            return true;
        }
    }
    return false;
}

}  // namespace

Result<void> check_context(std::string_view context) {
    const auto bad = [&](std::string_view why) {
        return fail(error(ErrorKind::kCorrupt, "`{}` is no security context: {}", context, why)
                        .advise("a context is `user:role:type:range`, or <<none>>"));
    };
    std::size_t at = 0;
    for (const char* part : {"user", "role", "type"}) {
        const std::size_t end = std::min(context.find(':', at), context.size());
        const std::string_view word = context.substr(std::min(at, context.size()), end - at);
        if (word.empty()) {
            return bad(fmt::format("it has no {}", part));
        }
        if (!std::ranges::all_of(word, word_char)) {
            return bad(fmt::format("its {} is `{}`", part, word));
        }
        at = end + 1;
        if (end == context.size() && part != std::string_view("type")) {
            return bad("parts are missing");
        }
    }
    if (at > context.size()) {
        return {};  // a policy without levels
    }
    const std::string_view range = context.substr(at);
    const bool plain =
        std::ranges::all_of(range, [](char c) { return word_char(c) || c == ':' || c == ','; });
    if (range.empty() || !plain) {
        return bad(fmt::format("its range is `{}`", range));
    }
    return {};
}

Result<std::optional<SpecLine>> parse_spec_line(std::string_view line) {
    const std::vector<std::string_view> words = words_of(line);
    if (words.empty() || words[0].starts_with('#')) {
        return std::optional<SpecLine>();
    }
    if (words.size() < 2) {
        return fail(ErrorKind::kCorrupt, "`{}` has no context behind it", words[0]);
    }
    // libselinux ignores what follows a context; here it is a mistake.
    if (words.size() > 3) {
        return fail(ErrorKind::kCorrupt, "`{}` is more than a line has", words[3]);
    }
    const bool typed = words.size() == 3;
    SpecLine out;
    out.expression = words[0];
    out.context = words.back();
    for (const std::string_view word : {out.expression, out.context}) {
        if (word.size() > kLongestWord) {
            return fail(ErrorKind::kCorrupt, "a word has {} bytes", word.size());
        }
        if (std::ranges::any_of(word, [](char c) { return static_cast<signed char>(c) <= 0; })) {
            return fail(ErrorKind::kCorrupt, "`{}` is not ASCII", word);
        }
    }
    if (typed) {
        TARN_TRY(set_kind(words[1], out));
    }
    if (out.context != kNoneContext) {
        TARN_TRY(check_context(out.context));
    }
    return std::optional<SpecLine>(out);
}

std::optional<std::string> literal_of(std::string_view expression) {
    std::string out;
    for (std::size_t at = 0; at < expression.size();) {
        char byte = 0;
        const std::size_t taken = literal_unit(expression, at, byte);
        if (taken == 0) {
            return std::nullopt;
        }
        out += byte;
        at += taken;
    }
    return out;
}

std::string fixed_prefix(std::string_view expression) {
    std::string out;
    if (top_level_choice(expression)) {
        return out;
    }
    for (std::size_t at = 0; at < expression.size();) {
        char byte = 0;
        const std::size_t taken = literal_unit(expression, at, byte);
        if (taken == 0) {
            // "ab?" begins with "a" alone.
            if (!out.empty() && contains("?*{", expression.substr(at, 1))) {
                out.pop_back();
            }
            break;
        }
        out += byte;
        at += taken;
    }
    return out;
}

std::string stem_of(std::string_view expression) {
    std::string out;
    std::size_t at = 0;
    for (int depth = 0; depth < kStemDepth; ++depth) {
        const std::size_t end = expression.find('/', at + 1);
        if (at >= expression.size() || expression[at] != '/' || end == std::string_view::npos) {
            break;
        }
        const auto part = literal_of(expression.substr(at + 1, end - at - 1));
        if (!part || part->empty()) {
            break;
        }
        out.append("/").append(*part);
        at = end;
    }
    return out;
}

std::vector<Substitution> parse_substitutions(std::string_view text) {
    std::vector<Substitution> out;
    for (const std::string_view line : split_lines(text)) {
        const std::vector<std::string_view> words = words_of(line);
        if (words.size() >= 2 && !words[0].starts_with('#')) {
            out.push_back({std::string(words[0]), std::string(words[1])});
        }
    }
    std::ranges::reverse(out);
    return out;
}

std::optional<std::string> substitute(const std::vector<Substitution>& substitutions,
                                      std::string_view path) {
    for (const auto& [from, to] : substitutions) {
        if (!path.starts_with(from)) {
            continue;
        }
        std::string_view rest = path.substr(from.size());
        if (!rest.empty() && rest.front() != '/') {
            continue;
        }
        if (to == "/" && !rest.empty()) {
            rest.remove_prefix(1);
        }
        return to + std::string(rest);
    }
    return std::nullopt;
}

}  // namespace tarn::selinux
