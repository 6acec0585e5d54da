// SPDX-License-Identifier: MIT
// A directory as a source archive, the same bytes for the same contents.
#pragma once

#include "base/result.hh"
#include "store/store.hh"

#include <string>
#include <string_view>

namespace tarn {

// Whether an archive of this name can be packed: .tar .tar.gz .tgz .tar.xz .txz .tar.zst .tzst
bool can_pack(std::string_view filename);

// GNU tar, compressed as `filename` says: members sorted, owner 0:0 without names, time 0; hard links
// are files of their own. kUsage for another name; kFailed for devices and pipes.
Result<std::string> pack_tree(const Store& store, const Tree& tree, std::string_view filename);

}  // namespace tarn
