// SPDX-License-Identifier: MIT
// Boolean dependencies: "(a or (b if c))".
#pragma once

#include <string>
#include <vector>

namespace tarn::rpm {

// The names in a boolean dependency under which rpm's database lists it, sorted, unique: a name in
// a condition ("c" above), whose being there makes the dependency harder to fulfil, has a "!" in
// front. Empty when it does not parse.
std::vector<std::string> rich_names(const std::string& dependency);

}  // namespace tarn::rpm
