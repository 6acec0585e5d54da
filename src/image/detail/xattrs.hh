// SPDX-License-Identifier: MIT
// Extended attributes of a tree as commands for debugfs(8): of those in a tar stream mke2fs takes
// over security.capability alone.
#pragma once

#include "base/result.hh"
#include "store/tree.hh"

#include <string>

namespace tarn::image {

// One `ea_set` a line, in the tree's order; empty when mke2fs sets all there are. kFailed for a
// path that cannot be said in one line.
Result<std::string> xattr_commands(const Tree& tree);

}  // namespace tarn::image
