// SPDX-License-Identifier: MIT
// The programs steps run, and what they say while they do. Tests put their own in place.
#pragma once

#include "base/process.hh"
#include "base/result.hh"

#include "provision/machine.hh"

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace tarn::guest {

struct Program {
    std::vector<std::string> argv;                     // no shell; argv[0] with its directory
    std::map<std::string, std::string> environment{};  // on top of PATH and LANG
    bool logged = false;                               // its output goes to the output log as well
    std::chrono::milliseconds timeout{0};              // 0: none
};

struct Tools {
    // The exit code. A machine that is not live runs nothing: 0.
    std::function<Result<int>(const Machine&, const Program&)> run;
    std::function<void(const std::string&)> say;  // one line, to the journal
};
Tools real_tools();

inline constexpr const char* kOutputLog = "/var/log/tarn-provision-output.log";

// The first that is there; empty when none is.
std::string first_program(const Machine& machine, const std::vector<std::string>& paths);

// Runs; an exit code other than 0 is an error that names the program.
Result<void> run_checked(const Tools& tools, const Machine& machine, const Program& program);

// Directory of this instance below /var/lib/tarn/provision; 0700.
std::string instance_directory(const std::string& instance_id);

}  // namespace tarn::guest
