// SPDX-License-Identifier: MIT
// The parts of an EROFS volume: superblock, inodes, their data.
#pragma once

#include "inspect/detail/region.hh"

#include <functional>
#include <map>
#include <vector>

namespace tarn::inspect::erofs {

enum class Layout : unsigned { kPlain = 0, kFull = 1, kInline = 2, kCompact = 3, kChunks = 4 };

struct Inode {
    std::uint64_t number = 0;
    Layout layout = Layout::kPlain;
    std::uint32_t mode = 0, uid = 0, gid = 0, links = 0;
    std::uint64_t size = 0;
    std::int64_t mtime = 0;
    std::uint32_t data = 0;       // address, device or format of chunks
    std::uint64_t xattrs_at = 0;  // byte offset in the volume
    std::uint64_t xattrs_size = 0;
    std::uint64_t tail_at = 0;  // what follows inode and attributes
};

// One run of a compressed file.
struct Extent {
    std::uint64_t start = 0;  // in the file
    std::uint64_t block = 0, blocks = 1;
    unsigned type = 0;
};

class Volume {
  public:
    using Sink = std::function<Result<void>(std::string_view)>;
    explicit Volume(const Region& region) : region_(region) {}
    Result<void> open();
    std::uint64_t root() const { return root_; }
    Result<Inode> inode(std::uint64_t number) const;
    Result<std::map<std::string, std::string>> xattrs(const Inode& inode) const;
    // The whole content, in order, in pieces.
    Result<void> content(const Inode& inode, const Sink& sink) const;

    Failure broken(std::string_view what) const {
        return fail(
            ErrorKind::kCorrupt, "{}: the EROFS file system is broken: {}", region_.name(), what);
    }
    Failure refused(std::string_view what) const {
        return fail(ErrorKind::kUsage,
                    "{}: an EROFS file system with {} is not read",
                    region_.name(),
                    what);
    }

    std::uint64_t block() const { return std::uint64_t{1} << block_bits_; }

  private:
    Result<void> blocks(std::uint64_t first, std::uint64_t size, const Sink& sink) const;
    Result<void> chunks(const Inode& inode, const Sink& sink) const;
    Result<void> compressed(const Inode& inode, const Sink& sink) const;
    Result<std::vector<Extent>> extents(
        const Inode& inode, std::uint64_t head, unsigned bits, bool two_bytes, bool big) const;
    Result<std::string> unpacked(const Extent& extent,
                                 std::uint64_t size,
                                 unsigned algorithm,
                                 bool interlaced) const;
    Result<void> add_xattr(std::uint64_t& at,
                           std::uint64_t end,
                           std::map<std::string, std::string>& out) const;

    const Region& region_;
    unsigned block_bits_ = 12;
    std::uint64_t root_ = 0, meta_ = 0, shared_ = 0;
    std::int64_t epoch_ = 0;
};

}  // namespace tarn::inspect::erofs
