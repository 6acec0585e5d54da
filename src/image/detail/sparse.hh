// SPDX-License-Identifier: MIT
// Large files that are mostly holes: copied and hashed by their data alone.
#pragma once

#include "base/result.hh"

#include <cstdint>
#include <stop_token>
#include <string>

namespace tarn::image {

// Makes `to` (an open, empty file) equal to `from`, sharing blocks where the file system can.
Result<void> copy_sparse(int from, int to, std::uint64_t size, const std::string& path);
// The same into a hole of `to` that begins at `offset`.
Result<void> copy_sparse_at(
    int from, int to, std::uint64_t size, std::uint64_t offset, const std::string& path);

struct FileSums {
    std::string sha256;           // of the first `size` bytes
    std::string sha256_extended;  // of those followed by `extension`
};
// Both in one pass: holes are not read.
Result<FileSums> hash_sparse(int fd,
                             std::uint64_t size,
                             std::string_view extension,
                             const std::string& path,
                             std::stop_token stop);

}  // namespace tarn::image
