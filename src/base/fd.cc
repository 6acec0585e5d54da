// SPDX-License-Identifier: MIT
#include "base/fd.hh"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace tarn {

Fd& Fd::operator=(Fd&& other) noexcept {
    if (this != &other) {
        reset();
        fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
}

Fd::~Fd() {
    reset();
}

void Fd::reset() {
    if (fd_ >= 0) {
        ::close(std::exchange(fd_, -1));
    }
}

Result<Fd> open_file(const std::string& path, int flags, unsigned mode) {
    for (;;) {
        const int fd = ::open(path.c_str(), flags | O_CLOEXEC, mode);
        if (fd >= 0) {
            return Fd(fd);
        }
        if (errno != EINTR) {
            return fail(sys_error((flags & O_CREAT) != 0 ? "create" : "open", path));
        }
    }
}

Result<void> write_all(int fd, std::string_view bytes, std::string_view path) {
    while (!bytes.empty()) {
        const ssize_t n = ::write(fd, bytes.data(), bytes.size());
        if (n < 0) {
            if (errno == EINTR) {
                continue;
            }
            return fail(sys_error("write", path));
        }
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return {};
}

Result<void> pwrite_all(int fd,
                        std::string_view bytes,
                        std::uint64_t offset,
                        std::string_view path) {
    while (!bytes.empty()) {
        const ssize_t n =
            ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
        if (n < 0) {
            if (errno == EINTR) {
                continue;
            }
            return fail(sys_error("write", path));
        }
        bytes.remove_prefix(static_cast<std::size_t>(n));
        offset += static_cast<std::uint64_t>(n);
    }
    return {};
}

Result<std::string> pread_exact(int fd,
                                std::uint64_t offset,
                                std::size_t size,
                                std::string_view path) {
    std::string result(size, '\0');
    std::size_t done = 0;
    while (done < size) {
        const ssize_t n =
            ::pread(fd, result.data() + done, size - done, static_cast<off_t>(offset + done));
        if (n < 0) {
            if (errno == EINTR) {
                continue;
            }
            return fail(sys_error("read", path));
        }
        if (n == 0) {
            return fail(ErrorKind::kCorrupt,
                        "{} ends at byte {}, {} more were expected",
                        path,
                        offset + done,
                        size - done);
        }
        done += static_cast<std::size_t>(n);
    }
    return result;
}

Result<Pipe> make_pipe() {
    int fds[2];
    if (::pipe2(fds, O_CLOEXEC) != 0) {
        return fail(sys_error("make", "a pipe"));
    }
    return Pipe{Fd(fds[0]), Fd(fds[1])};
}

}  // namespace tarn
