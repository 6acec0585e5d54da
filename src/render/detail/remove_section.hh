// SPDX-License-Identifier: MIT
#pragma once

#include "render/detail/spec_edit.hh"

namespace tarn::overlay {

// spec-remove-section and spec-remove-subpackage: whole sections, with %if and %endif kept in
// balance by leaving those that reach beyond a section where they are.
Outcome<std::string> remove_sections(const SpecDocument& spec,
                                     const std::string& spec_name,
                                     const Overlay& overlay);

}  // namespace tarn::overlay
