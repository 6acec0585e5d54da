// SPDX-License-Identifier: MIT
#include "base/strings.hh"
#include "oci/oci.hh"

#include <deque>

namespace tarn::oci {
namespace {

constexpr int kMaxLinks = 40;  // as path_resolution(7)
constexpr std::string_view kWhiteout = ".wh.";
constexpr std::string_view kOpaque = ".wh..wh..opq";

EntryKind kind_of(char type) {
    switch (type) {
        case '2':
            return EntryKind::kSymlink;
        case '3':
            return EntryKind::kCharDevice;
        case '4':
            return EntryKind::kBlockDevice;
        case '5':
            return EntryKind::kDirectory;
        case '6':
            return EntryKind::kFifo;
        default:
            return EntryKind::kFile;
    }
}

std::string below(const std::string& directory, std::string_view name) {
    return directory.empty() ? std::string(name) : fmt::format("{}/{}", directory, name);
}

void pop_part(std::string& path) {
    const std::size_t slash = path.rfind('/');
    path.resize(slash == std::string::npos ? 0 : slash);
}

}  // namespace

// Where a name lies: the links of all but its last part are followed within the tree.
Result<std::string> LayerStack::place(std::string_view path, const std::string& name) const {
    const auto refuse = [&](std::string_view why) {
        return fail(ErrorKind::kCorrupt, "{}: {}: {}", name, path, why);
    };
    std::deque<std::string> rest;
    for (const std::string_view part : split(path, '/')) {
        if (part == "..") {
            return refuse("leads out of its directory");
        }
        if (!part.empty() && part != ".") {
            rest.emplace_back(part);
        }
    }
    if (rest.size() > limits_.depth) {
        return refuse(fmt::format("more than {} directories deep", limits_.depth));
    }
    std::string at;
    for (int links = 0; rest.size() > 1;) {
        const std::string part = std::move(rest.front());
        rest.pop_front();
        if (part == "..") {
            pop_part(at);
            continue;
        }
        std::string step = below(at, part);
        const auto node = nodes_.find(step);
        if (node == nodes_.end() || node->second.entry.kind == EntryKind::kDirectory) {
            at = std::move(step);
            continue;
        }
        if (node->second.entry.kind != EntryKind::kSymlink) {
            return refuse(fmt::format("/{} is no directory", step));
        }
        const std::string& target = node->second.entry.target;
        if (++links > kMaxLinks || rest.size() > limits_.depth) {
            return refuse("too many links");
        }
        if (target.starts_with('/')) {
            at.clear();
        }
        const auto parts = split(target, '/');
        for (auto piece = parts.rbegin(); piece != parts.rend(); ++piece) {
            if (!piece->empty() && *piece != ".") {
                rest.emplace_front(*piece);
            }
        }
    }
    return rest.empty() ? at : below(at, rest.front());
}

void LayerStack::remove(const std::string& path, bool only_lower) {
    const auto gone = [&](const Node& node) { return !only_lower || node.layer < layer_; };
    if (const auto self = nodes_.find(path); self != nodes_.end() && gone(self->second)) {
        nodes_.erase(self);
    }
    const std::string prefix = path.empty() ? path : path + "/";
    for (auto at = nodes_.lower_bound(prefix);
         at != nodes_.end() && at->first.starts_with(prefix);) {
        at = gone(at->second) ? nodes_.erase(at) : std::next(at);
    }
}

Result<void> LayerStack::whiteout(const std::string& directory, std::string_view name) {
    if (name != kOpaque) {
        remove(below(directory, name.substr(kWhiteout.size())), true);
        return {};
    }
    const auto self = nodes_.find(directory);
    const std::size_t layer = self == nodes_.end() ? 0 : self->second.layer;
    if (self != nodes_.end()) {
        self->second.layer = layer_;  // what is in it goes, not the directory
    }
    remove(directory, true);
    if (const auto again = nodes_.find(directory); again != nodes_.end()) {
        again->second.layer = layer;
    }
    return {};
}

Result<void> LayerStack::add(const TarMember& member,
                             const std::string& path,
                             const std::string& name) {
    Node node;
    if (member.type == '1') {
        const std::string target = TARN_TRY(place(member.link, name));
        const auto found = nodes_.find(target);
        if (found == nodes_.end() || found->second.entry.kind == EntryKind::kDirectory) {
            return fail(ErrorKind::kCorrupt,
                        "{}: {} is a hard link to {}, which is no file",
                        name,
                        member.path,
                        member.link);
        }
        if (target == path) {
            return {};
        }
        node = found->second;
    } else {
        if (member.uid > UINT32_MAX || member.gid > UINT32_MAX) {
            return fail(ErrorKind::kCorrupt, "{}: {}: an owner beyond 32 bits", name, member.path);
        }
        node.inode = ++inodes_;
        node.entry.kind = kind_of(member.type);
        node.entry.mode = member.mode;
        node.entry.uid = static_cast<std::uint32_t>(member.uid);
        node.entry.gid = static_cast<std::uint32_t>(member.gid);
        node.entry.mtime = member.mtime;
        node.entry.target = member.type == '2' ? member.link : std::string();
        node.entry.device_major =
            member.type == '3' || member.type == '4' ? member.device_major : 0;
        node.entry.device_minor =
            member.type == '3' || member.type == '4' ? member.device_minor : 0;
        node.entry.xattrs = member.xattrs;
        if (member.type == '0') {
            node.entry.content = TARN_TRY(put_(member.content));
        }
    }
    node.entry.path = path;
    node.layer = layer_;
    if (const char* problem = entry_problem(node.entry)) {
        return fail(ErrorKind::kCorrupt, "{}: {} {}", name, member.path, problem);
    }
    const bool directory = node.entry.kind == EntryKind::kDirectory;
    const auto old = nodes_.find(path);
    if (!directory || (old != nodes_.end() && old->second.entry.kind != EntryKind::kDirectory)) {
        remove(path, false);
    }
    nodes_.insert_or_assign(path, std::move(node));
    return {};
}

Result<void> LayerStack::apply(std::string_view tar, const std::string& name) {
    TarReader reader(tar, name, limits_);
    TarMember member;
    while (TARN_TRY(reader.next(member))) {
        const std::string path = TARN_TRY(place(member.path, name));
        const std::size_t slash = path.rfind('/');
        const std::string last = path.substr(slash == std::string::npos ? 0 : slash + 1);
        if (last.starts_with(kWhiteout)) {
            TARN_TRY(whiteout(path.substr(0, slash == std::string::npos ? 0 : slash), last));
        } else if (!path.empty() || member.type == '5') {
            TARN_TRY(add(member, path, name));
        }
        if (nodes_.size() > limits_.members) {
            return fail(ErrorKind::kCorrupt, "{}: more than {} files", name, limits_.members);
        }
    }
    ++layer_;
    return {};
}

Result<Tree> LayerStack::tree() const {
    std::vector<TreeEntry> out;
    std::map<std::size_t, std::string> first;  // inode -> the path that sorts first
    for (const auto& [path, node] : nodes_) {
        TreeEntry entry = node.entry;
        const auto [at, fresh] = first.try_emplace(node.inode, path);
        if (!fresh && entry.kind == EntryKind::kFile) {
            entry.hardlink = at->second;
        }
        out.push_back(std::move(entry));
    }
    return Tree::make(std::move(out));
}

}  // namespace tarn::oci
