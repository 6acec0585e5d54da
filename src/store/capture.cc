// SPDX-License-Identifier: MIT
// Reads directories into the store. The walk is one thread's; contents are hashed by several, which
// write by index.
#include "base/parallel.hh"
#include "store/detail/dir_cursor.hh"
#include "store/detail/tree_rules.hh"
#include "store/store.hh"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>

namespace tarn {

namespace {

constexpr int kOpenDirectory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

// What belongs to the file; labels that the host's policy puts on everything do not.
bool wanted_attribute(std::string_view name) {
    return name.starts_with("user.") || name == "security.capability";
}

std::map<std::string, std::string> attributes_of(int fd) {
    std::map<std::string, std::string> result;
    std::string names(4096, '\0');
    ssize_t size = ::flistxattr(fd, names.data(), names.size());
    if (size < 0 && errno == ERANGE) {
        names.resize(65536);
        size = ::flistxattr(fd, names.data(), names.size());
    }
    for (std::size_t at = 0; size > 0 && at < static_cast<std::size_t>(size);) {
        const std::string name(names.c_str() + at);
        at += name.size() + 1;
        std::string value(65536, '\0');
        ssize_t length = -1;
        if (wanted_attribute(name) &&
            (length = ::fgetxattr(fd, name.c_str(), value.data(), value.size())) >= 0) {
            value.resize(static_cast<std::size_t>(length));
            result.emplace(name, std::move(value));
        }
    }
    return result;
}

Result<std::vector<std::string>> names_in(int fd, const std::string& shown) {
    DIR* stream = ::fdopendir(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
    if (stream == nullptr) {
        return fail(sys_error("read the directory", shown));
    }
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = ::readdir(stream)) {
        const std::string_view name = entry->d_name;
        if (name != "." && name != "..") {
            names.emplace_back(name);
        }
    }
    const int problem = errno;
    ::closedir(stream);
    if (problem != 0) {
        return fail(sys_error("read the directory", shown, problem));
    }
    std::sort(names.begin(), names.end());
    return names;
}

class Capture {
  public:
    Capture(const Store& store, std::string directory, std::optional<std::int64_t> mtime)
        : store_(store), directory_(std::move(directory)), mtime_(mtime) {}

    // Takes what is at `path` below the directory; nothing there is no error.
    Result<void> take(const std::string& path) {
        Fd fd = TARN_TRY(open_file(directory_, O_RDONLY | O_DIRECTORY));
        // Each step by itself: a link on the way would lead out of the directory.
        for (std::size_t begin = 0; path.find('/', begin) != std::string::npos;) {
            const std::size_t end = path.find('/', begin);
            const std::string part = path.substr(begin, end - begin);
            Fd next(::openat(fd.get(), part.c_str(), kOpenDirectory));
            if (!next) {
                if (errno == ENOENT) {
                    return {};
                }
                return fail(sys_error("open", shown(path.substr(0, end))));
            }
            fd = std::move(next);
            begin = end + 1;
        }
        if (path.empty()) {
            return walk(fd.get(), path);
        }
        return visit(fd.get(), std::string(detail::name_of(path)), path);
    }

    Result<Tree> finish() {
        // The first path of an inode holds its content; the others follow by name.
        TARN_TRY(
            parallel_for(files_.size(), std::min(processor_count(), 8U), {}, [&](std::size_t i) {
                return read_file_content(entries_[files_[i]]);
            }));
        return Tree::make(std::move(entries_));
    }

  private:
    std::string shown(const std::string& path) const {
        return path.empty() ? directory_ : join_path(directory_, path);
    }

    TreeEntry entry_of(const std::string& path, const struct stat& info) const {
        TreeEntry entry;
        entry.path = path;
        entry.mode = info.st_mode & 07777U;
        entry.mtime = mtime_.value_or(info.st_mtim.tv_sec);
        return entry;
    }

    // The directory `fd` itself and what lies in it.
    Result<void> walk(int fd, const std::string& path) {
        struct stat info{};
        if (::fstat(fd, &info) != 0) {
            return fail(sys_error("look at", shown(path)));
        }
        TreeEntry entry = entry_of(path, info);
        entry.kind = EntryKind::kDirectory;
        entry.xattrs = attributes_of(fd);
        entries_.push_back(std::move(entry));
        for (const std::string& name : TARN_TRY(names_in(fd, shown(path)))) {
            TARN_TRY(visit(fd, name, path.empty() ? name : path + "/" + name));
        }
        return {};
    }

    Result<void> visit(int parent, const std::string& name, const std::string& path) {
        struct stat info{};
        if (::fstatat(parent, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
            return errno == ENOENT ? Result<void>() : fail(sys_error("look at", shown(path)));
        }
        if (S_ISDIR(info.st_mode)) {
            return visit_directory(parent, name, path, info);
        }
        TreeEntry entry = entry_of(path, info);
        switch (info.st_mode & S_IFMT) {
            case S_IFREG:
                add_file(std::move(entry), info);
                return {};
            case S_IFLNK:
                entry.kind = EntryKind::kSymlink;
                entry.target = TARN_TRY(read_link(parent, name, path));
                break;
            case S_IFIFO:
                entry.kind = EntryKind::kFifo;
                break;
            case S_IFCHR:
            case S_IFBLK:
                entry.kind =
                    S_ISCHR(info.st_mode) ? EntryKind::kCharDevice : EntryKind::kBlockDevice;
                entry.device_major = major(info.st_rdev);
                entry.device_minor = minor(info.st_rdev);
                break;
            default:
                return {};  // a socket is of use only to the process that listened on it
        }
        entries_.push_back(std::move(entry));
        return {};
    }

    // A directory its owner may not read is opened up for as long as it takes.
    Result<void> visit_directory(int parent,
                                 const std::string& name,
                                 const std::string& path,
                                 const struct stat& info) {
        Fd fd(::openat(parent, name.c_str(), kOpenDirectory));
        if (!fd && errno == EACCES) {
            ::fchmodat(parent, name.c_str(), 0700, 0);
            fd = Fd(::openat(parent, name.c_str(), kOpenDirectory));
        } else if (fd && (info.st_mode & 0500U) != 0500U) {
            ::fchmod(fd.get(), 0700);
        }
        if (!fd) {
            return fail(sys_error("open", shown(path)));
        }
        if ((info.st_mode & 0500U) != 0500U) {
            closed_.push_back({path, info.st_mode & 07777U});
        }
        const std::size_t index = entries_.size();
        TARN_TRY(walk(fd.get(), path));
        entries_[index].mode = info.st_mode & 07777U;
        return {};
    }

    void add_file(TreeEntry entry, const struct stat& info) {
        if (info.st_nlink > 1) {
            const auto inode = std::pair(info.st_dev, info.st_ino);
            const auto [first, added] = inodes_.try_emplace(inode, entry.path);
            if (!added) {
                entry.hardlink = first->second;
                entries_.push_back(std::move(entry));
                return;
            }
        }
        files_.push_back(entries_.size());
        entries_.push_back(std::move(entry));
    }

    Result<std::string> read_link(int parent, const std::string& name, const std::string& path) {
        std::string target(4096, '\0');
        const ssize_t n = ::readlinkat(parent, name.c_str(), target.data(), target.size());
        if (n < 0) {
            return fail(sys_error("read the link", shown(path)));
        }
        target.resize(static_cast<std::size_t>(n));
        return target;
    }

    Result<void> read_file_content(TreeEntry& entry) const {
        const std::string path = shown(entry.path);
        constexpr int kFlags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
        Fd fd(::open(path.c_str(), kFlags));
        if (!fd && errno == EACCES && ::chmod(path.c_str(), 0600) == 0) {
            fd = Fd(::open(path.c_str(), kFlags));
            ::fchmod(fd.get(), entry.mode);
        }
        if (!fd) {
            return fail(sys_error("open", path));
        }
        entry.xattrs = attributes_of(fd.get());
        entry.content = TARN_TRY(store_.put_open_file(fd.get(), path));
        return {};
    }

  public:
    // Puts back the modes of directories that had to be opened up. Inner ones first.
    void restore() {
        for (auto at = closed_.rbegin(); at != closed_.rend(); ++at) {
            ::chmod(shown(at->first).c_str(), at->second);
        }
    }

  private:
    const Store& store_;
    std::string directory_;
    std::optional<std::int64_t> mtime_;
    std::vector<TreeEntry> entries_;
    std::vector<std::size_t> files_;
    std::map<std::pair<dev_t, ino_t>, std::string> inodes_;
    std::vector<std::pair<std::string, mode_t>> closed_;
};

}  // namespace

Result<Tree> capture_paths(const Store& store,
                           const std::string& directory,
                           const std::vector<std::string>& paths,
                           std::optional<std::int64_t> mtime) {
    Capture capture(store, directory, mtime);
    for (const std::string& path : paths) {
        if (Result<void> taken = capture.take(path); !taken) {
            capture.restore();
            return fail(std::move(taken.error()));
        }
    }
    Result<Tree> tree = capture.finish();
    capture.restore();
    return tree;
}

Result<Tree> capture_directory(const Store& store,
                               const std::string& directory,
                               std::optional<std::int64_t> mtime) {
    return capture_paths(store, directory, {std::string()}, mtime);
}

}  // namespace tarn
