// SPDX-License-Identifier: MIT
// A Tree as a file system inside a disk image, written by mke2fs or mkfs.erofs of the tools tree
// in a sandbox: no mount, no root, no loop device. The tree goes to them as a tar stream.
#pragma once

#include "base/result.hh"
#include "image/detail/guid.hh"
#include "store/store.hh"

#include <stop_token>
#include <string>

namespace tarn::image {

struct FilesystemInput {
    const Store* store = nullptr;
    const Tree* tree = nullptr;  // owners as numbers
    const Tree* tools = nullptr;
    std::string type;          // "ext4" or "erofs"
    std::string disk;          // raw image, exists, sparse
    std::uint64_t offset = 0;  // of the partition in it
    std::uint64_t size = 0;    // of the partition
    std::string scratch;       // a directory for temporary files
    std::string seed;          // UUID and hash seed come from it
    std::string label;
    std::int64_t time = 0;
    std::stop_token stop{};
};

// Returns how many bytes of the partition it takes: all of them with ext4, with EROFS what the tree
// needs. kNoSpace when the tree does not fit.
Result<std::uint64_t> write_filesystem(const FilesystemInput& input);

}  // namespace tarn::image
