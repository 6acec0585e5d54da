// SPDX-License-Identifier: MIT
// The only name a file has inside Tarn: SHA-256 and size, as in the Remote Execution API v2.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace tarn {

struct Digest {
    std::array<std::uint8_t, 32> sha256{};
    std::uint64_t size = 0;

    std::string hex() const;                                    // 64 lower-case digits
    std::string to_string() const;                              // "<hex>/<size>"
    static std::optional<Digest> parse(std::string_view text);  // of to_string()
    static std::optional<Digest> from_hex(std::string_view hex, std::uint64_t size);
    static Digest of(std::string_view bytes);
    auto operator<=>(const Digest&) const = default;
};

struct DigestHash {
    std::size_t operator()(const Digest& digest) const;
};

}  // namespace tarn
