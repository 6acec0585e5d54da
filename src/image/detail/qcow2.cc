// SPDX-License-Identifier: MIT
#include "image/detail/qcow2.hh"

#include "base/compress.hh"
#include "base/fd.hh"
#include "base/hash.hh"
#include "base/parallel.hh"
#include "image/detail/bytes.hh"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

namespace tarn::image {
namespace {

constexpr std::uint64_t kCluster = 1 << 16;
constexpr unsigned kClusterBits = 16;
constexpr std::uint64_t kL2Entries = kCluster / 8;
constexpr std::uint64_t kRefcounts = kCluster / 2;  // in a block
constexpr std::uint64_t kSectorSize = 512;
constexpr std::uint64_t kCopied = 1ULL << 63, kCompressed = 1ULL << 62;
constexpr unsigned kCompressedOffsetBits = 62 - (kClusterBits - 8);
constexpr std::uint64_t kZstdFeature = 1 << 3;
constexpr std::uint64_t kMaxDisk = 8ULL << 40;
constexpr std::size_t kBatch = 128;  // clusters that are read and compressed together
constexpr int kZstdLevel = 3;

std::uint64_t clusters_for(std::uint64_t bytes) {
    return (bytes + kCluster - 1) / kCluster;
}

std::string big_endian(const std::vector<std::uint64_t>& values) {
    std::string out(values.size() * 8, '\0');
    for (std::size_t i = 0; i < values.size(); ++i) {
        put_be(out, i * 8, values[i], 8);
    }
    return out;
}

bool all_zero(std::string_view bytes) {
    return bytes.find_first_not_of('\0') == std::string_view::npos;
}

// The first cluster at or after `cluster` that may hold data: holes need not be read.
Result<std::uint64_t> skip_hole(int raw, std::uint64_t cluster, std::uint64_t count) {
    const off_t data = lseek(raw, static_cast<off_t>(cluster * kCluster), SEEK_DATA);
    if (data < 0) {
        return errno == ENXIO    ? Result<std::uint64_t>(count)
               : errno == EINVAL ? Result<std::uint64_t>(cluster)
                                 : fail(sys_error("read", "the raw disk"));
    }
    return std::min(static_cast<std::uint64_t>(data) / kCluster, count);
}

class Writer {
  public:
    Writer(int raw, std::uint64_t size, const std::string& path, const Qcow2Options& options)
        : raw_(raw), size_(size), count_(clusters_for(size)), path_(path), options_(options) {}

    Result<std::string> run();

  private:
    struct Piece {
        std::uint64_t cluster = 0;
        std::string bytes;   // padded to a cluster; empty: zeros
        std::string packed;  // empty: stored as it is
    };

    Result<void> write_data();
    Result<void> read_piece(Piece& piece) const;
    Result<void> put(const Piece& piece);
    Result<void> write_tables();
    Result<void> append(std::string_view bytes);
    void pad();
    void refer(std::uint64_t begin, std::uint64_t end);
    std::string header(std::uint64_t l1,
                       std::uint64_t l1_entries,
                       std::uint64_t table,
                       std::uint64_t table_clusters) const;

    int raw_;
    std::uint64_t size_, count_;
    const std::string& path_;
    const Qcow2Options& options_;
    Fd file_;
    std::uint64_t at_ = kCluster;  // behind the header
    std::vector<std::vector<std::uint64_t>> l2_;
    std::vector<std::uint16_t> refcounts_;
};

// One more reference to every cluster of the file that bytes [begin, end) lie in.
void Writer::refer(std::uint64_t begin, std::uint64_t end) {
    refcounts_.resize(std::max<std::size_t>(refcounts_.size(), clusters_for(end)), 0);
    for (std::uint64_t each = begin / kCluster; each < clusters_for(end); ++each) {
        ++refcounts_[each];
    }
}

Result<void> Writer::append(std::string_view bytes) {
    TARN_TRY(pwrite_all(file_.get(), bytes, at_, path_));
    at_ += bytes.size();
    return {};
}

void Writer::pad() {
    at_ = align_up(at_, kCluster);
}

Result<void> Writer::read_piece(Piece& piece) const {
    const std::uint64_t begin = piece.cluster * kCluster;
    const std::uint64_t wanted = std::min(kCluster, size_ - begin);
    std::string bytes = TARN_TRY(pread_exact(raw_, begin, wanted, "the raw disk"));
    if (all_zero(bytes)) {
        return {};
    }
    bytes.resize(kCluster, '\0');
    if (options_.compression == Qcow2Compression::kZstd) {
        std::string packed = compress_zstd(bytes, kZstdLevel);
        if (packed.size() < kCluster) {
            piece.packed = std::move(packed);
        }
    }
    piece.bytes = std::move(bytes);
    return {};
}

Result<void> Writer::put(const Piece& piece) {
    if (piece.bytes.empty()) {
        return {};
    }
    std::vector<std::uint64_t>& table = l2_[piece.cluster / kL2Entries];
    table.resize(kL2Entries, 0);
    std::uint64_t& entry = table[piece.cluster % kL2Entries];
    if (piece.packed.empty()) {
        pad();
        entry = at_ | kCopied;
        refer(at_, at_ + kCluster);
        return append(piece.bytes);
    }
    const std::uint64_t end = at_ + piece.packed.size();
    const std::uint64_t further = (end - 1) / kSectorSize - at_ / kSectorSize;
    entry = kCompressed | further << kCompressedOffsetBits | at_;
    refer(at_, end);
    return append(piece.packed);
}

Result<void> Writer::write_data() {
    std::uint64_t next = 0;
    while (next < count_) {
        std::vector<Piece> batch;
        while (batch.size() < kBatch && next < count_) {
            next = TARN_TRY(skip_hole(raw_, next, count_));
            if (next < count_) {
                batch.push_back({next++, "", ""});
            }
        }
        TARN_TRY(parallel_for(batch.size(), options_.jobs, options_.stop, [&](std::size_t i) {
            return read_piece(batch[i]);
        }));
        for (const Piece& piece : batch) {
            TARN_TRY(put(piece));
        }
    }
    pad();
    return {};
}

std::string Writer::header(std::uint64_t l1,
                           std::uint64_t l1_entries,
                           std::uint64_t table,
                           std::uint64_t table_clusters) const {
    const bool zstd = options_.compression == Qcow2Compression::kZstd;
    std::string out(kCluster, '\0');
    put_bytes(out, 0, "QFI\xfb");
    put_be(out, 4, 3, 4);
    put_be(out, 20, kClusterBits, 4);
    put_be(out, 24, size_, 8);
    put_be(out, 36, l1_entries, 4);
    put_be(out, 40, l1, 8);
    put_be(out, 48, table, 8);
    put_be(out, 56, table_clusters, 4);
    put_be(out, 72, zstd ? kZstdFeature : 0, 8);
    put_be(out, 96, 4, 4);  // reference counts of 2^4 bits
    put_be(out, 100, 112, 4);
    put_be(out, 104, zstd ? 1 : 0, 1);
    return out;
}

Result<void> Writer::write_tables() {
    std::vector<std::uint64_t> l1(l2_.size(), 0);
    for (std::size_t i = 0; i < l2_.size(); ++i) {
        if (!l2_[i].empty()) {
            l1[i] = at_ | kCopied;
            TARN_TRY(append(big_endian(l2_[i])));
        }
    }
    const std::uint64_t l1_at = at_;
    TARN_TRY(append(big_endian(l1)));
    pad();

    // The counts count the clusters they are kept in as well.
    std::uint64_t blocks = 0, table_clusters = 0;
    for (std::uint64_t total = 0;;) {
        const std::uint64_t now = clusters_for(at_) + blocks + table_clusters;
        if (now == total) {
            break;
        }
        total = now;
        blocks = (total + kRefcounts - 1) / kRefcounts;
        table_clusters = clusters_for(blocks * 8);
    }
    const std::uint64_t blocks_at = at_, table_at = at_ + blocks * kCluster;
    const std::uint64_t end = table_at + table_clusters * kCluster;
    refer(0, kCluster);
    for (const std::uint64_t entry : l1) {
        if (entry != 0) {
            refer(entry & ~kCopied, (entry & ~kCopied) + kCluster);
        }
    }
    refer(l1_at, end);
    std::string counts(blocks * kCluster, '\0');
    for (std::size_t i = 0; i < refcounts_.size(); ++i) {
        put_be(counts, i * 2, refcounts_[i], 2);
    }
    TARN_TRY(append(counts));
    std::vector<std::uint64_t> table;
    for (std::uint64_t i = 0; i < blocks; ++i) {
        table.push_back(blocks_at + i * kCluster);
    }
    TARN_TRY(append(big_endian(table)));
    if (ftruncate(file_.get(), static_cast<off_t>(end)) != 0) {
        return fail(sys_error("write", path_));
    }
    return pwrite_all(file_.get(), header(l1_at, l1.size(), table_at, table_clusters), 0, path_);
}

Result<std::string> Writer::run() {
    file_ = TARN_TRY(open_file(path_, O_RDWR | O_CREAT | O_EXCL, 0644));
    l2_.resize((count_ + kL2Entries - 1) / kL2Entries);
    TARN_TRY(write_data());
    TARN_TRY(write_tables());
    return hash_file_hex(HashKind::kSha256, path_);
}

}  // namespace

Result<std::string> write_qcow2(int raw,
                                std::uint64_t size,
                                const std::string& path,
                                const Qcow2Options& options) {
    if (size == 0 || size % kSectorSize != 0 || size > kMaxDisk) {
        return fail(error(ErrorKind::kUsage, "a qcow2 disk cannot have {} bytes", size)
                        .advise("give the image a `size` in whole MiB, at most 8 TiB"));
    }
    const off_t end = lseek(raw, 0, SEEK_END);
    if (end < 0 || static_cast<std::uint64_t>(end) < size) {
        return fail(ErrorKind::kCorrupt, "the raw disk ends before its {} bytes", size);
    }
    return Writer(raw, size, path, options).run();
}

}  // namespace tarn::image
