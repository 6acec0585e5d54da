// SPDX-License-Identifier: MIT
// The sources of one component while they are prepared: paths and contents in memory, the contents
// of files nobody touches left where they are (on disk or in the store).
#pragma once

#include "base/result.hh"
#include "store/store.hh"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tarn {

class SourceSet {
  public:
    SourceSet() = default;
    static SourceSet of_tree(const Store& store, const Tree& tree);
    // The files of a directory, recursively; .git is left out. Links are kept as links; nothing
    // outside is followed. Limits: 100,000 files, depth 64.
    static Result<SourceSet> of_directory(const std::string& path);

    bool has(const std::string& path) const { return items_.contains(path); }
    // A directory something lies in, or the top ("").
    bool has_directory(const std::string& path) const;
    std::vector<std::string> paths() const;
    // Regular files that overlays of loose files may touch: no specs, nothing below .git.
    std::vector<std::string> loose_files() const;

    Result<std::string> read(const std::string& path) const;
    // Keeps the mode of a file that is there.
    void write(const std::string& path, std::string bytes);
    void add(const std::string& path, std::string bytes, std::int64_t mtime);
    // A file whose content is a blob of a store.
    void add_blob(const Store& store,
                  const std::string& path,
                  const Digest& content,
                  std::int64_t mtime);
    void remove(const std::string& path) { items_.erase(path); }
    void rename(const std::string& from, const std::string& to);

    // Everything as a Tree of `store`, times set to `mtime`.
    Result<Tree> tree(const Store& store, std::int64_t mtime) const;

    struct Item {
        TreeEntry entry{};                   // content counts when nothing else is set
        std::optional<std::string> bytes{};  // in memory
        std::string disk{};                  // path of a file outside
        const Store* store = nullptr;
    };
    const std::map<std::string, Item>& items() const { return items_; }

  private:
    std::map<std::string, Item> items_{};
};

}  // namespace tarn
