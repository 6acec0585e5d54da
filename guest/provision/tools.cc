// SPDX-License-Identifier: MIT
#include "provision/tools.hh"

#include "base/strings.hh"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>

namespace tarn::guest {
namespace {

constexpr std::size_t kKept = 64u << 10;  // of a program's output, in memory

Result<int> run_real(const Machine& machine, const Program& program) {
    if (!machine.is_live()) {
        return 0;
    }
    Command command;
    command.argv = program.argv;
    command.environment = std::map<std::string, std::string>{
        {"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
        {"LANG", "C.UTF-8"},
        {"HOME", "/root"},
        {"USER", "root"},
        {"LOGNAME", "root"},
        {"SHELL", "/bin/sh"},
    };
    for (const auto& [name, value] : program.environment) {
        (*command.environment)[name] = value;
    }
    command.directory = "/";
    command.merge_error = true;
    command.capture_limit = kKept;
    command.timeout = program.timeout;
    Fd log;
    if (program.logged) {
        log = TARN_TRY(machine.open_path(
            kOutputLog, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640));
    }
    command.on_output = [&](std::string_view piece) {
        static_cast<void>(write_all(2, piece, "the journal"));
        if (log) {
            static_cast<void>(write_all(log.get(), piece, kOutputLog));
        }
    };
    const ProcessResult result = TARN_TRY(run(command));
    if (result.timed_out) {
        return fail(ErrorKind::kFailed, "{} did not end in time", program.argv.front());
    }
    return result.exit_code;
}

}  // namespace

Tools real_tools() {
    return {run_real, [](const std::string& line) {
                const std::string text = line + "\n";
                static_cast<void>(write_all(2, text, "the journal"));
            }};
}

std::string first_program(const Machine& machine, const std::vector<std::string>& paths) {
    for (const std::string& path : paths) {
        if (machine.exists(path)) {
            return path;
        }
    }
    return {};
}

Result<void> run_checked(const Tools& tools, const Machine& machine, const Program& program) {
    const int code = TARN_TRY(tools.run(machine, program));
    if (code != 0) {
        return fail(ErrorKind::kFailed,
                    "`{}` ended with exit code {}",
                    join(program.argv, " ").substr(0, 200),
                    code);
    }
    return {};
}

std::string instance_directory(const std::string& instance_id) {
    std::string name;
    for (const char c : instance_id.substr(0, 100)) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') || c == '-' || c == '_';
        name += plain ? c : '_';
    }
    return "/var/lib/tarn/provision/" + (name.empty() ? std::string("none") : name);
}

}  // namespace tarn::guest
