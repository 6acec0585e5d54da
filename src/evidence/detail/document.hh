// SPDX-License-Identifier: MIT
// What all documents share.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace tarn::evidence {

using Json = nlohmann::ordered_json;

std::string rfc3339(std::int64_t seconds);  // "2026-11-01T00:00:00Z"
// SHA-256 of the text, marked as version 8 (RFC 9562: custom).
std::string uuid_of(std::string_view text);
// Indented by one; bytes that are no UTF-8 become U+FFFD.
std::string written(const Json& json);

}  // namespace tarn::evidence
