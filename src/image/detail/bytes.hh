// SPDX-License-Identifier: MIT
// Big-endian numbers at fixed places, and checksums.
#pragma once

#include "base/bytes.hh"

#include <cstdint>
#include <string>
#include <string_view>

namespace tarn::image {

inline void put_be(std::string& out, std::size_t at, std::uint64_t value, unsigned width) {
    for (unsigned i = 0; i < width; ++i) {
        out[at + i] = static_cast<char>((value >> (8 * (width - 1 - i))) & 0xff);
    }
}

inline void put_bytes(std::string& out, std::size_t at, std::string_view bytes) {
    out.replace(at, bytes.size(), bytes);
}

// CRC-32 as in IEEE 802.3 (GPT, gzip).
std::uint32_t crc32(std::string_view bytes);

}  // namespace tarn::image
