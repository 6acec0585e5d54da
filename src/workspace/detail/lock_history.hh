// SPDX-License-Identifier: MIT
// Every version of every component's lock in the project's own repository: what releases count.
#pragma once

#include "base/result.hh"
#include "git/git.hh"
#include "project/model.hh"
#include "release/release.hh"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tarn {

// `path` relative to the repository's work tree, links followed; "" is the top, nullopt outside.
std::optional<std::string> path_in_repository(const git::Repository& repository,
                                              const std::string& path);

// May be asked by several threads.
class LockHistory {
  public:
    // One walk for all; nothing when the project lies in no git work tree.
    static Result<LockHistory> read(const Project& project);
    LockHistory(LockHistory&&) noexcept;
    LockHistory& operator=(LockHistory&&) noexcept;
    ~LockHistory();

    // Oldest first; empty when its lock is not committed at HEAD. kFailed when a shallow clone
    // hides some of them.
    Result<std::vector<release::LockRevision>> of(const std::string& component) const;
    // Changes when of() may; hex, or "-" without versions.
    std::string key(const std::string& component) const;
    // The commit HEAD is at; empty outside a work tree.
    const std::string& head() const;

  private:
    struct Impl;
    explicit LockHistory(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace tarn
