// SPDX-License-Identifier: MIT
// What the parts of the broker share. For sources only.
#pragma once

#include <string>
#include <string_view>

#include "metadata/broker.hh"

namespace tarn::guest {

inline constexpr const char* kInvalidParameter = "org.varlink.service.InvalidParameter";
inline constexpr const char* kPermissionDenied = "org.varlink.service.PermissionDenied";

inline std::string text_of(const Call& call, std::string_view name) {
    const auto found = call.parameters.find(name);
    const auto* text =
        found == call.parameters.end() ? nullptr : std::get_if<std::string>(&found->second);
    return text != nullptr ? *text : std::string();
}

inline bool flag_of(const Call& call, std::string_view name, bool otherwise) {
    const auto found = call.parameters.find(name);
    const auto* value =
        found == call.parameters.end() ? nullptr : std::get_if<bool>(&found->second);
    return value != nullptr ? *value : otherwise;
}

// Answers with an error, for good. 0, so that a handler can return it.
inline std::uint64_t refuse(const Broker::Answer& answer,
                            std::string_view name,
                            const Members& parameters = {}) {
    answer(error_text(name, object_text(parameters)), true);
    return 0;
}
inline std::uint64_t invalid(const Broker::Answer& answer, std::string_view parameter) {
    return refuse(answer, kInvalidParameter, {{"parameter", string_text(parameter)}});
}
inline std::uint64_t unavailable(const Broker::Answer& answer, const Fetched& fetched) {
    return refuse(
        answer,
        "org.tarn.Metadata.NotAvailable",
        {{"status", std::to_string(fetched.status)}, {"reason", string_text(fetched.why)}});
}

}  // namespace tarn::guest
