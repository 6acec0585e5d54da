// SPDX-License-Identifier: MIT
#include "inspect/detail/disk.hh"

#include <array>

namespace tarn::inspect {
namespace {

constexpr std::uint64_t kSector = 512;
constexpr std::uint32_t kMaxEntries = 1024;
constexpr std::uint32_t kMaxEntrySize = 4096;

std::uint64_t big_endian(std::string_view bytes, std::size_t at, std::size_t count) {
    std::uint64_t out = 0;
    for (std::size_t i = 0; i < count; ++i) {
        out = out << 8U | static_cast<unsigned char>(bytes[at + i]);
    }
    return out;
}

// The first three groups are little-endian.
std::string guid(std::string_view raw) {
    constexpr std::array<std::size_t, 16> kOrder = {
        3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
    std::string out;
    for (std::size_t i = 0; i < kOrder.size(); ++i) {
        out += i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "";
        out += fmt::format("{:02x}", static_cast<unsigned char>(raw[kOrder[i]]));
    }
    return out;
}

// UTF-16LE up to a NUL; what is not printable ASCII reads '?': labels are only shown.
std::string label_text(std::string_view raw) {
    std::string out;
    for (std::size_t i = 0; i + 1 < raw.size(); i += 2) {
        const auto unit = le<std::uint16_t>(raw, i);
        if (unit == 0) {
            break;
        }
        out += unit >= 0x20 && unit < 0x7f ? static_cast<char>(unit) : '?';
    }
    return out;
}

Failure broken(const Region& disk, std::string_view what) {
    return fail(ErrorKind::kCorrupt, "{}: the partition table is broken: {}", disk.name(), what);
}

Result<std::vector<Partition>> read_entries(const Region& disk,
                                            std::string_view table,
                                            std::uint32_t entry_size) {
    std::vector<Partition> out;
    const std::uint64_t sectors = disk.size() / kSector;
    for (std::size_t at = 0; at + entry_size <= table.size(); at += entry_size) {
        const std::string_view entry = table.substr(at, entry_size);
        if (entry.substr(0, 16).find_first_not_of('\0') == std::string_view::npos) {
            continue;
        }
        const auto first = le<std::uint64_t>(entry, 32);
        const auto last = le<std::uint64_t>(entry, 40);
        const unsigned number = static_cast<unsigned>(at / entry_size) + 1;
        if (first > last || last >= sectors) {
            return broken(disk, fmt::format("partition {} lies outside of the disk", number));
        }
        Partition one;
        one.number = number;
        one.type = guid(entry.substr(0, 16));
        one.id = guid(entry.substr(16, 16));
        one.label = label_text(entry.substr(56, 72));
        one.offset = first * kSector;
        one.size = (last - first + 1) * kSector;
        out.push_back(std::move(one));
    }
    return out;
}

}  // namespace

std::uint32_t crc32(std::string_view bytes) {
    static const std::array<std::uint32_t, 256> kTable = [] {
        std::array<std::uint32_t, 256> table{};
        for (std::uint32_t i = 0; i < 256; ++i) {
            std::uint32_t value = i;
            for (int bit = 0; bit < 8; ++bit) {
                value = (value & 1U) != 0 ? value >> 1U ^ 0xedb88320U : value >> 1U;
            }
            table[i] = value;
        }
        return table;
    }();
    std::uint32_t sum = 0xffffffffU;
    for (const char c : bytes) {
        sum = kTable[(sum ^ static_cast<unsigned char>(c)) & 0xffU] ^ sum >> 8U;
    }
    return ~sum;
}

Result<std::optional<std::uint64_t>> vhd_disk_size(const Region& file) {
    if (file.size() < 2 * kSector) {
        return std::optional<std::uint64_t>();
    }
    const std::string footer = TARN_TRY(file.read(file.size() - kSector, kSector));
    if (!footer.starts_with("conectix")) {
        return std::optional<std::uint64_t>();
    }
    const std::uint64_t type = big_endian(footer, 60, 4);
    if (type != 2) {
        return fail(error(ErrorKind::kUsage, "{} is a VHD, but not a fixed one", file.name())
                        .advise("qemu-img convert -O raw makes a raw disk of it"));
    }
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i < footer.size(); ++i) {
        sum += i >= 64 && i < 68 ? 0U : static_cast<unsigned char>(footer[i]);
    }
    if (~sum != big_endian(footer, 64, 4)) {
        return fail(ErrorKind::kCorrupt, "{}: the footer's checksum is wrong", file.name());
    }
    const std::uint64_t size = big_endian(footer, 48, 8);
    if (size != file.size() - kSector) {
        return fail(ErrorKind::kCorrupt,
                    "{}: the footer says the disk has {} bytes, the file has {}",
                    file.name(),
                    size,
                    file.size() - kSector);
    }
    return std::optional<std::uint64_t>(size);
}

Result<std::optional<std::vector<Partition>>> read_gpt(const Region& disk) {
    using Table = std::optional<std::vector<Partition>>;
    if (disk.size() < 3 * kSector) {
        return Table();
    }
    std::string header = TARN_TRY(disk.read(kSector, kSector));
    if (!header.starts_with("EFI PART")) {
        return Table();
    }
    const auto header_size = le<std::uint32_t>(header, 12);
    if (header_size < 92 || header_size > kSector) {
        return broken(disk, "its header has an odd size");
    }
    const auto said = le<std::uint32_t>(header, 16);
    header.replace(16, 4, 4, '\0');
    if (crc32(std::string_view(header).substr(0, header_size)) != said) {
        return broken(disk, "the header's checksum is wrong");
    }
    const auto lba = le<std::uint64_t>(header, 72);
    const auto count = le<std::uint32_t>(header, 80);
    const auto entry_size = le<std::uint32_t>(header, 84);
    if (count > kMaxEntries || entry_size < 128 || entry_size > kMaxEntrySize ||
        lba > disk.size() / kSector) {
        return broken(disk, "its table has an odd size");
    }
    const std::string table = TARN_TRY(disk.read(lba * kSector, std::uint64_t{count} * entry_size));
    if (crc32(table) != le<std::uint32_t>(header, 88)) {
        return broken(disk, "the table's checksum is wrong");
    }
    return Table(TARN_TRY(read_entries(disk, table, entry_size)));
}

std::string detect_filesystem(const Region& partition) {
    const auto at = [&](std::uint64_t offset, std::string_view magic) {
        const auto bytes = partition.read(offset, magic.size());
        return bytes && *bytes == magic;
    };
    if (at(1080, "\x53\xef")) {
        return "ext4";
    }
    if (at(1024, "\xe2\xe1\xf5\xe0")) {
        return "erofs";
    }
    if (at(0, std::string_view("verity\0\0", 8))) {
        return "verity";
    }
    if (at(510, "\x55\xaa") && (at(82, "FAT32") || at(54, "FAT1"))) {
        return "vfat";
    }
    return {};
}

}  // namespace tarn::inspect
