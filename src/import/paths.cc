// SPDX-License-Identifier: MIT
// Paths of a Debian package as those of a merged-/usr system, and which of them are kept.
#include "base/fs.hh"
#include "base/strings.hh"
#include "import/detail/files.hh"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <unordered_set>

namespace tarn::import {

namespace {

constexpr std::array<std::string_view, 6> kMergedDirectories{
    "bin", "sbin", "lib", "lib32", "lib64", "libx32"};

bool is_merged_directory(std::string_view part) {
    return std::find(kMergedDirectories.begin(), kMergedDirectories.end(), part) !=
           kMergedDirectories.end();
}

std::string_view first_part(std::string_view path) {
    return path.substr(0, path.find('/'));
}

// A link target as an absolute path; "..", too many of which stop at the root, folded.
std::string resolve(std::string_view link, std::string_view target) {
    const std::string base = "/" + parent_path(link);
    return absolute_path(target, base);
}

// `target` (absolute) as seen from the directory of `link` (relative to the root).
std::string relative_target(std::string_view link, std::string_view target) {
    const std::string from_path = parent_path(link);
    std::vector<std::string_view> from = from_path.empty() || from_path == "."
                                             ? std::vector<std::string_view>{}
                                             : split(from_path, '/');
    std::vector<std::string_view> to = split(target.substr(1), '/');
    std::size_t common = 0;
    while (common < from.size() && common + 1 < to.size() && from[common] == to[common]) {
        ++common;
    }
    std::string out;
    for (std::size_t i = common; i < from.size(); ++i) {
        out += "../";
    }
    for (std::size_t i = common; i < to.size(); ++i) {
        out += to[i];
        out += i + 1 < to.size() ? "/" : "";
    }
    return out.empty() ? "." : out;
}

// What a link points at after the merge. Relative links are written anew only when the link or
// what it points at has moved.
std::string merged_target(const TreeEntry& entry, const std::string& new_path) {
    const std::string& target = entry.target;
    if (target.starts_with('/')) {
        return usr_merged(target);
    }
    const std::string resolved = resolve(entry.path, target);
    const std::string merged = usr_merged(resolved);
    if (new_path == entry.path && merged == resolved) {
        return target;
    }
    return relative_target(new_path, merged);
}

bool points_at_itself(const TreeEntry& entry) {
    return entry.kind == EntryKind::kSymlink &&
           resolve(entry.path, entry.target) == "/" + entry.path;
}

// The link "lib -> usr/lib" itself, which stays where it is.
bool is_merge_link(const TreeEntry& entry) {
    return entry.kind == EntryKind::kSymlink && is_merged_directory(entry.path) &&
           resolve(entry.path, entry.target) == "/usr/" + entry.path;
}

bool same_file(const TreeEntry& a, const TreeEntry& b) {
    TreeEntry x = a;
    x.mtime = b.mtime;
    return x == b;
}

void report_clash(const std::string& path, Problems& problems) {
    problems.error(
        fmt::format("two different files come to lie on /{} when /usr is merged", path),
        fmt::format("exclude the one that is not wanted: exclude-paths = [\"/{}\"]", path));
}

// Puts an entry on its new path; the first come of equal ones stays.
void place(std::map<std::string, TreeEntry>& by_path,
           TreeEntry entry,
           bool moved,
           Problems& problems) {
    const std::string path = entry.path;
    const auto [at, added] = by_path.try_emplace(path, entry);
    if (added) {
        return;
    }
    TreeEntry& other = at->second;
    if (entry.kind == EntryKind::kDirectory && other.kind == EntryKind::kDirectory) {
        if (!moved) {
            other = std::move(entry);  // attributes of the one that lay there already
        }
        return;
    }
    if (!same_file(entry, other)) {
        report_clash(path, problems);
    }
}

// Hard links name the first path of their file in sorted order, which renaming may have changed.
void settle_hard_links(std::map<std::string, TreeEntry>& by_path,
                       const std::map<std::string, std::string>& group_of) {
    std::map<std::string, std::string> first;  // group -> path of the file
    for (auto& [path, entry] : by_path) {
        const auto group = group_of.find(path);
        if (group == group_of.end()) {
            continue;
        }
        const auto [leader, added] = first.try_emplace(group->second, path);
        entry.hardlink = added ? std::string() : leader->second;
    }
}

}  // namespace

std::string usr_merged(std::string_view path) {
    const bool absolute = path.starts_with('/');
    const std::string_view rest = absolute ? path.substr(1) : path;
    if (!is_merged_directory(first_part(rest))) {
        return std::string(path);
    }
    return fmt::format("{}usr/{}", absolute ? "/" : "", rest);
}

std::vector<TreeEntry> merge_usr(const Tree& data, Problems& problems) {
    std::map<std::string, TreeEntry> by_path;
    std::map<std::string, std::string> group_of;  // new path -> old path of the shared file
    for (const TreeEntry& old : data.entries()) {
        if (old.path.empty()) {
            continue;
        }
        TreeEntry entry = old;
        if (!is_merge_link(old)) {
            entry.path = usr_merged(old.path);
        }
        const bool moved = entry.path != old.path;
        if (entry.kind == EntryKind::kSymlink && !is_merge_link(old)) {
            entry.target = merged_target(old, entry.path);
            if (moved && points_at_itself(entry)) {
                continue;  // "/lib/x -> /usr/lib/x" has done its duty
            }
        }
        if (!old.hardlink.empty()) {
            group_of[entry.path] = old.hardlink;
            group_of[usr_merged(old.hardlink)] = old.hardlink;
            entry.hardlink.clear();
        }
        place(by_path, std::move(entry), moved, problems);
    }
    settle_hard_links(by_path, group_of);
    std::vector<TreeEntry> out;
    out.reserve(by_path.size());
    for (auto& [path, entry] : by_path) {
        out.push_back(std::move(entry));
    }
    return out;
}

namespace {

// A glob with the literal text it starts with, which decides most paths cheaply.
class Globs {
  public:
    explicit Globs(const std::vector<std::string>& patterns) {
        for (const std::string& each : patterns) {
            std::string pattern = each.starts_with('/') ? each : "/" + each;
            std::string prefix = pattern.substr(0, pattern.find_first_of("*?[{\\"));
            // "a/**" matches "a" as well.
            if (prefix.size() > 1 && prefix.size() < pattern.size() && prefix.ends_with('/')) {
                prefix.pop_back();
            }
            globs_.push_back({std::move(pattern), std::move(prefix)});
        }
    }
    bool match(const std::string& absolute) const {
        return std::any_of(globs_.begin(), globs_.end(), [&](const Glob& each) {
            return absolute.starts_with(each.prefix) && glob_match(each.pattern, absolute);
        });
    }

  private:
    struct Glob {
        std::string pattern, prefix;
    };
    std::vector<Glob> globs_;
};

std::string parent_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string::npos ? std::string() : path.substr(0, slash);
}

// A file whose first name went away lives on under the next one.
void settle_after_exclusion(std::vector<TreeEntry>& entries) {
    std::map<std::string, std::string> leader;
    std::set<std::string, std::less<>> present;
    for (TreeEntry& entry : entries) {
        if (!entry.hardlink.empty() && !present.contains(entry.hardlink)) {
            const auto [at, added] = leader.try_emplace(entry.hardlink, entry.path);
            entry.hardlink = added ? std::string() : at->second;
        }
        present.insert(entry.path);
    }
}

}  // namespace

std::vector<TreeEntry> exclude_paths(std::vector<TreeEntry> entries, const PathPolicy& policy) {
    const Globs exclude(policy.exclude);
    const Globs keep(policy.keep);
    std::unordered_set<std::string> had_children;
    std::unordered_set<std::string> excluded;  // an excluded directory takes what is below along
    std::unordered_set<std::string> dropped;
    for (const TreeEntry& entry : entries) {
        const std::string absolute = "/" + entry.path;
        const std::string parent = parent_of(entry.path);
        had_children.insert(parent);
        if (excluded.contains(parent) || exclude.match(absolute)) {
            excluded.insert(entry.path);
            if (!keep.match(absolute)) {
                dropped.insert(entry.path);
            }
        }
    }
    // From the deepest up: a directory stays while something in it does, or when it was shipped
    // empty and nobody excluded it.
    std::unordered_set<std::string> has_children;
    std::vector<TreeEntry> out;
    for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry) {
        bool stays = !dropped.contains(entry->path);
        if (entry->kind == EntryKind::kDirectory) {
            stays = has_children.contains(entry->path) ||
                    (stays && !had_children.contains(entry->path));
        }
        if (stays) {
            has_children.insert(parent_of(entry->path));
            out.push_back(std::move(*entry));
        }
    }
    std::reverse(out.begin(), out.end());
    settle_after_exclusion(out);
    return out;
}

namespace {

// Sorted. Directories below them that other packages bring along are their business.
constexpr std::array<std::string_view, 45> kStandardDirectories{
    "boot",          "dev",           "etc",           "etc/opt",       "etc/profile.d",
    "etc/skel",      "home",          "media",         "mnt",           "opt",
    "proc",          "root",          "run",           "srv",           "sys",
    "tmp",           "usr",           "usr/bin",       "usr/games",     "usr/include",
    "usr/lib",       "usr/lib64",     "usr/libexec",   "usr/local",     "usr/local/bin",
    "usr/local/etc", "usr/local/lib", "usr/local/sbin", "usr/local/share", "usr/local/src",
    "usr/sbin",      "usr/share",     "usr/share/doc", "usr/share/info", "usr/share/man",
    "usr/share/misc", "usr/src",      "var",           "var/cache",     "var/lib",
    "var/local",     "var/log",       "var/mail",      "var/opt",       "var/spool"};
static_assert(std::is_sorted(kStandardDirectories.begin(), kStandardDirectories.end()));

}  // namespace

bool is_standard_directory(const TreeEntry& entry) {
    const auto is_root = [](const std::string& name, std::uint32_t id) {
        return name == "root" || (name.empty() && id == 0);
    };
    return entry.kind == EntryKind::kDirectory && entry.mode == 0755 &&
           is_root(entry.user, entry.uid) && is_root(entry.group, entry.gid) &&
           entry.xattrs.empty() &&
           std::binary_search(
               kStandardDirectories.begin(), kStandardDirectories.end(), entry.path);
}

}  // namespace tarn::import
