// SPDX-License-Identifier: MIT
#pragma once

#include "render/detail/spec_edit.hh"

namespace tarn::overlay {

// The same overlays over a spec as rpm reads it: sections and tags in macro bodies, continuations
// and here-documents are none; `package` may be the suffix, the whole name, or text with macros;
// what is appended comes before the blank lines and the %if that guard the next section; an %if
// that a removed section empties goes with it.
Outcome<std::string> edit_precise(const std::string& text,
                                  const std::string& spec_name,
                                  const Overlay& overlay);

}  // namespace tarn::overlay
