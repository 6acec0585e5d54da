// SPDX-License-Identifier: MIT
#include "provision/workload.hh"

#include "base/strings.hh"

#include <fcntl.h>
#include <time.h>

namespace tarn::guest {
namespace {

Program script_program(const std::string& path, const std::string& instance_id) {
    // `/bin/sh FILE` for the shell's own scripts: /var may be mounted noexec.
    return {{path}, {{"INSTANCE_ID", instance_id}}, true, {}};
}

Result<int> run_text(const Machine& machine,
                     const Tools& tools,
                     const std::string& path,
                     const std::string& text,
                     const std::string& instance_id) {
    TARN_TRY(machine.write(path, text, 0700, Owner{}));
    Program program = script_program(path, instance_id);
    if (text.starts_with("#!/bin/sh\n")) {
        program.argv = {"/bin/sh", path};
    }
    return tools.run(machine, program);
}

std::string uptime() {
    timespec now{};
    ::clock_gettime(CLOCK_BOOTTIME, &now);
    return fmt::format("{}.{:02}", now.tv_sec, now.tv_nsec / 10'000'000);
}

std::string timestamp() {
    const time_t now = ::time(nullptr);
    tm parts{};
    ::gmtime_r(&now, &parts);
    char text[64];
    return std::string(text, ::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S +0000", &parts));
}

}  // namespace

Result<void> run_script(const Machine& machine,
                        const Tools& tools,
                        const std::string& directory,
                        const std::string& name,
                        const std::string& text,
                        const std::string& instance_id) {
    TARN_TRY(machine.make_directory(directory, 0700, Owner{}));
    const std::string path = directory + "/" + name;
    const int code = TARN_TRY(run_text(machine, tools, path, text, instance_id));
    if (code != 0) {
        return fail(
            error(ErrorKind::kFailed, "{} ended with exit code {}", name, code)
                .advise(fmt::format("its output is in {}, the script is {}", kOutputLog, path)));
    }
    return {};
}

Result<void> say_final_message(const Machine& machine,
                               const Tools& tools,
                               const std::string& text,
                               const std::string& source) {
    const std::pair<const char*, std::string> values[] = {
        {"uptime", uptime()},
        {"timestamp", timestamp()},
        {"datasource", source},
        {"version", "tarn-provision"},
    };
    std::string message = text;
    for (const auto& [name, value] : values) {
        std::string upper;
        for (const char* c = name; *c != '\0'; ++c) {
            upper += static_cast<char>(*c - 'a' + 'A');
        }
        for (const std::string& each : {std::string(name), upper}) {
            message = replace_all(message, "${" + each + "}", value);
            message = replace_all(message, "$" + each, value);
        }
    }
    tools.say(message);
    if (!machine.is_live()) {
        return {};
    }
    const Fd log = TARN_TRY(machine.open_path(
        kOutputLog, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640));
    return write_all(log.get(), message + "\n", kOutputLog);
}

Result<void> change_power(const Machine& machine,
                          const Tools& tools,
                          const CloudConfig& config,
                          const std::string& directory,
                          const std::string& instance_id) {
    bool wanted = config.power_condition.value_or(true);
    if (!config.power_command.empty()) {
        TARN_TRY(machine.make_directory(directory, 0700, Owner{}));
        wanted = TARN_TRY(run_text(machine,
                                   tools,
                                   directory + "/power-state-condition",
                                   config.power_command,
                                   instance_id)) == 0;
    }
    if (!wanted) {
        tools.say("power_state: the condition is not met");
        return {};
    }
    const std::string option = config.power_mode == "reboot" ? "-r"
                               : config.power_mode == "halt" ? "-H"
                                                             : "-P";
    Program program{{"/usr/sbin/shutdown", option, config.power_delay}, {}, false, {}};
    if (!config.power_message.empty()) {
        program.argv.push_back(config.power_message);
    }
    return run_checked(tools, machine, program);
}

}  // namespace tarn::guest
