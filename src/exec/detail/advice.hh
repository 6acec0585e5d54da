// SPDX-License-Identifier: MIT
#pragma once

#include "base/result.hh"

#include <string>
#include <string_view>

namespace tarn::detail {

Error bubblewrap_missing();
// What to do about a sandbox that could not be set up. `proc` is /proc (or a copy of it, in tests),
// `said` what bubblewrap printed.
Error setup_failed(const std::string& proc, std::string_view said);

}  // namespace tarn::detail
