// SPDX-License-Identifier: MIT
#include "render/source_set.hh"

#include "base/fs.hh"

#include <sys/stat.h>

#include <cerrno>

namespace tarn {
namespace {

constexpr std::size_t kFileLimit = 100'000;
constexpr std::size_t kDepthLimit = 64;

// Walks a directory; links are looked at, never through.
class Walk {
  public:
    Walk(const std::string& top, std::map<std::string, SourceSet::Item>& items)
        : top_(top), items_(items) {}

    Result<void> directory(const std::string& below, std::size_t depth) {
        if (depth > kDepthLimit) {
            return fail(error(ErrorKind::kFailed,
                              "{} is more than {} directories deep",
                              join_path(top_, below),
                              kDepthLimit)
                            .advise("sources are a flat directory or nearly so: look whether this "
                                    "is the right one"));
        }
        for (const std::string& name : TARN_TRY(list_directory(join_path(top_, below)))) {
            if (name == ".git") {
                continue;
            }
            TARN_TRY(entry(below.empty() ? name : below + "/" + name, depth));
        }
        return {};
    }

  private:
    Result<void> entry(const std::string& path, std::size_t depth) {
        const std::string full = join_path(top_, path);
        struct stat status{};
        if (::lstat(full.c_str(), &status) != 0) {
            return fail(sys_error("look at", full));
        }
        if (S_ISDIR(status.st_mode)) {
            return directory(path, depth + 1);
        }
        if (items_.size() >= kFileLimit) {
            return fail(ErrorKind::kFailed, "{} holds more than {} files", top_, kFileLimit);
        }
        SourceSet::Item item;
        item.entry.path = path;
        item.entry.mtime = status.st_mtime;
        if (S_ISLNK(status.st_mode)) {
            item.entry.kind = EntryKind::kSymlink;
            item.entry.mode = 0777;
            item.entry.target = TARN_TRY(read_symlink(full));
        } else if (S_ISREG(status.st_mode)) {
            item.entry.mode = (status.st_mode & S_IXUSR) != 0 ? 0755 : 0644;
            item.disk = full;
        } else {
            return fail(error(ErrorKind::kFailed, "{} is no file, directory or link", full)
                            .advise("sources cannot hold devices, sockets or pipes: remove it"));
        }
        items_.emplace(path, std::move(item));
        return {};
    }

    const std::string& top_;
    std::map<std::string, SourceSet::Item>& items_;
};

bool in_git(std::string_view path) {
    return path == ".git" || path.starts_with(".git/") ||
           path.find("/.git/") != std::string_view::npos || path.ends_with("/.git");
}

Result<std::string> content_of(const SourceSet::Item& item) {
    if (item.bytes) {
        return *item.bytes;
    }
    if (!item.disk.empty()) {
        return read_file(item.disk, 4ULL << 30);
    }
    if (item.store == nullptr) {
        return std::string();
    }
    return item.store->read(item.entry.content);
}

}  // namespace

SourceSet SourceSet::of_tree(const Store& store, const Tree& tree) {
    SourceSet set;
    for (const TreeEntry& entry : tree.entries()) {
        Item& item = set.items_[entry.path];
        item.entry = entry;
        item.store = &store;
    }
    return set;
}

Result<SourceSet> SourceSet::of_directory(const std::string& path) {
    SourceSet set;
    TARN_TRY(Walk(path, set.items_).directory("", 0));
    return set;
}

bool SourceSet::has_directory(const std::string& path) const {
    if (path.empty()) {
        return true;
    }
    const auto own = items_.find(path);
    if (own != items_.end()) {
        return own->second.entry.kind == EntryKind::kDirectory;
    }
    const auto below = items_.lower_bound(path + "/");
    return below != items_.end() && below->first.starts_with(path + "/");
}

std::vector<std::string> SourceSet::paths() const {
    std::vector<std::string> paths;
    paths.reserve(items_.size());
    for (const auto& [path, item] : items_) {
        paths.push_back(path);
    }
    return paths;
}

std::vector<std::string> SourceSet::loose_files() const {
    std::vector<std::string> files;
    for (const auto& [path, item] : items_) {
        if (item.entry.kind == EntryKind::kFile && !path.ends_with(".spec") && !in_git(path)) {
            files.push_back(path);
        }
    }
    return files;
}

Result<std::string> SourceSet::read(const std::string& path) const {
    const auto found = items_.find(path);
    if (found == items_.end() || found->second.entry.kind != EntryKind::kFile) {
        return fail(ErrorKind::kNotFound, "there is no file {} among the sources", path);
    }
    return content_of(found->second);
}

void SourceSet::write(const std::string& path, std::string bytes) {
    Item& item = items_[path];
    if (item.entry.path.empty() || item.entry.kind != EntryKind::kFile) {
        item.entry = TreeEntry();
        item.entry.path = path;
        item.entry.mode = 0644;
    }
    item.entry.hardlink.clear();
    item.bytes = std::move(bytes);
    item.disk.clear();
    item.store = nullptr;
}

void SourceSet::add(const std::string& path, std::string bytes, std::int64_t mtime) {
    Item item;
    item.entry.path = path;
    item.entry.mode = 0644;
    item.entry.mtime = mtime;
    item.bytes = std::move(bytes);
    items_.insert_or_assign(path, std::move(item));
}

void SourceSet::add_blob(const Store& store,
                         const std::string& path,
                         const Digest& content,
                         std::int64_t mtime) {
    Item item;
    item.entry.path = path;
    item.entry.mode = 0644;
    item.entry.mtime = mtime;
    item.entry.content = content;
    item.store = &store;
    items_.insert_or_assign(path, std::move(item));
}

void SourceSet::rename(const std::string& from, const std::string& to) {
    if (from == to) {
        return;
    }
    auto node = items_.extract(from);
    TARN_CHECK(!node.empty());
    node.key() = to;
    node.mapped().entry.path = to;
    items_.erase(to);
    items_.insert(std::move(node));
}

Result<Tree> SourceSet::tree(const Store& store, std::int64_t mtime) const {
    std::vector<TreeEntry> entries;
    entries.reserve(items_.size());
    for (const auto& [path, item] : items_) {
        TreeEntry entry = item.entry;
        entry.mtime = mtime;
        const bool elsewhere = item.store != nullptr && &store != item.store &&
                               item.store->directory() != store.directory();
        if (entry.kind != EntryKind::kFile) {
            // nothing to store
        } else if (!item.disk.empty()) {
            entry.content = TARN_TRY(store.put_file(item.disk));
        } else if (item.bytes || elsewhere) {
            const std::string bytes = TARN_TRY(content_of(item));
            entry.content = TARN_TRY(store.put(bytes));
        }
        entries.push_back(std::move(entry));
    }
    return Tree::make(std::move(entries));
}

}  // namespace tarn
