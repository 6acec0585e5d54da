// SPDX-License-Identifier: MIT
// cpio "newc" (kernel Documentation/driver-api/early-userspace/buffer-format.rst), as an initramfs
// is made of: everything root's, one time, inode numbers by position.
#pragma once

#include "base/result.hh"

#include <cstdint>
#include <string>
#include <string_view>

namespace tarn::image {

class CpioWriter {
  public:
    explicit CpioWriter(std::int64_t mtime) : mtime_(mtime) {}
    // Missing parents are not made: give directories before what lies in them.
    Result<void> directory(std::string_view path, unsigned mode);
    Result<void> file(std::string_view path, unsigned mode, std::string_view bytes);
    Result<void> symlink(std::string_view path, std::string_view target);
    Result<void> character_device(std::string_view path,
                                  unsigned mode,
                                  unsigned major,
                                  unsigned minor);
    std::string finish() &&;  // with the trailer, padded to 512

  private:
    struct Head {
        unsigned mode = 0, links = 1, major = 0, minor = 0;
    };
    Result<void> add(std::string_view path, const Head& head, std::string_view bytes);
    std::int64_t mtime_;
    std::uint32_t next_inode_ = 1;
    std::string out_;
};

}  // namespace tarn::image
