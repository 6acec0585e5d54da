// SPDX-License-Identifier: MIT
#include "image/detail/bytes.hh"

#include <array>

namespace tarn::image {
namespace {

constexpr std::array<std::uint32_t, 256> make_table() {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < 256; ++i) {
        std::uint32_t value = i;
        for (int bit = 0; bit < 8; ++bit) {
            value = (value & 1u) != 0 ? (value >> 1) ^ 0xedb88320u : value >> 1;
        }
        table[i] = value;
    }
    return table;
}
constexpr auto kTable = make_table();

}  // namespace

std::uint32_t crc32(std::string_view bytes) {
    std::uint32_t value = 0xffffffffu;
    for (const char c : bytes) {
        value = kTable[(value ^ static_cast<unsigned char>(c)) & 0xffu] ^ (value >> 8);
    }
    return ~value;
}

}  // namespace tarn::image
