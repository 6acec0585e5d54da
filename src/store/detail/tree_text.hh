// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

namespace tarn::detail {

// The first line of every serialized tree; the store knows a tree among blobs by it.
inline constexpr std::string_view kTreeHeader = "tarn-tree 1\n";

}  // namespace tarn::detail
