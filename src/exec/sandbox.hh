// SPDX-License-Identifier: MIT
// One command in a bubblewrap sandbox. The layer below LocalExecutor, for commands whose output is
// too large to be a blob (a file system image) or that a person drives (a shell).
#pragma once

#include "base/process.hh"
#include "base/result.hh"

#include <map>
#include <string>
#include <vector>

namespace tarn {

struct Bind {
    std::string source;  // on the host
    std::string target;  // in the sandbox
    bool writable = false;
};

struct Sandbox {
    std::string root;  // a directory used read-only as "/"; missing mount points are layered over
    std::vector<Bind> binds{};
    std::vector<std::string> argv{};
    std::map<std::string, std::string> environment{};
    std::string directory = "/";
    bool root_writable = false;  // the root is a private copy that the command may change
    unsigned uid = 0;            // and gid, as the command sees them
};

// The sandbox has its own /proc, /dev, /tmp, /var/tmp and /run, no network, umask 022 and no
// capabilities; the environment is exactly the one given (and PWD). Directories in use are locked
// (shared), so that store gc leaves them alone. When it returns, no process of it is left.
// `base` supplies stdin, outputs, stop, timeout; its argv, environment and directory are replaced.
// Exit code 127: the sandbox is there, the command is not.
// kFailed with advice when bubblewrap is missing or namespaces are not permitted.
Result<ProcessResult> run_in_sandbox(const Sandbox& sandbox, Command base);

// Whether a sandbox can be made here at all; the Error says what to do.
Result<void> probe_sandbox();

}  // namespace tarn
