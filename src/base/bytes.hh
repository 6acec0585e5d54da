// SPDX-License-Identifier: MIT
// Little-endian numbers at fixed places of binary formats.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tarn {

inline void append_le(std::string& out, std::uint64_t value, unsigned width) {
    for (unsigned i = 0; i < width; ++i) {
        out.push_back(static_cast<char>((value >> (8 * i)) & 0xff));
    }
}

// The low `width` bytes of `value` at `at`; the buffer is long enough already.
inline void put_le(std::string& out, std::size_t at, std::uint64_t value, unsigned width) {
    for (unsigned i = 0; i < width; ++i) {
        out[at + i] = static_cast<char>((value >> (8 * i)) & 0xff);
    }
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

}  // namespace tarn
