// SPDX-License-Identifier: MIT
#include "import/detail/script.hh"

#include "base/strings.hh"
#include "import/import.hh"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

namespace tarn::import {

namespace {

enum class Token { kText, kCase, kEsac, kLabel, kArmEnd, kIf, kThen, kElse, kFi };

struct Statement {
    Token token = Token::kText;
    std::size_t number = 0;
    std::string text;
    std::string indent{};  // when it is the first on its line
};

bool covers(const ImportPolicy& policy, std::string_view generator) {
    return std::any_of(policy.script_snippets.begin(),
                       policy.script_snippets.end(),
                       [&](const SnippetCover& each) { return each.generator == generator; });
}

// "dh_installsystemd/13.24" after `marker`; nullopt when the line is no such marker.
std::optional<std::string> generator_of(std::string_view line, std::string_view marker) {
    if (!line.starts_with(marker)) {
        return std::nullopt;
    }
    line = trim(line.substr(marker.size()));
    return std::string(line.substr(0, line.find_first_of("/ \t:")));
}

void note_generator(std::vector<std::string>& generators, const std::string& name) {
    if (std::find(generators.begin(), generators.end(), name) == generators.end()) {
        generators.push_back(name);
    }
}

// Lines outside covered blocks. A block without an end is not taken as one.
std::vector<ScriptLine> outside_blocks(std::string_view script,
                                       const ImportPolicy& policy,
                                       std::vector<std::string>& generators) {
    const std::vector<std::string_view> lines = split_lines(script);
    std::vector<ScriptLine> out;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const auto generator = generator_of(trim(lines[i]), "# Automatically added by ");
        if (generator) {
            note_generator(generators, *generator);
            std::size_t end = i + 1;
            while (end < lines.size() &&
                   !trim(lines[end]).starts_with("# End automatically added section")) {
                ++end;
            }
            if (end < lines.size() && covers(policy, *generator)) {
                i = end;
                continue;
            }
        }
        out.push_back({i + 1, std::string(lines[i])});
    }
    return out;
}

bool is_comment(std::string_view line) {
    const std::string_view text = trim(line);
    return text.empty() || text.starts_with('#');
}

// Lines ending in "\" become one with the next.
std::vector<ScriptLine> join_continued(const std::vector<ScriptLine>& lines) {
    std::vector<ScriptLine> out;
    bool open = false;
    for (const ScriptLine& line : lines) {
        if (open) {
            out.back().text.pop_back();
            out.back().text += trim(line.text);
        } else if (!is_comment(line.text)) {
            out.push_back(line);
        } else {
            continue;
        }
        open = out.back().text.ends_with('\\');
    }
    return out;
}

// Whether a shell word list could run something: then it is no mere test.
bool may_run(std::string_view text) {
    if (contains(text, "$(")) {
        return true;
    }
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '`' && (i == 0 || text[i - 1] != '\\')) {
            return true;
        }
    }
    return false;
}

// "[ ... ] && ! [ ... ]": a condition without effect.
bool is_plain_test(std::string_view condition) {
    if (may_run(condition)) {
        return false;
    }
    std::string text = replace_all(std::string(condition), "||", "&&");
    if (contains(text, ";") || contains(text, "|") || contains(replace_all(text, "&&", ""), "&")) {
        return false;
    }
    text = replace_all(std::move(text), "&&", "\n");
    for (std::string_view part : split_lines(text)) {
        part = trim(part);
        if (part.starts_with("! ")) {
            part = trim(part.substr(2));
        }
        const bool bracket = part.starts_with("[ ") && part.ends_with(" ]");
        if (!bracket && !part.starts_with("test ")) {
            return false;
        }
    }
    return true;
}

// "configure|triggered)" at the start of a line: its length, else 0.
std::size_t label_length(std::string_view text) {
    std::size_t i = text.starts_with('(') ? 1 : 0;
    const std::size_t begin = i;
    while (i < text.size() &&
           (std::isalnum(static_cast<unsigned char>(text[i])) != 0 ||
            std::string_view("_|*?.\"' \t-").find(text[i]) != std::string_view::npos)) {
        ++i;
    }
    return i > begin && i < text.size() && text[i] == ')' ? i + 1 : 0;
}

Token classify(std::string_view text) {
    if (text.starts_with("case ") && text.ends_with(" in") && !may_run(text)) {
        return Token::kCase;
    }
    if (text == "esac") {
        return Token::kEsac;
    }
    if (text == "then") {
        return Token::kThen;
    }
    if (text == "else") {
        return Token::kElse;
    }
    if (text == "fi") {
        return Token::kFi;
    }
    const bool elif = text.starts_with("elif ");
    if (elif || text.starts_with("if ")) {
        std::string_view condition = text.substr(elif ? 5 : 3);
        if (condition.ends_with("then")) {
            condition = trim(condition.substr(0, condition.size() - 4));
        }
        condition =
            condition.ends_with(';') ? condition.substr(0, condition.size() - 1) : condition;
        if (is_plain_test(trim(condition))) {
            return elif ? Token::kElse : Token::kIf;
        }
    }
    return Token::kText;
}

// A line taken apart where it holds a label or the end of an arm.
void add_statements(const ScriptLine& line, std::vector<Statement>& out) {
    std::string_view text = trim(line.text);
    std::string indent = line.text.substr(0, line.text.find_first_not_of(" \t"));
    const std::size_t label = label_length(text);
    if (label != 0) {
        out.push_back({Token::kLabel, line.number, std::string(text.substr(0, label)), indent});
        indent.clear();
        text = trim(text.substr(label));
        if (text.empty()) {
            return;
        }
    }
    const bool arm_end = text.ends_with(";;");
    if (arm_end) {
        text = trim(text.substr(0, text.size() - 2));
    }
    if (!text.empty()) {
        out.push_back({classify(text), line.number, std::string(text), indent});
    }
    if (arm_end) {
        out.push_back({Token::kArmEnd, line.number, ";;", text.empty() ? indent : ""});
    }
}

bool is_boilerplate(std::string_view text, bool without_debconf) {
    constexpr std::array<std::string_view, 10> kNothing{"set -e",
                                                        "set -eu",
                                                        "set -ue",
                                                        "set -u",
                                                        "set +e",
                                                        "exit 0",
                                                        "exit",
                                                        ":",
                                                        "true",
                                                        "set -e -u"};
    if (std::find(kNothing.begin(), kNothing.end(), text) != kNothing.end()) {
        return true;
    }
    return without_debconf && (text == ". /usr/share/debconf/confmodule" || text == "db_stop" ||
                               text == "db_version 2.0");
}

// `echo "postinst called with unknown argument '$1'" >&2`
bool is_complaint(std::string_view text) {
    return text.starts_with("echo ") && contains(text, "called with") && !may_run(text) &&
           !contains(replace_all(std::string(text), ">&2", ""), ">") &&
           text.find_first_of(";|") == std::string_view::npos;
}

std::vector<Statement> without_boilerplate(std::vector<Statement> statements,
                                           const ImportPolicy& policy) {
    const bool without_debconf = never_imported(policy, "debconf");
    std::vector<Statement> out;
    bool complained = false;
    for (Statement& each : statements) {
        const std::string& text = each.text;
        const bool text_token = each.token == Token::kText;
        const bool leaving = complained && (text == "exit 1" || text == "exit 2");
        complained = text_token && is_complaint(text);
        if (!text_token || !(complained || leaving || is_boilerplate(text, without_debconf))) {
            out.push_back(std::move(each));
        }
    }
    return out;
}

void pop_while(std::vector<Statement>& stack, Token token) {
    while (!stack.empty() && stack.back().token == token) {
        stack.pop_back();
    }
}

// Takes away "case" and "if" whose arms do nothing, from the inside out.
std::vector<Statement> without_empty_branches(std::vector<Statement> statements) {
    std::vector<Statement> stack;
    for (Statement& each : statements) {
        const Token top = stack.empty() ? Token::kText : stack.back().token;
        switch (each.token) {
            case Token::kArmEnd:
                if (top == Token::kLabel) {
                    pop_while(stack, Token::kLabel);
                    continue;
                }
                break;
            case Token::kThen:
                if (top == Token::kIf || top == Token::kElse) {
                    continue;
                }
                break;
            case Token::kEsac:
                pop_while(stack, Token::kLabel);
                if (!stack.empty() && stack.back().token == Token::kCase) {
                    stack.pop_back();
                    continue;
                }
                break;
            case Token::kFi:
                pop_while(stack, Token::kElse);
                if (!stack.empty() && stack.back().token == Token::kIf) {
                    stack.pop_back();
                    continue;
                }
                break;
            default:
                break;
        }
        stack.push_back(std::move(each));
    }
    return stack;
}

bool is_shell(std::string_view script) {
    const std::string_view first = script.substr(0, script.find('\n'));
    for (const std::string_view word : split_words(first)) {
        if (word.ends_with("/sh") || word.ends_with("/bash") || word.ends_with("/dash") ||
            word == "sh" || word == "bash") {
            return true;
        }
    }
    return false;
}

}  // namespace

bool never_imported(const ImportPolicy& policy, std::string_view name) {
    return std::any_of(policy.never_import.begin(),
                       policy.never_import.end(),
                       [&](const NameReason& each) { return each.name == name; });
}

std::vector<ScriptLine> uncovered_lines(const std::string& script,
                                        const ImportPolicy& policy,
                                        std::vector<std::string>& generators) {
    if (script.find('\0') != std::string::npos) {
        return {{1, fmt::format("(a program of {} bytes, not a script)", script.size())}};
    }
    const std::vector<ScriptLine> lines =
        join_continued(outside_blocks(script, policy, generators));
    if (!is_shell(script)) {
        return lines;
    }
    std::vector<Statement> statements;
    for (const ScriptLine& line : lines) {
        add_statements(line, statements);
    }
    statements = without_empty_branches(without_boilerplate(std::move(statements), policy));
    std::vector<ScriptLine> out;
    for (Statement& each : statements) {
        if (!out.empty() && out.back().number == each.number) {
            out.back().text += ' ' + each.text;
        } else {
            out.push_back({each.number, each.indent + each.text});
        }
    }
    return out;
}

std::vector<ScriptLine> uncovered_triggers(const std::string& triggers,
                                           const ImportPolicy& policy,
                                           std::vector<std::string>& generators) {
    std::vector<ScriptLine> out;
    bool covered = false;
    std::size_t number = 0;
    for (const std::string_view line : split_lines(triggers)) {
        ++number;
        if (const auto generator = generator_of(trim(line), "# Triggers added by ")) {
            note_generator(generators, *generator);
            covered = covers(policy, *generator);
            continue;
        }
        if (is_comment(line)) {
            covered = covered && !trim(line).empty();
            continue;
        }
        const std::vector<std::string_view> words = split_words(line);
        const bool ldconfig =
            words.size() == 2 && words[0].starts_with("activate") && words[1] == "ldconfig";
        if (!covered && !ldconfig) {
            out.push_back({number, std::string(line)});
        }
    }
    return out;
}

}  // namespace tarn::import

namespace tarn {

std::string uncovered_script(const std::string& script,
                             const ImportPolicy& policy,
                             std::vector<std::string>& generators) {
    std::string out;
    for (const import::ScriptLine& line : import::uncovered_lines(script, policy, generators)) {
        out += line.text;
        out += '\n';
    }
    return out;
}

}  // namespace tarn
