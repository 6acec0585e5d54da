// SPDX-License-Identifier: MIT
#include "image/detail/gpt.hh"

#include "base/strings.hh"
#include "image/detail/bytes.hh"

#include <algorithm>

namespace tarn::image {
namespace {

constexpr std::uint64_t kEntries = 128;
constexpr std::uint64_t kEntrySize = 128;
constexpr std::uint64_t kTableSectors = kEntries * kEntrySize / kSector;

std::string protective_mbr(std::uint64_t sectors) {
    std::string mbr(kSector, '\0');
    const std::size_t entry = 446;
    // CHS 0/0/2 to "beyond what CHS can say", type 0xee, the whole disk.
    put_bytes(mbr, entry, std::string_view("\x00\x00\x02\x00\xee\xff\xff\xff", 8));
    put_le(mbr, entry + 8, 1, 4);
    put_le(mbr, entry + 12, std::min<std::uint64_t>(sectors - 1, 0xffffffffu), 4);
    put_le(mbr, 510, 0xaa55, 2);
    return mbr;
}

std::string entry_table(const DiskLayout& layout) {
    std::string table(kEntries * kEntrySize, '\0');
    for (std::size_t i = 0; i < layout.partitions.size(); ++i) {
        const Partition& partition = layout.partitions[i];
        const std::size_t at = i * kEntrySize;
        put_bytes(table, at, partition.type.disk_bytes());
        put_bytes(table, at + 16, partition.id.disk_bytes());
        put_le(table, at + 32, partition.offset / kSector, 8);
        put_le(table, at + 40, (partition.offset + partition.size) / kSector - 1, 8);
        put_le(table, at + 48, partition.attributes, 8);
        for (std::size_t c = 0; c < partition.label.size(); ++c) {
            put_le(table, at + 56 + 2 * c, static_cast<unsigned char>(partition.label[c]), 2);
        }
    }
    return table;
}

struct HeaderPlace {
    std::uint64_t self, other, table;
};

std::string header(const DiskLayout& layout, const HeaderPlace& place, std::uint32_t table_crc) {
    const std::uint64_t sectors = layout.size / kSector;
    std::string out(kSector, '\0');
    put_bytes(out, 0, "EFI PART");
    put_le(out, 8, 0x00010000, 4);
    put_le(out, 12, 92, 4);
    put_le(out, 24, place.self, 8);
    put_le(out, 32, place.other, 8);
    put_le(out, 40, 2 + kTableSectors, 8);
    put_le(out, 48, sectors - 2 - kTableSectors, 8);
    put_bytes(out, 56, layout.id.disk_bytes());
    put_le(out, 72, place.table, 8);
    put_le(out, 80, kEntries, 4);
    put_le(out, 84, kEntrySize, 4);
    put_le(out, 88, table_crc, 4);
    put_le(out, 16, crc32(std::string_view(out).substr(0, 92)), 4);
    return out;
}

Result<void> check(const DiskLayout& layout) {
    if (layout.size == 0 || layout.size % kMiB != 0 || layout.partitions.size() > kEntries) {
        return fail(
            ErrorKind::kUsage, "a disk of {} bytes is not a whole number of MiB", layout.size);
    }
    std::uint64_t end = kMiB;
    for (const Partition& partition : layout.partitions) {
        if (partition.offset < end || partition.offset % kMiB != 0 || partition.size == 0 ||
            partition.size % kSector != 0 || partition.size > layout.size ||
            partition.offset > layout.size - partition.size) {
            return fail(ErrorKind::kUsage, "partition `{}` does not fit the disk", partition.label);
        }
        if (partition.label.size() > 36) {
            return fail(
                ErrorKind::kUsage, "partition label `{}` is longer than 36", partition.label);
        }
        end = partition.offset + partition.size;
    }
    if (end > layout.size - (kTableSectors + 1) * kSector) {
        return fail(ErrorKind::kUsage, "no room for the backup partition table");
    }
    return {};
}

}  // namespace

Result<GptBytes> make_gpt(const DiskLayout& layout) {
    TARN_TRY(check(layout));
    const std::uint64_t sectors = layout.size / kSector;
    const std::string table = entry_table(layout);
    const std::uint32_t crc = crc32(table);
    GptBytes out;
    out.head = protective_mbr(sectors) + header(layout, {1, sectors - 1, 2}, crc) + table;
    out.tail = table + header(layout, {sectors - 1, 1, sectors - 1 - kTableSectors}, crc);
    return out;
}

}  // namespace tarn::image
