// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace tarn::distgit::detail {

// Each package comes as a pack, and every look-up, git's and ours, costs a look per pack: many small
// packs of a host's repository become few, in sizes that at least double. Does nothing while they are
// few or another process is at it. Best effort: without it everything works, slower.
void merge_packs(const std::string& host);

}  // namespace tarn::distgit::detail
