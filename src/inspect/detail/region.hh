// SPDX-License-Identifier: MIT
// A stretch of an image file, read piecewise; nothing outside of it can be reached.
#pragma once

#include "base/fd.hh"
#include "base/result.hh"

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace tarn::inspect {

class Region {
  public:
    // `fd` must outlive it.
    Region(int fd, std::uint64_t offset, std::uint64_t size, std::string name)
        : fd_(fd), offset_(offset), size_(size), name_(std::move(name)) {}
    // Over bytes in memory, which must outlive it; for tests and fuzzing.
    Region(std::string_view bytes, std::string name)
        : bytes_(bytes), size_(bytes.size()), name_(std::move(name)) {}

    std::uint64_t offset() const { return offset_; }
    std::uint64_t size() const { return size_; }
    const std::string& name() const { return name_; }

    Result<std::string> read(std::uint64_t at, std::uint64_t count) const {
        if (count > size_ || at > size_ - count) {
            return fail(ErrorKind::kCorrupt,
                        "{}: {} bytes at {} lie beyond its end at {}",
                        name_,
                        count,
                        at,
                        size_);
        }
        if (fd_ < 0) {
            return std::string(bytes_.substr(at, count));
        }
        return pread_exact(fd_, offset_ + at, count, name_);
    }
    // A part of it under another name; empty when it is not inside.
    Result<Region> part(std::uint64_t at, std::uint64_t count, std::string name) const {
        if (count > size_ || at > size_ - count) {
            return fail(ErrorKind::kCorrupt, "{}: {} lies beyond its end", name_, name);
        }
        Region out = *this;
        out.offset_ += fd_ < 0 ? 0 : at;
        out.bytes_ = fd_ < 0 ? bytes_.substr(at, count) : bytes_;
        out.size_ = count;
        out.name_ = std::move(name);
        return out;
    }

  private:
    int fd_ = -1;
    std::string_view bytes_{};
    std::uint64_t offset_ = 0, size_ = 0;
    std::string name_;
};

// Little-endian; 0 beyond the end.
template <class T>
T le(std::string_view bytes, std::size_t at) {
    T out = 0;
    for (std::size_t i = sizeof(T); i-- > 0;) {
        const auto byte = at + i < bytes.size() ? static_cast<unsigned char>(bytes[at + i]) : 0U;
        out = static_cast<T>(static_cast<T>(out << 4U << 4U) | static_cast<T>(byte));
    }
    return out;
}

}  // namespace tarn::inspect
