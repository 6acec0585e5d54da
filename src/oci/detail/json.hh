// SPDX-License-Identifier: MIT
// JSON of the image-spec: taking fields out of what others wrote, with names in the errors.
#pragma once

#include "base/result.hh"
#include "oci/oci.hh"

#include <nlohmann/json.hpp>

namespace tarn::oci::detail {

using Json = nlohmann::ordered_json;

// `what` is the document: "index.json", "the manifest". Depth and size are bounded.
Result<Json> parse_document(std::string_view text, const std::string& what, std::uint64_t limit);
Failure malformed(const std::string& what, std::string_view why);

// A missing field gives an empty value; one of another type is kCorrupt.
Result<std::string> text_field(const Json& object, const char* key, const std::string& what);
Result<std::vector<std::string>> list_field(const Json& object,
                                            const char* key,
                                            const std::string& what);
Result<Annotations> map_field(const Json& object, const char* key, const std::string& what);
// The object under `key`; an empty object when it is missing or null.
Result<Json> object_field(const Json& object, const char* key, const std::string& what);
Result<Descriptor> parse_descriptor(const Json& json, const std::string& what);

Json descriptor_json(const Descriptor& descriptor);
// Bytes that are no UTF-8 come out as U+FFFD rather than as an exception.
std::string dump(const Json& json);
// "2026-11-01T00:00:00Z", and back; nullopt for what is not RFC 3339.
std::string rfc3339(std::int64_t seconds);
std::optional<std::int64_t> parse_rfc3339(std::string_view text);

}  // namespace tarn::oci::detail
