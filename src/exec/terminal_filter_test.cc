// SPDX-License-Identifier: MIT
#include "exec/detail/terminal_filter.hh"

#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

namespace tarn {
namespace {

// 0 when the filter lets everything through but the two requests; else which step was wrong.
int filtered_child() {
    std::string program = detail::terminal_filter();
    sock_fprog filter{};
    filter.len = static_cast<unsigned short>(program.size() / sizeof(sock_filter));
    filter.filter = reinterpret_cast<sock_filter*>(program.data());
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0) {
        return 1;
    }
    char key = 'x';
    if (::ioctl(-1, TIOCSTI, &key) == 0 || errno != EPERM) {
        return 2;
    }
    // High bits, which the kernel ignores, do not get it through.
    if (::ioctl(-1, TIOCSTI | 0x100000000UL, &key) == 0 || errno != EPERM) {
        return 3;
    }
    if (::ioctl(-1, TIOCLINUX, &key) == 0 || errno != EPERM) {
        return 4;
    }
    int size = 0;
    if (::ioctl(-1, FIONREAD, &size) == 0 || errno != EBADF) {
        return 5;
    }
    return ::getppid() > 0 ? 0 : 6;
}

TEST(TerminalFilter, RefusesTypingIntoTheTerminalAndNothingElse) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        ::_exit(filtered_child());
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace tarn
