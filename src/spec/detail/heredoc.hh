// SPDX-License-Identifier: MIT
#pragma once

#include "spec/precise.hh"

namespace tarn::specs {

// Marks the lines [begin, end) of one shell script that are inside here-documents. Returns the
// lines that open one which is not closed in the section.
std::vector<std::size_t> mark_here_documents(const std::vector<std::string_view>& lines,
                                             std::vector<PreciseLine>& kinds,
                                             std::size_t begin,
                                             std::size_t end);

}  // namespace tarn::specs
