// SPDX-License-Identifier: MIT
#include "image/detail/guid.hh"

#include "base/hash.hh"

#include <algorithm>

namespace tarn::image {

std::optional<Guid> Guid::parse(std::string_view text) {
    if (text.size() != 36 || text[8] != '-' || text[13] != '-' || text[18] != '-' ||
        text[23] != '-') {
        return std::nullopt;
    }
    std::string digits;
    std::ranges::copy_if(text, std::back_inserter(digits), [](char c) { return c != '-'; });
    std::string raw;
    if (digits.size() != 32 || !from_hex(digits, raw)) {
        return std::nullopt;
    }
    Guid guid;
    std::ranges::transform(
        raw, guid.bytes.begin(), [](char c) { return static_cast<std::uint8_t>(c); });
    return guid;
}

Guid Guid::derive(std::string_view seed, std::string_view label) {
    std::string text = "tarn-guid\n";
    text.append(seed).append("\n").append(label);
    const Sha256Sum sum = sha256(text);
    Guid guid;
    std::copy_n(sum.begin(), guid.bytes.size(), guid.bytes.begin());
    guid.bytes[6] = static_cast<std::uint8_t>((guid.bytes[6] & 0x0fu) | 0x80u);
    guid.bytes[8] = static_cast<std::uint8_t>((guid.bytes[8] & 0x3fu) | 0x80u);
    return guid;
}

std::string Guid::wire_bytes() const {
    return {bytes.begin(), bytes.end()};
}

std::string Guid::disk_bytes() const {
    std::string out = wire_bytes();
    std::reverse(out.begin(), out.begin() + 4);
    std::reverse(out.begin() + 4, out.begin() + 6);
    std::reverse(out.begin() + 6, out.begin() + 8);
    return out;
}

std::string Guid::to_string() const {
    const std::string hex = to_hex(wire_bytes());
    return hex.substr(0, 8) + "-" + hex.substr(8, 4) + "-" + hex.substr(12, 4) + "-" +
           hex.substr(16, 4) + "-" + hex.substr(20);
}

std::uint32_t Guid::low32() const {
    return static_cast<std::uint32_t>(bytes[12]) << 24 |
           static_cast<std::uint32_t>(bytes[13]) << 16 |
           static_cast<std::uint32_t>(bytes[14]) << 8 | bytes[15];
}

}  // namespace tarn::image
