// SPDX-License-Identifier: MIT
// An update directory: what systemd-sysupdate fetches to bring a machine to this version of an
// image. SHA256SUMS names every file, SHA256SUMS.gpg is the project's signature over it.
#pragma once

#include "image/detail/immutable.hh"
#include "image/detail/kinds.hh"

#include <stop_token>
#include <string>
#include <string_view>

namespace tarn::image {

struct UpdatePiece {
    std::uint64_t offset = 0, size = 0;  // on the disk
    Guid partition{};
};

struct UpdateInput {
    SystemVersion system;
    int disk = -1;
    std::string path;  // of the disk, for errors
    UpdatePiece root{}, hash_tree{};
    std::string_view uki;
    const SigningKey* signer = nullptr;
    std::string directory;  // of the artifacts
    std::string name;       // of the directory to make in it
    std::int64_t time = 0;
    std::stop_token stop{};
};

// Artifacts are named "<name>/<file>". Compressed with zstd, level 3.
Result<Artifacts> write_update(const UpdateInput& input);

}  // namespace tarn::image
