// SPDX-License-Identifier: MIT
// What the composer itself adds to the merged packages.
#pragma once

#include "store/store.hh"

#include <string>
#include <string_view>
#include <vector>

namespace tarn::image {

// Root-owned entries of one time, laid over a tree in one go.
class Overlay {
  public:
    Overlay(const Store& store, std::int64_t time) : store_(store), time_(time) {}
    Result<void> file(std::string_view path,
                      std::string_view bytes,
                      std::uint32_t mode = 0644,
                      std::string_view group = {});
    void symlink(std::string_view path, std::string_view target);
    void directory(std::string_view path, std::uint32_t mode = 0755);
    // The entry as it is; a second one for the same path replaces the first.
    void add(TreeEntry entry);
    std::int64_t time() const { return time_; }
    Result<Tree> over(const Tree& base) const;

  private:
    TreeEntry entry(std::string_view path, EntryKind kind, std::uint32_t mode) const;
    const Store& store_;
    std::int64_t time_;
    std::map<std::string, TreeEntry> entries_;
};

// What a path stands for once every link on the way is followed within the tree; nullptr when that
// is nothing.
const TreeEntry* resolve_links(const Tree& tree, std::string_view path);
// The text of a file of the tree; links are followed within it. kNotFound when there is none.
Result<std::string> read_tree_file(const Store& store, const Tree& tree, std::string_view path);

}  // namespace tarn::image
