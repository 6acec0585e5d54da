// SPDX-License-Identifier: MIT
// FAT12, FAT16 and FAT32 with long names: a NoCloud seed on a small disk. Source: Microsoft's
// "FAT: General Overview of On-Disk Format", 1.03.
#include "base/bytes.hh"
#include "base/strings.hh"

#include "provision/medium.hh"

#include <algorithm>

namespace tarn::guest {

namespace {

constexpr std::size_t kEntry = 32;
constexpr std::uint64_t kDirectoryLimit = 1u << 20;

class Fat {
  public:
    explicit Fat(const Medium& medium) : medium_(medium) {}
    bool open(std::string_view boot);
    Result<MediumContents> take(const std::vector<std::string>& wanted);

  private:
    Failure broken(std::string_view what) const {
        return fail(ErrorKind::kCorrupt, "{}: broken FAT: {}", medium_.name, what);
    }
    Result<std::uint32_t> next(std::uint32_t cluster) const;
    Result<std::string> chain(std::uint32_t cluster, std::uint64_t size) const;
    Result<std::string> root() const;

    const Medium& medium_;
    std::uint32_t sector_ = 0, cluster_bytes_ = 0, clusters_ = 0;
    std::uint64_t table_ = 0, root_at_ = 0, data_ = 0;
    std::size_t root_bytes_ = 0;  // 0: the root is a chain, as on FAT32
    std::uint32_t root_cluster_ = 0;
    unsigned bits_ = 0;
};

bool power_of_two(std::uint32_t value, std::uint32_t least, std::uint32_t most) {
    return value >= least && value <= most && (value & (value - 1)) == 0;
}

// False when the boot sector is none of FAT.
bool Fat::open(std::string_view boot) {
    const auto number = [&](std::size_t at, unsigned width) {
        return static_cast<std::uint32_t>(take_le(boot, at, width));
    };
    sector_ = number(11, 2);
    const std::uint32_t per_cluster = number(13, 1);
    const std::uint32_t reserved = number(14, 2);
    const std::uint32_t tables = number(16, 1);
    const bool jump = boot[0] == '\xeb' || boot[0] == '\xe9';
    if (!jump || boot.substr(510, 2) != "\x55\xaa" || !power_of_two(sector_, 512, 4096) ||
        !power_of_two(per_cluster, 1, 128) || reserved == 0 || tables == 0 || tables > 4) {
        return false;
    }
    const std::uint32_t table_sectors = number(22, 2) != 0 ? number(22, 2) : number(36, 4);
    const std::uint32_t sectors = number(19, 2) != 0 ? number(19, 2) : number(32, 4);
    root_bytes_ = std::size_t{number(17, 2)} * kEntry;
    cluster_bytes_ = per_cluster * sector_;
    table_ = std::uint64_t{reserved} * sector_;
    root_at_ = table_ + std::uint64_t{tables} * table_sectors * sector_;
    data_ = root_at_ + align_up(root_bytes_, sector_);
    const std::uint64_t end = std::uint64_t{sectors} * sector_;
    if (table_sectors == 0 || data_ >= end) {
        return false;
    }
    clusters_ = static_cast<std::uint32_t>((end - data_) / cluster_bytes_);
    bits_ = clusters_ < 4085 ? 12 : clusters_ < 65525 ? 16 : 32;
    root_cluster_ = number(44, 4);
    return (bits_ == 32) == (root_bytes_ == 0);
}

Result<std::uint32_t> Fat::next(std::uint32_t cluster) const {
    if (bits_ == 12) {
        const std::string pair = TARN_TRY(medium_.read(table_ + cluster + cluster / 2, 2));
        const auto word = static_cast<std::uint32_t>(take_le(pair, 0, 2));
        return cluster % 2 == 0 ? word & 0xfff : word >> 4;
    }
    const unsigned width = bits_ / 8;
    const std::string word = TARN_TRY(medium_.read(table_ + std::uint64_t{cluster} * width, width));
    return static_cast<std::uint32_t>(take_le(word, 0, width)) & 0x0fffffff;
}

// At most `size` bytes; a chain that ends before is shorter.
Result<std::string> Fat::chain(std::uint32_t cluster, std::uint64_t size) const {
    std::string out;
    while (out.size() < size && cluster >= 2 && cluster < clusters_ + 2) {
        const std::uint64_t at = data_ + std::uint64_t{cluster - 2} * cluster_bytes_;
        const std::uint64_t count = std::min<std::uint64_t>(cluster_bytes_, size - out.size());
        out += TARN_TRY(medium_.read(at, static_cast<std::size_t>(count)));
        cluster = TARN_TRY(next(cluster));
    }
    return out;
}

Result<std::string> Fat::root() const {
    if (bits_ == 32) {
        return chain(root_cluster_, kDirectoryLimit);
    }
    return medium_.read(root_at_, root_bytes_);
}

std::string short_name(std::string_view entry) {
    const std::string_view end = trim(entry.substr(8, 3));
    return std::string(trim(entry.substr(0, 8))) + (end.empty() ? "" : ".") + std::string(end);
}

// 13 characters of a long name.
std::string long_part(std::string_view entry) {
    const std::string units = std::string(entry.substr(1, 10)) + std::string(entry.substr(14, 12)) +
                              std::string(entry.substr(28, 4));
    std::size_t end = 0;
    while (end < units.size() && (units[end] != 0 || units[end + 1] != 0)) {
        end += 2;
    }
    return from_utf16(std::string_view(units).substr(0, end), ByteOrder::kLittle);
}

Result<MediumContents> Fat::take(const std::vector<std::string>& wanted) {
    MediumContents contents{"FAT", {}, {}};
    const std::string directory = TARN_TRY(root());
    std::string long_name;
    for (std::size_t at = 0; at + kEntry <= directory.size() && directory[at] != 0; at += kEntry) {
        const std::string_view entry = std::string_view(directory).substr(at, kEntry);
        const auto attributes = static_cast<unsigned char>(entry[11]);
        if (entry[0] == '\xe5') {
            long_name.clear();
            continue;
        }
        if ((attributes & 0x3f) == 0x0f) {
            const bool last = (static_cast<unsigned char>(entry[0]) & 0x40) != 0;
            long_name = long_part(entry) + (last ? "" : long_name);
            continue;
        }
        const std::string name = to_lower(long_name.empty() ? short_name(entry) : long_name);
        long_name.clear();
        if ((attributes & 0x08) != 0) {
            contents.label = std::string(trim(entry.substr(0, 11)));
            continue;
        }
        if ((attributes & 0x10) != 0) {
            continue;
        }
        for (const std::string& each : wanted) {
            if (to_lower(each) != name || contents.files.contains(each)) {
                continue;
            }
            const std::uint64_t size = take_le(entry, 28, 4);
            if (size > kMediumFileLimit) {
                return fail(ErrorKind::kCorrupt,
                            "{}: a file of {} bytes: at most {} are read",
                            medium_.name,
                            size,
                            kMediumFileLimit);
            }
            const auto cluster =
                static_cast<std::uint32_t>(take_le(entry, 20, 2) << 16 | take_le(entry, 26, 2));
            std::string bytes = TARN_TRY(chain(cluster, size));
            if (bytes.size() != size) {
                return broken("a file is longer than its clusters");
            }
            contents.files[each] = std::move(bytes);
        }
    }
    return contents;
}

}  // namespace

Result<std::optional<MediumContents>> read_fat(const Medium& medium,
                                               const std::vector<std::string>& wanted) {
    if (medium.size < 1024) {
        return std::optional<MediumContents>();
    }
    const std::string boot = TARN_TRY(medium.read(0, 512));
    Fat fat(medium);
    if (!fat.open(boot)) {
        return std::optional<MediumContents>();
    }
    MediumContents contents = TARN_TRY(fat.take(wanted));
    return std::optional<MediumContents>(std::move(contents));
}

}  // namespace tarn::guest
