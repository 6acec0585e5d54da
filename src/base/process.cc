// SPDX-License-Identifier: MIT
#include "base/process.hh"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/fs.hh"
#include "base/strings.hh"

namespace tarn {

namespace {

using Clock = std::chrono::steady_clock;

// Everything the child needs, laid out before fork: afterwards only async-signal-safe calls.
struct Prepared {
    std::string program;
    std::vector<char*> argv;
    std::vector<std::string> environment_text;
    std::vector<char*> environment;
};

Result<Prepared> prepare(const Command& command) {
    TARN_CHECK(!command.argv.empty());
    Prepared result;
    const std::string& name = command.argv.front();
    if (contains(name, "/")) {
        result.program = name;
    } else if (auto found = find_program(name)) {
        result.program = *found;
    } else {
        return fail(
            error(ErrorKind::kNotFound, "the program `{}` is not installed", name)
                .advise("`tarn doctor` says what this machine lacks and how to install it"));
    }
    for (const std::string& argument : command.argv) {
        result.argv.push_back(const_cast<char*>(argument.c_str()));
    }
    result.argv.push_back(nullptr);
    if (command.environment) {
        for (const auto& [key, value] : *command.environment) {
            result.environment_text.push_back(key + "=" + value);
        }
        for (std::string& text : result.environment_text) {
            result.environment.push_back(text.data());
        }
    } else {
        for (char** entry = environ; *entry != nullptr; ++entry) {
            result.environment.push_back(*entry);
        }
    }
    result.environment.push_back(nullptr);
    return result;
}

struct Streams {
    int in = -1, out = -1, err = -1;
};

[[noreturn]] void exec_child(const Command& command,
                             const Prepared& prepared,
                             const Streams& streams,
                             int report) {
    if (!command.inherit_terminal) {
        ::setpgid(0, 0);
        if (::dup2(streams.in, 0) < 0 || ::dup2(streams.out, 1) < 0 ||
            ::dup2(streams.err, 2) < 0) {
            ::_exit(127);
        }
    }
    for (const int fd : command.keep_fds) {
        ::fcntl(fd, F_SETFD, 0);
    }
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::signal(SIGPIPE, SIG_DFL);
    int problem = 0;
    if (!command.directory.empty() && ::chdir(command.directory.c_str()) != 0) {
        problem = errno;
    }
    if (problem == 0 && command.before_exec) {
        problem = command.before_exec();
    }
    if (problem == 0) {
        ::execve(prepared.program.c_str(), prepared.argv.data(), prepared.environment.data());
        problem = errno;
    }
    static_cast<void>(!::write(report, &problem, sizeof problem));
    ::_exit(127);
}

// Starts the child and waits until exec has happened or failed.
Result<int> spawn(const Command& command, const Prepared& prepared, const Streams& streams) {
    Pipe report = TARN_TRY(make_pipe());
    const int pid = ::fork();
    if (pid < 0) {
        return fail(sys_error("start", prepared.program));
    }
    if (pid == 0) {
        exec_child(command, prepared, streams, report.write.get());
    }
    report.write.reset();
    int problem = 0;
    ssize_t n = 0;
    while ((n = ::read(report.read.get(), &problem, sizeof problem)) < 0 && errno == EINTR) {
    }
    if (n == static_cast<ssize_t>(sizeof problem)) {
        ::waitpid(pid, nullptr, 0);
        return fail(sys_error("start", prepared.program, problem));
    }
    return pid;
}

int exit_code_of(int status) {
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

double seconds_of(const timeval& value) {
    return static_cast<double>(value.tv_sec) + static_cast<double>(value.tv_usec) / 1e6;
}

// One pipe from the child being read until its end.
struct Capture {
    Fd fd;
    std::string* text = nullptr;
};

// A program that ends before it has read its input is no reason to die of SIGPIPE.
ssize_t write_without_signal(int fd, std::string_view bytes) {
    sigset_t pipe_signal;
    sigset_t before;
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    const int problem = errno;
    if (n < 0 && problem == EPIPE) {
        const timespec at_once{};
        while (sigtimedwait(&pipe_signal, nullptr, &at_once) < 0 && errno == EINTR) {
        }
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    errno = problem;
    return n;
}

class Waiter {
  public:
    Waiter(const Command& command, int pid) : command_(command), pid_(pid) {}

    Result<ProcessResult> wait(Fd input, Fd out, Fd err) {
        captures_.push_back({std::move(out), &result_.output});
        captures_.push_back({std::move(err), &result_.errors});
        input_ = std::move(input);
        if (input_ && command_.input.empty()) {
            input_.reset();
        }
        const Clock::time_point start = Clock::now();
        while (!finished()) {
            step(start);
        }
        result_.wall_seconds = std::chrono::duration<double>(Clock::now() - start).count();
        if (stopped_) {
            return fail(ErrorKind::kInterrupted, "interrupted");
        }
        return std::move(result_);
    }

  private:
    bool finished() {
        if (!reaped_) {
            int status = 0;
            rusage usage{};
            const int got = ::wait4(pid_, &status, WNOHANG, &usage);
            if (got == pid_) {
                reaped_ = true;
                reaped_at_ = Clock::now();
                result_.exit_code = exit_code_of(status);
                result_.cpu_seconds = seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
                result_.max_rss_kib = usage.ru_maxrss;
            }
        }
        bool open = false;
        for (const Capture& capture : captures_) {
            open = open || static_cast<bool>(capture.fd);
        }
        // A grandchild may hold the pipes: do not wait for it longer than a moment.
        if (reaped_ && open && Clock::now() - reaped_at_ > std::chrono::seconds(2)) {
            ::kill(-pid_, SIGKILL);
            return true;
        }
        return reaped_ && !open;
    }

    void step(Clock::time_point start) {
        pollfd fds[3];
        nfds_t count = 0;
        for (const Capture& capture : captures_) {
            if (capture.fd) {
                fds[count++] = {capture.fd.get(), POLLIN, 0};
            }
        }
        if (input_) {
            fds[count++] = {input_.get(), POLLOUT, 0};
        }
        // With all pipes closed only the exit is awaited; a short poll keeps that prompt.
        ::poll(fds, count, count == 0 || reaped_ ? 2 : 20);
        feed();
        for (Capture& capture : captures_) {
            drain(capture);
        }
        const bool late =
            command_.timeout.count() != 0 && Clock::now() - start > command_.timeout;
        if (!killed_ && (late || command_.stop.stop_requested())) {
            killed_ = true;
            result_.timed_out = late;
            stopped_ = command_.stop.stop_requested();
            ::kill(command_.inherit_terminal ? pid_ : -pid_, SIGKILL);
        }
    }

    void feed() {
        if (!input_) {
            return;
        }
        const std::string_view rest = std::string_view(command_.input).substr(sent_);
        const ssize_t n = write_without_signal(input_.get(), rest);
        if (n > 0) {
            sent_ += static_cast<std::size_t>(n);
        }
        if (sent_ == command_.input.size() || (n < 0 && errno != EAGAIN && errno != EINTR)) {
            input_.reset();
        }
    }

    void drain(Capture& capture) {
        char buffer[65536];
        while (capture.fd) {
            const ssize_t n = ::read(capture.fd.get(), buffer, sizeof buffer);
            if (n < 0) {
                return;
            }
            if (n == 0) {
                capture.fd.reset();
                return;
            }
            const std::string_view piece(buffer, static_cast<std::size_t>(n));
            if (command_.on_output) {
                command_.on_output(piece);
            }
            if (capture.text->size() + piece.size() <= command_.capture_limit) {
                capture.text->append(piece);
            }
        }
    }

    const Command& command_;
    int pid_;
    ProcessResult result_{};
    std::vector<Capture> captures_;
    Fd input_;
    std::size_t sent_ = 0;
    bool reaped_ = false, killed_ = false, stopped_ = false;
    Clock::time_point reaped_at_{};
};

Result<void> set_nonblocking(const Fd& fd) {
    if (fd && ::fcntl(fd.get(), F_SETFL, ::fcntl(fd.get(), F_GETFL) | O_NONBLOCK) != 0) {
        return fail(sys_error("set up", "a pipe"));
    }
    return {};
}

}  // namespace

Result<ProcessResult> run(const Command& command) {
    const Prepared prepared = TARN_TRY(prepare(command));
    const Fd null = TARN_TRY(open_file("/dev/null", O_RDWR));
    Pipe in = TARN_TRY(make_pipe());
    Pipe out = TARN_TRY(make_pipe());
    Pipe err = TARN_TRY(make_pipe());
    Streams streams{null.get(), out.write.get(), err.write.get()};
    if (command.input_fd >= 0) {
        streams.in = command.input_fd;
    } else if (!command.input.empty()) {
        streams.in = in.read.get();
    }
    if (command.output_fd >= 0) {
        streams.out = command.output_fd;
    }
    if (command.merge_error) {
        streams.err = streams.out;
    }
    const int pid = TARN_TRY(spawn(command, prepared, streams));
    in.read.reset();
    out.write.reset();
    err.write.reset();
    TARN_TRY(set_nonblocking(in.write));
    TARN_TRY(set_nonblocking(out.read));
    TARN_TRY(set_nonblocking(err.read));
    Waiter waiter(command, pid);
    return waiter.wait(std::move(in.write), std::move(out.read), std::move(err.read));
}

Result<Child> Child::start(const Command& command) {
    const Prepared prepared = TARN_TRY(prepare(command));
    const Fd null = TARN_TRY(open_file("/dev/null", O_RDWR));
    Streams streams{command.input_fd >= 0 ? command.input_fd : null.get(),
                    command.output_fd >= 0 ? command.output_fd : null.get(),
                    null.get()};
    if (command.merge_error) {
        streams.err = streams.out;
    }
    return Child(TARN_TRY(spawn(command, prepared, streams)));
}

Child::Child(Child&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}

Child::~Child() {
    if (pid_ > 0) {
        kill_group();
        ::waitpid(pid_, nullptr, 0);
    }
}

Result<std::optional<int>> Child::poll() {
    int status = 0;
    const int got = ::waitpid(pid_, &status, WNOHANG);
    if (got < 0) {
        return fail(sys_error("wait for", "a child process"));
    }
    if (got == 0) {
        return std::optional<int>();
    }
    pid_ = -1;
    return std::optional<int>(exit_code_of(status));
}

Result<int> Child::wait() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0) {
        if (errno != EINTR) {
            return fail(sys_error("wait for", "a child process"));
        }
    }
    pid_ = -1;
    return exit_code_of(status);
}

void Child::kill_group() {
    if (pid_ > 0) {
        ::kill(-pid_, SIGKILL);
        ::kill(pid_, SIGKILL);
    }
}

std::optional<std::string> find_program(std::string_view name) {
    const char* path = std::getenv("PATH");
    const std::string search = path != nullptr ? path : "/usr/bin:/bin";
    for (const std::string_view directory : split(search, ':')) {
        std::string candidate = join_path(directory.empty() ? "." : directory, name);
        if (::access(candidate.c_str(), X_OK) == 0 && !is_directory(candidate)) {
            return candidate;
        }
    }
    // Administrators' programs are not in every user's PATH.
    for (const char* directory : {"/usr/sbin", "/sbin"}) {
        std::string candidate = join_path(directory, name);
        if (::access(candidate.c_str(), X_OK) == 0) {
            return candidate;
        }
    }
    return std::nullopt;
}

}  // namespace tarn
