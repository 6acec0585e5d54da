// SPDX-License-Identifier: MIT
#include "store/detail/dir_cursor.hh"
#include "store/detail/layout.hh"
#include "store/detail/tree_rules.hh"
#include "store/store.hh"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace tarn {

namespace {

using detail::DirCursor;

std::array<timespec, 2> times_of(const TreeEntry& entry) {
    return {timespec{entry.mtime, 0}, timespec{entry.mtime, 0}};
}

class TreeWriter {
  public:
    TreeWriter(const Store& store, DirCursor cursor, Owners owners)
        : store_(store),
          cursor_(std::move(cursor)),
          privileged_(owners == Owners::kApply && ::geteuid() == 0) {}

    Result<void> write(const Tree& tree) {
        for (const TreeEntry& entry : tree.entries()) {
            if (entry.kind == EntryKind::kDirectory) {
                TARN_TRY(cursor_.enter(entry.path));
                continue;
            }
            const int parent = TARN_TRY(cursor_.enter(detail::parent_of(entry.path)));
            const std::string name(detail::name_of(entry.path));
            if (::unlinkat(parent, name.c_str(), 0) != 0 && errno != ENOENT) {
                return fail(sys_error("replace", cursor_.shown(entry.path)));
            }
            TARN_TRY(write_entry(entry, parent, name));
        }
        // Only now may directories become unwritable, and get times that stay. Children first.
        for (auto entry = tree.entries().rbegin(); entry != tree.entries().rend(); ++entry) {
            if (entry->kind == EntryKind::kDirectory) {
                const int fd = TARN_TRY(cursor_.enter(entry->path));
                TARN_TRY(settle(*entry, fd));
            }
        }
        return {};
    }

  private:
    Result<void> write_entry(const TreeEntry& entry, int parent, const std::string& name) {
        switch (entry.kind) {
            case EntryKind::kFile:
                return entry.hardlink.empty() ? write_file(entry, parent, name)
                                              : write_link(entry, name);
            case EntryKind::kSymlink:
                if (::symlinkat(entry.target.c_str(), parent, name.c_str()) != 0) {
                    return fail(sys_error("make the link", cursor_.shown(entry.path)));
                }
                return settle_node(entry, parent, name);
            case EntryKind::kFifo:
                return make_node(entry, parent, name, S_IFIFO);
            case EntryKind::kCharDevice:
                return privileged_ ? make_node(entry, parent, name, S_IFCHR) : Result<void>();
            case EntryKind::kBlockDevice:
                return privileged_ ? make_node(entry, parent, name, S_IFBLK) : Result<void>();
            case EntryKind::kDirectory:
                break;
        }
        return {};
    }

    Result<void> write_file(const TreeEntry& entry, int parent, const std::string& name) {
        const std::string blob = store_.blob_path(entry.content);
        const Fd from(::open(blob.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
        if (!from && errno == ENOENT) {
            return fail(ErrorKind::kNotFound,
                        "{} is not in the store (content of `{}`)",
                        entry.content.to_string(),
                        entry.path);
        }
        if (!from) {
            return fail(sys_error("open", blob));
        }
        const Fd to(::openat(
            parent, name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
        if (!to) {
            return fail(sys_error("create", cursor_.shown(entry.path)));
        }
        TARN_TRY(detail::copy_bytes(from.get(), to.get(), entry.content.size, blob));
        return settle(entry, to.get());
    }

    Result<void> write_link(const TreeEntry& entry, const std::string& name) {
        // Entering the target's directory may give up the one we were in: hold it ourselves.
        const int parent = TARN_TRY(cursor_.enter(detail::parent_of(entry.path)));
        const Fd held(::fcntl(parent, F_DUPFD_CLOEXEC, 0));
        const int other = TARN_TRY(cursor_.enter(detail::parent_of(entry.hardlink)));
        const std::string leader(detail::name_of(entry.hardlink));
        if (!held || ::linkat(other, leader.c_str(), held.get(), name.c_str(), 0) != 0) {
            return fail(sys_error("link", cursor_.shown(entry.path)));
        }
        return {};
    }

    Result<void> make_node(const TreeEntry& entry,
                           int parent,
                           const std::string& name,
                           mode_t type) {
        const dev_t device = ::makedev(entry.device_major, entry.device_minor);
        if (::mknodat(parent, name.c_str(), type | 0600U, type == S_IFIFO ? 0 : device) != 0) {
            return fail(sys_error("make the node", cursor_.shown(entry.path)));
        }
        TARN_TRY(settle_node(entry, parent, name));
        // Freshly made by us and no link: the name is the node.
        if (::fchmodat(parent, name.c_str(), entry.mode, 0) != 0) {
            return fail(sys_error("set the mode of", cursor_.shown(entry.path)));
        }
        return {};
    }

    // Owner, attributes and times of what cannot be opened.
    Result<void> settle_node(const TreeEntry& entry, int parent, const std::string& name) {
        if (privileged_ &&
            ::fchownat(parent, name.c_str(), entry.uid, entry.gid, AT_SYMLINK_NOFOLLOW) != 0) {
            return fail(sys_error("set the owner of", cursor_.shown(entry.path)));
        }
        const std::string path = fmt::format("/proc/self/fd/{}/{}", parent, name);
        for (const auto& [key, value] : entry.xattrs) {
            if (privileged_ &&
                ::lsetxattr(path.c_str(), key.c_str(), value.data(), value.size(), 0) != 0) {
                return fail(sys_error("set " + key + " of", cursor_.shown(entry.path)));
            }
        }
        if (::utimensat(parent, name.c_str(), times_of(entry).data(), AT_SYMLINK_NOFOLLOW) != 0) {
            return fail(sys_error("set the time of", cursor_.shown(entry.path)));
        }
        return {};
    }

    // The mode comes after the owner, since chown takes setuid away; then attributes, then times.
    Result<void> settle(const TreeEntry& entry, int fd) {
        if (privileged_ && ::fchown(fd, entry.uid, entry.gid) != 0) {
            return fail(sys_error("set the owner of", cursor_.shown(entry.path)));
        }
        if (::fchmod(fd, entry.mode) != 0) {
            return fail(sys_error("set the mode of", cursor_.shown(entry.path)));
        }
        for (const auto& [key, value] : entry.xattrs) {
            if (privileged_ && ::fsetxattr(fd, key.c_str(), value.data(), value.size(), 0) != 0) {
                return fail(sys_error("set " + key + " of", cursor_.shown(entry.path)));
            }
        }
        if (::futimens(fd, times_of(entry).data()) != 0) {
            return fail(sys_error("set the time of", cursor_.shown(entry.path)));
        }
        return {};
    }

    const Store& store_;
    DirCursor cursor_;
    bool privileged_;
};

Result<void> write_into(const Store& store,
                        const Tree& tree,
                        const std::string& directory,
                        Owners owners) {
    DirCursor cursor = TARN_TRY(DirCursor::open(directory));
    return TreeWriter(store, std::move(cursor), owners).write(tree);
}

}  // namespace

Result<void> write_tree(const Store& store,
                        const Tree& tree,
                        const std::string& directory,
                        Owners owners) {
    if (is_directory(directory)) {
        return write_into(store, tree, directory, owners);
    }
    // A new directory appears complete or not at all.
    const std::string parent = parent_path(directory);
    TempDir aside = TARN_TRY(TempDir::make(parent.empty() ? "." : parent));
    if (tree.find("") == nullptr && ::chmod(aside.path().c_str(), 0755) != 0) {
        return fail(sys_error("set the mode of", aside.path()));
    }
    TARN_TRY(write_into(store, tree, aside.path(), owners));
    TARN_TRY(rename_path(aside.path(), directory));
    static_cast<void>(aside.release());
    return {};
}

}  // namespace tarn
