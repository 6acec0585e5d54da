// SPDX-License-Identifier: MIT
#pragma once

#include "inspect/inspect.hh"

#include <optional>

namespace tarn::inspect {

// What the sections of a PE image say when it is a unified kernel image; nullopt when it is none.
std::optional<Uki> read_uki(const std::string& path, std::string_view pe);

}  // namespace tarn::inspect
