// SPDX-License-Identifier: MIT
#include "cli/tree_target.hh"

#include "base/fs.hh"

#include <algorithm>

namespace tarn::cli {

namespace {

using guest::baseline::FileInfo;
using guest::baseline::FileKind;
using guest::baseline::Follow;

std::string relative(const std::string& path) {
    std::string out = absolute_path(path, "/");
    out.erase(0, 1);
    return out;
}

Failure nowhere(const std::string& path) {
    return fail(ErrorKind::kNotFound, "the image has no {}", path);
}

Failure not_running(const std::string& what) {
    return fail(ErrorKind::kNotFound, "{} of an image that does not run", what);
}

FileInfo info_of(const TreeEntry& entry) {
    FileInfo info;
    info.kind = entry.kind == EntryKind::kFile        ? FileKind::kFile
                : entry.kind == EntryKind::kDirectory ? FileKind::kDirectory
                : entry.kind == EntryKind::kSymlink   ? FileKind::kLink
                                                      : FileKind::kOther;
    info.mode = entry.mode;
    info.uid = entry.uid;
    info.gid = entry.gid;
    info.size = entry.content.size;
    return info;
}

}  // namespace

TreeTarget::TreeTarget(const Store& store, const inspect::System& system, std::string name)
    : store_(store), system_(system), name_(std::move(name)) {
    for (const TreeEntry& one : system.artifact.tree.entries()) {
        if (!one.path.empty()) {
            const std::size_t slash = one.path.rfind('/');
            const std::string parent =
                slash == std::string::npos ? std::string() : one.path.substr(0, slash);
            names_[parent].push_back(one.path.substr(slash + 1));
        }
    }
}

const TreeEntry* TreeTarget::entry(const std::string& path) const {
    const std::string whole = relative(path);
    const std::size_t slash = whole.rfind('/');
    if (slash == std::string::npos) {
        return system_.artifact.tree.find(whole);
    }
    const TreeEntry* parent = inspect::resolve(system_.artifact.tree, whole.substr(0, slash));
    if (parent == nullptr) {
        return nullptr;
    }
    const std::string name = whole.substr(slash + 1);
    return system_.artifact.tree.find(parent->path.empty() ? name : parent->path + "/" + name);
}

Result<std::string> TreeTarget::read(const std::string& path, std::uint64_t limit) const {
    const std::string place = relative(path);
    const TreeEntry* found = inspect::resolve(system_.artifact.tree, place);
    if (found == nullptr || found->kind != EntryKind::kFile) {
        return nowhere(path);
    }
    if (found->content.size > limit) {
        return fail(ErrorKind::kCorrupt, "{} is larger than {} bytes", path, limit);
    }
    auto text = inspect::read(store_, system_.artifact.tree, place);
    if (!text) {  // it is there, and its content was not kept
        return fail(ErrorKind::kFailed, "{} was not read from the image", path);
    }
    return text;
}

Result<FileInfo> TreeTarget::info(const std::string& path, Follow follow) const {
    const TreeEntry* found = follow == Follow::kYes
                                 ? inspect::resolve(system_.artifact.tree, relative(path))
                                 : entry(path);
    if (found == nullptr) {
        return nowhere(path);
    }
    return info_of(*found);
}

Result<std::vector<std::string>> TreeTarget::list(const std::string& path) const {
    const TreeEntry* found = inspect::resolve(system_.artifact.tree, relative(path));
    const std::string place = found == nullptr ? relative(path) : found->path;
    const auto names = names_.find(place);
    if (names == names_.end()) {
        if (found == nullptr) {
            return nowhere(path);
        }
        return std::vector<std::string>();
    }
    std::vector<std::string> out = names->second;
    std::ranges::sort(out);
    return out;
}

Result<std::string> TreeTarget::link(const std::string& path) const {
    const TreeEntry* found = entry(path);
    if (found == nullptr || found->kind != EntryKind::kSymlink) {
        return nowhere(path);
    }
    return found->target;
}

Result<std::string> TreeTarget::attribute(const std::string& path, const std::string& name) const {
    const TreeEntry* found = inspect::resolve(system_.artifact.tree, relative(path));
    if (found == nullptr || !found->xattrs.contains(name)) {
        return nowhere(path);
    }
    return found->xattrs.at(name);
}

Result<void> TreeTarget::walk(const Visit& visit) const {
    for (const TreeEntry& one : system_.artifact.tree.entries()) {
        visit("/" + one.path, info_of(one));
    }
    return {};
}

Result<std::vector<guest::baseline::Package>> TreeTarget::packages() const {
    if (system_.rpmdb.empty()) {
        return fail(ErrorKind::kNotFound, "the image has no rpm database");
    }
    std::vector<guest::baseline::Package> out;
    for (const rpm::InstalledPackage& one : system_.packages) {
        const rpm::Nevra& nevra = one.info.meta.nevra;
        out.push_back({nevra.name, nevra.evr.to_string(), nevra.arch, {}});
    }
    return out;
}

Result<std::string> TreeTarget::verify_packages(const std::vector<std::string>&) const {
    return not_running("files");
}

Result<guest::baseline::AuditState> TreeTarget::audit() const {
    return not_running("audit rules");
}

Result<std::vector<std::string>> TreeTarget::input_policies() const {
    return not_running("filters");
}

Result<std::string> TreeTarget::platform() const {
    return not_running("the platform");
}

Result<std::string> TreeTarget::command_line() const {
    if (system_.artifact.ukis.empty()) {
        return fail(ErrorKind::kNotFound, "the image has no kernel command line");
    }
    return system_.artifact.ukis[0].command_line;
}

}  // namespace tarn::cli
