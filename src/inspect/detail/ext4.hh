// SPDX-License-Identifier: MIT
// Reading ext4 through libext2fs: the only file that includes it.
#pragma once

#include "inspect/inspect.hh"

namespace tarn::inspect {

// The file system that begins at `offset` of the file `path`. An empty /lost+found without
// attributes is the file system's own and left out.
Result<Tree> read_ext4(const Store& store,
                       const std::string& path,
                       std::uint64_t offset,
                       const ReadOptions& options);

}  // namespace tarn::inspect
