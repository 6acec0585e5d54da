// SPDX-License-Identifier: MIT
// The git program as transport: run without shell, in a fixed environment, tried again when the
// failure may pass.
#pragma once

#include "base/result.hh"
#include "distgit/detail/place.hh"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::distgit::detail {

enum class Verdict {
    kDone,
    kNoReference,  // the repository has no such branch
    kNoObject,     // the server does not have, or give, an object asked for by id
    kNoRepository,
    kDenied,
    kIncomplete,   // what it sends refers to history that it does not send
    kNoSpace,
    kPassing,      // worth another try
};
// By what git said, in the C locale.
Verdict judge(std::string_view errors);
// The line of it that says why, without control characters, and with `shown` for the URL.
std::string reason(std::string_view errors, const Place& place);

struct GitRun {
    std::vector<std::string> arguments;  // after `git --git-dir=...`
    std::string git_directory;
    std::string input;
    int lock_fd = -1;                    // held by git as well, so that a kill frees it last
    std::map<std::string, std::string> settings;  // further configuration
};
struct GitAnswer {
    Verdict verdict = Verdict::kDone;
    std::string output;
    std::string errors;
    bool unfiltered = false;  // the server left nothing out, though asked to
};
// At most options.attempts times. An Error when git cannot be started, on a stop request, and when the
// last try failed with kPassing or kNoSpace; other verdicts are the caller's to explain.
Result<GitAnswer> run_git(const GitRun& run, const Place& place, const Options& options);

// Waits, unless stopped: kInterrupted.
Result<void> pause_before_retry(unsigned failed_attempts, const Options& options);

}  // namespace tarn::distgit::detail
