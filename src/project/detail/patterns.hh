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
// What is wrong with a pattern; empty for a valid one.
std::string_view pattern_fault(std::string_view pattern);

enum class Unreadable : bool { kFail, kIgnore };

// Regular files that match, directory by directory in lexical order; links to directories are not
// followed. `pattern` is relative to `directory` or absolute. kUsage beyond `limit` files looked
// at; directories that cannot be read are kSystem or passed over.
Result<std::vector<std::string>> matching_files(const std::string& pattern,
                                                const std::string& directory,
                                                std::size_t limit,
                                                Unreadable unreadable = Unreadable::kFail);

}  // namespace tarn::declaration
