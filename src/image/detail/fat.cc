// SPDX-License-Identifier: MIT
#include "image/detail/fat.hh"

#include "base/strings.hh"
#include "image/detail/bytes.hh"
#include "image/detail/gpt.hh"

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <memory>
#include <set>

namespace tarn::image {
namespace {

constexpr std::uint64_t kReserved = 32;        // sectors before the first FAT
constexpr std::uint64_t kMinClusters = 65525;  // fewer would be FAT16
constexpr std::uint64_t kMaxClusters = 0x0ffffff5;
constexpr std::uint32_t kEndOfChain = 0x0fffffff;
constexpr std::size_t kEntry = 32;
constexpr std::size_t kLongNameUnits = 13;

struct Node {
    std::map<std::string, std::unique_ptr<Node>> children;
    bool directory = true;
    std::string_view bytes;
    std::uint32_t first_cluster = 0;
    std::uint64_t size = 0;
};

struct Stamp {
    std::uint16_t date = 0, time = 0;
};

Stamp stamp_of(std::int64_t seconds) {
    using namespace std::chrono;
    const sys_seconds when{std::chrono::seconds(std::max<std::int64_t>(seconds, 315532800))};
    const auto day = floor<days>(when);
    const year_month_day ymd(day);
    const hh_mm_ss clock(when - day);
    const int year = std::min(static_cast<int>(ymd.year()), 2107) - 1980;
    Stamp out;
    out.date = static_cast<std::uint16_t>(static_cast<unsigned>(year) << 9 |
                                          static_cast<unsigned>(ymd.month()) << 5 |
                                          static_cast<unsigned>(ymd.day()));
    out.time = static_cast<std::uint16_t>(
        clock.hours().count() << 11 | clock.minutes().count() << 5 | clock.seconds().count() / 2);
    return out;
}

struct Geometry {
    std::uint64_t sectors = 0, cluster_sectors = 0, fat_sectors = 0, clusters = 0;
    std::uint64_t cluster_bytes() const { return cluster_sectors * kSector; }
    std::uint64_t data_start() const { return (kReserved + 2 * fat_sectors) * kSector; }
};

Geometry geometry_with(std::uint64_t sectors, std::uint64_t cluster_sectors) {
    Geometry g{sectors, cluster_sectors, 1, 0};
    // The FAT's size depends on the number of clusters and that on the FAT's size.
    for (int round = 0; round < 16; ++round) {
        g.clusters = (sectors - kReserved - 2 * g.fat_sectors) / cluster_sectors;
        const std::uint64_t need = align_up((g.clusters + 2) * 4, kSector) / kSector;
        if (need <= g.fat_sectors) {
            break;
        }
        g.fat_sectors = need;
    }
    return g;
}

Result<Geometry> choose_geometry(std::uint64_t size) {
    const std::uint64_t sectors = size / kSector;
    if (size % kSector != 0 || sectors > 0xffffffffu || size < 33 * kMiB) {
        return fail(error(ErrorKind::kUsage, "a FAT32 file system cannot have {}", human_size(size))
                        .advise("an EFI system partition takes at least 33 MiB"));
    }
    for (std::uint64_t cluster : {8u, 4u, 2u, 1u}) {
        const Geometry g = geometry_with(sectors, cluster);
        if (g.clusters >= kMinClusters && g.clusters <= kMaxClusters) {
            return g;
        }
    }
    return fail(ErrorKind::kUsage, "no FAT32 geometry for {}", human_size(size));
}

bool short_character(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           contains("_-~!#$%&'()@^`{}", {&c, 1});
}

// "BOOTX64.EFI" -> "BOOTX64 EFI"; empty when the name is not a short one.
std::string exact_short_name(std::string_view name) {
    const std::size_t dot = name.rfind('.');
    const std::string_view base = name.substr(0, dot);
    const std::string_view extension = dot == std::string_view::npos ? "" : name.substr(dot + 1);
    if (base.empty() || base.size() > 8 || extension.size() > 3 ||
        (dot != std::string_view::npos && extension.empty()) ||
        !std::ranges::all_of(base, short_character) ||
        !std::ranges::all_of(extension, short_character)) {
        return {};
    }
    std::string out(11, ' ');
    put_bytes(out, 0, base);
    put_bytes(out, 8, extension);
    return out;
}

// A short alias for a long name, not yet in `taken`: first letters, "~", a number.
std::string alias_for(std::string_view name, const std::set<std::string>& taken) {
    auto keep = [](std::string_view text, std::size_t most) {
        std::string out;
        for (char c : text) {
            c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
            if (out.size() < most && short_character(c)) {
                out.push_back(c);
            }
        }
        return out;
    };
    const std::size_t dot = name.rfind('.');
    const std::string base = keep(name.substr(0, dot), 8);
    const std::string extension =
        dot == std::string_view::npos ? "" : keep(name.substr(dot + 1), 3);
    for (unsigned number = 1;; ++number) {
        const std::string tail = fmt::format("~{}", number);
        std::string out(11, ' ');
        put_bytes(out, 0, base.substr(0, 8 - tail.size()) + tail);
        put_bytes(out, 8, extension);
        if (!taken.contains(out)) {
            return out;
        }
    }
}

std::uint8_t short_checksum(std::string_view short_name) {
    unsigned sum = 0;
    for (const char c : short_name) {
        sum = (((sum & 1u) << 7) + (sum >> 1) + static_cast<unsigned char>(c)) & 0xffu;
    }
    return static_cast<std::uint8_t>(sum);
}

std::string long_entries(std::string_view name, std::string_view short_name) {
    static constexpr std::array<std::size_t, kLongNameUnits> kPlace = {
        1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30};
    const std::size_t parts = (name.size() + kLongNameUnits - 1) / kLongNameUnits;
    std::string out;
    for (std::size_t part = parts; part-- > 0;) {
        std::string entry(kEntry, '\0');
        put_le(entry, 0, (part + 1) | (part + 1 == parts ? 0x40u : 0u), 1);
        put_le(entry, 11, 0x0f, 1);
        put_le(entry, 13, short_checksum(short_name), 1);
        for (std::size_t i = 0; i < kLongNameUnits; ++i) {
            const std::size_t at = part * kLongNameUnits + i;
            const unsigned unit = at < name.size()    ? static_cast<unsigned char>(name[at])
                                  : at == name.size() ? 0u
                                                      : 0xffffu;
            put_le(entry, kPlace[i], unit, 2);
        }
        out += entry;
    }
    return out;
}

std::string short_entry(std::string_view name,
                        unsigned attributes,
                        Stamp stamp,
                        std::uint32_t cluster,
                        std::uint64_t size) {
    std::string entry(kEntry, '\0');
    put_bytes(entry, 0, name);
    put_le(entry, 11, attributes, 1);
    put_le(entry, 14, stamp.time, 2);
    put_le(entry, 16, stamp.date, 2);
    put_le(entry, 18, stamp.date, 2);
    put_le(entry, 20, cluster >> 16, 2);
    put_le(entry, 22, stamp.time, 2);
    put_le(entry, 24, stamp.date, 2);
    put_le(entry, 26, cluster & 0xffffu, 2);
    put_le(entry, 28, size, 4);
    return entry;
}

constexpr unsigned kVolumeLabel = 0x08, kDirectory = 0x10, kArchive = 0x20;

class Writer {
  public:
    Writer(const FatOptions& options, const Geometry& geometry, const PieceSink& sink)
        : options_(options), g_(geometry), sink_(sink), stamp_(stamp_of(options.time)) {}

    Result<void> add(const FatFile& file);
    Result<void> finish();

  private:
    Result<void> allocate(Node& node);
    Result<void> emit(const Node& node, std::uint32_t parent, bool root);
    Result<void> write_boot_sectors();
    std::uint64_t entries_size(const Node& node, bool root) const;
    std::uint64_t offset_of(std::uint32_t cluster) const {
        return g_.data_start() + (cluster - 2) * g_.cluster_bytes();
    }

    const FatOptions& options_;
    Geometry g_;
    const PieceSink& sink_;
    Stamp stamp_;
    Node root_;
    std::vector<std::uint32_t> fat_{0x0ffffff8, kEndOfChain};
};

Result<void> Writer::add(const FatFile& file) {
    Node* node = &root_;
    const std::vector<std::string_view> parts = split(file.path, '/');
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const std::string_view part = parts[i];
        const bool bad = part.empty() || part == "." || part == ".." || part.size() > 255 ||
                         std::ranges::any_of(part, [](char c) {
                             return c < 0x20 || c > 0x7e || contains("\"*/:<>?\\|", {&c, 1});
                         });
        if (bad) {
            return fail(ErrorKind::kFailed, "`{}` is no name for a FAT file system", file.path);
        }
        const bool last = i + 1 == parts.size();
        // FAT does not tell upper from lower case.
        const auto same = std::ranges::find_if(node->children, [&](const auto& child) {
            return to_lower(child.first) == to_lower(part);
        });
        if (same != node->children.end() && (last || !same->second->directory)) {
            return fail(ErrorKind::kFailed, "`{}` is given twice", file.path);
        }
        auto& child =
            same != node->children.end() ? same->second : node->children[std::string(part)];
        if (!child) {
            child = std::make_unique<Node>();
        }
        node = child.get();
        if (last) {
            node->directory = false;
            node->bytes = file.bytes;
            node->size = file.bytes.size();
        }
    }
    return file.bytes.size() <= 0xffffffffu
               ? Result<void>{}
               : Result<void>(fail(ErrorKind::kFailed, "`{}` is larger than 4 GiB", file.path));
}

std::uint64_t Writer::entries_size(const Node& node, bool root) const {
    std::uint64_t entries = root ? 1 : 2;  // label; "." and ".."
    for (const auto& [name, child] : node.children) {
        entries += 1;
        if (exact_short_name(name).empty()) {
            entries += (name.size() + kLongNameUnits - 1) / kLongNameUnits;
        }
    }
    return entries * kEntry;
}

Result<void> Writer::allocate(Node& node) {
    if (node.directory) {
        node.size = entries_size(node, &node == &root_);
    }
    const std::uint64_t count = (node.size + g_.cluster_bytes() - 1) / g_.cluster_bytes();
    if (fat_.size() + count > g_.clusters + 2) {
        return fail(error(ErrorKind::kNoSpace,
                          "the files do not fit an ESP of {}",
                          human_size(options_.size))
                        .advise("raise `esp-size` of the image"));
    }
    if (count > 0) {
        node.first_cluster = static_cast<std::uint32_t>(fat_.size());
        for (std::uint64_t i = 1; i < count; ++i) {
            fat_.push_back(static_cast<std::uint32_t>(fat_.size() + 1));
        }
        fat_.push_back(kEndOfChain);
    }
    for (auto& [name, child] : node.children) {
        TARN_TRY(allocate(*child));
    }
    return {};
}

Result<void> Writer::emit(const Node& node, std::uint32_t parent, bool root) {
    if (!node.directory) {
        return node.bytes.empty() ? Result<void>{}
                                  : sink_(offset_of(node.first_cluster), node.bytes);
    }
    std::string out;
    if (root) {
        std::string label(11, ' ');
        put_bytes(label, 0, options_.label);
        out += short_entry(label, kVolumeLabel, stamp_, 0, 0);
    } else {
        out += short_entry(".          ", kDirectory, stamp_, node.first_cluster, 0);
        out += short_entry("..         ", kDirectory, stamp_, parent, 0);
    }
    std::set<std::string> taken;
    for (const auto& [name, child] : node.children) {
        taken.insert(exact_short_name(name));
    }
    for (const auto& [name, child] : node.children) {
        std::string short_name = exact_short_name(name);
        if (short_name.empty()) {
            short_name = alias_for(name, taken);
            taken.insert(short_name);
            out += long_entries(name, short_name);
        }
        out += short_entry(short_name,
                           child->directory ? kDirectory : kArchive,
                           stamp_,
                           child->first_cluster,
                           child->directory ? 0 : child->size);
    }
    TARN_TRY(sink_(offset_of(node.first_cluster), out));
    for (const auto& [name, child] : node.children) {
        // The root is named 0 in "..", whatever its cluster.
        TARN_TRY(emit(*child, root ? 0 : node.first_cluster, false));
    }
    return {};
}

Result<void> Writer::write_boot_sectors() {
    std::string boot(kSector, '\0');
    put_bytes(boot, 0, "\xeb\x58\x90TARN    ");
    put_le(boot, 11, kSector, 2);
    put_le(boot, 13, g_.cluster_sectors, 1);
    put_le(boot, 14, kReserved, 2);
    put_le(boot, 16, 2, 1);
    put_le(boot, 21, 0xf8, 1);
    put_le(boot, 24, 63, 2);
    put_le(boot, 26, 255, 2);
    put_le(boot, 28, options_.hidden_sectors, 4);
    put_le(boot, 32, g_.sectors, 4);
    put_le(boot, 36, g_.fat_sectors, 4);
    put_le(boot, 44, root_.first_cluster, 4);
    put_le(boot, 48, 1, 2);  // FSInfo
    put_le(boot, 50, 6, 2);  // backup of the boot sector
    put_le(boot, 64, 0x80, 1);
    put_le(boot, 66, 0x29, 1);
    put_le(boot, 67, options_.volume_id, 4);
    put_bytes(boot, 71, "           ");
    put_bytes(boot, 71, options_.label);
    put_bytes(boot, 82, "FAT32   ");
    put_le(boot, 510, 0xaa55, 2);

    std::string info(kSector, '\0');
    put_le(info, 0, 0x41615252, 4);
    put_le(info, 484, 0x61417272, 4);
    put_le(info, 488, g_.clusters + 2 - fat_.size(), 4);
    put_le(info, 492, fat_.size(), 4);
    put_le(info, 508, 0xaa550000, 4);
    for (const std::uint64_t sector : {0u, 6u}) {
        TARN_TRY(sink_(sector * kSector, boot + info));
    }
    return {};
}

Result<void> Writer::finish() {
    TARN_TRY(allocate(root_));
    TARN_TRY(write_boot_sectors());
    std::string fat(fat_.size() * 4, '\0');
    for (std::size_t i = 0; i < fat_.size(); ++i) {
        put_le(fat, i * 4, fat_[i], 4);
    }
    TARN_TRY(sink_(kReserved * kSector, fat));
    TARN_TRY(sink_((kReserved + g_.fat_sectors) * kSector, fat));
    return emit(root_, 0, true);
}

}  // namespace

Result<void> write_fat32(const FatOptions& options,
                         const std::vector<FatFile>& files,
                         const PieceSink& sink) {
    if (options.label.size() > 11) {
        return fail(ErrorKind::kUsage, "FAT label `{}` is longer than 11", options.label);
    }
    const Geometry geometry = TARN_TRY(choose_geometry(options.size));
    Writer writer(options, geometry, sink);
    for (const FatFile& file : files) {
        TARN_TRY(writer.add(file));
    }
    return writer.finish();
}

}  // namespace tarn::image
