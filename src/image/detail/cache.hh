// SPDX-License-Identifier: MIT
// Results of this room kept in the store: one blob under a key.
#pragma once

#include "store/store.hh"

#include <optional>

namespace tarn::image {

// nullopt when nothing is kept or its blob is gone.
std::optional<Digest> kept_blob(const Store& store, const Digest& key);
Result<Digest> keep_blob(const Store& store, const Digest& key, std::string_view bytes);

}  // namespace tarn::image
