// SPDX-License-Identifier: MIT
#include "provision/tools.hh"

#include "base/strings.hh"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>

namespace tarn::guest {
namespace {

constexpr std::size_t kKept = 64u << 10;    // of a program's output, in memory
constexpr std::size_t kShown = 256u << 10;  // of it, in the journal

Command command_of(const Program& program) {
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
    return command;
}

// What was added to the log behind `begin`, for the journal.
void show_log(const Machine& machine, std::uint64_t begin) {
    const auto log = machine.open_path(kOutputLog, O_RDONLY | O_CLOEXEC);
    std::string bytes(kShown, '\0');
    const ssize_t n =
        log ? ::pread(log->get(), bytes.data(), bytes.size(), static_cast<off_t>(begin)) : 0;
    bytes.resize(static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
    static_cast<void>(write_all(2, bytes, "the journal"));
}

// Its output is a file, no pipe: what it leaves running in the background goes on undisturbed.
Result<int> run_logged(const Machine& machine, const Program& program) {
    const Fd log = TARN_TRY(machine.open_path(
        kOutputLog, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640));
    struct stat info{};
    const std::uint64_t begin =
        ::fstat(log.get(), &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
    Command command = command_of(program);
    command.output_fd = log.get();
    Child child = TARN_TRY(Child::start(command));
    const auto start = std::chrono::steady_clock::now();
    long pause = 1'000'000;  // ns
    std::optional<int> code;
    while (!code) {
        code = TARN_TRY(child.poll());
        if (!code && program.timeout.count() != 0 &&
            std::chrono::steady_clock::now() - start > program.timeout) {
            child.kill_group();
            show_log(machine, begin);
            return fail(ErrorKind::kFailed, "{} did not end in time", program.argv.front());
        }
        if (!code) {
            const timespec moment{0, pause};
            ::nanosleep(&moment, nullptr);
            pause = std::min(pause * 2, 50'000'000L);
        }
    }
    show_log(machine, begin);
    return *code;
}

Result<int> run_real(const Machine& machine, const Program& program) {
    if (!machine.is_live()) {
        return 0;
    }
    if (program.logged) {
        return run_logged(machine, program);
    }
    Command command = command_of(program);
    command.on_output = [](std::string_view piece) {
        static_cast<void>(write_all(2, piece, "the journal"));
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
