// SPDX-License-Identifier: MIT
// Action: a command over input trees, with its environment, its outputs and its limits. Its digest
// is the key of its result. What the executor is (this machine, a cluster) the planner does not
// know.
#pragma once

#include "base/result.hh"
#include "exec/sandbox.hh"
#include "store/store.hh"
#include "store/tree.hh"

#include <cstdint>
#include <functional>
#include <map>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace tarn {

// A tree seen at a path of the sandbox.
struct InputMount {
    std::string path;  // absolute; "/" is the root the command runs in
    Digest tree;
    bool writable = false;  // a private copy that the command may change
};

struct Action {
    std::string name;  // for people; not part of the digest
    std::vector<std::string> argv;
    // All of the environment, but for PATH and HOME: those get defaults when absent.
    std::map<std::string, std::string> environment;
    std::string directory = "/";
    std::vector<InputMount> inputs;
    // Files or directories of the sandbox taken as the result, absolute; missing ones are left out.
    // Times of what is in them become SOURCE_DATE_EPOCH of the environment (else one fixed time).
    // One that lies in no writable input is given as an empty, writable directory.
    std::vector<std::string> outputs;
    std::uint32_t timeout_seconds = 3600;
    bool unprivileged = false;  // runs as uid and gid 1000 instead of 0
    Digest digest() const;
    std::string explain() const;  // one field a line; diff two to see why a key changed
};

struct ActionResult {
    int exit_code = 0;  // 128 + signal when killed; kTimedOut after timeout_seconds
    Digest outputs;     // Tree: each output below its own path without the leading "/"
    Digest log;         // stdout and stderr, as they came
    double wall_seconds = 0;
    double cpu_seconds = 0;
    bool cached = false;
};

inline constexpr int kTimedOut = 124;

enum class CachePolicy { kUse, kIgnore };  // kIgnore: run again, replace the kept result

struct RunOptions {
    CachePolicy cache = CachePolicy::kUse;
    std::stop_token stop{};
    std::function<void(std::string_view)> on_output{};
};

class Executor {
  public:
    virtual ~Executor() = default;
    // An exit code other than 0 is a value; it is not kept in the cache.
    virtual Result<ActionResult> run(const Action& action, const RunOptions& options) = 0;
};

// Runs on this machine in a bubblewrap sandbox: no network, own pid, ipc and uts namespaces, uid 0
// inside, only the inputs visible, /tmp and /dev private. Host name "tarn", clock not faked.
class LocalExecutor : public Executor {
  public:
    explicit LocalExecutor(const Store& store) : store_(store) {}
    Result<ActionResult> run(const Action& action, const RunOptions& options) override;

  private:
    const Store& store_;
};

// Where the root and working files of the last failed run of an action with this digest were
// kept for a look inside; empty when none.
std::string failed_sandbox_directory(const Store& store, const Digest& action);
// The sandbox of that run as it was left, ready for a command to be run in it (argv is that of the
// action). kNotFound when none is kept.
Result<Sandbox> failed_sandbox(const Store& store, const Digest& action);

}  // namespace tarn
