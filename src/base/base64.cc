// SPDX-License-Identifier: MIT
#include "base/base64.hh"

#include <cstddef>
#include <cstdint>

namespace tarn {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

std::string base64(std::string_view bytes) {
    std::string out;
    out.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const std::size_t have = bytes.size() - i < 3 ? bytes.size() - i : 3;
        std::uint32_t group = 0;
        for (std::size_t k = 0; k < 3; ++k) {
            group = group << 8U | (k < have ? static_cast<unsigned char>(bytes[i + k]) : 0U);
        }
        for (std::size_t k = 0; k < 4; ++k) {
            out += k <= have ? kAlphabet[group >> (18 - 6 * k) & 63U] : '=';
        }
    }
    return out;
}

std::optional<std::string> from_base64(std::string_view text) {
    for (int i = 0; i < 2 && text.ends_with('='); ++i) {
        text.remove_suffix(1);
    }
    std::string out;
    std::uint32_t group = 0;
    unsigned bits = 0;
    for (char c : text) {
        c = c == '-' ? '+' : c == '_' ? '/' : c;
        const std::size_t value = kAlphabet.find(c);
        if (value == std::string_view::npos) {
            return std::nullopt;
        }
        group = (group << 6U | static_cast<std::uint32_t>(value)) & 0xffffffU;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            out += static_cast<char>(group >> bits & 0xffU);
        }
    }
    // A single digit left over, or bits that no byte took, are no encoding of anything.
    if (bits == 6 || (group & ((1U << bits) - 1U)) != 0) {
        return std::nullopt;
    }
    return out;
}

}  // namespace tarn
