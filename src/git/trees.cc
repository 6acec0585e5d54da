// SPDX-License-Identifier: MIT
#include "git/detail/impl.hh"

#include <algorithm>

namespace tarn::git {

using detail::git_error;
using detail::kDeepest;
using detail::kMostEntries;

namespace {

EntryType type_of(git_filemode_t mode) {
    switch (mode) {
        case GIT_FILEMODE_TREE:
            return EntryType::kDirectory;
        case GIT_FILEMODE_LINK:
            return EntryType::kSymlink;
        case GIT_FILEMODE_COMMIT:
            return EntryType::kSubmodule;
        case GIT_FILEMODE_BLOB_EXECUTABLE:
            return EntryType::kExecutable;
        default:
            return EntryType::kFile;
    }
}

Entry make_entry(const git_tree_entry* entry, std::string path) {
    return Entry{std::move(path),
                 type_of(git_tree_entry_filemode(entry)),
                 detail::hex(*git_tree_entry_id(entry))};
}

std::string without_slashes(std::string_view path) {
    while (path.ends_with('/')) {
        path.remove_suffix(1);
    }
    return std::string(path);
}

}  // namespace

Result<detail::TreeHandle> Repository::Impl::lookup_tree(const ObjectId& id) const {
    const git_oid oid = TARN_TRY(detail::parse_id(id));
    git_tree* tree = nullptr;
    const int code = git_tree_lookup(&tree, repository.get(), &oid);
    if (code < 0) {
        return fail(git_error(code, "cannot read tree " + id + " of " + directory));
    }
    return detail::TreeHandle(tree);
}

Result<detail::OdbObjectHandle> Repository::Impl::read(const git_oid& id, git_object_t type) const {
    git_odb_object* raw = nullptr;
    const int code = git_odb_read(&raw, odb.get(), &id);
    if (code < 0) {
        return fail(git_error(code, "cannot read object " + detail::hex(id) + " of " + directory));
    }
    detail::OdbObjectHandle object(raw);
    if (git_odb_object_type(raw) != type) {
        return fail(ErrorKind::kCorrupt,
                    "object {} of {} is a {}, expected a {}",
                    detail::hex(id),
                    directory,
                    git_object_type2string(git_odb_object_type(raw)),
                    git_object_type2string(type));
    }
    return object;
}

Result<std::optional<Entry>> Repository::Impl::find(const ObjectId& id,
                                                    std::string_view path) const {
    const Commit at = TARN_TRY(commit(id));
    const std::string name = without_slashes(path);
    if (name.empty()) {
        return Entry{"", EntryType::kDirectory, at.tree};
    }
    const detail::TreeHandle tree = TARN_TRY(lookup_tree(at.tree));
    git_tree_entry* raw = nullptr;
    const int code = name.find('\0') != std::string::npos
                         ? int{GIT_ENOTFOUND}
                         : git_tree_entry_bypath(&raw, tree.get(), name.c_str());
    const detail::TreeEntryHandle entry(raw);
    // A directory that a partial clone lacks is kNotFound as well, but of the object database.
    if (code == GIT_ENOTFOUND &&
        (git_error_last() == nullptr || git_error_last()->klass != GIT_ERROR_ODB)) {
        return std::optional<Entry>();
    }
    if (code < 0) {
        return fail(git_error(code, "cannot read " + name + " of commit " + id));
    }
    return make_entry(raw, name);
}

Result<void> Repository::Impl::read_tree(const std::string& prefix,
                                         const ObjectId& tree,
                                         std::vector<Entry>& files,
                                         std::vector<Entry>& directories) const {
    const detail::TreeHandle handle = TARN_TRY(lookup_tree(tree));
    for (std::size_t i = 0; i < git_tree_entrycount(handle.get()); ++i) {
        const git_tree_entry* raw = git_tree_entry_byindex(handle.get(), i);
        const std::string_view name = git_tree_entry_name(raw);
        if (name == "." || name == ".." || name.find('/') != std::string_view::npos) {
            return fail(
                ErrorKind::kCorrupt, "tree {} of {} names a file `{}`", tree, directory, name);
        }
        Entry entry = make_entry(raw, prefix + std::string(name));
        (entry.type == EntryType::kDirectory ? directories : files).push_back(std::move(entry));
    }
    return {};
}

Result<std::optional<Entry>> Repository::find(const ObjectId& commit, std::string_view path) const {
    return impl_->find(commit, path);
}

Result<std::vector<Entry>> Repository::list(const ObjectId& commit,
                                            std::string_view directory) const {
    const std::optional<Entry> top = TARN_TRY(impl_->find(commit, directory));
    if (!top || top->type != EntryType::kDirectory) {
        return fail(ErrorKind::kNotFound, "commit {} has no directory `{}`", commit, directory);
    }
    std::vector<Entry> files;
    std::vector<Entry> pending = {Entry{"", EntryType::kDirectory, top->id}};
    for (std::size_t directories = 0; !pending.empty(); ++directories) {
        const Entry next = std::move(pending.back());
        pending.pop_back();
        const auto depth =
            static_cast<std::size_t>(std::count(next.path.begin(), next.path.end(), '/'));
        if (depth > kDeepest || files.size() + directories > kMostEntries) {
            return fail(ErrorKind::kCorrupt,
                        "the tree of commit {} is deeper than {} directories or has more than {} "
                        "entries",
                        commit,
                        kDeepest,
                        kMostEntries);
        }
        const std::string prefix = next.path.empty() ? "" : next.path + "/";
        TARN_TRY(impl_->read_tree(prefix, next.id, files, pending));
    }
    std::sort(
        files.begin(), files.end(), [](const Entry& a, const Entry& b) { return a.path < b.path; });
    return files;
}

Result<std::string> Repository::blob(const ObjectId& id, std::uint64_t limit) const {
    const git_oid oid = TARN_TRY(detail::parse_id(id));
    std::size_t size = 0;
    git_object_t type = GIT_OBJECT_INVALID;
    const int code = git_odb_read_header(&size, &type, impl_->odb.get(), &oid);
    if (code < 0) {
        return fail(git_error(code, "cannot read object " + id + " of " + impl_->directory));
    }
    if (size > limit) {
        return fail(ErrorKind::kFailed,
                    "object {} of {} has {} bytes, more than the {} expected at most",
                    id,
                    impl_->directory,
                    size,
                    limit);
    }
    const detail::OdbObjectHandle object = TARN_TRY(impl_->read(oid, GIT_OBJECT_BLOB));
    return std::string(static_cast<const char*>(git_odb_object_data(object.get())),
                       git_odb_object_size(object.get()));
}

bool Repository::has(const ObjectId& id) const {
    const auto oid = detail::parse_id(id);
    return oid && git_odb_exists(impl_->odb.get(), &*oid) == 1;
}

}  // namespace tarn::git
