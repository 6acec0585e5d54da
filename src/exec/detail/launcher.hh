// SPDX-License-Identifier: MIT
// Makes sure that a sandbox ends when it is told to, and when this process dies.
//
// bubblewrap binds the life of what it starts to its own only at the end of its setup: killed
// before, it leaves processes behind. So bubblewrap itself is made the first process of a pid
// namespace: when that ends, the kernel ends everything in it, at any moment.
//
//   this process ── launcher (waits, passes the exit code on) ── bubblewrap, pid 1 ── the sandbox
#pragma once

#include "base/fd.hh"
#include "base/result.hh"

#include <sys/types.h>

#include <optional>
#include <string>

namespace tarn::detail {

class Launcher {
  public:
    static Result<Launcher> prepare();

    // For Command::before_exec: async-signal-safe. Returns in the process that is to become
    // bubblewrap, as pid 1 where namespaces allow it, else as it is.
    int enter() const;

    // After the run: waits until that process, and so all of the sandbox, is gone. False when it
    // was not in a namespace of its own.
    bool wait_until_gone();

  private:
    Launcher() = default;
    bool unshare() const;
    Pipe pid_;  // the launcher tells the pid of bubblewrap
    pid_t parent_ = 0;
    std::string uid_map_;
    std::string gid_map_;
};

// Waits for a process that is not ours to wait for; gives up after ten seconds.
void wait_for_end(pid_t pid);

}  // namespace tarn::detail
