// SPDX-License-Identifier: MIT
// Every version of every component's lock in the project's own repository: what releases count.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.hh"
#include "project/model.hh"
#include "release/release.hh"

namespace tarn {

class LockHistory {
  public:
    // Nothing when the project lies in no git work tree.
    static Result<LockHistory> read(const Project& project);

    // Oldest first; empty when its lock is not committed at HEAD.
    const std::vector<release::LockRevision>& of(const std::string& component) const;
    // The commit HEAD is at; empty outside a work tree.
    const std::string& head() const { return head_; }
    // A shallow clone: the first versions may be missing.
    bool shallow() const { return shallow_; }

  private:
    std::string head_;
    bool shallow_ = false;
    std::map<std::string, std::vector<release::LockRevision>, std::less<>> revisions_;
};

}  // namespace tarn
