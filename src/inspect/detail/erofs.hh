// SPDX-License-Identifier: MIT
// Reading EROFS (kernel Documentation/filesystems/erofs.rst, fs/erofs/erofs_fs.h): compact and
// extended inodes; plain, inline and chunked files; lz4 and zstd with full and compact indexes.
// What mkfs.erofs does only when asked to (fragments, inlined tails, several devices) is refused by
// name.
#pragma once

#include "inspect/detail/region.hh"
#include "inspect/inspect.hh"

#include <optional>

namespace tarn::inspect {

Result<Tree> read_erofs(const Store& store, const Region& region, const ReadOptions& options);

// One LZ4 block (without frame) of exactly `size` bytes of output; nullopt when it is damaged.
std::optional<std::string> lz4_block(std::string_view input, std::size_t size);

}  // namespace tarn::inspect
