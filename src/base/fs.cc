// SPDX-License-Identifier: MIT
#include "base/fs.hh"

#include "base/strings.hh"

#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

namespace tarn {

MemoryMap::MemoryMap(MemoryMap&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MemoryMap& MemoryMap::operator=(MemoryMap&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
}

MemoryMap::~MemoryMap() {
    if (data_ != nullptr) {
        ::munmap(const_cast<char*>(data_), size_);
    }
}

Result<MemoryMap> MemoryMap::open(const std::string& path) {
    const Fd fd = TARN_TRY(open_file(path, O_RDONLY));
    struct stat info {};
    if (::fstat(fd.get(), &info) != 0) {
        return fail(sys_error("look at", path));
    }
    if (!S_ISREG(info.st_mode)) {
        return fail(ErrorKind::kFailed, "{} is not a regular file", path);
    }
    MemoryMap result;
    if (info.st_size == 0) {
        return result;
    }
    const auto size = static_cast<std::size_t>(info.st_size);
    void* data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd.get(), 0);
    if (data == MAP_FAILED) {
        return fail(sys_error("map", path));
    }
    result.data_ = static_cast<const char*>(data);
    result.size_ = size;
    return result;
}

Result<TempDir> TempDir::make(const std::string& parent) {
    std::string base = parent;
    if (base.empty()) {
        const char* tmp = std::getenv("TMPDIR");
        base = (tmp != nullptr && tmp[0] == '/') ? tmp : "/tmp";
    }
    std::string path = join_path(base, "tarn-XXXXXX");
    if (::mkdtemp(path.data()) == nullptr) {
        return fail(sys_error("make a directory in", base));
    }
    return TempDir(std::move(path));
}

TempDir& TempDir::operator=(TempDir&& other) noexcept {
    std::swap(path_, other.path_);
    return *this;
}

TempDir::~TempDir() {
    if (!path_.empty()) {
        static_cast<void>(remove_tree(path_));
    }
}

AtomicFile::AtomicFile(std::string path, std::string temporary, Fd fd)
    : path_(std::move(path)), temporary_(std::move(temporary)), fd_(std::move(fd)) {}

AtomicFile::AtomicFile(AtomicFile&& other) noexcept
    : path_(std::move(other.path_)),
      temporary_(std::exchange(other.temporary_, {})),
      fd_(std::move(other.fd_)) {}

AtomicFile::~AtomicFile() {
    if (!temporary_.empty()) {
        ::unlink(temporary_.c_str());
    }
}

Result<AtomicFile> AtomicFile::create(const std::string& path, unsigned mode) {
    static std::atomic<unsigned> counter{0};
    const std::string name = file_name(path);
    std::string temporary = join_path(
        parent_path(path), fmt::format(".{}.{}.{}.tmp", name, ::getpid(), counter.fetch_add(1)));
    ::unlink(temporary.c_str());
    auto opened = open_file(temporary, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
    if (!opened) {
        // The name that was asked for; the other one is nobody's business.
        opened.error().message = replace_all(opened.error().message, temporary, path);
        return fail(std::move(opened.error()));
    }
    Fd fd = std::move(*opened);
    // The mode asked for, whatever the umask.
    if (::fchmod(fd.get(), mode) != 0) {
        Error problem = sys_error("set the mode of", temporary);
        ::unlink(temporary.c_str());
        return fail(std::move(problem));
    }
    return AtomicFile(path, std::move(temporary), std::move(fd));
}

Result<void> AtomicFile::write(std::string_view bytes) {
    return write_all(fd_.get(), bytes, path_);
}

Result<void> AtomicFile::commit() {
    // close reports what a full disk or quota delayed.
    if (::close(fd_.release()) != 0) {
        return fail(sys_error("write", path_));
    }
    if (::rename(temporary_.c_str(), path_.c_str()) != 0) {
        return fail(sys_error("create", path_));
    }
    temporary_.clear();
    return {};
}

Result<std::string> read_file(const std::string& path, std::uint64_t limit) {
    const Fd fd = TARN_TRY(open_file(path, O_RDONLY));
    struct stat info {};
    if (::fstat(fd.get(), &info) != 0) {
        return fail(sys_error("look at", path));
    }
    if (S_ISDIR(info.st_mode)) {
        return fail(ErrorKind::kFailed, "cannot read {}: it is a directory", path);
    }
    std::string result;
    if (S_ISREG(info.st_mode)) {
        if (static_cast<std::uint64_t>(info.st_size) > limit) {
            return fail(ErrorKind::kCorrupt,
                        "{} has {} bytes, at most {} are accepted",
                        path,
                        info.st_size,
                        limit);
        }
        result.reserve(static_cast<std::size_t>(info.st_size));
    }
    char buffer[65536];
    for (;;) {
        const ssize_t n = ::read(fd.get(), buffer, sizeof buffer);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return fail(sys_error("read", path));
        }
        if (n == 0) {
            return result;
        }
        result.append(buffer, static_cast<std::size_t>(n));
        if (result.size() > limit) {
            return fail(ErrorKind::kCorrupt, "{} has more than {} bytes", path, limit);
        }
    }
}

Result<void> write_file_atomic(const std::string& path, std::string_view bytes, unsigned mode) {
    AtomicFile file = TARN_TRY(AtomicFile::create(path, mode));
    TARN_TRY(file.write(bytes));
    return file.commit();
}

bool path_exists(const std::string& path) {
    return ::access(path.c_str(), F_OK) == 0;
}

bool is_directory(const std::string& path) {
    struct stat info {};
    return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

Result<void> make_directories(const std::string& path, unsigned mode) {
    if (path.empty() || is_directory(path)) {
        return {};
    }
    TARN_TRY(make_directories(parent_path(path), mode));
    if (::mkdir(path.c_str(), mode) != 0 && !(errno == EEXIST && is_directory(path))) {
        return fail(sys_error("make the directory", path));
    }
    return {};
}

namespace {

Result<void> remove_below(int parent, const char* name, const std::string& path) {
    if (::unlinkat(parent, name, 0) == 0 || errno == ENOENT) {
        return {};
    }
    if (errno != EISDIR && errno != EPERM) {
        return fail(sys_error("remove", path));
    }
    Fd fd(::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!fd && errno == EACCES) {
        ::fchmodat(parent, name, 0700, 0);
        fd = Fd(::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    }
    if (!fd) {
        return errno == ENOENT ? Result<void>{} : fail(sys_error("open", path));
    }
    // A directory without write permission (a read-only root) must go as well.
    ::fchmod(fd.get(), 0700);
    std::vector<std::string> names;
    DIR* directory = ::fdopendir(::dup(fd.get()));
    if (directory == nullptr) {
        return fail(sys_error("read", path));
    }
    while (const dirent* entry = ::readdir(directory)) {
        const std::string_view child = entry->d_name;
        if (child != "." && child != "..") {
            names.emplace_back(child);
        }
    }
    ::closedir(directory);
    for (const std::string& child : names) {
        TARN_TRY(remove_below(fd.get(), child.c_str(), join_path(path, child)));
    }
    if (::unlinkat(parent, name, AT_REMOVEDIR) != 0 && errno != ENOENT) {
        return fail(sys_error("remove", path));
    }
    return {};
}

}  // namespace

Result<void> remove_tree(const std::string& path) {
    return remove_below(AT_FDCWD, path.c_str(), path);
}

Result<void> rename_path(const std::string& from, const std::string& to) {
    if (::rename(from.c_str(), to.c_str()) != 0) {
        return fail(sys_error(fmt::format("rename {} to", from), to));
    }
    return {};
}

Result<void> replace_directory(const std::string& made, const std::string& place) {
    struct stat status {};
    if (::lstat(place.c_str(), &status) != 0) {
        if (::rename(made.c_str(), place.c_str()) == 0) {
            return {};
        }
        if (errno != ENOTEMPTY && errno != EEXIST) {
            return fail(sys_error("put in place", place));
        }
        // Another process was faster: then as if it had always been there.
    }
    if (::renameat2(AT_FDCWD, made.c_str(), AT_FDCWD, place.c_str(), RENAME_EXCHANGE) == 0) {
        return remove_tree(made);
    }
    if (errno != EINVAL && errno != ENOSYS) {
        return fail(sys_error("put in place", place));
    }
    const std::string old = made + ".old";
    TARN_TRY(rename_path(place, old));
    auto renamed = rename_path(made, place);
    if (!renamed) {
        static_cast<void>(rename_path(old, place));
        return renamed;
    }
    return remove_tree(old);
}

Result<std::vector<std::string>> list_directory(const std::string& path) {
    DIR* directory = ::opendir(path.c_str());
    if (directory == nullptr) {
        return fail(sys_error("read the directory", path));
    }
    std::vector<std::string> names;
    while (const dirent* entry = ::readdir(directory)) {
        const std::string_view name = entry->d_name;
        if (name != "." && name != "..") {
            names.emplace_back(name);
        }
    }
    ::closedir(directory);
    std::sort(names.begin(), names.end());
    return names;
}

Result<void> make_symlink(const std::string& target, const std::string& path) {
    if (::symlink(target.c_str(), path.c_str()) != 0) {
        return fail(sys_error("make the link", path));
    }
    return {};
}

Result<std::string> read_symlink(const std::string& path) {
    std::string buffer(4096, '\0');
    const ssize_t n = ::readlink(path.c_str(), buffer.data(), buffer.size());
    if (n < 0) {
        return fail(sys_error("read the link", path));
    }
    buffer.resize(static_cast<std::size_t>(n));
    return buffer;
}

Result<void> replace_symlink(const std::string& target, const std::string& path) {
    const std::string temporary =
        join_path(parent_path(path), fmt::format(".{}.{}.tmp", file_name(path), ::getpid()));
    ::unlink(temporary.c_str());
    TARN_TRY(make_symlink(target, temporary));
    auto renamed = rename_path(temporary, path);
    if (!renamed) {
        ::unlink(temporary.c_str());
    }
    return renamed;
}

std::string current_directory() {
    std::string buffer(4096, '\0');
    return ::getcwd(buffer.data(), buffer.size()) == nullptr ? "/" : std::string(buffer.c_str());
}

}  // namespace tarn
