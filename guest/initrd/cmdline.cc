// SPDX-License-Identifier: MIT
#include "cmdline.hh"

#include "text.hh"

#include <algorithm>

namespace tarn::initrd {
namespace {

// The kernel's rule: blanks separate, double quotes hold together and are taken away.
std::vector<std::string> split_command_line(std::string_view text) {
    std::vector<std::string> out;
    std::string word;
    bool quoted = false;
    bool any = false;
    for (const char c : text) {
        const bool blank = c == ' ' || c == '\t' || c == '\n' || c == '\0';
        if (c == '"') {
            quoted = !quoted;
            any = true;
        } else if (blank && !quoted) {
            if (any) {
                out.push_back(std::move(word));
            }
            word.clear();
            any = false;
        } else {
            word.push_back(c);
            any = true;
        }
    }
    if (any) {
        out.push_back(std::move(word));
    }
    return out;
}

void take_number(std::string_view key, std::string_view value, CommandLine& out) {
    if (key == "rootdelay") {
        out.root_wait = out.root_wait < 0 ? -1 : std::max(out.root_wait, number(value, 0));
    } else if (key == "panic") {
        const bool negative = !value.empty() && value.front() == '-';
        out.panic = negative ? -1 : number(value, 0);
    }
}

void take_flag(std::string_view word, CommandLine& out) {
    if (word == "ro" || word == "rw") {
        out.read_write = word == "rw";
    } else if (word == "rootwait") {
        out.root_wait = -1;
    } else if (word == "quiet") {
        out.quiet = true;
    } else if (word == "rd.shell" || word == "rd.break") {
        out.shell_asked = true;
    }
}

void take_value(std::string_view key, std::string_view value, CommandLine& out) {
    if (key == "root") {
        out.root = parse_root(value);
    } else if (key == "rootfstype") {
        out.filesystem = value;
    } else if (key == "rootflags") {
        out.flags = value;
    } else if (key == "init") {
        out.init = value;
    } else if (key == "rd.shell" || key == "rd.break") {
        out.shell_asked = value != "0";
    } else if (key == "roothash") {
        out.root_hash = lower(value);
    } else if (key == "systemd.verity_root_data") {
        out.verity_data = parse_root(value);
    } else if (key == "systemd.verity_root_hash") {
        out.verity_hash = parse_root(value);
    } else if (key == "systemd.verity_root_options") {
        out.verity_options = value;
    } else if (const std::size_t dot = key.find('.'); dot != std::string_view::npos && dot > 0) {
        std::string parameter(key.substr(dot + 1));
        parameter.append("=").append(value);
        out.module_parameters.emplace_back(module_name(key.substr(0, dot)), std::move(parameter));
    } else {
        take_number(key, value, out);
    }
}

}  // namespace

RootSpec parse_root(std::string_view value) {
    struct Form {
        std::string_view prefix;
        RootKind kind;
        bool uuid;
    };
    static constexpr Form kForms[] = {{"PARTUUID=", RootKind::kPartUuid, true},
                                      {"PARTLABEL=", RootKind::kPartLabel, false},
                                      {"UUID=", RootKind::kUuid, true},
                                      {"LABEL=", RootKind::kLabel, false}};
    RootSpec out;
    out.text = value;
    for (const Form& form : kForms) {
        if (value.substr(0, form.prefix.size()) == form.prefix) {
            const std::string_view rest = value.substr(form.prefix.size());
            out.kind = rest.empty() ? RootKind::kNone : form.kind;
            out.value = form.uuid ? lower(rest) : std::string(rest);
            return out;
        }
    }
    if (value.substr(0, 5) == "/dev/" && value.size() > 5 &&
        value.find("..") == std::string_view::npos) {
        out.kind = RootKind::kDevice;
        out.value = value;
    }
    return out;
}

CommandLine parse_command_line(std::string_view text) {
    CommandLine out;
    for (const std::string& word : split_command_line(text)) {
        if (word == "--") {
            break;  // the rest is init's
        }
        const std::size_t equals = word.find('=');
        if (equals == std::string::npos) {
            take_flag(word, out);
        } else {
            const std::string_view view = word;
            take_value(view.substr(0, equals), view.substr(equals + 1), out);
        }
    }
    return out;
}

std::string parameters_of(const CommandLine& command_line, std::string_view module) {
    const std::string wanted = module_name(module);
    std::string out;
    for (const auto& [name, parameter] : command_line.module_parameters) {
        if (name == wanted) {
            out.append(out.empty() ? "" : " ").append(parameter);
        }
    }
    return out;
}

}  // namespace tarn::initrd
