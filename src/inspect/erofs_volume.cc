// SPDX-License-Identifier: MIT
#include "inspect/detail/erofs_volume.hh"

#include <sys/stat.h>

#include <algorithm>

namespace tarn::inspect::erofs {
namespace {

constexpr std::uint64_t kSuper = 1024;
constexpr std::uint64_t kPiece = 1 << 20;
constexpr std::uint64_t kMaxXattr = 1 << 16;
constexpr std::uint32_t kNone = 0xffffffffU;

std::string_view prefix_of(unsigned index) {
    switch (index) {
        case 1:
            return "user.";
        case 2:
            return "system.posix_acl_access";
        case 3:
            return "system.posix_acl_default";
        case 4:
            return "trusted.";
        case 6:
            return "security.";
        default:
            return {};
    }
}

}  // namespace

Result<void> Volume::open() {
    const std::string super = TARN_TRY(region_.read(kSuper, 128));
    if (le<std::uint32_t>(super, 0) != 0xe0f5e1e2U) {
        return broken("there is no superblock");
    }
    block_bits_ = le<std::uint8_t>(super, 12);
    if (block_bits_ < 9 || block_bits_ > 16) {
        return broken("its blocks have an odd size");
    }
    const auto features = le<std::uint32_t>(super, 80);
    // zero padding, compression settings, chunks, second algorithm, inlined tails, fragments,
    // long attribute prefixes: what of these a file uses is seen when it is read.
    if ((features & ~0x7fU) != 0) {
        return refused(fmt::format("features {:#x}", features));
    }
    if (le<std::uint16_t>(super, 86) != 0) {
        return refused("several devices");
    }
    root_ = le<std::uint16_t>(super, 14);
    epoch_ = static_cast<std::int64_t>(le<std::uint64_t>(super, 24));
    meta_ = std::uint64_t{le<std::uint32_t>(super, 40)} << block_bits_;
    shared_ = std::uint64_t{le<std::uint32_t>(super, 44)} << block_bits_;
    return {};
}

Result<Inode> Volume::inode(std::uint64_t number) const {
    if (number > region_.size() / 32) {
        return broken(fmt::format("there is no inode {}", number));
    }
    const std::uint64_t at = meta_ + number * 32;
    const std::string head = TARN_TRY(region_.read(at, 32));
    const auto format = le<std::uint16_t>(head, 0);
    const unsigned layout = format >> 1U & 7U;
    if (layout > 4) {
        return broken(fmt::format("inode {} is of an unknown layout", number));
    }
    Inode out;
    out.number = number;
    out.layout = static_cast<Layout>(layout);
    const std::uint64_t icount = le<std::uint16_t>(head, 2);
    out.mode = le<std::uint16_t>(head, 4);
    out.data = le<std::uint32_t>(head, 16);
    const bool extended = (format & 1U) != 0;
    if (extended) {
        const std::string whole = TARN_TRY(region_.read(at, 64));
        out.size = le<std::uint64_t>(whole, 8);
        out.uid = le<std::uint32_t>(whole, 24);
        out.gid = le<std::uint32_t>(whole, 28);
        out.mtime = static_cast<std::int64_t>(le<std::uint64_t>(whole, 32));
        out.links = le<std::uint32_t>(whole, 44);
    } else {
        out.links = le<std::uint16_t>(head, 6);
        out.size = le<std::uint32_t>(head, 8);
        out.mtime = epoch_ + le<std::uint32_t>(head, 12);
        out.uid = le<std::uint16_t>(head, 24);
        out.gid = le<std::uint16_t>(head, 26);
    }
    out.xattrs_at = at + (extended ? 64U : 32U);
    out.xattrs_size = icount == 0 ? 0 : 12 + 4 * (icount - 1);
    out.tail_at = out.xattrs_at + out.xattrs_size;
    return out;
}

Result<void> Volume::add_xattr(std::uint64_t& at,
                               std::uint64_t end,
                               std::map<std::string, std::string>& out) const {
    const std::string head = TARN_TRY(region_.read(at, 4));
    const std::uint64_t name_size = le<std::uint8_t>(head, 0);
    const unsigned index = le<std::uint8_t>(head, 1);
    const std::uint64_t value_size = le<std::uint16_t>(head, 2);
    const std::uint64_t whole = 4 + name_size + value_size;
    if (end != 0 && whole > end - at) {
        return broken("an attribute goes beyond its inode");
    }
    if ((index & 0x80U) != 0) {
        return refused("long attribute prefixes");
    }
    const std::string_view prefix = prefix_of(index);
    if (prefix.empty()) {
        return broken("an attribute of an unknown kind");
    }
    const std::string body = TARN_TRY(region_.read(at + 4, name_size + value_size));
    out[std::string(prefix) + body.substr(0, name_size)] = body.substr(name_size);
    at += (whole + 3) & ~std::uint64_t{3};
    return {};
}

Result<std::map<std::string, std::string>> Volume::xattrs(const Inode& inode) const {
    std::map<std::string, std::string> out;
    if (inode.xattrs_size == 0) {
        return out;
    }
    if (inode.xattrs_size > kMaxXattr * 8) {
        return broken("an inode has too many attributes");
    }
    const std::string head = TARN_TRY(region_.read(inode.xattrs_at, 12));
    const std::uint64_t shared = le<std::uint8_t>(head, 4);
    std::uint64_t at = inode.xattrs_at + 12 + shared * 4;
    const std::uint64_t end = inode.xattrs_at + inode.xattrs_size;
    if (at > end) {
        return broken("an inode shares more attributes than it has");
    }
    const std::string ids = TARN_TRY(region_.read(inode.xattrs_at + 12, shared * 4));
    for (std::size_t i = 0; i < shared; ++i) {
        std::uint64_t place = shared_ + std::uint64_t{le<std::uint32_t>(ids, i * 4)} * 4;
        TARN_TRY(add_xattr(place, 0, out));
    }
    while (end - at >= 4 && at < end) {
        TARN_TRY(add_xattr(at, end, out));
        if (at > end) {
            break;
        }
    }
    return out;
}

Result<void> Volume::blocks(std::uint64_t first, std::uint64_t size, const Sink& sink) const {
    const std::uint64_t start = first << block_bits_;
    for (std::uint64_t done = 0; done < size;) {
        const std::uint64_t piece = std::min(kPiece, size - done);
        const std::string bytes = TARN_TRY(region_.read(start + done, piece));
        TARN_TRY(sink(bytes));
        done += piece;
    }
    return {};
}

Result<void> Volume::chunks(const Inode& inode, const Sink& sink) const {
    const unsigned format = inode.data & 0xffffU;
    const unsigned bits = block_bits_ + (format & 31U);
    if (bits > 40) {
        return broken("a file has chunks of an odd size");
    }
    const bool indexes = (format & 0x20U) != 0;
    const std::uint64_t width = indexes ? 8 : 4;
    const std::uint64_t table = (inode.tail_at + width - 1) & ~(width - 1);
    const std::uint64_t chunk = std::uint64_t{1} << bits;
    for (std::uint64_t done = 0, i = 0; done < inode.size; done += chunk, ++i) {
        const std::uint64_t size = std::min(chunk, inode.size - done);
        const std::string entry = TARN_TRY(region_.read(table + i * width, width));
        const auto address = le<std::uint32_t>(entry, indexes ? 4 : 0);
        if (address != kNone) {
            TARN_TRY(blocks(address, size, sink));
            continue;
        }
        const std::string zeros(std::min(kPiece, size), '\0');
        for (std::uint64_t hole = 0; hole < size; hole += zeros.size()) {
            TARN_TRY(sink(std::string_view(zeros).substr(0, size - hole)));
        }
    }
    return {};
}

Result<void> Volume::content(const Inode& inode, const Sink& sink) const {
    switch (inode.layout) {
        case Layout::kPlain:
            return blocks(inode.data, inode.size, sink);
        case Layout::kInline: {
            const std::uint64_t whole = inode.size & ~(block() - 1);
            TARN_TRY(blocks(inode.data, whole, sink));
            if (whole == inode.size) {
                return {};
            }
            const std::string tail = TARN_TRY(region_.read(inode.tail_at, inode.size - whole));
            return sink(tail);
        }
        case Layout::kChunks:
            return chunks(inode, sink);
        case Layout::kFull:
        case Layout::kCompact:
            return compressed(inode, sink);
    }
    return broken("a file of an unknown layout");
}

}  // namespace tarn::inspect::erofs
