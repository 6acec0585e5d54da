// SPDX-License-Identifier: MIT
#include "inspect/detail/fat.hh"

#include "base/strings.hh"

#include <algorithm>

namespace tarn::inspect {
namespace {

constexpr std::size_t kEntry = 32;
constexpr std::uint64_t kMaxBytes = 1ULL << 30;
constexpr std::uint64_t kMaxDirectory = 8ULL << 20;
constexpr std::uint64_t kMaxTable = 256ULL << 20;

struct Child {
    std::string name;
    bool directory = false;
    std::uint32_t cluster = 0;
    std::uint32_t size = 0;
};

class Fat {
  public:
    Fat(const Region& region, const Limits& limits) : region_(region), limits_(limits) {}
    Result<void> open();
    Result<std::vector<FatFile>> files();

  private:
    Failure broken(std::string_view what) const {
        return fail(
            ErrorKind::kCorrupt, "{}: the FAT file system is broken: {}", region_.name(), what);
    }
    std::uint32_t next(std::uint32_t cluster) const {
        return wide_ ? le<std::uint32_t>(table_, std::size_t{cluster} * 4) & 0x0fffffffU
                     : le<std::uint16_t>(table_, std::size_t{cluster} * 2);
    }
    bool is_data(std::uint32_t cluster) const { return cluster >= 2 && cluster < clusters_ + 2; }
    Result<std::string> read_cluster(std::uint32_t cluster) const {
        return region_.read(data_start_ + std::uint64_t{cluster - 2} * cluster_bytes_,
                            cluster_bytes_);
    }
    Result<std::string> chain(std::uint32_t cluster, std::uint64_t limit) const;
    Result<std::string> content(const std::string& where, const Child& child) const;
    Result<void> take_room(std::uint64_t bytes);
    Result<std::vector<Child>> children(const std::string& bytes) const;
    Result<void> walk(const std::string& path, const std::string& bytes, std::size_t depth);

    const Region& region_;
    const Limits& limits_;
    bool wide_ = true;  // FAT32
    std::uint64_t cluster_bytes_ = 0, data_start_ = 0;
    std::uint32_t clusters_ = 0, root_cluster_ = 0;
    std::string table_, root_;
    std::vector<FatFile> files_;
    std::uint64_t total_ = 0, entries_ = 0;
};

Result<void> Fat::open() {
    const std::string boot = TARN_TRY(region_.read(0, 512));
    const std::uint64_t sector = le<std::uint16_t>(boot, 11);
    const std::uint64_t per_cluster = le<std::uint8_t>(boot, 13);
    const std::uint64_t reserved = le<std::uint16_t>(boot, 14);
    const std::uint64_t tables = le<std::uint8_t>(boot, 16);
    const std::uint64_t root_entries = le<std::uint16_t>(boot, 17);
    const std::uint64_t sectors = le<std::uint16_t>(boot, 19) != 0 ? le<std::uint16_t>(boot, 19)
                                                                   : le<std::uint32_t>(boot, 32);
    const std::uint64_t table_sectors = le<std::uint16_t>(boot, 22) != 0
                                            ? le<std::uint16_t>(boot, 22)
                                            : le<std::uint32_t>(boot, 36);
    if (sector < 512 || sector > 4096 || (sector & (sector - 1)) != 0 || per_cluster == 0 ||
        (per_cluster & (per_cluster - 1)) != 0 || reserved == 0 || tables == 0 || tables > 4 ||
        table_sectors == 0 || table_sectors * sector > kMaxTable ||
        sectors > region_.size() / sector) {
        return broken("its first sector makes no sense");
    }
    wide_ = le<std::uint16_t>(boot, 22) == 0;
    const std::uint64_t root_sectors = (root_entries * kEntry + sector - 1) / sector;
    const std::uint64_t data = reserved + tables * table_sectors + root_sectors;
    if (data >= sectors) {
        return broken("there is no room for files");
    }
    cluster_bytes_ = sector * per_cluster;
    data_start_ = data * sector;
    clusters_ = static_cast<std::uint32_t>((sectors - data) / per_cluster);
    if (!wide_ && clusters_ < 4085) {
        return broken("FAT12 is not read");
    }
    table_ = TARN_TRY(region_.read(reserved * sector, table_sectors * sector));
    if ((std::uint64_t{clusters_} + 2) * (wide_ ? 4 : 2) > table_.size()) {
        return broken("its table is too short");
    }
    if (wide_) {
        root_cluster_ = le<std::uint32_t>(boot, 44);
        root_ = TARN_TRY(chain(root_cluster_, kMaxDirectory));
    } else {
        root_ = TARN_TRY(
            region_.read((reserved + tables * table_sectors) * sector, root_entries * kEntry));
    }
    return {};
}

Result<std::string> Fat::chain(std::uint32_t cluster, std::uint64_t limit) const {
    std::string out;
    while (is_data(cluster)) {
        if (out.size() >= limit) {
            return broken("a file or directory is too long, or its chain turns round");
        }
        out += TARN_TRY(read_cluster(cluster));
        cluster = next(cluster);
    }
    return out;
}

std::string short_name(std::string_view entry) {
    const auto part = [&](std::size_t at, std::size_t count, bool lower) {
        std::string text(entry.substr(at, count));
        text.erase(text.find_last_not_of(' ') + 1);
        return lower ? to_lower(text) : text;
    };
    const auto flags = le<std::uint8_t>(entry, 12);  // Windows NT: parts in lower case
    std::string name = part(0, 8, (flags & 8U) != 0);
    const std::string extension = part(8, 3, (flags & 16U) != 0);
    return extension.empty() ? name : name + "." + extension;
}

void append_utf8(std::string& out, std::uint32_t unit) {
    if (unit < 0x80) {
        out += static_cast<char>(unit);
    } else if (unit < 0x800) {
        out += static_cast<char>(0xc0U | unit >> 6U);
        out += static_cast<char>(0x80U | (unit & 0x3fU));
    } else {
        out += static_cast<char>(0xe0U | unit >> 12U);
        out += static_cast<char>(0x80U | (unit >> 6U & 0x3fU));
        out += static_cast<char>(0x80U | (unit & 0x3fU));
    }
}

// The thirteen characters of one entry of a long name.
std::u16string long_part(std::string_view entry) {
    std::u16string out;
    for (const std::size_t at : {1U, 3U, 5U, 7U, 9U, 14U, 16U, 18U, 20U, 22U, 24U, 28U, 30U}) {
        const auto unit = le<std::uint16_t>(entry, at);
        if (unit == 0 || unit == 0xffff) {
            break;
        }
        out += static_cast<char16_t>(unit);
    }
    return out;
}

Result<std::vector<Child>> Fat::children(const std::string& bytes) const {
    std::vector<Child> out;
    std::u16string pending;
    for (std::size_t at = 0; at + kEntry <= bytes.size() && bytes[at] != '\0'; at += kEntry) {
        const std::string_view entry = std::string_view(bytes).substr(at, kEntry);
        const auto attributes = le<std::uint8_t>(entry, 11);
        if (entry[0] == '\xe5') {
            pending.clear();
            continue;
        }
        if ((attributes & 0x3fU) == 0x0fU) {
            pending = long_part(entry) + pending;
            if (pending.size() > 260) {
                return broken("a name is too long");
            }
            continue;
        }
        Child child;
        for (const char16_t unit : pending) {
            append_utf8(child.name, unit);
        }
        pending.clear();
        if (child.name.empty()) {
            child.name = short_name(entry);
        }
        if ((attributes & 8U) != 0 || child.name == "." || child.name == "..") {
            continue;
        }
        if (child.name.empty() ||
            child.name.find_first_of(std::string_view("/\0", 2)) != std::string::npos) {
            return broken("a name cannot be one");
        }
        child.directory = (attributes & 16U) != 0;
        child.cluster =
            std::uint32_t{le<std::uint16_t>(entry, 20)} << 16U | le<std::uint16_t>(entry, 26);
        child.size = le<std::uint32_t>(entry, 28);
        out.push_back(std::move(child));
    }
    return out;
}

// No more of the chain than the file's size asks for.
Result<std::string> Fat::content(const std::string& where, const Child& child) const {
    std::string out;
    out.reserve(std::min<std::uint64_t>(child.size, region_.size()));
    for (std::uint32_t cluster = child.cluster; out.size() < child.size; cluster = next(cluster)) {
        if (!is_data(cluster)) {
            return broken(where + " is cut short");
        }
        out += TARN_TRY(read_cluster(cluster));
    }
    out.resize(child.size);
    return out;
}

Result<void> Fat::take_room(std::uint64_t bytes) {
    total_ += bytes;
    return total_ > kMaxBytes ? Result<void>(broken("its files are too large together"))
                              : Result<void>();
}

Result<void> Fat::walk(const std::string& path, const std::string& bytes, std::size_t depth) {
    if (depth > 32) {
        return broken("its directories turn round");
    }
    for (const Child& child : TARN_TRY(children(bytes))) {
        if (++entries_ > std::min<std::uint64_t>(limits_.entries, 65536)) {
            return broken("it has too many files");
        }
        const std::string where = path.empty() ? child.name : path + "/" + child.name;
        if (child.directory) {
            const std::string inner = TARN_TRY(chain(child.cluster, kMaxDirectory));
            TARN_TRY(take_room(inner.size()));
            TARN_TRY(walk(where, inner, depth + 1));
            continue;
        }
        TARN_TRY(take_room(child.size));
        files_.push_back({where, TARN_TRY(content(where, child))});
    }
    return {};
}

Result<std::vector<FatFile>> Fat::files() {
    TARN_TRY(walk({}, root_, 0));
    std::ranges::sort(files_, {}, &FatFile::path);
    return std::move(files_);
}

}  // namespace

Result<std::vector<FatFile>> read_fat(const Region& partition, const Limits& limits) {
    Fat fat(partition, limits);
    TARN_TRY(fat.open());
    return fat.files();
}

}  // namespace tarn::inspect
