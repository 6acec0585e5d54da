// SPDX-License-Identifier: MIT
#include "exec/detail/launcher.hh"

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace tarn::detail {

namespace {

// Milliseconds in which a killed process is gone, if ever.
constexpr int kDying = 10000;

bool write_text(const char* file, std::string_view text) {
    const int fd = ::open(file, O_WRONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    const bool done = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    const int problem = errno;
    ::close(fd);
    errno = problem;
    return done;
}

// Dies with its parent, also with one that died before this call.
void die_with_parent(pid_t parent) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) {
        ::_exit(127);
    }
}

[[noreturn]] void wait_and_exit(pid_t child, int alive) {
    // An interrupt at the terminal is for the command, which gets it too.
    ::signal(SIGINT, SIG_IGN);
    ::signal(SIGQUIT, SIG_IGN);
    // Pipes that others read to their end must not stay open here. `alive` must.
    ::dup2(alive, 3);
    ::close_range(4, ~0U, 0);
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    ::_exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
}

}  // namespace

Result<Launcher> Launcher::prepare() {
    Launcher result;
    result.pid_ = TARN_TRY(make_pipe());
    result.parent_ = ::getpid();
    result.uid_map_ = fmt::format("{0} {0} 1", ::geteuid());
    result.gid_map_ = fmt::format("{0} {0} 1", ::getegid());
    return result;
}

// A privileged process needs no user namespace for it, another one does. Where neither is allowed
// it goes on without: false. What went wrong half-way is in errno.
bool Launcher::unshare() const {
    errno = 0;
    if (::unshare(CLONE_NEWPID) == 0) {
        return true;
    }
    // A process that changed its user may not write its own maps until it says that it may be
    // looked at.
    ::prctl(PR_SET_DUMPABLE, 1);
    if (::unshare(CLONE_NEWUSER | CLONE_NEWPID) != 0) {
        errno = 0;
        return false;
    }
    return write_text("/proc/self/setgroups", "deny") &&
           write_text("/proc/self/uid_map", uid_map_) && write_text("/proc/self/gid_map", gid_map_);
}

int Launcher::enter() const {
    die_with_parent(parent_);
    std::array<int, 2> alive{};
    if (!unshare()) {
        return errno;
    }
    if (::pipe2(alive.data(), O_CLOEXEC) != 0) {
        return errno;
    }
    const pid_t child = ::fork();
    if (child < 0) {
        return errno;
    }
    if (child != 0) {
        static_cast<void>(!::write(pid_.write.get(), &child, sizeof child));
        wait_and_exit(child, alive[1]);
    }
    // getppid() is 0 here. Whether the launcher lives shows in its end of the pipe.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::close(alive[1]);
    pollfd launcher{alive[0], POLLIN, 0};
    if (::poll(&launcher, 1, 0) != 0) {
        ::_exit(127);
    }
    return 0;
}

bool Launcher::wait_until_gone() {
    pid_.write.reset();
    pollfd told{pid_.read.get(), POLLIN, 0};
    pid_t pid = 0;
    if (::poll(&told, 1, 0) != 1 || ::read(told.fd, &pid, sizeof pid) != sizeof pid) {
        return false;
    }
    wait_for_end(pid);
    return true;
}

void wait_for_end(pid_t pid) {
    const Fd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0U)));
    if (process) {
        pollfd waited{process.get(), POLLIN, 0};
        ::poll(&waited, 1, kDying);
    }
}

}  // namespace tarn::detail
