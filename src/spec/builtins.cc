// SPDX-License-Identifier: MIT
// rpm's built-in macros, as far as they are functions of their text.
#include "base/strings.hh"
#include "spec/detail/expander.hh"
#include "spec/detail/expression.hh"
#include "spec/detail/header.hh"

#include <algorithm>
#include <array>

namespace tarn::specs {
namespace {

bool is_one_of(std::string_view name, std::initializer_list<std::string_view> names) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

// The program that rpmautospec writes: release_number = N, plus what -b says.
std::optional<std::uint64_t> baked_release(std::string_view program) {
    std::string compact;
    for (const char c : program.substr(0, 400)) {
        if (!is_space(c)) {
            compact += c;
        }
    }
    constexpr std::string_view kBefore = "release_number=";
    constexpr std::string_view kBehind =
        ";base_release_number=tonumber(rpm.expand(\"%{?-b*}%{!?-b:1}\"));"
        "print(release_number+base_release_number-1);";
    std::string_view text = compact;
    if (!text.starts_with(kBefore) || !text.ends_with(kBehind)) {
        return std::nullopt;
    }
    text.remove_prefix(kBefore.size());
    text.remove_suffix(std::min(text.size(), kBehind.size()));
    return parse_u64(text);
}

}  // namespace

bool is_archive_macro(std::string_view name) {
    return name.starts_with("forgesource") || name.starts_with("gosource") ||
           is_one_of(name, {"crates_source", "pypi_source", "gourl"});
}

bool Expander::builtin(const Use& use, std::string& out) {
    if (is_one_of(use.name, {"echo", "warn", "error", "trace", "dump", "verbose"})) {
        return true;
    }
    if (is_one_of(use.name, {"bcond", "bcond_with", "bcond_without"})) {
        return bcond(use);
    }
    if (use.name == "lua") {
        return lua(use, out);
    }
    if (use.name == "load") {
        loaded_.emplace_back(strip_space(inner(use.argument)));
        return true;
    }
    if (use.name == "define" || use.name == "global") {
        return define(use.argument, use.name == "global") > 0;
    }
    if (use.name == "undefine") {
        undefine(use.argument);
        return true;
    }
    return text_builtin(use, out) || string_builtin(use, out);
}

bool Expander::text_builtin(const Use& use, std::string& out) {
    if (use.name == "dnl") {
        return true;
    }
    if (use.name == "expand") {
        const std::string once = inner(use.argument);
        walk(once, out);
        return true;
    }
    if (use.name == "quote") {
        quoted_ = true;
        out += '\x1f' + inner(use.argument) + '\x1f';
        return true;
    }
    if (use.name == "shrink") {
        out += join(words(use.argument), " ");
        return true;
    }
    if (use.name == "expr") {
        if (!calculate(use.argument, out)) {
            cannot(use, "expr", out);
        }
        return true;
    }
    if (use.name == "S" || use.name == "P") {
        const std::string number = inner(use.argument);
        if (!use.has_argument || number.empty() ||
            !std::all_of(number.begin(), number.end(), is_digit)) {
            return false;
        }
        const std::string name = (use.name == "S" ? "SOURCE" : "PATCH") + number;
        Use file = use;
        file.name = name;
        file.has_argument = false;
        file.argument = {};
        return this->use(file, out);
    }
    return false;
}

bool Expander::string_builtin(const Use& use, std::string& out) {
    const bool is_path = is_one_of(use.name, {"basename", "dirname", "suffix"});
    if (!is_path &&
        !is_one_of(use.name, {"lower", "upper", "len", "gsub", "sub", "reverse", "rep"})) {
        return false;
    }
    std::vector<std::string> arguments;
    if (use.has_argument && !is_one_of(use.name, {"gsub", "sub", "rep"})) {
        arguments = {inner(use.argument)};
    } else {
        arguments = words(use.argument);
    }
    if (arguments.empty() || arguments[0].find(kUnknownMark) != std::string::npos) {
        cannot(use, use.name, out);
        return true;
    }
    if (!is_path) {
        const auto result = string_function(use.name, arguments);
        if (result) {
            out += *result;
        } else {
            cannot(use, use.name, out);
        }
        return true;
    }
    const std::string_view path = arguments[0];
    if (use.name == "suffix") {
        const std::size_t dot = path.rfind('.');
        out += dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1);
    } else {
        const std::size_t slash = path.rfind('/');
        const bool whole = slash == std::string_view::npos;
        out += use.name == "basename" ? path.substr(whole ? 0 : slash + 1)
                                      : path.substr(0, whole ? path.size() : slash);
    }
    return true;
}

bool Expander::lua(const Use& use, std::string& out) {
    if (const auto release = baked_release(use.argument)) {
        const std::string base = inner("%{?-b*}%{!?-b:1}");
        if (const auto number = parse_u64(base)) {
            out += std::to_string(*release + *number - 1);
            return true;
        }
    }
    cannot(use, "lua:...", out);
    return true;
}

// Says that a macro is known, but not what it makes here.
void Expander::cannot(const Use& use, std::string_view name, std::string& out) {
    opaque(use.written, name, out);
}

// %bcond name default: with_name is defined when the build is to be with it.
bool Expander::bcond(const Use& use) {
    std::string argument(strip_space(use.argument));
    const std::size_t end = std::min(argument.find_first_of(" \t"), argument.size());
    const std::string name = inner(argument.substr(0, end));
    if (name.empty()) {
        return false;
    }
    std::optional<bool> enabled = use.name == "bcond_without";
    if (use.name == "bcond") {
        const Unknown mode = mode_;
        mode_ = Unknown::kCondition;
        enabled = evaluate(inner(argument.substr(end))).truth();
        mode_ = mode;
    }
    const auto is_defined = [this](const std::string& macro) {
        const auto* entry = lookup(macro);
        return entry != nullptr && *entry;
    };
    if (is_defined("_with_" + name)) {
        enabled = !enabled || !*enabled ? true : !is_defined("_without_" + name);
    } else if (is_defined("_without_" + name)) {
        enabled = false;
    }
    MacroTable::Macro macro;
    macro.body = "1";
    macro.uncertain = !enabled;
    if (!enabled || *enabled) {
        definitions_["with_" + name] = std::move(macro);
    }
    return true;
}

std::size_t Expander::define(std::string_view text, bool global) {
    auto definition = read_definition(text);
    if (!definition || !spend(definition->length)) {
        return 0;
    }
    MacroTable::Macro macro;
    macro.options = std::move(definition->options);
    if (global) {
        // What is unknown in the body matters where the macro is used.
        const Unknown mode = mode_;
        const std::vector<std::string> unresolved = unresolved_;
        const bool used_uncertain = used_uncertain_;
        mode_ = Unknown::kAsWritten;
        used_uncertain_ = false;
        macro.body = inner(definition->body);
        macro.uncertain = used_uncertain_;
        mode_ = mode;
        unresolved_ = unresolved;
        used_uncertain_ = used_uncertain;
    } else {
        macro.body = std::move(definition->body);
    }
    Definitions& target = !global && !calls_.empty() ? calls_.back()->local : definitions_;
    target[std::string(definition->name)] = std::move(macro);
    // The newline behind it goes with it.
    const bool newline = text.substr(definition->length).starts_with('\n');
    return definition->length + (newline ? 1 : 0);
}

void Expander::undefine(std::string_view text) {
    const std::string_view name = strip_space(text);
    const std::size_t end = std::min(name.find_first_of(" \t"), name.size());
    if (end > 0) {
        definitions_[std::string(name.substr(0, end))] = std::nullopt;
    }
}

}  // namespace tarn::specs
