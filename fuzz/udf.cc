// rooms: guest_provision
// SPDX-License-Identifier: MIT
// A UDF disc. The input is blocks, each with two bytes of its number in front; the reader sees tags
// as if they were sealed, so that what is behind the checksums is reached too.
#include "base/bytes.hh"

#include "provision/medium.hh"

#include <cstdint>
#include <string>
#include <string_view>

namespace {

std::uint16_t crc(std::string_view bytes) {
    unsigned value = 0;
    for (const char c : bytes) {
        value ^= static_cast<unsigned>(static_cast<unsigned char>(c)) << 8;
        for (int bit = 0; bit < 8; ++bit) {
            value = (value & 0x8000) != 0 ? (value << 1) ^ 0x1021 : value << 1;
        }
    }
    return static_cast<std::uint16_t>(value & 0xffff);
}

void seal(std::string& block, std::uint32_t location) {
    tarn::put_le(block, 12, location, 4);
    tarn::put_le(block, 10, 200, 2);
    tarn::put_le(block, 8, crc(std::string_view(block).substr(16, 200)), 2);
    unsigned sum = 0;
    for (std::size_t i = 0; i < 16; ++i) {
        sum += i == 4 ? 0u : static_cast<unsigned char>(block[i]);
    }
    block[4] = static_cast<char>(sum & 0xff);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace tarn::guest;
    constexpr std::size_t kBlock = 512, kPiece = 258;
    constexpr std::uint32_t kPartition = 260;
    std::string image(400 * kBlock, '\0');
    image.replace(32768, 6, std::string("\0BEA01", 6));
    image.replace(32768 + 2048, 6, std::string("\0NSR02", 6));
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    for (std::size_t at = 0; at + 2 < size; at += kPiece) {
        const auto number = static_cast<std::uint32_t>(tarn::take_le(text, at, 2) % 400);
        if (number < 64 + 12) {
            continue;
        }
        std::string block(text.substr(at + 2, kPiece - 2));
        block.resize(kBlock, '\0');
        const bool sealed = (tarn::take_le(text, at, 2) & 0x8000) == 0;
        if (sealed) {
            seal(block, number >= kPartition ? number - kPartition : number);
        }
        image.replace(number * kBlock, kBlock, block);
    }
    (void)read_udf(Medium::of_bytes("m", image), {"ovf-env.xml", "user-data"});
    (void)read_fat(Medium::of_bytes("m", text), {"user-data"});
    return 0;
}
