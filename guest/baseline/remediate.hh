// SPDX-License-Identifier: MIT
// Puts failing rules right, so that it can be taken back: what was there is written down, on disk,
// before it is changed. Order: safe, restart, lock-out. What can keep an administrator out is
// checked (`sshd -t`), and taken back by a timer unless it is confirmed.
#pragma once

#include "base/process.hh"

#include "baseline/engine.hh"

#include <functional>
#include <string>
#include <vector>

namespace tarn::guest::baseline {

inline constexpr const char* kStateDirectory = "/var/lib/tarn/baseline";
inline constexpr const char* kRevertUnit = "tarn-baseline-revert";

struct RemediateOptions {
    AuditOptions audit;
    std::string root = "/";
    bool dry_run = false;
    bool lock_out = true;           // also what can lock an administrator out
    unsigned revert_seconds = 300;  // 0: no timer
    // Runs programs. Of a directory none is run, unless `programs` says so (tests).
    std::function<Result<ProcessResult>(const Command&)> runner = run;
    bool programs = false;
};

struct Remediated {
    Report report;                  // of the whole, judged again afterwards
    std::vector<std::string> done;  // one line a change
    std::vector<std::string> problems;
    bool must_confirm = false;  // a timer takes lock-out changes back
};
Result<Remediated> remediate(const Target& target,
                             const std::vector<Rule>& rules,
                             const RemediateOptions& options);

// Takes back the last remediation (or, with `only_unconfirmed`, what still waits for `confirm`).
// A file that was changed since is left alone and told. Returns one line a thing done.
struct Undone {
    std::vector<std::string> done, left;
};
Result<Undone> undo(const RemediateOptions& options, bool only_unconfirmed);

// Keeps what waits: the timer is stopped. kNotFound when nothing waits.
Result<void> confirm(const RemediateOptions& options);

}  // namespace tarn::guest::baseline
