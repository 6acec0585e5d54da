// SPDX-License-Identifier: MIT
// The only file that includes CLI11: the command table becomes a parser.
#include <CLI/CLI.hpp>

#include <algorithm>
#include <map>

#include "base/strings.hh"
#include "cli/command.hh"

namespace tarn::cli {

std::string Option::long_name() const {
    const std::size_t dashes = names.find("--");
    const std::size_t end = names.find(',', dashes);
    return names.substr(dashes + 2, end == std::string::npos ? end : end - dashes - 2);
}

std::string Given::value(const std::string& name, const std::string& otherwise) const {
    const auto found = values_.find(name);
    return found == values_.end() || found->second.empty() ? otherwise : found->second.back();
}

std::vector<std::string> Given::all(const std::string& name) const {
    const auto found = values_.find(name);
    return found == values_.end() ? std::vector<std::string>{} : found->second;
}

namespace {

void add_option(CLI::App& app, const Option& option, Given& given) {
    const std::string name = option.long_name();
    CLI::Option* added = nullptr;
    if (option.value.empty()) {
        added = app.add_flag_callback(option.names, [&given, name] { given.add(name, "true"); });
    } else {
        added = app.add_option_function<std::vector<std::string>>(
            option.names, [&given, name](const std::vector<std::string>& values) {
                for (const std::string& value : values) {
                    given.add(name, value);
                }
            });
        added->expected(1)->allow_extra_args(false);  // what follows the value is an argument
        added->multi_option_policy(option.repeatable ? CLI::MultiOptionPolicy::TakeAll
                                                     : CLI::MultiOptionPolicy::TakeLast);
        if (!option.choices.empty()) {
            added->check(CLI::IsMember(option.choices));
        }
    }
}

void add_argument(CLI::App& app, const Argument& argument, Given& given) {
    const std::string name = argument.name;
    CLI::Option* added = app.add_option_function<std::vector<std::string>>(
        name, [&given, name](const std::vector<std::string>& values) {
            for (const std::string& value : values) {
                given.add(name, value);
            }
        });
    added->expected(argument.required ? 1 : 0, argument.repeatable ? 100000 : 1)
        ->allow_extra_args(argument.repeatable);  // the next value is the next argument
    if (argument.required) {
        added->required();
    }
}

// The words of the command line that are no options: what the user meant to call.
std::vector<std::string> words_of(const std::vector<std::string>& arguments) {
    std::vector<std::string> words;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const std::string& argument = arguments[i];
        if (!argument.starts_with('-')) {
            words.push_back(argument);
            continue;
        }
        for (const Option& option : global_options()) {
            const auto spellings = split(option.names, ',');
            const bool named =
                std::find(spellings.begin(), spellings.end(), argument) != spellings.end();
            if (named && !option.value.empty()) {
                ++i;
            }
        }
    }
    return words;
}

const CommandSpec* find_command(const std::vector<std::string>& words) {
    const CommandSpec* best = nullptr;
    for (const CommandSpec& command : commands()) {
        const auto parts = split(command.path, ' ');
        if (parts.size() <= words.size() &&
            std::equal(parts.begin(), parts.end(), words.begin()) &&
            (best == nullptr || best->path.size() < command.path.size())) {
            best = &command;
        }
    }
    return best;
}

bool is_noun(const std::string& word) {
    for (const CommandSpec& command : commands()) {
        if (command.path.starts_with(word + " ")) {
            return true;
        }
    }
    return false;
}

Error unknown_command(const std::vector<std::string>& words) {
    std::vector<std::string> known;
    for (const CommandSpec& command : commands()) {
        known.push_back(command.path);
        known.emplace_back(split(command.path, ' ').front());
    }
    const bool noun = is_noun(words.front());
    const std::string name =
        noun && words.size() > 1 ? words[0] + " " + words[1] : words.front();
    Error problem = error(ErrorKind::kUsage, "there is no command `{}`", name);
    std::string help = did_you_mean(name, known);
    if (help.empty()) {
        help = noun ? fmt::format("`tarn {} --help` lists what there is", words.front())
                    : "`tarn --help` lists what there is";
    }
    problem.help.push_back(std::move(help));
    return problem;
}

Error usage_error(const CLI::ParseError& problem, const CommandSpec& command) {
    std::string message = problem.what();
    // "NAME: At Most 1 required but received 2"
    constexpr std::string_view kAtMost = ": At Most 1 required but received ";
    if (const std::size_t at = message.find(kAtMost); at != std::string::npos) {
        message = fmt::format("one {} is expected, {} were given",
                              message.substr(0, at),
                              message.substr(at + kAtMost.size()));
    }
    std::vector<std::string> known;
    for (const auto* options : {&command.options, &global_options()}) {
        for (const Option& option : *options) {
            known.push_back("--" + option.long_name());
        }
    }
    Error result{ErrorKind::kUsage, message};
    for (const std::string_view word : split_words(message)) {
        if (word.starts_with("--")) {
            const std::string help = did_you_mean(word, known);
            if (!help.empty()) {
                result.help.push_back(help);
            }
        }
    }
    result.help.push_back(fmt::format("`tarn {} --help` shows the options", command.path));
    return result;
}

}  // namespace

Result<Parsed> parse(const std::vector<std::string>& arguments) {
    Parsed parsed;
    bool wants_help = arguments.empty();
    bool wants_version = false;
    std::vector<std::string> rest;
    for (const std::string& argument : arguments) {
        if (argument == "--") {
            break;
        }
        wants_help = wants_help || argument == "--help" || argument == "-h";
        wants_version = wants_version || argument == "--version";
    }
    std::vector<std::string> words = words_of(arguments);
    if (!words.empty() && words.front() == "help") {
        wants_help = true;
        words.erase(words.begin());
    }
    if (wants_version) {
        parsed.help = "tarn 0.1.0\n";
        return parsed;
    }
    const CommandSpec* command = find_command(words);
    if (command == nullptr) {
        if (words.empty() || (words.size() == 1 && is_noun(words.front()))) {
            parsed.help = overview_text(words.empty() ? "" : words.front());
            return parsed;
        }
        return fail(unknown_command(words));
    }
    if (wants_help) {
        parsed.help = help_text(*command);
        return parsed;
    }

    CLI::App app;
    app.set_help_flag();
    app.allow_windows_style_options(false);
    for (const Option& option : global_options()) {
        add_option(app, option, parsed.given);
    }
    CLI::App* target = &app;
    for (const std::string_view part : split(command->path, ' ')) {
        target = target->add_subcommand(std::string(part));
        target->set_help_flag();
        target->fallthrough();
    }
    for (const Option& option : command->options) {
        add_option(*target, option, parsed.given);
    }
    for (const Argument& argument : command->arguments) {
        add_argument(*target, argument, parsed.given);
    }
    try {
        app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
    } catch (const CLI::ParseError& problem) {
        return fail(usage_error(problem, *command));
    }
    parsed.command = command;
    return parsed;
}

}  // namespace tarn::cli
