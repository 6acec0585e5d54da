// SPDX-License-Identifier: MIT
#pragma once

#include "base/result.hh"
#include "store/store.hh"

#include <string>
#include <string_view>

namespace tarn::rpm {

// payload_tree() of a package in memory, nothing kept but the contents.
Result<Tree> unpack_payload(const Store& store, std::string_view bytes, const std::string& name);

}  // namespace tarn::rpm
