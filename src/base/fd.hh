// SPDX-License-Identifier: MIT
// File descriptors that close themselves.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.hh"

namespace tarn {

class Fd {
  public:
    Fd() = default;
    explicit Fd(int fd) : fd_(fd) {}
    Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Fd& operator=(Fd&& other) noexcept;
    Fd(const Fd&) = delete;
    Fd& operator=(const Fd&) = delete;
    ~Fd();

    int get() const { return fd_; }
    explicit operator bool() const { return fd_ >= 0; }
    int release() { return std::exchange(fd_, -1); }
    void reset();

  private:
    int fd_ = -1;
};

// open(2) with O_CLOEXEC; `path` is only used for the error.
Result<Fd> open_file(const std::string& path, int flags, unsigned mode = 0666);

// The whole buffer or an error: short reads and writes and EINTR are dealt with.
Result<void> write_all(int fd, std::string_view bytes, std::string_view path);
Result<void> pwrite_all(int fd, std::string_view bytes, std::uint64_t offset, std::string_view path);
// Exactly `size` bytes at `offset`; kCorrupt when the file ends before.
Result<std::string> pread_exact(int fd, std::uint64_t offset, std::size_t size, std::string_view path);

struct Pipe {
    Fd read;
    Fd write;
};
Result<Pipe> make_pipe();

}  // namespace tarn
