// SPDX-License-Identifier: MIT
#include "inspect/detail/content.hh"

#include "base/strings.hh"

#include <algorithm>
#include <numeric>
#include <unordered_map>

namespace tarn::inspect {

Result<Tree> TreeMaker::finish() {
    std::vector<std::size_t> order(entries_.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::sort(
        order, {}, [&](std::size_t i) -> const std::string& { return entries_[i].path; });
    std::unordered_map<std::uint64_t, std::size_t> first;
    for (const std::size_t i : order) {
        if (entries_[i].kind != EntryKind::kFile) {
            continue;
        }
        const auto [found, is_new] = first.emplace(inodes_[i], i);
        if (!is_new) {
            entries_[i].hardlink = entries_[found->second].path;
        }
    }
    auto tree = Tree::make(std::move(entries_));
    if (!tree) {
        tree.error().kind = ErrorKind::kCorrupt;
        return fail(std::move(tree.error()).context(name_));
    }
    return tree;
}

bool is_of_interest(std::string_view path) {
    constexpr std::string_view kBelow[] = {"etc/",
                                           "usr/lib/systemd/",
                                           "usr/lib/sysctl.d/",
                                           "usr/lib/sysusers.d/",
                                           "usr/lib/tmpfiles.d/",
                                           "usr/lib/modprobe.d/",
                                           "usr/lib/modules-load.d/",
                                           "usr/lib/kernel/",
                                           "usr/lib/rpm/macros",
                                           "usr/lib/pam.d/",
                                           "usr/lib/tarn/",
                                           "usr/share/tarn/baseline/",
                                           "usr/share/dnf5/",
                                           "boot/loader/entries/",
                                           "usr/lib/rpm/rpmrc"};
    for (const std::string_view prefix : kBelow) {
        if (path.starts_with(prefix)) {
            return !path.ends_with("hwdb.bin") && !path.starts_with("etc/ssl/");
        }
    }
    const std::string_view name = path.substr(path.rfind('/') + 1);
    return name == "rpmdb.sqlite" || path == "usr/lib/os-release" ||
           (path.starts_with("boot/") && name.starts_with("config-")) ||
           (path.starts_with("usr/lib/modules/") && name == "config");
}

const TreeEntry* resolve(const Tree& tree, std::string_view path) {
    std::string place;
    std::string rest(path);
    for (int links = 0; links < 40;) {
        while (rest.starts_with('/')) {
            rest.erase(0, 1);
        }
        if (rest.empty()) {
            return tree.find(place);
        }
        const std::size_t end = std::min(rest.find('/'), rest.size());
        const std::string part = rest.substr(0, end);
        rest.erase(0, end);
        if (part == "." || part.empty()) {
            continue;
        }
        if (part == "..") {
            const std::size_t slash = place.rfind('/');
            place.resize(slash == std::string::npos ? 0 : slash);
            continue;
        }
        const std::string next = place.empty() ? part : place + "/" + part;
        const TreeEntry* entry = tree.find(next);
        if (entry != nullptr && entry->kind == EntryKind::kSymlink) {
            ++links;
            if (entry->target.starts_with('/')) {
                place.clear();
            }
            rest = entry->target + "/" + rest;
            continue;
        }
        place = next;
    }
    return nullptr;
}

Result<std::string> read(const Store& store, const Tree& tree, std::string_view path) {
    const TreeEntry* entry = resolve(tree, path);
    if (entry == nullptr || entry->kind != EntryKind::kFile) {
        return fail(ErrorKind::kNotFound, "the image has no file /{}", path);
    }
    return store.read(entry->content);
}

}  // namespace tarn::inspect
