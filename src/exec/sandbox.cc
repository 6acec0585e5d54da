// SPDX-License-Identifier: MIT
#include "exec/sandbox.hh"

#include "base/fs.hh"
#include "base/strings.hh"
#include "exec/detail/advice.hh"
#include "exec/detail/launcher.hh"
#include "exec/detail/mounts.hh"
#include "exec/detail/terminal_filter.hh"

#include <fcntl.h>
#include <linux/close_range.h>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <optional>

namespace tarn {

namespace {

// Milliseconds in which the last word of a dying sandbox comes, if ever.
constexpr int kDying = 10000;

// As shells have it: the command could not be started.
constexpr int kNoCommand = 127;

// What bubblewrap told about the run: one JSON object a line.
struct Status {
    std::optional<int> init_pid;   // of the sandbox's pid 1, as we see it
    std::optional<int> exit_code;  // of the command; none when it never started
};

Status read_status(int fd) {
    std::string text;
    char buffer[4096];
    // The end comes when the last process that holds it is gone; a stuck one is not waited for.
    pollfd waited{fd, POLLIN, 0};
    while (text.size() < 65536 && ::poll(&waited, 1, kDying) == 1) {
        const ssize_t n = ::read(fd, buffer, sizeof buffer);
        if (n <= 0) {
            break;
        }
        text.append(buffer, static_cast<std::size_t>(n));
    }
    Status status;
    for (const std::string_view line : split_lines(text)) {
        const auto object = nlohmann::json::parse(line, nullptr, false);
        const auto number = [&](const char* name) -> std::optional<int> {
            if (object.is_object() && object.contains(name) && object[name].is_number_integer()) {
                return object[name].get<int>();
            }
            return std::nullopt;
        };
        if (const auto pid = number("child-pid")) {
            status.init_pid = pid;
        }
        if (const auto code = number("exit-code")) {
            status.exit_code = code;
        }
    }
    return status;
}

// gc takes away only what nobody holds.
Result<std::vector<Fd>> hold_directories(const Sandbox& sandbox) {
    std::vector<std::string> paths{sandbox.root};
    for (const Bind& bind : sandbox.binds) {
        paths.push_back(bind.source);
    }
    std::vector<Fd> held;
    for (const std::string& path : paths) {
        struct stat info{};
        if (::stat(path.c_str(), &info) != 0) {
            return fail(sys_error("mount", path));
        }
        if (!S_ISDIR(info.st_mode)) {
            continue;
        }
        Fd fd = TARN_TRY(open_file(path, O_RDONLY | O_DIRECTORY));
        static_cast<void>(::flock(fd.get(), LOCK_SH | LOCK_NB));
        held.push_back(std::move(fd));
    }
    return held;
}

// What bubblewrap reads from a descriptor.
Result<Fd> memory_file(std::string_view bytes) {
    Fd fd(::memfd_create("bwrap", MFD_CLOEXEC));
    if (!fd) {
        return fail(sys_error("make", "a file in memory"));
    }
    TARN_TRY(write_all(fd.get(), bytes, "bubblewrap's arguments"));
    if (::lseek(fd.get(), 0, SEEK_SET) != 0) {
        return fail(sys_error("rewind", "bubblewrap's arguments"));
    }
    return fd;
}

// What a process inherits from its parent and could see: the same everywhere. Runs between fork and
// exec.
int settle_process(const std::vector<int>& keep) {
    // Descriptors that this process was started with, or that libraries opened, stay outside.
    if (::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) == 0) {
        for (const int fd : keep) {
            ::fcntl(fd, F_SETFD, 0);
        }
    }
    ::umask(022);
    const rlimit no_core{0, 0};
    ::setrlimit(RLIMIT_CORE, &no_core);
    rlimit files{};
    if (::getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_max >= 1024) {
        files.rlim_cur = 1024;  // some tools close every descriptor up to the limit, one by one
        ::setrlimit(RLIMIT_NOFILE, &files);
    }
    return 0;
}

std::string joined_by_nul(const std::vector<std::string>& words) {
    std::string bytes;
    for (const std::string& word : words) {
        bytes += word;
        bytes += '\0';
    }
    return bytes;
}

Result<std::vector<std::string>> arguments_of(const Sandbox& sandbox,
                                              const Command& base,
                                              int status_fd,
                                              int filter_fd) {
    std::vector<std::string> words{"--unshare-all",
                                   "--die-with-parent",
                                   "--uid",
                                   std::to_string(sandbox.uid),
                                   "--gid",
                                   std::to_string(sandbox.uid),
                                   "--hostname",
                                   "tarn",
                                   "--cap-drop",
                                   "ALL",
                                   "--clearenv"};
    // With a person at the terminal the shell needs it for job control: then it keeps the terminal,
    // but cannot type into it.
    if (!base.inherit_terminal) {
        words.emplace_back("--new-session");
    } else {
        words.insert(words.end(), {"--seccomp", std::to_string(filter_fd)});
    }
    words.insert(words.end(), {"--json-status-fd", std::to_string(status_fd)});
    for (const auto& [name, value] : sandbox.environment) {
        words.insert(words.end(), {"--setenv", name, value});
    }
    const std::vector<std::string> mounts = TARN_TRY(detail::mount_arguments(sandbox));
    words.insert(words.end(), mounts.begin(), mounts.end());
    words.insert(words.end(), {"--chdir", sandbox.directory});
    return words;
}

}  // namespace

Result<ProcessResult> run_in_sandbox(const Sandbox& sandbox, Command base) {
    TARN_CHECK(!sandbox.argv.empty());
    const std::optional<std::string> bwrap = find_program("bwrap");
    if (!bwrap) {
        return fail(detail::bubblewrap_missing());
    }
    const std::vector<Fd> held = TARN_TRY(hold_directories(sandbox));
    Pipe status = TARN_TRY(make_pipe());
    detail::Launcher launcher = TARN_TRY(detail::Launcher::prepare());
    const Fd filter = TARN_TRY(memory_file(detail::terminal_filter()));
    const std::vector<std::string> words =
        TARN_TRY(arguments_of(sandbox, base, status.write.get(), filter.get()));
    const Fd arguments = TARN_TRY(memory_file(joined_by_nul(words)));
    base.argv = {*bwrap, "--args", std::to_string(arguments.get()), "--"};
    base.argv.insert(base.argv.end(), sandbox.argv.begin(), sandbox.argv.end());
    base.environment = std::map<std::string, std::string>();
    base.directory = "/";
    base.keep_fds.push_back(arguments.get());
    base.keep_fds.push_back(status.write.get());
    if (base.inherit_terminal) {
        base.keep_fds.push_back(filter.get());
    }
    base.before_exec = [also = base.before_exec, keep = base.keep_fds, &launcher] {
        int problem = settle_process(keep);
        if (problem == 0 && also) {
            problem = also();
        }
        return problem == 0 ? launcher.enter() : problem;
    };
    Result<ProcessResult> result = run(base);
    status.write.reset();
    const Status told = read_status(status.read.get());
    // Killed processes die by themselves; whoever uses their files must wait for the last.
    if (!launcher.wait_until_gone() && told.init_pid) {
        detail::wait_for_end(*told.init_pid);
    }
    // Killed by us or another: a value. Not even started: our business.
    if (result && !told.exit_code && !result->timed_out && result->exit_code < 128) {
        const std::string& said = base.merge_error ? result->output : result->errors;
        if (contains(said, "bwrap: execvp ")) {
            result->exit_code = kNoCommand;
            return result;
        }
        return fail(detail::setup_failed("/proc", said));
    }
    return result;
}

}  // namespace tarn
