// SPDX-License-Identifier: MIT
// The cpio archive in a payload: SVR4 "newc" ("070701"), or rpm's own short form ("07070X": a magic
// number and the index of the file in the header), used when a file does not fit into 32 bits.
#pragma once

#include "base/result.hh"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace tarn::rpm {

struct CpioEntry {
    std::string_view name;
    std::uint32_t inode = 0, mode = 0, links = 1, mtime = 0;
    std::uint64_t size = 0;
    std::uint32_t device_major = 0, device_minor = 0;
};

enum class CpioForm { kNewc, kIndexed };

// The bytes before an entry's contents, padded.
std::string cpio_header(const CpioEntry& entry);
std::string cpio_indexed_header(std::uint32_t index);
std::string cpio_trailer();
// How many zero bytes follow `size` bytes of contents.
std::size_t cpio_padding(std::uint64_t size);

// One entry as read; `index` counts for the short form, whose name and size stand in the header.
struct CpioItem {
    CpioForm form = CpioForm::kNewc;
    std::string_view name;
    std::uint32_t index = 0;
    std::uint64_t size = 0;
};

// Walks over an archive in memory.
class CpioReader {
  public:
    explicit CpioReader(std::string_view bytes) : bytes_(bytes) {}
    // The next entry, false at the trailer; kCorrupt when malformed or cut off.
    Result<bool> next(CpioItem& item);
    // The `size` bytes of the entry just read.
    Result<std::string_view> contents(std::uint64_t size);

  private:
    Result<std::string_view> take(std::uint64_t size);
    Result<void> align();
    std::string_view bytes_;
    std::uint64_t at_ = 0;
};

}  // namespace tarn::rpm
