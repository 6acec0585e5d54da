// SPDX-License-Identifier: MIT
// What holds for the entries of every Tree; shared by make, merge and filter.
#pragma once

#include "store/tree.hh"

#include <cstddef>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace tarn::detail {

inline constexpr std::size_t kNone = static_cast<std::size_t>(-1);

std::string_view parent_of(std::string_view path);  // "" for a name without '/'

// Index of the entry in vector sorted by path, or kNone.
std::size_t index_of(const std::vector<TreeEntry>& entries, std::string_view path);

// Finds entries that lie below something that is no directory. Views into the entries' paths are
// kept: they must not move while it lives.
class ParentCheck {
  public:
    explicit ParentCheck(const std::vector<TreeEntry>& entries) : entries_(entries) {}
    // Index of an ancestor that is no directory and not in `ignored`; kNone when there is none.
    std::size_t blocking(std::string_view path, const std::vector<bool>& ignored);

  private:
    const std::vector<TreeEntry>& entries_;
    std::unordered_set<std::string_view> clean_;
};

// Entries with equal numbers (not kNone) share an inode: the first of each becomes the leader, the
// others point to it. A group of one becomes a plain file.
void relink(std::vector<TreeEntry>& entries, const std::vector<std::size_t>& group);

}  // namespace tarn::detail
