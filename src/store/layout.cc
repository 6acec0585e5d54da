// SPDX-License-Identifier: MIT
#include "store/detail/layout.hh"

#include "base/fs.hh"
#include "base/hash.hh"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <vector>

namespace tarn::detail {

std::string shard_of(std::string_view area, std::string_view hex) {
    return fmt::format("{}/{}/{}", area, hex.substr(0, 2), hex);
}

std::string unique_name(std::string_view prefix) {
    std::array<char, 12> random{};
    TARN_CHECK(::getrandom(random.data(), random.size(), 0) == static_cast<ssize_t>(random.size()));
    return fmt::format("{}-{}", prefix, to_hex({random.data(), random.size()}));
}

std::int64_t now_seconds() {
    return std::time(nullptr);
}

Result<DirectoryLock> DirectoryLock::take(const std::string& directory, LockKind kind, bool make) {
    Fd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd && errno == ENOENT && make) {
        TARN_TRY(make_directories(directory));
        fd = Fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    }
    if (!fd) {
        return fail(sys_error("open", directory));
    }
    // A file system without locks leaves only the age rule, which is enough but for a moment.
    while (::flock(fd.get(), kind == LockKind::kShared ? LOCK_SH : LOCK_EX) != 0 &&
           errno == EINTR) {
    }
    return DirectoryLock(std::move(fd));
}

Result<BlobWriter> BlobWriter::create(const std::string& store) {
    std::string path = fmt::format("{}/{}/{}", store, kTemporary, unique_name("blob"));
    Fd fd = TARN_TRY(open_file(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
    return BlobWriter(store, std::move(path), std::move(fd));
}

BlobWriter::BlobWriter(BlobWriter&& other) noexcept
    : store_(std::move(other.store_)),
      path_(std::exchange(other.path_, {})),
      fd_(std::move(other.fd_)) {}

BlobWriter::~BlobWriter() {
    if (!path_.empty()) {
        ::unlink(path_.c_str());
    }
}

Result<void> BlobWriter::write(std::string_view bytes) {
    return write_all(fd_.get(), bytes, path_);
}

Result<void> BlobWriter::publish(std::string_view area, std::string_view hex, unsigned mode) {
    TARN_TRY(settle_blob(fd_.get(), mode, path_));
    return close_and_rename(area, hex);
}

Result<void> BlobWriter::publish_now(std::string_view area, std::string_view hex) {
    if (::fchmod(fd_.get(), 0644) != 0) {
        return fail(sys_error("set the mode of", path_));
    }
    return close_and_rename(area, hex);
}

Result<void> BlobWriter::close_and_rename(std::string_view area, std::string_view hex) {
    // close reports what a full disk or a quota delayed.
    if (::close(fd_.release()) != 0) {
        return fail(sys_error("write", path_));
    }
    TARN_TRY(publish_file(store_, path_, area, hex));
    path_.clear();
    return {};
}

Result<void> settle_blob(int fd, unsigned mode, const std::string& path) {
    const std::array<timespec, 2> times{timespec{0, UTIME_NOW}, timespec{kFixedTime, 0}};
    if (::fchmod(fd, mode) != 0 || ::futimens(fd, times.data()) != 0) {
        return fail(sys_error("set the mode and time of", path));
    }
    return {};
}

Result<void> publish_file(const std::string& store,
                          const std::string& temporary,
                          std::string_view area,
                          std::string_view hex) {
    const std::string shard = fmt::format("{}/{}/{}", store, area, hex.substr(0, 2));
    // Under the lock gc cannot take the name away between its look and its removal.
    const DirectoryLock lock = TARN_TRY(DirectoryLock::take(shard, LockKind::kShared, true));
    const std::string name(hex);
    if (::renameat(AT_FDCWD, temporary.c_str(), lock.fd(), name.c_str()) != 0) {
        return fail(sys_error("create", fmt::format("{}/{}", shard, hex)));
    }
    return {};
}

bool refresh_blob(const std::string& store, std::string_view area, const Digest& digest) {
    const std::string hex = digest.hex();
    const std::string path = fmt::format("{}/{}", store, shard_of(area, hex));
    struct stat info{};
    const auto good = [&] {
        return S_ISREG(info.st_mode) && static_cast<std::uint64_t>(info.st_size) == digest.size;
    };
    if (::lstat(path.c_str(), &info) != 0 || !good()) {
        return false;
    }
    if (now_seconds() - info.st_atim.tv_sec < kTouchAfter) {
        return true;  // too young for gc: nothing can happen to it
    }
    const std::string shard = parent_path(path);
    Result<DirectoryLock> lock = DirectoryLock::take(shard, LockKind::kShared, false);
    if (!lock || ::fstatat(lock->fd(), hex.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0 || !good()) {
        return false;
    }
    const std::array<timespec, 2> times{timespec{0, UTIME_NOW}, timespec{0, UTIME_OMIT}};
    static_cast<void>(::utimensat(lock->fd(), hex.c_str(), times.data(), AT_SYMLINK_NOFOLLOW));
    return true;
}

void touch_blob(int fd, const struct stat& info) {
    if (now_seconds() - info.st_atim.tv_sec >= kTouchAfter) {
        const std::array<timespec, 2> times{timespec{0, UTIME_NOW}, timespec{0, UTIME_OMIT}};
        static_cast<void>(::futimens(fd, times.data()));
    }
}

void touch_mtime(int fd, const struct stat& info) {
    if (now_seconds() - info.st_mtim.tv_sec >= kTouchAfter) {
        static_cast<void>(::futimens(fd, nullptr));
    }
}

namespace {

Result<void> wrong_length(const std::string& path, std::uint64_t size) {
    return fail(ErrorKind::kCorrupt, "{}: not the {} bytes its name says", path, size);
}

Result<void> copy_by_buffer(int from, int to, std::uint64_t size, const std::string& path) {
    std::vector<char> buffer(1U << 18U);
    std::uint64_t done = 0;
    while (true) {
        const ssize_t n = ::read(from, buffer.data(), buffer.size());
        if (n < 0) {
            if (errno == EINTR) {
                continue;
            }
            return fail(sys_error("read", path));
        }
        done += static_cast<std::uint64_t>(n);
        if (n == 0 || done > size) {
            break;
        }
        TARN_TRY(write_all(to, {buffer.data(), static_cast<std::size_t>(n)}, path));
    }
    return done == size ? Result<void>() : wrong_length(path, size);
}

}  // namespace

Result<void> copy_bytes(int from, int to, std::uint64_t size, const std::string& path) {
    struct stat info{};
    if (::fstat(from, &info) != 0) {
        return fail(sys_error("look at", path));
    }
    if (static_cast<std::uint64_t>(info.st_size) != size) {
        return wrong_length(path, size);
    }
    if (size == 0 || ::ioctl(to, FICLONE, from) == 0) {
        return {};
    }
    std::uint64_t done = 0;
    while (done < size) {
        const ssize_t n = ::copy_file_range(from, nullptr, to, nullptr, size - done, 0);
        if (n > 0) {
            done += static_cast<std::uint64_t>(n);
        } else if (n == 0) {
            return wrong_length(path, size);
        } else if (done == 0 && errno != ENOSPC && errno != EDQUOT && errno != EFBIG) {
            return copy_by_buffer(from, to, size, path);
        } else if (errno != EINTR) {
            return fail(sys_error("copy", path));
        }
    }
    return {};
}

}  // namespace tarn::detail
