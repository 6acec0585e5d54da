// SPDX-License-Identifier: MIT
// Compressed files of EROFS. A file is a row of clusters of 4 KiB or more; each says whether a run
// of compressed blocks begins in it, and the indexes say where those lie.
#include "base/compress.hh"
#include "inspect/detail/erofs.hh"
#include "inspect/detail/erofs_volume.hh"

#include <algorithm>

namespace tarn::inspect::erofs {
namespace {

constexpr unsigned kPlain = 0, kNonHead = 2;
constexpr std::uint32_t kBlockCount = 1U << 11U;  // set: the number says blocks, not a distance
constexpr std::uint32_t kPartial = 1U << 15U;     // the run holds more than is taken of it
constexpr std::uint64_t kMaxClusters = 1U << 22U;
constexpr std::uint64_t kMaxRun = 16U << 20U;

struct Cluster {
    unsigned type = kPlain;
    std::uint32_t offset = 0;  // where the run begins in it
    std::uint64_t block = 0;   // of a head
    std::uint32_t blocks = 0;  // of the run before it; 0: not said
};

// A pack of compact indexes: `count` numbers of `width` bits, then the address of its first run.
class Pack {
  public:
    Pack(std::string_view bytes, unsigned count, unsigned low_bits)
        : bytes_(bytes),
          count_(static_cast<int>(count)),
          width_((static_cast<unsigned>(bytes.size()) - 4) * 8 / count),
          low_bits_(low_bits) {}

    unsigned low(int i, unsigned& type) const {
        const unsigned bit = width_ * static_cast<unsigned>(i);
        const std::uint32_t value = le<std::uint32_t>(bytes_, bit / 8) >> (bit & 7U);
        type = value >> low_bits_ & 3U;
        return value & ((1U << low_bits_) - 1U);
    }
    std::uint64_t base() const { return le<std::uint32_t>(bytes_, bytes_.size() - 4); }
    // How many blocks of this pack lie before those of the head `i`; nullopt when it makes no
    // sense.
    std::optional<std::uint64_t> blocks_before(int i, bool big) const;

  private:
    std::string_view bytes_;
    int count_;
    unsigned width_, low_bits_;
};

std::optional<std::uint64_t> Pack::blocks_before(int i, bool big) const {
    std::uint64_t blocks = big ? 0 : 1;
    unsigned type = 0;
    while (i > 0) {
        --i;
        const unsigned value = low(i, type);
        if (!big) {
            i -= type == kNonHead ? static_cast<int>(value) : 0;
            blocks += i >= 0 ? 1 : 0;
        } else if (type != kNonHead) {
            ++blocks;
        } else if ((value & kBlockCount) != 0) {
            --i;
            blocks += value & ~kBlockCount;
        } else if (value <= 1) {
            return std::nullopt;
        } else {
            i -= static_cast<int>(value) - 2;
        }
    }
    return blocks;
}

std::optional<Cluster> cluster_in(const Pack& pack, int i, bool big) {
    Cluster out;
    const unsigned value = pack.low(i, out.type);
    if (out.type == kNonHead) {
        out.blocks = (value & kBlockCount) != 0 ? value & ~kBlockCount : 0;
        return out;
    }
    out.offset = value;
    const auto before = pack.blocks_before(i, big);
    if (!before) {
        return std::nullopt;
    }
    out.block = pack.base() + *before;
    return out;
}

// Where in a compact index the pack of a cluster lies: packs of 2 up to a multiple of 32 bytes of
// the volume, then packs of 16, and of 2 again for what is left.
struct CompactPlan {
    std::uint64_t first4 = 0, pairs = 0;  // clusters in the first packs of 2, in those of 16
    struct Place {
        std::uint64_t at = 0;
        unsigned bytes = 8, count = 2;
        int index = 0;
    };
    Place place(std::uint64_t cluster) const {
        if (cluster < first4) {
            return {cluster / 2 * 8, 8, 2, static_cast<int>(cluster % 2)};
        }
        std::uint64_t at = first4 * 4;
        cluster -= first4;
        if (cluster < pairs) {
            return {at + cluster / 16 * 32, 32, 16, static_cast<int>(cluster % 16)};
        }
        at += pairs * 2;
        cluster -= pairs;
        return {at + cluster / 2 * 8, 8, 2, static_cast<int>(cluster % 2)};
    }
    std::uint64_t bytes(std::uint64_t count) const {
        const Place last = place(count == 0 ? 0 : count - 1);
        return count == 0 ? 0 : last.at + last.bytes;
    }
};

}  // namespace

Result<std::vector<Extent>> Volume::extents(
    const Inode& inode, std::uint64_t head, unsigned bits, bool two_bytes, bool big) const {
    const std::uint64_t count = (inode.size + (std::uint64_t{1} << bits) - 1) >> bits;
    if (count > kMaxClusters) {
        return broken("a compressed file is too large");
    }
    CompactPlan plan{(32 - head % 32) / 4 % 8, 0};
    if (two_bytes && plan.first4 < count) {
        plan.pairs = (count - plan.first4) / 16 * 16;
    }
    plan.first4 = std::min(plan.first4, count);
    const bool full = inode.layout == Layout::kFull;
    const std::string table =
        TARN_TRY(region_.read(head, full ? 8 + count * 8 : plan.bytes(count)));
    const unsigned low_bits = std::max(bits, 12U);
    std::vector<Extent> out;
    for (std::uint64_t i = 0; i < count; ++i) {
        Cluster cluster;
        if (full) {
            const std::string_view entry = std::string_view(table).substr(8 + i * 8, 8);
            if ((le<std::uint16_t>(entry, 0) & kPartial) != 0) {
                return refused("deduplicated runs");
            }
            cluster.type = le<std::uint16_t>(entry, 0) & 3U;
            cluster.offset = le<std::uint16_t>(entry, 2);
            cluster.block = le<std::uint32_t>(entry, 4);
            const auto distance = le<std::uint16_t>(entry, 4);
            cluster.blocks = (distance & kBlockCount) != 0 ? distance & ~kBlockCount : 0;
        } else {
            const CompactPlan::Place place = plan.place(i);
            const auto found = cluster_in(
                Pack(std::string_view(table).substr(place.at, place.bytes), place.count, low_bits),
                place.index,
                big);
            if (!found) {
                return broken("an index makes no sense");
            }
            cluster = *found;
        }
        if (cluster.type == kNonHead) {
            if (cluster.blocks != 0 && !out.empty()) {
                out.back().blocks = cluster.blocks;
            }
            continue;
        }
        const std::uint64_t start = (i << bits) + cluster.offset;
        if (cluster.offset >> bits != 0 || (out.empty() ? start != 0 : start <= out.back().start)) {
            return broken("the runs of a file overlap");
        }
        out.push_back({start, cluster.block, 1, cluster.type});
    }
    return out;
}

Result<std::string> Volume::unpacked(const Extent& extent,
                                     std::uint64_t size,
                                     unsigned algorithm,
                                     bool interlaced) const {
    const std::uint64_t packed = extent.blocks << block_bits_;
    // Compressed runs are shorter than what they hold; else a small image could cost much reading.
    if (packed > kMaxRun || size > kMaxRun || packed > size + 2 * block()) {
        return broken("a run is too long");
    }
    const std::string bytes = TARN_TRY(region_.read(extent.block << block_bits_, packed));
    if (extent.type == kPlain) {
        if (size > packed) {
            return broken("a plain run is too short");
        }
        const std::uint64_t turn = interlaced ? extent.start & (block() - 1) : 0;
        return (bytes.substr(turn) + bytes.substr(0, turn)).substr(0, size);
    }
    // The data stands at the end of its blocks.
    const std::string_view data =
        std::string_view(bytes).substr(std::min(bytes.find_first_not_of('\0'), bytes.size()));
    if (algorithm == 0) {
        auto out = lz4_block(data, size);
        if (!out) {
            return broken("a run of lz4 is damaged");
        }
        return std::move(*out);
    }
    if (algorithm == 3) {
        std::string out = TARN_TRY(decompress(data, Compression::kZstd, kMaxRun));
        if (out.size() < size) {
            return broken("a run of zstd is too short");
        }
        out.resize(size);
        return out;
    }
    return refused(algorithm == 1 ? "lzma" : "deflate");
}

Result<void> Volume::compressed(const Inode& inode, const Sink& sink) const {
    const std::uint64_t at = (inode.tail_at + 7) & ~std::uint64_t{7};
    const std::string head = TARN_TRY(region_.read(at, 8));
    const auto advise = le<std::uint16_t>(head, 4);
    const unsigned algorithms = le<std::uint8_t>(head, 6);
    const unsigned bits = 12 + (le<std::uint8_t>(head, 7) & 7U);
    if ((le<std::uint8_t>(head, 7) & 0x80U) != 0 || (advise & 0x28U) != 0) {
        return refused("fragments or inlined tails");
    }
    const std::vector<Extent> runs =
        TARN_TRY(extents(inode, at + 8, bits, (advise & 1U) != 0, (advise & 6U) != 0));
    if (runs.empty() && inode.size != 0) {
        return broken("a compressed file has no runs");
    }
    for (std::size_t i = 0; i < runs.size(); ++i) {
        const std::uint64_t end = i + 1 < runs.size() ? runs[i + 1].start : inode.size;
        if (end < runs[i].start) {
            return broken("the runs of a file overlap");
        }
        const unsigned algorithm = runs[i].type == 3 ? algorithms >> 4U : algorithms & 15U;
        const std::string bytes =
            TARN_TRY(unpacked(runs[i], end - runs[i].start, algorithm, (advise & 0x10U) != 0));
        TARN_TRY(sink(bytes));
    }
    return {};
}

}  // namespace tarn::inspect::erofs
