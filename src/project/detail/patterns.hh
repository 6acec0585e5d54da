// SPDX-License-Identifier: MIT
// File patterns of the declaration format: *, ?, [...], {a,b}, **, and \ that escapes.
#pragma once

#include "base/result.hh"

#include <string>
#include <string_view>
#include <vector>

namespace tarn::declaration {

// Whether an unmatched pattern is an error: only *, ? and [ make one that may match nothing.
bool may_match_nothing(std::string_view pattern);
bool valid_pattern(std::string_view pattern);

// Regular files that match, directory by directory in lexical order. `pattern` is relative to
// `directory` or absolute. kFailed beyond `limit` files looked at.
Result<std::vector<std::string>> matching_files(const std::string& pattern,
                                                const std::string& directory,
                                                std::size_t limit);

}  // namespace tarn::declaration
