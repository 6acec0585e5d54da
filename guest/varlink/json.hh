// SPDX-License-Identifier: MIT
// JSON from outside, within limits. For sources only: nlohmann is heavy.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "varlink/message.hh"

namespace tarn::guest {

// Nothing when it is no JSON or nests too deep.
inline std::optional<nlohmann::json> parse_json(std::string_view text) {
    if (!shallow(text)) {
        return std::nullopt;
    }
    auto json = nlohmann::json::parse(text.begin(), text.end(), nullptr, false);
    if (json.is_discarded()) {
        return std::nullopt;
    }
    return json;
}

inline std::string dump_json(const nlohmann::json& json, int indent = -1) {
    return json.dump(indent, ' ', false, nlohmann::json::error_handler_t::replace);
}

// A member that is a string, or a number as its text; else empty.
inline std::string text_member(const nlohmann::json& object, const char* name) {
    if (!object.is_object()) {
        return {};
    }
    const auto found = object.find(name);
    if (found == object.end()) {
        return {};
    }
    if (found->is_string()) {
        return found->get_ref<const std::string&>();
    }
    return found->is_number() ? dump_json(*found) : std::string();
}

}  // namespace tarn::guest
