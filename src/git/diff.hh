// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace tarn::git {

// A unified diff as git writes it, three lines of context; empty when equal.
struct DiffSide {
    std::string path;  // relative; shown behind a/ and b/
    std::string_view text;
    bool there = true;      // false: the file does not exist on this side
};
std::string unified_diff(const DiffSide& before, const DiffSide& after);

}  // namespace tarn::git
