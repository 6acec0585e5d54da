// SPDX-License-Identifier: MIT
#include "provision/machine.hh"

#include "base/fs.hh"
#include "base/strings.hh"

#include "provision/selinux.hh"
#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace tarn::guest {

namespace {

constexpr unsigned kLinks = 16;  // followed at the end of a path

std::string inside(const std::string& path) {
    const std::size_t at = path.find_first_not_of('/');
    return at == std::string::npos ? "." : path.substr(at);
}

// The name of a file being written: the same after a kill, so that nothing is left for ever.
std::string temporary_name(const std::string& name) {
    std::uint64_t hash = 0xcbf29ce484222325u;
    for (const char c : name) {
        hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
    }
    return fmt::format(".tarn-{:016x}", hash);
}

// A test that is no root cannot give files away; on the machine itself it is an error.
Result<void> give(int fd, Owner owner, bool live, const std::string& path) {
    if (::fchown(fd, owner.uid, owner.gid) != 0 && (live || errno != EPERM)) {
        return fail(sys_error("set the owner of", path));
    }
    return {};
}

Result<void> sync_fd(int fd, const std::string& path) {
    if (::fsync(fd) != 0 && errno != EINVAL && errno != EROFS) {
        return fail(sys_error("write", path));
    }
    return {};
}

}  // namespace

Result<Machine> Machine::open(const std::string& root) {
    Fd fd = TARN_TRY(open_file(root, O_PATH | O_DIRECTORY));
    return Machine(root == "/" ? root : absolute_path(root, current_directory()), std::move(fd));
}

Result<Fd> Machine::open_path(const std::string& path,
                              int flags,
                              unsigned mode,
                              Links links) const {
    if (path.find('\0') != std::string::npos) {
        return fail(ErrorKind::kUsage, "a path with a NUL byte: `{}`", path.c_str());
    }
    open_how how{};
    how.flags = static_cast<__u64>(flags | O_CLOEXEC);
    how.mode = (flags & O_CREAT) != 0 ? mode : 0u;
    how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS |
                  (links == Links::kRefuse ? RESOLVE_NO_SYMLINKS : 0);
    const std::string name = inside(path);
    long fd = -1;
    // EAGAIN: something was renamed while ".." was resolved.
    for (int i = 0; i < 100 && fd < 0; ++i) {
        fd = ::syscall(SYS_openat2, fd_.get(), name.c_str(), &how, sizeof how);
        if (fd < 0 && errno != EAGAIN && errno != EINTR) {
            break;
        }
    }
    if (fd < 0) {
        if (errno == ELOOP && links == Links::kRefuse) {
            return fail(ErrorKind::kFailed, "{}: a symbolic link is in the way", path);
        }
        return fail(sys_error("open", path));
    }
    return Fd(static_cast<int>(fd));
}

Result<std::string> Machine::read(const std::string& path, std::uint64_t limit) const {
    // Not blocking: what looks like a file may be a FIFO.
    const Fd fd = TARN_TRY(open_path(path, O_RDONLY | O_NONBLOCK));
    struct stat status{};
    if (::fstat(fd.get(), &status) != 0) {
        return fail(sys_error("read", path));
    }
    if (!S_ISREG(status.st_mode)) {
        return fail(ErrorKind::kFailed, "{}: not a regular file", path);
    }
    std::string bytes;
    char buffer[16384];
    for (;;) {
        const ssize_t n = ::read(fd.get(), buffer, sizeof buffer);
        if (n == 0) {
            return bytes;
        }
        if (n < 0) {
            if (errno == EINTR) {
                continue;
            }
            return fail(sys_error("read", path));
        }
        bytes.append(buffer, static_cast<std::size_t>(n));
        if (bytes.size() > limit) {
            return fail(ErrorKind::kCorrupt, "{}: larger than {} bytes", path, limit);
        }
    }
}

bool Machine::exists(const std::string& path) const {
    return open_path(path, O_PATH).has_value();
}

namespace {

// Where a file is written: its directory, its last name, and what is there now.
struct Place {
    Fd directory;
    std::string name;
    Fd existing;  // O_PATH; none when there is nothing
};

Result<Place> find_place(const Machine& machine, std::string path, Links links) {
    for (unsigned i = 0; i < kLinks; ++i) {
        Place place;
        place.name = file_name(path);
        if (place.name.empty() || place.name == "." || place.name == ".." ||
            path.find('\0') != std::string::npos) {
            return fail(ErrorKind::kUsage, "{}: the path of a file is expected", path);
        }
        const std::string parent = parent_path(path);
        place.directory = TARN_TRY(
            machine.open_path(parent.empty() ? "/" : parent, O_RDONLY | O_DIRECTORY, 0, links));
        place.existing = Fd(
            ::openat(place.directory.get(), place.name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
        struct stat status{};
        if (!place.existing) {
            if (errno != ENOENT) {
                return fail(sys_error("write", path));
            }
            return place;
        }
        if (::fstat(place.existing.get(), &status) != 0) {
            return fail(sys_error("write", path));
        }
        if (S_ISREG(status.st_mode)) {
            return place;
        }
        if (!S_ISLNK(status.st_mode)) {
            return fail(ErrorKind::kFailed, "cannot write {}: not a regular file is there", path);
        }
        if (links == Links::kRefuse) {
            return fail(ErrorKind::kFailed, "{}: a symbolic link is in the way", path);
        }
        char target[4096];
        const ssize_t n = ::readlinkat(place.existing.get(), "", target, sizeof target);
        if (n <= 0 || n == static_cast<ssize_t>(sizeof target)) {
            return fail(sys_error("follow", path, n < 0 ? errno : ENAMETOOLONG));
        }
        const std::string next(target, static_cast<std::size_t>(n));
        path = next.starts_with('/') ? next : parent + "/" + next;
    }
    return fail(sys_error("write", path, ELOOP));
}

}  // namespace

Result<void> Machine::write(const std::string& path,
                            std::string_view bytes,
                            unsigned mode,
                            Owner owner,
                            Links links) const {
    const Place place = TARN_TRY(find_place(*this, path, links));
    const std::string temporary = temporary_name(place.name);
    const int directory = place.directory.get();
    ::unlinkat(directory, temporary.c_str(), 0);
    Fd fd;
    {
        const CreateLabel label(is_live(), directory, place.existing.get(), place.name);
        fd = Fd(::openat(directory,
                         temporary.c_str(),
                         O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                         0600));
    }
    if (!fd) {
        return fail(sys_error("write", path));
    }
    auto written = [&]() -> Result<void> {
        TARN_TRY(write_all(fd.get(), bytes, path));
        TARN_TRY(give(fd.get(), owner, is_live(), path));
        if (::fchmod(fd.get(), mode & 07777) != 0) {
            return fail(sys_error("set the mode of", path));
        }
        TARN_TRY(sync_fd(fd.get(), path));
        if (::renameat(directory, temporary.c_str(), directory, place.name.c_str()) != 0) {
            return fail(sys_error("write", path));
        }
        return sync_fd(directory, path);
    }();
    if (!written) {
        ::unlinkat(directory, temporary.c_str(), 0);
    }
    return written;
}

Result<void> Machine::make_directory(const std::string& path,
                                     unsigned mode,
                                     Owner owner,
                                     Links links) const {
    std::string so_far;
    for (const std::string_view part : split(path, '/')) {
        if (part.empty() || part == ".") {
            continue;
        }
        if (part == "..") {
            return fail(ErrorKind::kUsage, "{}: `..` in the path of a directory", path);
        }
        const std::string parent = so_far.empty() ? "/" : so_far;
        so_far += "/" + std::string(part);
        if (open_path(so_far, O_PATH | O_DIRECTORY, 0, links)) {
            continue;
        }
        const Fd above = TARN_TRY(open_path(parent, O_RDONLY | O_DIRECTORY, 0, links));
        const std::string name(part);
        // Made closed: it gets its owner and then its mode.
        if (::mkdirat(above.get(), name.c_str(), 0700) != 0) {
            return fail(sys_error("make the directory", so_far));
        }
        const Fd made(
            ::openat(above.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (!made) {
            return fail(sys_error("make the directory", so_far));
        }
        TARN_TRY(give(made.get(), owner, is_live(), so_far));
        if (::fchmod(made.get(), mode & 07777) != 0) {
            return fail(sys_error("set the mode of", so_far));
        }
        TARN_TRY(sync_fd(above.get(), parent));
    }
    return {};
}

Result<void> Machine::remove(const std::string& path) const {
    const std::string parent = parent_path(path);
    const auto directory = open_path(parent.empty() ? "/" : parent, O_RDONLY | O_DIRECTORY);
    if (!directory) {
        return directory.error().kind == ErrorKind::kNotFound ? Result<void>()
                                                              : fail(directory.error());
    }
    if (::unlinkat(directory->get(), std::string(file_name(path)).c_str(), 0) != 0) {
        return errno == ENOENT ? Result<void>() : fail(sys_error("remove", path));
    }
    return sync_fd(directory->get(), path);
}

Result<std::vector<std::string>> Machine::list(const std::string& directory) const {
    Fd fd = TARN_TRY(open_path(directory, O_RDONLY | O_DIRECTORY));
    DIR* stream = ::fdopendir(fd.get());
    if (stream == nullptr) {
        return fail(sys_error("list", directory));
    }
    static_cast<void>(fd.release());  // the stream's now
    std::vector<std::string> names;
    while (const dirent* entry = ::readdir(stream)) {
        const std::string_view name = entry->d_name;
        if (name != "." && name != "..") {
            names.emplace_back(name);
        }
    }
    ::closedir(stream);
    std::sort(names.begin(), names.end());
    return names;
}

}  // namespace tarn::guest
