// SPDX-License-Identifier: MIT
// The sources of one component while overlays change them.
#pragma once

#include "base/result.hh"
#include "store/store.hh"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tarn::overlay {

class SourceSet {
  public:
    SourceSet(const Store& store, const Tree& tree);

    bool has(const std::string& path) const { return items_.contains(path); }
    // A directory something lies in, or the top ("").
    bool has_directory(const std::string& path) const;
    // Regular files that overlays of loose files may touch: no specs, nothing below .git.
    std::vector<std::string> loose_files() const;

    Result<std::string> read(const std::string& path) const;
    // Keeps the mode of a file that is there.
    void write(const std::string& path, std::string bytes);
    void add(const std::string& path, std::string bytes, std::int64_t mtime);
    void remove(const std::string& path) { items_.erase(path); }
    void rename(const std::string& from, const std::string& to);

    Result<Tree> tree() const;

  private:
    struct Item {
        TreeEntry entry{};
        std::optional<std::string> bytes{};  // changed content, not stored yet
    };
    const Store& store_;
    std::map<std::string, Item> items_{};
};

}  // namespace tarn::overlay
