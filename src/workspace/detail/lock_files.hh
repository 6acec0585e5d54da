// SPDX-License-Identifier: MIT
// The locks that one update writes, put into their places together: written aside first, then renamed in one
// pass. An error in that pass puts back those before it; a kill in it leaves each lock as before or
// as after, which the next update settles.
//
//   <lock-dir>/.tarn-update/   what is being written; removed by the next who has the lock
#pragma once

#include "base/events.hh"
#include "base/fd.hh"
#include "base/result.hh"

#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tarn {

class LockFiles {
  public:
    // Makes the directory when it is missing, waits (unless stopped: kInterrupted) while another
    // process updates it, and clears away what a killed one left.
    static Result<LockFiles> open(const std::string& directory, std::stop_token stop,
                                  Reporter& reporter);
    LockFiles(LockFiles&&) noexcept = default;
    LockFiles& operator=(LockFiles&&) = delete;
    ~LockFiles();

    Result<void> write(const std::string& name, std::string_view text);
    Result<void> commit();

  private:
    LockFiles(std::string directory, Fd held)
        : directory_(std::move(directory)), held_(std::move(held)) {}
    std::string aside() const;

    std::string directory_;
    Fd held_;  // the directory, locked (flock)
    std::vector<std::string> names_;
};

}  // namespace tarn
