// SPDX-License-Identifier: MIT
#include "render/detail/source_set.hh"

#include <algorithm>

namespace tarn::overlay {

SourceSet::SourceSet(const Store& store, const Tree& tree) : store_(store) {
    for (const TreeEntry& entry : tree.entries()) {
        items_[entry.path].entry = entry;
    }
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

std::vector<std::string> SourceSet::loose_files() const {
    std::vector<std::string> files;
    for (const auto& [path, item] : items_) {
        const bool git = path.starts_with(".git/") || path.find("/.git/") != std::string::npos;
        if (item.entry.kind == EntryKind::kFile && !path.ends_with(".spec") && !git) {
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
    if (found->second.bytes) {
        return *found->second.bytes;
    }
    return store_.read(found->second.entry.content);
}

void SourceSet::write(const std::string& path, std::string bytes) {
    Item& item = items_[path];
    item.entry.path = path;
    item.bytes = std::move(bytes);
}

void SourceSet::add(const std::string& path, std::string bytes, std::int64_t mtime) {
    Item item;
    item.entry.path = path;
    item.entry.mode = 0644;
    item.entry.mtime = mtime;
    item.bytes = std::move(bytes);
    items_.insert_or_assign(path, std::move(item));
}

void SourceSet::rename(const std::string& from, const std::string& to) {
    if (from == to) {
        return;
    }
    Item item = std::move(items_.at(from));
    items_.erase(from);
    item.entry.path = to;
    items_.insert_or_assign(to, std::move(item));
}

Result<Tree> SourceSet::tree() const {
    std::vector<TreeEntry> entries;
    entries.reserve(items_.size());
    for (const auto& [path, item] : items_) {
        entries.push_back(item.entry);
        if (item.bytes) {
            entries.back().content = TARN_TRY(store_.put(*item.bytes));
        }
    }
    return Tree::make(std::move(entries));
}

}  // namespace tarn::overlay
