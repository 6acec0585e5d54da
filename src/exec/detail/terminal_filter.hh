// SPDX-License-Identifier: MIT
// A sandbox that shares a person's terminal could type into it (TIOCSTI, CVE-2017-5226). This is
// the seccomp program for bubblewrap's --seccomp that refuses the ioctls with which it would.
#pragma once

#include <string>

namespace tarn::detail {

// An array of struct sock_filter for this machine's architecture.
std::string terminal_filter();

}  // namespace tarn::detail
