// SPDX-License-Identifier: MIT
// The LZ4 block format (lz4_Block_format.md).
#include "inspect/detail/erofs.hh"

namespace tarn::inspect {
namespace {

// A length that goes on in further bytes; false when the input ends.
bool extend(std::string_view input, std::size_t& at, std::size_t& length) {
    for (;;) {
        if (at >= input.size()) {
            return false;
        }
        const auto byte = static_cast<unsigned char>(input[at++]);
        length += byte;
        if (byte != 255) {
            return true;
        }
    }
}

}  // namespace

// The end of the output may come before that of the input: what was compressed was longer.
std::optional<std::string> lz4_block(std::string_view input, std::size_t size) {
    std::string out;
    out.reserve(size);
    std::size_t at = 0;
    while (out.size() < size) {
        if (at >= input.size()) {
            return std::nullopt;
        }
        const auto token = static_cast<unsigned char>(input[at++]);
        std::size_t literals = token >> 4U;
        if (literals == 15 && !extend(input, at, literals)) {
            return std::nullopt;
        }
        const std::size_t taken = std::min(literals, size - out.size());
        if (taken > input.size() - at) {
            return std::nullopt;
        }
        out.append(input.substr(at, taken));
        at += taken;
        if (out.size() == size) {
            return out;
        }
        if (input.size() - at < 2) {
            return std::nullopt;
        }
        const std::size_t distance = le<std::uint16_t>(input, at);
        at += 2;
        std::size_t match = token & 15U;
        if (match == 15 && !extend(input, at, match)) {
            return std::nullopt;
        }
        match = std::min(match + 4, size - out.size());
        if (distance == 0 || distance > out.size()) {
            return std::nullopt;
        }
        for (std::size_t i = 0; i < match; ++i) {
            out += out[out.size() - distance];
        }
    }
    return out;
}

}  // namespace tarn::inspect
