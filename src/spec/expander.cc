// SPDX-License-Identifier: MIT
#include "spec/detail/expander.hh"

#include "base/strings.hh"
#include "spec/detail/expression.hh"
#include "spec/detail/header.hh"

#include <algorithm>

namespace tarn::specs {
namespace {

constexpr unsigned kDeepest = 64;
constexpr std::uint64_t kBudget = 1U << 20U;  // per expansion, beside eight times its text
constexpr std::size_t kStep = 16;             // what a macro costs at least

// "name", "-f", "-f*", "*", "**", "#" or "12" at the beginning.
std::size_t name_length(std::string_view text) {
    if (text.empty()) {
        return 0;
    }
    if (text[0] == '#') {
        return 1;
    }
    if (text[0] == '*') {
        return text.starts_with("**") ? 2 : 1;
    }
    if (text[0] == '-') {
        if (text.size() < 2 || !is_alpha(text[1])) {
            return 0;
        }
        return text.size() > 2 && text[2] == '*' ? 3 : 2;
    }
    std::size_t length = 0;
    const bool digits = is_digit(text[0]);
    while (length < text.size() && (digits ? is_digit(text[length]) : is_word(text[length]))) {
        ++length;
    }
    return length;
}

// Names of which a spec alone says whether they are defined.
bool is_specs_own(std::string_view name) {
    return name.starts_with("with_") || name.starts_with("_with_") || name.starts_with("_without_");
}

bool takes_line(std::string_view name) {
    for (std::string_view each :
         {"bcond", "bcond_with", "bcond_without", "basename", "dirname", "suffix", "dnl", "load",
          "quote", "shrink",     "lower",         "upper",    "len",     "gsub",   "sub", "reverse",
          "rep",   "echo",       "warn",          "error",    "trace",   "expr"}) {
        if (name == each) {
            return true;
        }
    }
    return false;
}

std::string_view rest_of_line(std::string_view text) {
    return text.substr(0, text.find('\n'));
}

}  // namespace

Expansion Expander::expand(std::string_view text) {
    budget_ = std::min<std::uint64_t>(work_.left, kBudget + 8 * text.size());
    unresolved_.clear();
    aborted_ = false;
    depth_ = 0;
    Expansion result;
    walk(text, result.text);
    calls_.clear();
    if (aborted_) {
        return {std::string(text), {"(limit)"}};
    }
    if (quoted_) {
        std::erase(result.text, '\x1f');
    }
    result.unresolved = std::move(unresolved_);
    return result;
}

bool Expander::spend(std::size_t bytes) {
    if (aborted_ || bytes > budget_) {
        aborted_ = true;
        return false;
    }
    budget_ -= bytes;
    work_.left -= bytes;
    return true;
}

void Expander::note(std::string_view name) {
    constexpr std::size_t kMost = 100;
    if (unresolved_.size() < kMost &&
        std::find(unresolved_.begin(), unresolved_.end(), name) == unresolved_.end()) {
        unresolved_.emplace_back(name);
    }
}

void Expander::walk(std::string_view text, std::string& out) {
    if (depth_ >= kDeepest || !spend(text.size() + kStep)) {
        aborted_ = true;
        return;
    }
    ++depth_;
    while (!text.empty() && !aborted_) {
        const std::size_t percent = std::min(text.find('%'), text.size());
        out += text.substr(0, percent);
        text.remove_prefix(percent);
        if (!text.empty()) {
            text.remove_prefix(one(text, out));
        }
    }
    --depth_;
}

std::string Expander::inner(std::string_view text) {
    std::string out;
    walk(text, out);
    return out;
}

std::size_t Expander::one(std::string_view text, std::string& out) {
    const char next = text.size() > 1 ? text[1] : '\0';
    switch (next) {
        case '%':
            out += '%';
            return 2;
        case '{':
            return braced(text, out);
        case '[':
            return expression(text, out);
        case '(': {
            const std::size_t close = closing(text, 1);
            return opaque(text.substr(0, close), "(...)", out);
        }
        default:
            return bare(text, out);
    }
}

// Something that is not evaluated here.
std::size_t Expander::opaque(std::string_view text, std::string_view name, std::string& out) {
    note(name);
    if (mode_ == Unknown::kAsWritten) {
        out += fold_opaque_ ? replace_all(std::string(text), "\n", " ") : std::string(text);
    } else {
        out += kUnknownMark;
    }
    return text.size();
}

std::size_t Expander::braced(std::string_view text, std::string& out) {
    const std::size_t close = closing(text, 1);
    if (close == std::string_view::npos) {
        return opaque(text, "(unclosed)", out);
    }
    if (!spend(close)) {
        return text.size();
    }
    std::string_view inside = text.substr(2, close - 3);
    Use it;
    it.written = text.substr(0, close);
    while (!inside.empty() && (inside[0] == '?' || inside[0] == '!')) {
        it.conditional = it.conditional || inside[0] == '?';
        it.negated = inside[0] == '!' ? !it.negated : it.negated;
        inside.remove_prefix(1);
    }
    const std::size_t length = name_length(inside);
    it.name = inside.substr(0, length);
    inside.remove_prefix(length);
    const bool sane = length > 0 && (inside.empty() || inside[0] == ':' || is_space(inside[0]));
    if (inside.starts_with(':')) {
        it.has_argument = true;
        inside.remove_prefix(1);
    }
    it.argument = inside;
    if (sane && use(it, out)) {
        return close;
    }
    note(it.name.empty() ? it.written : it.name);
    if (mode_ == Unknown::kAsWritten) {
        out += '%';  // what is inside is looked at all the same, as rpm does
        return 1;
    }
    out += is_archive_macro(it.name) ? kArchiveMark : kUnknownMark;
    return close;
}

std::size_t Expander::bare(std::string_view text, std::string& out) {
    std::size_t at = 1;
    Use it;
    while (at < text.size() && (text[at] == '?' || text[at] == '!')) {
        it.conditional = it.conditional || text[at] == '?';
        it.negated = text[at] == '!' ? !it.negated : it.negated;
        ++at;
    }
    const std::size_t length = name_length(text.substr(at));
    it.name = text.substr(at, length);
    if (length == 0) {
        out += '%';
        return 1;
    }
    at += length;
    if (!it.conditional && (it.name == "define" || it.name == "global")) {
        if (const std::size_t read = define(text.substr(at), it.name == "global")) {
            return at + read;
        }
    }
    if (!it.conditional && it.name == "undefine") {
        const std::string_view line = rest_of_line(text.substr(at));
        undefine(line);
        return at + line.size();
    }
    if (!it.conditional && (is_parametric(it.name) || takes_line(it.name))) {
        it.argument = rest_of_line(text.substr(at));
        at += it.argument.size();
        // %dnl takes the end of its line, too.
        at += it.name == "dnl" && at < text.size() ? 1U : 0U;
    }
    it.written = text.substr(0, at);
    if (use(it, out)) {
        return at;
    }
    const bool is_macro = is_alpha(it.name[0]) || it.name[0] == '_';
    if (is_macro && it.name.size() > 2) {
        note(it.name);
        if (mode_ != Unknown::kAsWritten) {
            out += is_archive_macro(it.name) ? kArchiveMark : kUnknownMark;
            return at;
        }
    }
    out += '%';
    return 1;
}

std::size_t Expander::expression(std::string_view text, std::string& out) {
    const std::size_t close = closing(text, 1);
    if (close == std::string_view::npos) {
        return opaque(text, "(unclosed)", out);
    }
    if (spend(close) && !calculate(text.substr(2, close - 3), out)) {
        return opaque(text.substr(0, close), "[...]", out);
    }
    return close;
}

// False: the value depends on something unknown, or it is malformed.
bool Expander::calculate(std::string_view text, std::string& out) {
    const Unknown mode = mode_;
    if (mode_ == Unknown::kAsWritten) {
        mode_ = Unknown::kMarked;
    }
    const std::string expanded = inner(text);
    mode_ = mode;
    const Value value = evaluate(expanded);
    switch (value.kind) {
        case Value::Kind::kInteger:
            out += std::to_string(value.integer);
            return true;
        case Value::Kind::kString:
        case Value::Kind::kVersion:
            out += value.text;
            return true;
        default:
            return false;
    }
}

const std::optional<MacroTable::Macro>* Expander::lookup(std::string_view name) const {
    for (auto call = calls_.rbegin(); call != calls_.rend(); ++call) {
        const auto found = (*call)->local.find(name);
        if (found != (*call)->local.end()) {
            return &found->second;
        }
    }
    const auto here = definitions_.find(name);
    if (here != definitions_.end()) {
        return &here->second;
    }
    const auto found = table_.macros_.find(name);
    return found == table_.macros_.end() ? nullptr : &found->second;
}

bool Expander::is_parametric(std::string_view name) const {
    const auto* entry = lookup(name);
    return entry != nullptr && *entry && (*entry)->options;
}

bool Expander::use(const Use& use, std::string& out) {
    if (use.conditional) {
        return conditional(use, out);
    }
    if (!is_word(use.name[0]) || is_digit(use.name[0])) {
        return parameter(use, out);
    }
    const auto* entry = lookup(use.name);
    if (entry != nullptr && *entry) {
        // A copy: what it expands to may define it anew.
        const MacroTable::Macro macro = **entry;
        return spend(macro.body.size()) && defined_macro(macro, use, out);
    }
    return builtin(use, out);
}

bool Expander::conditional(const Use& use, std::string& out) {
    bool is_defined = false;
    if (!is_word(use.name[0]) || is_digit(use.name[0])) {
        std::string value;
        Use plain = use;
        plain.conditional = plain.has_argument = false;
        is_defined = !calls_.empty() && parameter(plain, value);
        if (use.name[0] == '-') {
            is_defined = !calls_.empty() && calls_.back()->options.contains(use.name.substr(0, 2));
        }
        if (is_defined && !use.negated && !use.has_argument) {
            out += value;
            return true;
        }
    } else {
        const auto* entry = lookup(use.name);
        is_defined = entry != nullptr && *entry;
        const bool uncertain = is_defined && (*entry)->uncertain;
        const bool silent = entry == nullptr && !is_specs_own(use.name);
        if ((uncertain && mode_ != Unknown::kAsWritten) ||
            (silent && mode_ == Unknown::kCondition)) {
            out += kUnknownMark;
            note(use.name);
            return true;
        }
        if (uncertain) {
            used_uncertain_ = true;
            note(use.name);
        }
    }
    if (is_defined == use.negated) {
        return true;
    }
    if (use.has_argument) {
        walk(use.argument, out);
        return true;
    }
    Use plain = use;
    plain.conditional = false;
    return use.negated || this->use(plain, out);
}

bool Expander::parameter(const Use& use, std::string& out) {
    if (calls_.empty()) {
        return use.name[0] == '-';
    }
    const Call& call = *calls_.back();
    std::string value;
    if (use.name[0] == '-') {
        const auto found = call.options.find(use.name.substr(0, 2));
        if (found == call.options.end()) {
            return true;
        }
        if (use.has_argument) {
            walk(use.argument, out);
            return true;
        }
        const bool bare_value = use.name.ends_with('*');
        value = bare_value ? found->second
                           : found->first + (found->second.empty() ? "" : " " + found->second);
    } else if (use.name[0] == '*') {
        value = join(use.name == "**" ? call.all : call.positional, " ");
    } else if (use.name == "#") {
        value = std::to_string(call.positional.size());
    } else if (use.name == "0") {
        value = call.name;
    } else {
        const auto number = parse_u64(use.name);
        if (!number || *number > call.positional.size()) {
            return false;
        }
        value = call.positional[*number - 1];
    }
    if (spend(value.size())) {
        out += value;
    }
    return true;
}

bool Expander::defined_macro(const MacroTable::Macro& macro, const Use& use, std::string& out) {
    if (macro.uncertain) {
        note(use.name);
        if (mode_ != Unknown::kAsWritten) {
            out += kUnknownMark;
            return true;
        }
        used_uncertain_ = true;
    }
    if (macro.options) {
        return call(macro, use, out);
    }
    walk(macro.body, out);
    return true;
}

bool Expander::call(const MacroTable::Macro& macro, const Use& use, std::string& out) {
    auto call = std::make_unique<Call>();
    call->name = use.name;
    if (use.has_argument) {
        call->all = {inner(use.argument)};
        call->positional = call->all;
    } else {
        call->all = words(use.argument);
        if (!read_options(*macro.options, *call)) {
            return false;
        }
    }
    calls_.push_back(std::move(call));
    walk(macro.body, out);
    if (!calls_.empty()) {
        calls_.pop_back();
    }
    return true;
}

// As getopt: options end with the first word that is none. False: an option the macro has not.
bool Expander::read_options(std::string_view options, Call& call) const {
    std::size_t i = 0;
    for (; options != "-" && i < call.all.size(); ++i) {
        const std::string& word = call.all[i];
        if (word == "--") {
            ++i;
            break;
        }
        if (word.size() < 2 || word[0] != '-') {
            break;
        }
        for (std::size_t at = 1; at < word.size(); ++at) {
            const std::size_t known = options.find(word[at]);
            if (known == std::string_view::npos || word[at] == ':') {
                return false;
            }
            std::string& value = call.options[std::string{'-', word[at]}];
            if (known + 1 < options.size() && options[known + 1] == ':') {
                if (at + 1 == word.size() && i + 1 >= call.all.size()) {
                    return false;
                }
                value = at + 1 < word.size() ? word.substr(at + 1) : call.all[++i];
                break;
            }
        }
    }
    call.positional.assign(call.all.begin() + static_cast<std::ptrdiff_t>(i), call.all.end());
    return true;
}

std::vector<std::string> Expander::words(std::string_view text) {
    const std::string expanded = inner(text);
    std::vector<std::string> result;
    bool in_word = false;
    bool in_quote = false;
    for (const char c : expanded) {
        if (c == '\x1f') {
            in_quote = !in_quote;
        } else if (!in_quote && is_space(c)) {
            in_word = false;
            continue;
        }
        if (!in_word) {
            result.emplace_back();
            in_word = true;
        }
        if (c != '\x1f') {
            result.back() += c;
        }
    }
    return result;
}

}  // namespace tarn::specs
