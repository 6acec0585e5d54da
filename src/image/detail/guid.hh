// SPDX-License-Identifier: MIT
// GUIDs, all derived from one seed so that an image is the same when made again.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tarn::image {

struct Guid {
    std::array<std::uint8_t, 16> bytes{};  // in the order they are printed
    static std::optional<Guid> parse(std::string_view text);
    // SHA-256 of seed and label, marked as version 8 (RFC 9562: custom).
    static Guid derive(std::string_view seed, std::string_view label);
    std::string to_string() const;   // lower case
    std::string disk_bytes() const;  // GPT: first three groups little-endian
    std::string wire_bytes() const;  // as printed
    std::uint32_t low32() const;     // for formats with a 32 bit serial
    bool operator==(const Guid&) const = default;
};

}  // namespace tarn::image
