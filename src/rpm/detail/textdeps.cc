// SPDX-License-Identifier: MIT
#include "rpm/detail/textdeps.hh"

#include "base/fs.hh"
#include "base/strings.hh"

#include <rpm/rpmds.h>

#include <algorithm>
#include <cctype>
#include <map>

namespace tarn::rpm {

namespace {

constexpr std::size_t kMaxExpanded = 4096;

using Variables = std::map<std::string, std::string, std::less<>>;

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// ${name} replaced by what was defined before, to a length that no honest file reaches. Values are
// kept expanded, so the work is bounded whatever refers to what.
std::string expand(std::string_view text, const Variables& variables) {
    std::string out;
    while (!text.empty() && out.size() < kMaxExpanded) {
        const std::size_t start = text.find("${");
        const std::size_t end = text.find('}', start == std::string_view::npos ? 0 : start);
        if (start == std::string_view::npos || end == std::string_view::npos) {
            out += text;
            break;
        }
        out += text.substr(0, start);
        const auto variable = variables.find(text.substr(start + 2, end - start - 2));
        if (variable != variables.end()) {
            out += variable->second;
        }
        text.remove_prefix(end + 1);
    }
    out.resize(std::min(out.size(), kMaxExpanded));
    return out;
}

std::optional<std::uint32_t> operator_flags(std::string_view word) {
    if (word == "=") {
        return RPMSENSE_EQUAL;
    }
    if (word == ">=") {
        return RPMSENSE_GREATER | RPMSENSE_EQUAL;
    }
    if (word == "<=") {
        return RPMSENSE_LESS | RPMSENSE_EQUAL;
    }
    if (word == ">") {
        return RPMSENSE_GREATER;
    }
    if (word == "<") {
        return RPMSENSE_LESS;
    }
    // rpm has no "not equal": any version will do.
    return word == "!=" ? std::optional<std::uint32_t>(0) : std::nullopt;
}

// "a >= 1, b c<2": names, each with an operator and a version or without.
void add_pkg_config_requires(std::string_view list, std::vector<Dependency>& out) {
    std::string spaced;
    for (std::size_t i = 0; i < list.size(); ++i) {
        const char c = list[i];
        const bool is_operator = c == '<' || c == '>' || c == '=' || c == '!';
        const bool before = i > 0 && (list[i - 1] == '<' || list[i - 1] == '>' ||
                                      list[i - 1] == '=' || list[i - 1] == '!');
        if (is_operator != before) {
            spaced.push_back(' ');
        }
        spaced.push_back(c == ',' ? ' ' : c);
    }
    const auto words = split_words(spaced);
    for (std::size_t i = 0; i < words.size(); ++i) {
        Dependency dependency{fmt::format("pkgconfig({})", words[i]), 0, {}};
        if (i + 2 < words.size()) {
            if (const auto flags = operator_flags(words[i + 1])) {
                dependency.flags = *flags;
                dependency.evr = *flags == 0 ? std::string() : std::string(words[i + 2]);
                i += 2;
            }
        }
        out.push_back(std::move(dependency));
    }
}

// "1.0.0rc1" -> "1~rc1", "2.10" stays, "1.2.0" -> "1.2".
std::string rpm_version(std::string_view version) {
    std::size_t end = 0;
    while (end < version.size() && (is_digit(version[end]) || version[end] == '.')) {
        ++end;
    }
    std::string_view numbers = version.substr(0, end);
    while (numbers.ends_with('.')) {
        numbers.remove_suffix(1);
    }
    while (numbers.ends_with(".0")) {
        numbers.remove_suffix(2);
    }
    std::string_view rest = version.substr(end);
    if (rest.empty()) {
        return std::string(numbers);
    }
    const bool before_release = rest.starts_with('a') || rest.starts_with('b') ||
                                rest.starts_with("rc") || rest.starts_with("dev");
    std::string text = fmt::format("{}{}{}", numbers, before_release ? "~" : ".", rest);
    std::replace(text.begin(), text.end(), '-', '_');
    return text;
}

}  // namespace

std::optional<std::string> script_interpreter(std::string_view text) {
    constexpr std::size_t kMaxLine = 1024;
    if (!text.starts_with("#!")) {
        return std::nullopt;
    }
    text = text.substr(2, kMaxLine);
    const auto words = split_words(text.substr(0, text.find('\n')));
    if (words.empty() || !words[0].starts_with('/')) {
        return std::nullopt;
    }
    std::string program(words[0]);
    if (file_name(program) == "env") {
        const auto word = std::find_if(words.begin() + 1, words.end(), [](std::string_view w) {
            return !w.starts_with('-') && !contains(w, "=");
        });
        if (word == words.end()) {
            return std::nullopt;
        }
        program = word->starts_with('/') ? std::string(*word) : fmt::format("/usr/bin/{}", *word);
    }
    if (program.starts_with("/bin/") || program.starts_with("/sbin/") ||
        program.starts_with("/lib/")) {
        program.insert(0, "/usr");
    }
    const bool printable =
        std::all_of(program.begin(), program.end(), [](char c) { return c > ' ' && c < '\x7f'; });
    return printable ? std::optional(program) : std::nullopt;
}

PkgConfig read_pkg_config(std::string_view text) {
    Variables variables;
    PkgConfig file;
    for (std::string_view line : split_lines(text)) {
        line = trim(line.substr(0, line.find('#')));
        const std::size_t mark = line.find_first_of(":=");
        if (mark == std::string_view::npos) {
            continue;
        }
        const std::string_view name = trim(line.substr(0, mark));
        const std::string_view value = trim(line.substr(mark + 1));
        if (line[mark] == '=') {
            variables.insert_or_assign(std::string(name), expand(value, variables));
        } else if (name == "Version") {
            file.version = expand(value, variables);
        } else if (name == "Requires" || name == "Requires.private") {
            add_pkg_config_requires(expand(value, variables), file.requires_);
        }
    }
    std::replace(file.version.begin(), file.version.end(), '-', '.');
    return file;
}

std::optional<PythonDistribution> read_python_metadata(std::string_view text) {
    PythonDistribution distribution;
    for (const std::string_view line : split_lines(text)) {
        if (line.empty()) {
            break;  // the description follows
        }
        if (line.starts_with("Name:") && distribution.name.empty()) {
            for (const char c : trim(line.substr(5))) {
                const bool separator = c == '-' || c == '_' || c == '.';
                if (!separator) {
                    distribution.name.push_back(
                        static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
                } else if (!distribution.name.ends_with('-')) {
                    distribution.name.push_back('-');
                }
            }
        } else if (line.starts_with("Version:") && distribution.version.empty()) {
            distribution.version = rpm_version(trim(line.substr(8)));
        }
    }
    const bool good = !distribution.name.empty() && !distribution.version.empty() &&
                      split_words(distribution.name).size() == 1 &&
                      split_words(distribution.version).size() == 1;
    return good ? std::optional(distribution) : std::nullopt;
}

}  // namespace tarn::rpm
