// SPDX-License-Identifier: MIT
// Trees written out as hard links into the store. A root is built in tmp/ and renamed: under
// roots/ it is complete or not there.
#include "store/detail/dir_cursor.hh"
#include "store/detail/layout.hh"
#include "store/detail/tree_rules.hh"
#include "store/store.hh"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace tarn {

namespace {

using detail::DirCursor;

class RootWriter {
  public:
    static Result<RootWriter> make(const Store& store, const std::string& directory) {
        Fd fd = TARN_TRY(open_file(store.directory(), O_RDONLY | O_DIRECTORY));
        DirCursor cursor = TARN_TRY(DirCursor::open(directory));
        return RootWriter(store, std::move(fd), std::move(cursor));
    }

    Result<void> write(const Tree& tree) {
        for (const TreeEntry& entry : tree.entries()) {
            if (entry.kind == EntryKind::kDirectory) {
                TARN_TRY(cursor_.enter(entry.path));
                continue;
            }
            const int parent = TARN_TRY(cursor_.enter(detail::parent_of(entry.path)));
            const std::string name(detail::name_of(entry.path));
            TARN_TRY(write_entry(entry, parent, name));
        }
        return settle_directories();
    }

  private:
    RootWriter(const Store& store, Fd fd, DirCursor cursor)
        : store_(store), store_fd_(std::move(fd)), cursor_(std::move(cursor)) {}

    Result<void> write_entry(const TreeEntry& entry, int parent, const std::string& name) {
        const std::array<timespec, 2> times{timespec{detail::kFixedTime, 0},
                                            timespec{detail::kFixedTime, 0}};
        switch (entry.kind) {
            case EntryKind::kFile:
                return write_file(entry, parent, name);
            case EntryKind::kSymlink:
                if (::symlinkat(entry.target.c_str(), parent, name.c_str()) != 0) {
                    return fail(sys_error("make the link", cursor_.shown(entry.path)));
                }
                ::utimensat(parent, name.c_str(), times.data(), AT_SYMLINK_NOFOLLOW);
                return {};
            case EntryKind::kFifo:
                if (::mkfifoat(parent, name.c_str(), 0644) != 0) {
                    return fail(sys_error("make the fifo", cursor_.shown(entry.path)));
                }
                return {};
            case EntryKind::kDirectory:
            case EntryKind::kCharDevice:
            case EntryKind::kBlockDevice:
                break;  // devices need privileges and a sandbox has its own /dev
        }
        return {};
    }

    Result<void> write_file(const TreeEntry& entry, int parent, const std::string& name) {
        const bool executable = (entry.mode & 0111U) != 0;
        const std::string hex = entry.content.hex();
        const std::string source =
            detail::shard_of(executable ? detail::kExecutables : detail::kBlobs, hex);
        int problem = link(source, parent, name, entry.content.size);
        // More than once: linkat also says ENOENT when somebody else, writing out a root with the
        // same program, puts a new copy in the place of the one just found.
        for (int attempt = 0; attempt < 8 && problem == ENOENT && executable; ++attempt) {
            TARN_TRY(make_executable(entry.content));
            problem = link(source, parent, name, entry.content.size);
        }
        if (problem == EMLINK || problem == EPERM || problem == EXDEV) {
            return copy(source, parent, name, entry);
        }
        if (problem == ENOENT) {
            return fail(ErrorKind::kNotFound,
                        "{} is not in the store (content of `{}`)",
                        entry.content.to_string(),
                        entry.path);
        }
        if (problem != 0) {
            return fail(sys_error("make", cursor_.shown(entry.path), problem));
        }
        return {};
    }

    // 0 or an errno. A blob of the wrong size (after a power cut) is as good as none.
    int link(const std::string& source, int parent, const std::string& name, std::uint64_t size) {
        if (::linkat(store_fd_.get(), source.c_str(), parent, name.c_str(), 0) != 0) {
            return errno;
        }
        struct stat info{};
        if (::fstatat(parent, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
            return errno;
        }
        if (static_cast<std::uint64_t>(info.st_size) != size) {
            ::unlinkat(parent, name.c_str(), 0);
            return ENOENT;
        }
        return 0;
    }

    Result<void> make_executable(const Digest& digest) {
        const std::string path = store_.blob_path(digest);
        const Fd from(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
        if (!from) {
            return errno == ENOENT ? Result<void>() : fail(sys_error("open", path));
        }
        detail::BlobWriter writer = TARN_TRY(detail::BlobWriter::create(store_.directory()));
        TARN_TRY(detail::copy_bytes(from.get(), writer.fd(), digest.size, path));
        return writer.publish(detail::kExecutables, digest.hex(), detail::kExecutableMode);
    }

    Result<void> copy(const std::string& source,
                      int parent,
                      const std::string& name,
                      const TreeEntry& entry) {
        const std::string shown = cursor_.shown(entry.path);
        const Fd from(::openat(store_fd_.get(), source.c_str(), O_RDONLY | O_CLOEXEC));
        const Fd to(::openat(parent, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
        if (!from || !to) {
            return fail(sys_error("make", shown));
        }
        TARN_TRY(detail::copy_bytes(from.get(), to.get(), entry.content.size, shown));
        const bool executable = (entry.mode & 0111U) != 0;
        return detail::settle_blob(
            to.get(), executable ? detail::kExecutableMode : detail::kBlobMode, shown);
    }

    // Their times would tell when the root was made.
    Result<void> settle_directories() {
        const std::array<timespec, 2> times{timespec{detail::kFixedTime, 0},
                                            timespec{detail::kFixedTime, 0}};
        const std::vector<std::string> made = cursor_.made();
        for (auto path = made.rbegin(); path != made.rend(); ++path) {
            const int fd = TARN_TRY(cursor_.enter(*path));
            if (::futimens(fd, times.data()) != 0) {
                return fail(sys_error("set the time of", cursor_.shown(*path)));
            }
        }
        return {};
    }

    const Store& store_;
    Fd store_fd_;
    DirCursor cursor_;
};

// Whether the root is there; its last use is written down then. gc renames a root away under the
// exclusive lock, so what we hold must still bear its name.
bool refresh_root(const std::string& path) {
    const Fd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
    if (!fd) {
        return false;
    }
    while (::flock(fd.get(), LOCK_SH) != 0 && errno == EINTR) {
    }
    struct stat held{};
    struct stat named{};
    if (::fstat(fd.get(), &held) != 0 || ::lstat(path.c_str(), &named) != 0 ||
        held.st_ino != named.st_ino || held.st_dev != named.st_dev) {
        return false;
    }
    detail::touch_mtime(fd.get(), held);
    return true;
}

}  // namespace

Result<std::string> Store::root_of(const Tree& tree) const {
    const std::string path =
        fmt::format("{}/{}/{}", directory_, detail::kRoots, tree.digest().hex());
    if (refresh_root(path)) {
        return path;
    }
    TempDir temporary = TARN_TRY(TempDir::make(temporary_directory()));
    {
        RootWriter writer = TARN_TRY(RootWriter::make(*this, temporary.path()));
        TARN_TRY(writer.write(tree));
    }
    // mkdtemp gave it 0700; inside a sandbox it is "/".
    if (::chmod(temporary.path().c_str(), 0755) != 0) {
        return fail(sys_error("set the mode of", temporary.path()));
    }
    if (::rename(temporary.path().c_str(), path.c_str()) != 0) {
        // Another process was faster: its root is as good.
        if ((errno == ENOTEMPTY || errno == EEXIST) && refresh_root(path)) {
            return path;
        }
        return fail(sys_error("create", path));
    }
    static_cast<void>(temporary.release());
    return path;
}

}  // namespace tarn
