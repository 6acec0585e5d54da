// rooms: inspect
// SPDX-License-Identifier: MIT
// Partition tables, FAT, EROFS and UKI sections out of any bytes.
#include "base/fs.hh"
#include "inspect/detail/disk.hh"
#include "inspect/detail/erofs.hh"
#include "inspect/detail/fat.hh"
#include "inspect/detail/uki.hh"

namespace {

using namespace tarn::inspect;

// A checksum that is wrong ends everything at once: it is made right.
std::string with_checksums(std::string_view bytes) {
    std::string out(bytes);
    constexpr std::size_t kHeader = 512;
    const auto put = [&](std::size_t at, std::uint32_t value) {
        for (std::size_t i = 0; i < 4; ++i) {
            out[at + i] = static_cast<char>(value >> 8 * i & 0xffU);
        }
    };
    if (out.size() < 3 * kHeader) {
        return out;
    }
    const std::string_view header = std::string_view(out).substr(kHeader, kHeader);
    const auto lba = le<std::uint64_t>(header, 72);
    const std::uint64_t size =
        std::uint64_t{le<std::uint32_t>(header, 80)} * le<std::uint32_t>(header, 84);
    if (lba <= out.size() / kHeader && size <= out.size() - lba * kHeader) {
        put(kHeader + 88, crc32(std::string_view(out).substr(lba * kHeader, size)));
    }
    const std::size_t covered = le<std::uint32_t>(header, 12);
    if (covered >= 92 && covered <= kHeader) {
        put(kHeader + 16, 0);
        put(kHeader + 16, crc32(header.substr(0, covered)));
    }
    return out;
}

const tarn::Store& store() {
    static const tarn::TempDir directory = *tarn::TempDir::make();
    static const tarn::Store made = *tarn::Store::open(directory.path());
    return made;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const Region region(bytes, "image");
    static_cast<void>(vhd_disk_size(region));
    const std::string disk = with_checksums(bytes);
    static_cast<void>(read_gpt(Region(disk, "disk")));
    static_cast<void>(detect_filesystem(region));
    static_cast<void>(read_fat(region, {}));
    static_cast<void>(read_uki("a.efi", bytes));
    ReadOptions options;
    options.limits.content_bytes = 16 << 20;
    options.limits.kept_bytes = 1 << 16;
    options.limits.entries = 2000;
    static_cast<void>(read_erofs(store(), region, options));
    static_cast<void>(lz4_block(bytes, 4096));
    return 0;
}
