// SPDX-License-Identifier: MIT
// Help, man page and completion, all from the command table.
#include <fmt/format.h>

#include <set>

#include "base/strings.hh"
#include "cli/command.hh"

namespace tarn::cli {

namespace {

std::string synopsis(const CommandSpec& command) {
    std::string out = "tarn " + command.path;
    if (!command.options.empty()) {
        out += " [OPTION...]";
    }
    for (const Argument& argument : command.arguments) {
        const std::string name = argument.name + (argument.repeatable ? "..." : "");
        out += argument.required ? " " + name : " [" + name + "]";
    }
    return out;
}

std::string option_head(const Option& option) {
    const std::string names = replace_all(option.names, ",", ", ");
    return option.value.empty() ? names : names + " " + option.value;
}

std::string option_help(const Option& option) {
    return option.choices.empty()
               ? option.help
               : fmt::format("{}: {}", option.help, join(option.choices, ", "));
}

std::string option_lines(const std::vector<Option>& options) {
    std::string out;
    for (const Option& option : options) {
        const std::string head =
            option.names[1] == '-' ? "    " + option_head(option) : option_head(option);
        out += fmt::format("  {:<26}  {}\n", head, option_help(option));
    }
    return out;
}

std::string troff(std::string_view text) {
    std::string out = replace_all(std::string(text), "\\", "\\e");
    out = replace_all(out, "-", "\\-");
    return out.starts_with('.') || out.starts_with('\'') ? "\\&" + out : out;
}

}  // namespace

std::string help_text(const CommandSpec& command) {
    std::string out = fmt::format("{}\n\nusage: {}\n", command.summary, synopsis(command));
    if (!command.details.empty()) {
        out += "\n" + command.details + "\n";
    }
    if (!command.arguments.empty()) {
        out += "\narguments:\n";
        for (const Argument& argument : command.arguments) {
            out += fmt::format("  {:<26}  {}\n", argument.name, argument.help);
        }
    }
    if (!command.options.empty()) {
        out += "\noptions:\n" + option_lines(command.options);
    }
    return out + "\ncommon options:\n" + option_lines(global_options());
}

std::string overview_text(std::string_view noun) {
    std::string out =
        noun.empty() ? "Makes, ships and boots an RPM-based Linux distribution.\n\n"
                       "usage: tarn [OPTION...] COMMAND [ARGUMENT...]\n\ncommands:\n"
                     : fmt::format("usage: tarn {} COMMAND\n\ncommands:\n", noun);
    for (const CommandSpec& command : commands()) {
        if (noun.empty() || command.path.starts_with(std::string(noun) + " ")) {
            out += fmt::format("  {:<18} {}\n", command.path, command.summary);
        }
    }
    out += "\ncommon options:\n" + option_lines(global_options());
    out += "\nexit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 some parts failed, "
           "130 interrupted\n";
    return out;
}

std::string man_text() {
    std::string out = ".TH TARN 1 \"\" \"tarn 0.1.0\" \"Tarn\"\n.SH NAME\ntarn \\- make, ship and "
                      "boot an RPM-based Linux distribution\n.SH SYNOPSIS\n.B tarn\n"
                      "[\\fIOPTION\\fR...] \\fICOMMAND\\fR [\\fIARGUMENT\\fR...]\n.SH COMMANDS\n";
    for (const CommandSpec& command : commands()) {
        out += fmt::format(".SS {}\n{}.\n", troff(synopsis(command)), troff(command.summary));
        for (const std::string_view paragraph : split_lines(command.details)) {
            out += paragraph.empty() ? ".PP\n" : troff(paragraph) + "\n";
        }
        for (const Argument& argument : command.arguments) {
            out += fmt::format(".TP\n\\fI{}\\fR\n{}.\n", argument.name, troff(argument.help));
        }
        for (const Option& option : command.options) {
            out += fmt::format(
                ".TP\n\\fB{}\\fR\n{}.\n", troff(option_head(option)), troff(option_help(option)));
        }
    }
    out += ".SH OPTIONS\nEvery command takes these.\n";
    for (const Option& option : global_options()) {
        out += fmt::format(
            ".TP\n\\fB{}\\fR\n{}.\n", troff(option_head(option)), troff(option_help(option)));
    }
    out += ".SH EXIT STATUS\n0 done, 1 failed, 2 wrong usage or configuration, 3 some parts "
           "failed, 130 interrupted.\n.SH ENVIRONMENT\n.TP\n\\fBTARN_STORE\\fR\nDirectory of the "
           "store.\n.TP\n\\fBTARN_DEBIAN_MIRROR\\fR\nDebian mirror to use.\n.TP\n\\fBNO_COLOR\\fR\n"
           "No colour, unless \\-\\-color says otherwise.\n";
    return out;
}

std::string bash_completion() {
    std::set<std::string> nouns;
    std::string cases;
    std::set<std::string> verbs_done;
    for (const CommandSpec& command : commands()) {
        const auto parts = split(command.path, ' ');
        nouns.emplace(parts.front());
        if (parts.size() < 2 || !verbs_done.emplace(parts.front()).second) {
            continue;
        }
        std::vector<std::string> verbs;
        for (const CommandSpec& other : commands()) {
            if (other.path.starts_with(std::string(parts.front()) + " ")) {
                verbs.emplace_back(split(other.path, ' ')[1]);
            }
        }
        cases += fmt::format("        {}) words=\"{}\" ;;\n", parts.front(), join(verbs, " "));
    }
    std::string options;
    for (const CommandSpec& command : commands()) {
        std::vector<std::string> names;
        for (const auto* list : {&command.options, &global_options()}) {
            for (const Option& option : *list) {
                names.push_back("--" + option.long_name());
            }
        }
        options += fmt::format("        \"{}\") words=\"{}\" ;;\n", command.path, join(names, " "));
    }
    return fmt::format(
        "# bash completion for tarn\n"
        "_tarn() {{\n"
        "    local cur=${{COMP_WORDS[COMP_CWORD]}} words=\"\" path=() word\n"
        "    for word in \"${{COMP_WORDS[@]:1:COMP_CWORD-1}}\"; do\n"
        "        [[ $word == -* ]] || path+=(\"$word\")\n"
        "    done\n"
        "    if [[ $cur == -* ]]; then\n"
        "        case \"${{path[0]}} ${{path[1]}}\" in\n{}"
        "        esac\n"
        "    elif [ ${{#path[@]}} -eq 0 ]; then\n"
        "        words=\"{}\"\n"
        "    elif [ ${{#path[@]}} -eq 1 ]; then\n"
        "        case \"${{path[0]}}\" in\n{}"
        "        esac\n"
        "    fi\n"
        "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n"
        "}}\n"
        "complete -o default -F _tarn tarn\n",
        options,
        fmt::join(nouns, " "),
        cases);
}

}  // namespace tarn::cli
