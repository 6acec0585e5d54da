// SPDX-License-Identifier: MIT
// What strict mode says about an overlay that did apply.
#pragma once

#include "render/detail/spec_edit.hh"

#include <string>
#include <vector>

namespace tarn::overlay {

// `before` and `after`: the spec around the overlay.
std::vector<std::string> strict_remarks(const std::string& before,
                                        const std::string& after,
                                        const std::string& spec_name,
                                        const Overlay& overlay,
                                        View view);

}  // namespace tarn::overlay
