// rooms: guest_provision
// SPDX-License-Identifier: MIT
// A UDF disc whose volume is well described: the input is the blocks of its partition, sealed, so
// that what lies behind the checksums is reached; and the input as a whole medium, as it is.
#include "base/bytes.hh"

#include "provision/medium.hh"

#include <cstdint>
#include <string>
#include <string_view>

namespace {

constexpr std::size_t kBlock = 512;
constexpr std::uint32_t kPartition = 258, kPartitionBlocks = 130;

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

// Everything of a tag (ECMA-167 3/7.2) but its identifier.
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

void put(std::string& image, std::uint32_t at, unsigned tag, std::string block) {
    tarn::put_le(block, 0, tag, 2);
    seal(block, at);
    image.replace(at * kBlock, kBlock, block);
}

std::string described_volume() {
    std::string image((kPartition + kPartitionBlocks) * kBlock, '\0');
    image.replace(32768, 6, std::string("\0BEA01", 6));
    image.replace(32768 + 2048, 6, std::string("\0NSR02", 6));
    std::string anchor(kBlock, '\0'), partition(kBlock, '\0'), volume(kBlock, '\0');
    tarn::put_le(anchor, 16, 4 * kBlock, 4);
    tarn::put_le(anchor, 20, 100, 4);
    tarn::put_le(partition, 188, kPartition, 4);
    tarn::put_le(partition, 192, kPartitionBlocks, 4);
    tarn::put_le(volume, 212, kBlock, 4);
    tarn::put_le(volume, 248, kBlock, 4);  // the file set in block 0
    tarn::put_le(volume, 264, 6, 4);
    tarn::put_le(volume, 268, 1, 4);
    tarn::put_le(volume, 440, 1 | 6 << 8, 2);
    put(image, 256, 2, anchor);
    put(image, 100, 5, partition);
    put(image, 101, 6, volume);
    return image;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace tarn::guest;
    static const std::string volume = described_volume();
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    std::string image = volume;
    for (std::uint32_t i = 0; i * kBlock < size && i < kPartitionBlocks; ++i) {
        std::string block(text.substr(i * kBlock, kBlock));
        block.resize(kBlock, '\0');
        seal(block, i);
        image.replace((kPartition + i) * kBlock, kBlock, block);
    }
    (void)read_udf(Medium::of_bytes("m", image), {"ovf-env.xml", "user-data"});
    (void)read_udf(Medium::of_bytes("m", text), {"ovf-env.xml"});
    (void)read_fat(Medium::of_bytes("m", text), {"user-data"});
    return 0;
}
