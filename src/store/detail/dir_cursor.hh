// SPDX-License-Identifier: MIT
// Walks about in a directory being written, holding descriptors of the way from its top to where
// it stands. No step ever follows a link, so nothing written through it can leave the directory.
#pragma once

#include "base/fd.hh"
#include "base/result.hh"

#include <string>
#include <string_view>
#include <vector>

namespace tarn::detail {

class DirCursor {
  public:
    static Result<DirCursor> open(const std::string& directory);
    // A descriptor of the directory `path` below the top (""), made with 0755 when missing. Good
    // until the next call.
    Result<int> enter(std::string_view path);
    // Paths of the directories it made, parents first.
    const std::vector<std::string>& made() const { return made_; }
    std::string shown(std::string_view path) const;

  private:
    DirCursor(std::string directory, Fd top) : directory_(std::move(directory)) {
        stack_.push_back({std::string(), std::move(top)});
    }
    struct Step {
        std::string path;  // of this directory, below the top
        Fd fd;
    };
    std::string directory_;
    std::vector<Step> stack_;
    std::vector<std::string> made_;
};

// The last part of a path.
std::string_view name_of(std::string_view path);

}  // namespace tarn::detail
