// SPDX-License-Identifier: MIT
// Numbers at fixed places of binary formats.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tarn::image {

// The low `width` bytes of `value` at `at`; the buffer is long enough already.
inline void put_le(std::string& out, std::size_t at, std::uint64_t value, unsigned width) {
    for (unsigned i = 0; i < width; ++i) {
        out[at + i] = static_cast<char>((value >> (8 * i)) & 0xff);
    }
}

inline void put_be(std::string& out, std::size_t at, std::uint64_t value, unsigned width) {
    for (unsigned i = 0; i < width; ++i) {
        out[at + i] = static_cast<char>((value >> (8 * (width - 1 - i))) & 0xff);
    }
}

inline void put_bytes(std::string& out, std::size_t at, std::string_view bytes) {
    out.replace(at, bytes.size(), bytes);
}

// 0 when the bytes are not all there: callers check the size first where it matters.
inline std::uint64_t take_le(std::string_view in, std::size_t at, unsigned width) {
    if (at > in.size() || in.size() - at < width) {
        return 0;
    }
    std::uint64_t value = 0;
    for (unsigned i = width; i-- > 0;) {
        value = (value << 8) | static_cast<unsigned char>(in[at + i]);
    }
    return value;
}

inline constexpr std::uint64_t align_up(std::uint64_t value, std::uint64_t unit) {
    return (value + unit - 1) / unit * unit;
}

// CRC-32 as in IEEE 802.3 (GPT, gzip).
std::uint32_t crc32(std::string_view bytes);

}  // namespace tarn::image
