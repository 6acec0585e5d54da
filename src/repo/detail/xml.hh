// SPDX-License-Identifier: MIT
// Writing XML: the little that repodata needs.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tarn::repo {

// Text as XML 1.0 holds it: &, <, >, " escaped; control characters and bytes that are not UTF-8
// become "?", so that the document is well-formed whatever a package says of itself.
void append_escaped(std::string& out, std::string_view text);
std::string escaped(std::string_view text);

}  // namespace tarn::repo
