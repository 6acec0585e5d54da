// SPDX-License-Identifier: MIT
// Child processes: no shell, own process group, killed as a group on timeout or stop request.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.hh"
#include "base/result.hh"

namespace tarn {

struct Command {
    std::vector<std::string> argv;  // argv[0] is looked up in PATH of this process
    // The whole environment of the child; nullopt inherits this process's.
    std::optional<std::map<std::string, std::string>> environment{};
    std::string directory{};
    std::string input{};         // written to its stdin (else /dev/null)
    int input_fd = -1;           // used as its stdin instead, not closed
    int output_fd = -1;          // used as its stdout instead of capturing, not closed
    std::vector<int> keep_fds{}; // further descriptors the child inherits under the same number
    bool merge_error = false;    // stderr goes where stdout goes
    bool inherit_terminal = false;  // stdin, stdout, stderr are this process's: interactive use
    std::chrono::milliseconds timeout{0};  // 0: none
    std::stop_token stop{};
    // Called for every piece of output as it comes (after merge_error); captured as well.
    std::function<void(std::string_view)> on_output{};
    std::size_t capture_limit = 64u << 20;  // further output is dropped from the capture
    // Run in the child between fork and exec; only async-signal-safe calls. Returns errno or 0.
    std::function<int()> before_exec{};
};

struct ProcessResult {
    int exit_code = 0;   // 128 + signal when killed
    bool timed_out = false;
    std::string output;  // captured stdout
    std::string errors;  // captured stderr
    double wall_seconds = 0;
    double cpu_seconds = 0;  // user + system of the child and what it waited for
    long max_rss_kib = 0;
};

// Starts and waits. An exit code other than 0 is a value, not an Error; failing to start,
// or being stopped (kInterrupted), is an Error.
Result<ProcessResult> run(const Command& command);

// A child that goes on while this process does other things.
class Child {
  public:
    static Result<Child> start(const Command& command);  // capture and timeout do not apply
    Child(Child&& other) noexcept;
    Child& operator=(Child&&) = delete;
    ~Child();  // kills its process group if it still runs
    int pid() const { return pid_; }
    Result<std::optional<int>> poll();  // exit code once it ended
    Result<int> wait();
    void kill_group();

  private:
    explicit Child(int pid) : pid_(pid) {}
    int pid_ = -1;
};

// A program in PATH, or nullopt.
std::optional<std::string> find_program(std::string_view name);

}  // namespace tarn
