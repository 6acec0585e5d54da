// SPDX-License-Identifier: MIT
#include "evidence/detail/document.hh"

#include "base/hash.hh"

#include <fmt/format.h>

#include <ctime>

namespace tarn::evidence {

std::string rfc3339(std::int64_t seconds) {
    const std::time_t time = seconds;
    std::tm parts{};
    gmtime_r(&time, &parts);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
                       parts.tm_year + 1900,
                       parts.tm_mon + 1,
                       parts.tm_mday,
                       parts.tm_hour,
                       parts.tm_min,
                       parts.tm_sec);
}

std::string uuid_of(std::string_view text) {
    std::string hex = sha256_hex(text).substr(0, 32);
    hex[12] = '8';
    constexpr std::string_view kVariant = "89ab";
    const char digit = hex[16];
    const int value = digit <= '9' ? digit - '0' : digit - 'a' + 10;
    hex[16] = kVariant[static_cast<std::size_t>(value) & 3U];
    return fmt::format("{}-{}-{}-{}-{}",
                       hex.substr(0, 8),
                       hex.substr(8, 4),
                       hex.substr(12, 4),
                       hex.substr(16, 4),
                       hex.substr(20));
}

std::string written(const Json& json) {
    return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace tarn::evidence
