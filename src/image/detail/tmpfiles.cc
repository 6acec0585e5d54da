// SPDX-License-Identifier: MIT
#include "image/detail/tmpfiles.hh"

#include "base/fs.hh"
#include "base/strings.hh"

#include <algorithm>
#include <set>

namespace tarn::image {
namespace {

constexpr int kMaxLinks = 40;

bool has(const TmpfilesLine& line, char modifier) {
    return line.modifiers.find(modifier) != std::string::npos;
}

// Creates, and so owns its path: a second line for the path that says something else is ignored.
bool owns(char type) {
    return std::string_view("fFwdDevqQpLcbC").find(type) != std::string_view::npos;
}

bool same_wish(const TmpfilesLine& a, const TmpfilesLine& b) {
    return a.type == b.type && a.mode == b.mode && a.user == b.user && a.group == b.group &&
           a.argument == b.argument;
}

// "w+" may be said of a file as often as one likes.
bool both_append(const TmpfilesLine& a, const TmpfilesLine& b) {
    return a.type == 'w' && b.type == 'w' && has(a, '+') && has(b, '+');
}

class Tmpfiles {
  public:
    Tmpfiles(const Store& store, const Tree& tree, const AccountIds& ids, std::int64_t time)
        : store_(store), ids_(ids), time_(time) {
        for (const TreeEntry& entry : tree.entries()) {
            entries_.emplace(entry.path, entry);
        }
        for (const TreeEntry& entry : tree.entries()) {
            imply(entry.path);
        }
    }
    Result<void> run(const std::vector<TmpfilesLine>& lines);
    void give(Overlay& overlay) const {
        for (const std::string& path : changed_) {
            overlay.add(entries_.find(path)->second);
        }
    }

  private:
    // Directories that are there because something is in them.
    void imply(const std::string& path) {
        for (std::string above = parent_path(path); !above.empty(); above = parent_path(above)) {
            TreeEntry directory;
            directory.path = above;
            directory.kind = EntryKind::kDirectory;
            directory.mode = 0755;
            directory.mtime = time_;
            if (!entries_.emplace(above, std::move(directory)).second) {
                return;
            }
        }
    }
    Result<void> apply(const TmpfilesLine& line);
    Result<void> apply_to(const TmpfilesLine& line, const std::string& path);
    Result<void> copy(const TmpfilesLine& line, const std::string& path);
    void create(const TmpfilesLine& line,
                const std::string& path,
                EntryKind kind,
                std::uint32_t mode);
    void attributes(const TmpfilesLine& line, const std::string& path, bool made);
    void recursive(const TmpfilesLine& line, const std::string& path);
    Result<void> file(const TmpfilesLine& line, const std::string& path);
    void link(const TmpfilesLine& line, const std::string& path);
    void write(const std::string& path, const Digest& content);
    std::string place(std::string_view path) const;
    void parents(const std::string& path);
    TreeEntry* find(const std::string& path) {
        const auto found = entries_.find(path);
        return found == entries_.end() ? nullptr : &found->second;
    }
    void put(TreeEntry entry) {
        changed_.insert(entry.path);
        entries_.insert_or_assign(entry.path, std::move(entry));
    }
    std::vector<std::string> matching(const std::string& pattern) const;
    void problem(const TmpfilesLine& line, std::string what) {
        problems_.push_back(fmt::format("{}: {}", line.where, what));
    }

    const Store& store_;
    const AccountIds& ids_;
    std::int64_t time_;
    std::map<std::string, TreeEntry, std::less<>> entries_;
    std::set<std::string> changed_;
    std::vector<std::string> problems_;
};

// The path with the links above its last part followed, without leading "/".
std::string Tmpfiles::place(std::string_view path) const {
    std::string at(path.substr(1));
    std::size_t from = 0;
    for (int links = 0; links < kMaxLinks;) {
        const std::size_t slash = at.find('/', from);
        if (slash == std::string::npos) {
            return at;
        }
        const std::string above = at.substr(0, slash);
        const auto node = entries_.find(above);
        if (node == entries_.end() || node->second.kind != EntryKind::kSymlink) {
            from = slash + 1;
            continue;
        }
        ++links;
        const std::string target = absolute_path(node->second.target, "/" + parent_path(above));
        at = join_path(target.substr(1), at.substr(slash + 1));
        from = 0;
    }
    return at;
}

void Tmpfiles::parents(const std::string& path) {
    for (std::string above = parent_path(path); !above.empty(); above = parent_path(above)) {
        if (find(above) != nullptr) {
            return;
        }
        TreeEntry directory;
        directory.path = above;
        directory.kind = EntryKind::kDirectory;
        directory.mode = 0755;
        directory.mtime = time_;
        put(std::move(directory));
    }
}

std::vector<std::string> Tmpfiles::matching(const std::string& pattern) const {
    std::vector<std::string> out;
    if (pattern.find_first_of("*?[{") == std::string::npos) {
        if (entries_.contains(pattern)) {
            out.push_back(pattern);
        }
        return out;
    }
    for (const auto& [path, entry] : entries_) {
        if (glob_match(pattern, path)) {
            out.push_back(path);
        }
    }
    return out;
}

// Mode and owner as the line says; "~" keeps what the entry cannot do, ":" is for new ones alone.
void Tmpfiles::attributes(const TmpfilesLine& line, const std::string& path, bool made) {
    TreeEntry entry = *find(path);
    const TreeEntry before = entry;
    const bool only_new = line.mode.find(':') != std::string::npos;
    if (!line.mode.empty() && entry.kind != EntryKind::kSymlink && (made || !only_new)) {
        auto mode = static_cast<std::uint32_t>(
            parse_u64(line.mode.substr(line.mode.find_first_not_of("~:")), 8).value_or(0));
        if (line.mode.find('~') != std::string::npos && !made) {
            mode &= (entry.mode & 0111u) == 0 ? ~0111u : ~0u;
            mode &= (entry.mode & 0222u) == 0 ? ~0222u : ~0u;
            mode &= (entry.mode & 0444u) == 0 ? ~0444u : ~0u;
            mode &= entry.kind == EntryKind::kDirectory ? ~0u : ~07000u;
        }
        entry.mode = mode;
    }
    const auto own =
        [&](const std::string& wish, std::string& name, std::uint32_t& id, const auto& table) {
            const bool fresh_only = wish.starts_with(':');
            const std::string who = wish.substr(fresh_only ? 1 : 0);
            if (who.empty() || (fresh_only && !made)) {
                return;
            }
            if (const auto number = parse_u64(who); number && *number < UINT32_MAX) {
                name.clear();
                id = static_cast<std::uint32_t>(*number);
            } else if (table.contains(who)) {
                name = who;
                id = 0;
            } else {
                problem(line, fmt::format("/{}: the image has no account `{}`", path, who));
            }
        };
    own(line.user, entry.user, entry.uid, ids_.users);
    own(line.group, entry.group, entry.gid, ids_.groups);
    if (entry == before) {
        return;
    }
    // All names of one inode change together.
    const std::string leader = entry.hardlink.empty() ? entry.path : entry.hardlink;
    if (entry.kind == EntryKind::kFile) {
        for (auto& [name, other] : entries_) {
            if (name == leader || other.hardlink == leader) {
                other.mode = entry.mode;
                other.user = entry.user;
                other.group = entry.group;
                other.uid = entry.uid;
                other.gid = entry.gid;
                changed_.insert(name);
            }
        }
        return;
    }
    put(std::move(entry));
}

void Tmpfiles::recursive(const TmpfilesLine& line, const std::string& path) {
    std::vector<std::string> below = {path};
    const std::string prefix = path + "/";
    for (auto at = entries_.lower_bound(prefix);
         at != entries_.end() && at->first.starts_with(prefix);
         ++at) {
        below.push_back(at->first);
    }
    for (const std::string& one : below) {
        attributes(line, one, false);
    }
}

void Tmpfiles::create(const TmpfilesLine& line,
                      const std::string& path,
                      EntryKind kind,
                      std::uint32_t mode) {
    const TreeEntry* there = find(path);
    if (there != nullptr && there->kind != kind && has(line, '+') &&
        kind != EntryKind::kDirectory && there->kind != EntryKind::kDirectory) {
        entries_.erase(path);
        there = nullptr;
    }
    if (there == nullptr) {
        parents(path);
        TreeEntry entry;
        entry.path = path;
        entry.kind = kind;
        entry.mode = mode;
        entry.mtime = time_;
        put(std::move(entry));
        attributes(line, path, true);
    } else if (there->kind == kind) {
        attributes(line, path, false);
    }
}

void Tmpfiles::write(const std::string& path, const Digest& content) {
    TreeEntry* entry = find(path);
    if (entry == nullptr || entry->kind != EntryKind::kFile) {
        return;
    }
    TreeEntry changed = *entry;
    changed.content = content;
    changed.hardlink.clear();
    changed.mtime = time_;
    put(std::move(changed));
}

Result<void> Tmpfiles::copy(const TmpfilesLine& line, const std::string& path) {
    const std::string source =
        line.argument.empty() ? "/usr/share/factory" + line.path : line.argument;
    const std::string from = place(absolute_path(source, "/"));
    const TreeEntry* origin = find(from);
    if (origin == nullptr) {
        return {};  // nothing to copy is no failure
    }
    const TreeEntry* there = find(path);
    const auto next = entries_.lower_bound(path + "/");
    const bool filled = next != entries_.end() && next->first.starts_with(path + "/");
    if (there != nullptr && !has(line, '+') && (there->kind != EntryKind::kDirectory || filled)) {
        attributes(line, path, false);
        return {};
    }
    parents(path);
    std::vector<TreeEntry> copies;
    for (const auto& [name, entry] : entries_) {
        if (name != from && !name.starts_with(from + "/")) {
            continue;
        }
        TreeEntry one = entry;
        one.path = path + name.substr(from.size());
        one.hardlink.clear();
        if (find(one.path) == nullptr) {
            copies.push_back(std::move(one));
        }
    }
    for (TreeEntry& one : copies) {
        put(std::move(one));
    }
    attributes(line, path, there == nullptr);
    return {};
}

Result<void> Tmpfiles::file(const TmpfilesLine& line, const std::string& path) {
    const bool fresh = find(path) == nullptr;
    create(line, path, EntryKind::kFile, 0644);
    if (fresh || line.type == 'F' || has(line, '+')) {
        write(path, TARN_TRY(store_.put(line.argument)));
    }
    return {};
}

void Tmpfiles::link(const TmpfilesLine& line, const std::string& path) {
    const std::string target =
        line.argument.empty() ? "/usr/share/factory" + line.path : line.argument;
    if (has(line, '?') && find(place(absolute_path(target, parent_path(line.path)))) == nullptr) {
        return;
    }
    const TreeEntry* there = find(path);
    const bool other =
        there != nullptr && (there->kind != EntryKind::kSymlink || there->target != target);
    if (other && has(line, '+') && there->kind != EntryKind::kDirectory) {
        entries_.erase(path);
    }
    if (find(path) == nullptr) {
        create(line, path, EntryKind::kSymlink, 0777);
        find(path)->target = target;
    }
}

Result<void> Tmpfiles::apply_to(const TmpfilesLine& line, const std::string& path) {
    switch (line.type) {
        case 'w': {
            const TreeEntry* entry = find(path);
            if (entry != nullptr && entry->kind == EntryKind::kFile) {
                const std::string old =
                    has(line, '+') ? TARN_TRY(store_.read(entry->content)) : std::string();
                write(path, TARN_TRY(store_.put(old + line.argument)));
            }
            return {};
        }
        case 'e':
            if (const TreeEntry* entry = find(path);
                entry != nullptr && entry->kind == EntryKind::kDirectory) {
                attributes(line, path, false);
            }
            return {};
        case 'Z':
            recursive(line, path);
            return {};
        default:  // z, m
            attributes(line, path, false);
            return {};
    }
}

Result<void> Tmpfiles::apply(const TmpfilesLine& line) {
    const std::string path = place(line.path);
    for (const char* kernel : {"dev", "proc", "sys"}) {
        if (path == kernel || path.starts_with(std::string(kernel) + "/")) {
            return {};
        }
    }
    if (path.empty()) {
        return {};
    }
    switch (line.type) {
        case 'f':
        case 'F':
            return file(line, path);
        case 'd':
        case 'D':
        case 'v':
        case 'q':
        case 'Q':
            create(line, path, EntryKind::kDirectory, 0755);
            return {};
        case 'p':
            create(line, path, EntryKind::kFifo, 0644);
            return {};
        case 'L':
            link(line, path);
            return {};
        case 'C':
            return copy(line, path);
        case 'c':
        case 'b':
            return {};  // nodes are the runtime's
        default:
            for (const std::string& match : matching(path)) {
                TARN_TRY(apply_to(line, match));
            }
            return {};
    }
}

Result<void> Tmpfiles::run(const std::vector<TmpfilesLine>& lines) {
    std::map<std::string, const TmpfilesLine*> owners;
    std::vector<const TmpfilesLine*> creating, adjusting;
    for (const TmpfilesLine& line : lines) {
        const bool globs = std::string_view("wezZm").find(line.type) != std::string_view::npos;
        if (owns(line.type)) {
            const auto [first, fresh] = owners.try_emplace(line.path, &line);
            if (!fresh && !both_append(line, *first->second) && !same_wish(line, *first->second)) {
                continue;
            }
        }
        (globs ? adjusting : creating).push_back(&line);
    }
    // What creates comes first, directories before what is in them; then what adjusts.
    std::ranges::stable_sort(
        creating, {}, [](const TmpfilesLine* line) -> const std::string& { return line->path; });
    creating.insert(creating.end(), adjusting.begin(), adjusting.end());
    for (const TmpfilesLine* line : creating) {
        TARN_TRY(apply(*line));
    }
    if (!problems_.empty()) {
        Error problem =
            error(ErrorKind::kFailed, "tmpfiles.d asks for what the image does not have");
        problem.notes = problems_;
        problem.help.emplace_back(
            "declare the account in a sysusers.d file of a package of the image, or mask the file "
            "with a link /etc/tmpfiles.d/<name> to /dev/null");
        return fail(std::move(problem));
    }
    return {};
}

}  // namespace

Result<void> add_tmpfiles(const Store& store,
                          const Tree& tree,
                          const AccountIds& ids,
                          Overlay& overlay) {
    const std::vector<TmpfilesLine> lines = TARN_TRY(read_tmpfiles(store, tree));
    Tmpfiles tmpfiles(store, tree, ids, overlay.time());
    TARN_TRY(tmpfiles.run(lines));
    tmpfiles.give(overlay);
    return {};
}

}  // namespace tarn::image
