// SPDX-License-Identifier: MIT
#include "image/detail/overlay.hh"

#include "base/fs.hh"

namespace tarn::image {

TreeEntry Overlay::entry(std::string_view path, EntryKind kind, std::uint32_t mode) const {
    TreeEntry out;
    out.path = path;
    out.kind = kind;
    out.mode = mode;
    out.mtime = time_;
    return out;
}

Result<void> Overlay::file(std::string_view path,
                           std::string_view bytes,
                           std::uint32_t mode,
                           std::string_view group) {
    TreeEntry out = entry(path, EntryKind::kFile, mode);
    out.group = group;
    out.content = TARN_TRY(store_.put(bytes));
    add(std::move(out));
    return {};
}

void Overlay::symlink(std::string_view path, std::string_view target) {
    TreeEntry out = entry(path, EntryKind::kSymlink, 0777);
    out.target = target;
    add(std::move(out));
}

void Overlay::directory(std::string_view path, std::uint32_t mode) {
    add(entry(path, EntryKind::kDirectory, mode));
}

void Overlay::add(TreeEntry entry) {
    std::string path = entry.path;
    entries_.insert_or_assign(std::move(path), std::move(entry));
}

Result<Tree> Overlay::over(const Tree& base) const {
    std::vector<TreeEntry> entries;
    for (const auto& [path, entry] : entries_) {
        entries.push_back(entry);
    }
    const Tree added = TARN_TRY(Tree::make(std::move(entries)));
    for (const TreeEntry& entry : added.entries()) {
        for (std::string above = parent_path(entry.path); !above.empty();
             above = parent_path(above)) {
            const TreeEntry* const there = base.find(above);
            if (there != nullptr && there->kind != EntryKind::kDirectory &&
                !entries_.contains(above)) {
                return fail(error(ErrorKind::kUsage,
                                  "/{} cannot be put into the image: /{} is no directory there",
                                  entry.path,
                                  above)
                                .advise(there->kind == EntryKind::kSymlink
                                            ? fmt::format("name the place /{} links to", above)
                                            : "choose another path"));
            }
        }
    }
    return merge({&base, &added}).tree;
}

const TreeEntry* resolve_links(const Tree& tree, std::string_view path) {
    // Folding against "/" keeps every link inside the tree.
    std::string at = absolute_path(std::string(path), "/").substr(1);
    for (int hops = 0; hops < 40; ++hops) {
        const TreeEntry* link = nullptr;
        std::size_t end = 0;
        while (link == nullptr && end != std::string::npos) {
            end = at.find('/', end + 1);
            const TreeEntry* entry = tree.find(at.substr(0, end));
            link = entry != nullptr && entry->kind == EntryKind::kSymlink ? entry : nullptr;
        }
        if (link == nullptr) {
            return tree.find(at);
        }
        const std::string rest = end == std::string::npos ? std::string() : at.substr(end);
        at = absolute_path(link->target, "/" + parent_path(link->path)).substr(1) + rest;
    }
    return nullptr;
}

Result<std::string> read_tree_file(const Store& store, const Tree& tree, std::string_view path) {
    const TreeEntry* entry = resolve_links(tree, path);
    if (entry == nullptr || entry->kind != EntryKind::kFile) {
        return fail(ErrorKind::kNotFound, "the image has no file /{}", path);
    }
    return store.read(entry->content);
}

}  // namespace tarn::image
