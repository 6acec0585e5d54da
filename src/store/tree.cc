// SPDX-License-Identifier: MIT
#include "store/tree.hh"

#include "store/detail/tree_rules.hh"

#include <algorithm>
#include <optional>

namespace tarn {

namespace {

using detail::kNone;

// What is wrong with a path, or nullptr. Limits are those of Linux (PATH_MAX, NAME_MAX).
const char* path_problem(std::string_view path) {
    if (path.empty()) {
        return nullptr;  // the root itself
    }
    if (path.size() > 4095) {
        return "is longer than 4095 bytes";
    }
    if (path.find('\0') != std::string_view::npos) {
        return "contains a NUL byte";
    }
    if (path.front() == '/') {
        return "is not relative";
    }
    for (std::size_t begin = 0; begin <= path.size();) {
        const std::size_t end = std::min(path.find('/', begin), path.size());
        const std::string_view part = path.substr(begin, end - begin);
        if (part.empty() || part == "." || part == "..") {
            return "has an empty, `.` or `..` part";
        }
        if (part.size() > 255) {
            return "has a part longer than 255 bytes";
        }
        begin = end + 1;
    }
    return nullptr;
}

bool has_nul(std::string_view text) {
    return text.find('\0') != std::string_view::npos;
}

// Fields that the kind does not have are emptied, so that equal meaning is equal value.
void normalize(TreeEntry& entry) {
    if (entry.kind != EntryKind::kFile) {
        entry.content = {};
        entry.hardlink.clear();
    }
    if (entry.kind != EntryKind::kSymlink) {
        entry.target.clear();
    } else {
        entry.mode = 0777;
    }
    if (entry.kind != EntryKind::kCharDevice && entry.kind != EntryKind::kBlockDevice) {
        entry.device_major = 0;
        entry.device_minor = 0;
    }
}

std::string shown(std::string_view path) {
    return path.empty() ? "/" : std::string(path);
}

// For every entry the index of the entry that its hard link leads to in the end.
class LinkResolver {
  public:
    explicit LinkResolver(const std::vector<TreeEntry>& entries)
        : entries_(entries), end_(entries.size(), kNone) {}

    Result<std::size_t> resolve(std::size_t start) {
        std::vector<std::size_t> chain;
        std::size_t at = start;
        while (end_[at] == kNone && !entries_[at].hardlink.empty()) {
            end_[at] = kVisiting;
            chain.push_back(at);
            const std::size_t next = detail::index_of(entries_, entries_[at].hardlink);
            if (next == kNone || entries_[next].kind != EntryKind::kFile) {
                return fail(ErrorKind::kFailed,
                            "{}: hard link to `{}`, which is not a file of the tree",
                            entries_[at].path,
                            entries_[at].hardlink);
            }
            at = next;
            if (end_[at] == kVisiting) {
                return fail(ErrorKind::kFailed, "{}: hard link to itself", entries_[at].path);
            }
        }
        const std::size_t leader = end_[at] == kNone ? at : end_[at];
        for (const std::size_t index : chain) {
            end_[index] = leader;
        }
        return leader;
    }

  private:
    static constexpr std::size_t kVisiting = kNone - 1;
    const std::vector<TreeEntry>& entries_;
    std::vector<std::size_t> end_;
};

Result<void> settle_links(std::vector<TreeEntry>& entries) {
    std::vector<std::size_t> group(entries.size(), kNone);
    LinkResolver resolver(entries);
    bool any = false;
    for (std::size_t i = 0; i < entries.size(); ++i) {
        if (!entries[i].hardlink.empty()) {
            const std::size_t leader = TARN_TRY(resolver.resolve(i));
            group[i] = leader;
            group[leader] = leader;
            any = true;
        }
    }
    if (!any) {
        return {};
    }
    // One inode has one content and one set of attributes: those of the entry that is no link.
    for (std::size_t i = 0; i < entries.size(); ++i) {
        if (group[i] != kNone && group[i] != i) {
            std::string path = std::move(entries[i].path);
            entries[i] = entries[group[i]];
            entries[i].path = std::move(path);
        }
    }
    detail::relink(entries, group);
    return {};
}

bool by_path(const TreeEntry& a, const TreeEntry& b) {
    return a.path < b.path;
}

}  // namespace

const char* entry_problem(const TreeEntry& entry) {
    if (const char* problem = path_problem(entry.path)) {
        return problem;
    }
    if (entry.path.empty() && entry.kind != EntryKind::kDirectory) {
        return "is the root and not a directory";
    }
    if (entry.mode > 07777) {
        return "has mode bits beyond 07777";
    }
    if (entry.kind == EntryKind::kSymlink &&
        (entry.target.empty() || entry.target.size() > 4095 || has_nul(entry.target))) {
        return "is a link with an empty, too long or broken target";
    }
    if (has_nul(entry.user) || has_nul(entry.group) || entry.user.size() > 255 ||
        entry.group.size() > 255) {
        return "has a broken owner name";
    }
    for (const auto& [name, value] : entry.xattrs) {
        if (name.empty() || name.size() > 255 || has_nul(name) || value.size() > 65536) {
            return "has a broken extended attribute";
        }
    }
    return nullptr;
}

Result<Tree> Tree::make(std::vector<TreeEntry> entries) {
    for (TreeEntry& entry : entries) {
        if (const char* problem = entry_problem(entry)) {
            return fail(ErrorKind::kFailed, "the tree entry `{}` {}", shown(entry.path), problem);
        }
        normalize(entry);
    }
    if (!std::is_sorted(entries.begin(), entries.end(), by_path)) {
        std::sort(entries.begin(), entries.end(), by_path);
    }
    const auto same = [](const TreeEntry& a, const TreeEntry& b) { return a.path == b.path; };
    const auto twice = std::adjacent_find(entries.begin(), entries.end(), same);
    if (twice != entries.end()) {
        return fail(ErrorKind::kFailed, "the tree has two entries `{}`", shown(twice->path));
    }
    detail::ParentCheck parents(entries);
    for (const TreeEntry& entry : entries) {
        if (const std::size_t blocking = parents.blocking(entry.path, {}); blocking != kNone) {
            return fail(ErrorKind::kFailed,
                        "the tree entry `{}` lies below `{}`, which is not a directory",
                        entry.path,
                        entries[blocking].path);
        }
    }
    TARN_TRY(settle_links(entries));
    Tree result;
    result.entries_ = std::move(entries);
    return result;
}

const TreeEntry* Tree::find(std::string_view path) const {
    const std::size_t index = detail::index_of(entries_, path);
    return index == kNone ? nullptr : &entries_[index];
}

std::vector<const TreeEntry*> Tree::below(std::string_view path) const {
    std::vector<const TreeEntry*> result;
    if (path.empty()) {
        for (const TreeEntry& entry : entries_) {
            result.push_back(&entry);
        }
        return result;
    }
    if (const TreeEntry* self = find(path)) {
        result.push_back(self);
    }
    // "a-b" sorts between "a" and "a/c": what lies below is a range of its own.
    const std::string prefix = std::string(path) + "/";
    const auto less = [](const TreeEntry& entry, std::string_view wanted) {
        return entry.path < wanted;
    };
    auto at = std::lower_bound(entries_.begin(), entries_.end(), std::string_view(prefix), less);
    for (; at != entries_.end() && at->path.starts_with(prefix); ++at) {
        result.push_back(&*at);
    }
    return result;
}

std::uint64_t Tree::content_bytes() const {
    std::uint64_t sum = 0;
    for (const TreeEntry& entry : entries_) {
        if (entry.kind == EntryKind::kFile && entry.hardlink.empty()) {
            sum += entry.content.size;
        }
    }
    return sum;
}

Digest Tree::digest() const {
    return Digest::of(serialize());
}

Tree Tree::filter(const std::function<bool(const TreeEntry&)>& keep) const {
    Tree result;
    std::vector<std::size_t> group;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
        if (!keep(entries_[i])) {
            continue;
        }
        result.entries_.push_back(entries_[i]);
        // A file that others may link to is the group of its own index.
        const bool file = entries_[i].kind == EntryKind::kFile;
        const std::string& leader = entries_[i].hardlink;
        group.push_back(!file ? kNone : leader.empty() ? i : detail::index_of(entries_, leader));
    }
    detail::relink(result.entries_, group);
    return result;
}

}  // namespace tarn
