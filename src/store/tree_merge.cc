// SPDX-License-Identifier: MIT
#include "store/detail/tree_rules.hh"
#include "store/tree.hh"

#include <algorithm>
#include <map>
#include <queue>

namespace tarn {

namespace {

using detail::kNone;

struct Head {
    std::string_view path;
    std::size_t tree = 0;
    std::size_t index = 0;
};

// Smallest path first; of equal paths the earliest tree.
struct LaterHead {
    bool operator()(const Head& a, const Head& b) const {
        return a.path != b.path ? a.path > b.path : a.tree > b.tree;
    }
};

// Times and sharing of inodes are no content: two packages may ship one file from two builds.
bool agree(const TreeEntry& a, const TreeEntry& b) {
    if (a.kind == EntryKind::kDirectory && b.kind == EntryKind::kDirectory) {
        return true;
    }
    return a.kind == b.kind && a.mode == b.mode && a.user == b.user && a.group == b.group &&
           a.uid == b.uid && a.gid == b.gid && a.content == b.content && a.target == b.target &&
           a.device_major == b.device_major && a.device_minor == b.device_minor &&
           a.xattrs == b.xattrs;
}

struct Merged {
    std::vector<TreeEntry> entries;
    std::vector<std::size_t> owner;
    std::vector<TreeConflict> conflicts;
};

Merged lay_over(const std::vector<const Tree*>& trees) {
    Merged result;
    std::priority_queue<Head, std::vector<Head>, LaterHead> heads;
    const auto push = [&](std::size_t tree, std::size_t index) {
        const std::vector<TreeEntry>& entries = trees[tree]->entries();
        if (index < entries.size()) {
            heads.push({entries[index].path, tree, index});
        }
    };
    std::size_t total = 0;
    for (std::size_t tree = 0; tree < trees.size(); ++tree) {
        push(tree, 0);
        total += trees[tree]->entries().size();
    }
    result.entries.reserve(total);
    result.owner.reserve(total);
    while (!heads.empty()) {
        const Head winner_candidate = heads.top();
        Head winner = winner_candidate;
        while (!heads.empty() && heads.top().path == winner_candidate.path) {
            const Head next = heads.top();
            heads.pop();
            if (!agree(trees[winner.tree]->entries()[winner.index],
                       trees[next.tree]->entries()[next.index])) {
                result.conflicts.push_back({std::string(next.path), winner.tree, next.tree});
            }
            winner = next;
            push(next.tree, next.index + 1);
        }
        result.entries.push_back(trees[winner.tree]->entries()[winner.index]);
        result.owner.push_back(winner.tree);
    }
    return result;
}

// One tree may give a file where another has a directory with entries. The later one wins here too.
void drop_blocked(Merged& merged) {
    std::vector<bool> dropped(merged.entries.size(), false);
    bool any = false;
    detail::ParentCheck parents(merged.entries);
    for (std::size_t i = 0; i < merged.entries.size(); ++i) {
        std::size_t above = kNone;
        while (!dropped[i] &&
               (above = parents.blocking(merged.entries[i].path, dropped)) != kNone) {
            const std::size_t here = merged.owner[i];
            const std::size_t there = merged.owner[above];
            merged.conflicts.push_back(
                {merged.entries[above].path, std::min(here, there), std::max(here, there)});
            dropped[here > there ? above : i] = true;
            any = true;
        }
    }
    if (!any) {
        return;
    }
    std::size_t kept = 0;
    for (std::size_t i = 0; i < merged.entries.size(); ++i) {
        if (!dropped[i]) {
            if (kept != i) {
                merged.entries[kept] = std::move(merged.entries[i]);
                merged.owner[kept] = merged.owner[i];
            }
            ++kept;
        }
    }
    merged.entries.resize(kept);
    merged.owner.resize(kept);
}

// Hard links stay among the entries that came from the same tree.
void settle_links(Merged& merged) {
    std::map<std::pair<std::size_t, std::string>, std::size_t> groups;
    std::vector<std::size_t> group(merged.entries.size(), kNone);
    for (std::size_t i = 0; i < merged.entries.size(); ++i) {
        if (!merged.entries[i].hardlink.empty()) {
            const auto key = std::pair(merged.owner[i], merged.entries[i].hardlink);
            group[i] = groups.try_emplace(key, groups.size()).first->second;
        }
    }
    if (groups.empty()) {
        return;
    }
    for (const auto& [key, number] : groups) {
        const std::size_t leader = detail::index_of(merged.entries, key.second);
        if (leader != kNone && merged.owner[leader] == key.first) {
            group[leader] = number;
        }
    }
    detail::relink(merged.entries, group);
}

bool conflict_order(const TreeConflict& a, const TreeConflict& b) {
    return std::tie(a.path, a.first, a.second) < std::tie(b.path, b.first, b.second);
}

bool same_conflict(const TreeConflict& a, const TreeConflict& b) {
    return std::tie(a.path, a.first, a.second) == std::tie(b.path, b.first, b.second);
}

}  // namespace

MergeResult merge(const std::vector<const Tree*>& trees) {
    Merged merged = lay_over(trees);
    drop_blocked(merged);
    settle_links(merged);
    auto& conflicts = merged.conflicts;
    std::sort(conflicts.begin(), conflicts.end(), conflict_order);
    conflicts.erase(std::unique(conflicts.begin(), conflicts.end(), same_conflict),
                    conflicts.end());
    Result<Tree> tree = Tree::make(std::move(merged.entries));
    TARN_CHECK(tree.has_value());  // what valid trees give was made valid above
    return {std::move(*tree), std::move(merged.owner), std::move(conflicts)};
}

TreeDiff diff(const Tree& before, const Tree& after) {
    TreeDiff result;
    auto a = before.entries().begin();
    auto b = after.entries().begin();
    while (a != before.entries().end() || b != after.entries().end()) {
        const bool only_a =
            b == after.entries().end() || (a != before.entries().end() && a->path < b->path);
        const bool only_b =
            a == before.entries().end() || (b != after.entries().end() && b->path < a->path);
        if (only_a) {
            result.removed.push_back((a++)->path);
        } else if (only_b) {
            result.added.push_back((b++)->path);
        } else {
            if (!(*a == *b)) {
                result.changed.push_back(a->path);
            }
            ++a;
            ++b;
        }
    }
    return result;
}

}  // namespace tarn
