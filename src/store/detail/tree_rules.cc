// SPDX-License-Identifier: MIT
#include "store/detail/tree_rules.hh"

#include <algorithm>
#include <unordered_map>

namespace tarn::detail {

std::string_view parent_of(std::string_view path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

std::size_t index_of(const std::vector<TreeEntry>& entries, std::string_view path) {
    const auto less = [](const TreeEntry& entry, std::string_view wanted) {
        return entry.path < wanted;
    };
    const auto found = std::lower_bound(entries.begin(), entries.end(), path, less);
    if (found == entries.end() || found->path != path) {
        return kNone;
    }
    return static_cast<std::size_t>(found - entries.begin());
}

std::size_t ParentCheck::blocking(std::string_view path, const std::vector<bool>& ignored) {
    std::vector<std::string_view> seen;
    for (std::string_view at = parent_of(path); !at.empty(); at = parent_of(at)) {
        if (clean_.contains(at)) {
            break;
        }
        const std::size_t index = index_of(entries_, at);
        if (index != kNone && entries_[index].kind != EntryKind::kDirectory &&
            !(index < ignored.size() && ignored[index])) {
            return index;
        }
        seen.push_back(at);
    }
    clean_.insert(seen.begin(), seen.end());
    return kNone;
}

void relink(std::vector<TreeEntry>& entries, const std::vector<std::size_t>& group) {
    std::unordered_map<std::size_t, std::size_t> leader;  // group -> index
    for (std::size_t i = 0; i < entries.size(); ++i) {
        if (group[i] == kNone) {
            continue;
        }
        const auto [at, first] = leader.try_emplace(group[i], i);
        entries[i].hardlink = first ? std::string() : entries[at->second].path;
    }
}

}  // namespace tarn::detail
