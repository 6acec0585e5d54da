// SPDX-License-Identifier: MIT
// Headers are written here and not by libarchive, whose GNU format leaves fields to its version.
#include "render/detail/archive.hh"

#include <lzma.h>
#include <zlib.h>

#include <array>
#include <cstring>
#include <limits>

namespace tarn::overlay {
namespace {

constexpr std::size_t kBlock = 512;

// One header block of GNU tar.
class Header {
  public:
    Header(std::string_view name, char type) {
        text(0, 100, name);
        block_[156] = type;
        text(257, 8, std::string_view("ustar  ", 7));
        octal(108, 8, 0);
        octal(116, 8, 0);
        octal(136, 12, 0);
    }
    void mode(std::uint32_t mode) { octal(100, 8, mode); }
    void size(std::uint64_t size) { octal(124, 12, size); }
    void target(std::string_view target) { text(157, 100, target); }
    void device() {
        octal(329, 8, 0);
        octal(337, 8, 0);
    }
    std::string_view finish() {
        std::memset(block_.data() + 148, ' ', 8);
        std::uint64_t sum = 0;
        for (const char c : block_) {
            sum += static_cast<unsigned char>(c);
        }
        octal(148, 7, sum);
        return {block_.data(), block_.size()};
    }

  private:
    void text(std::size_t at, std::size_t width, std::string_view value) {
        value = value.substr(0, width);
        std::memcpy(block_.data() + at, value.data(), value.size());
    }
    // Octal digits and a NUL.
    void octal(std::size_t at, std::size_t width, std::uint64_t value) {
        const std::string digits = fmt::format("{:0{}o}", value, width - 1);
        std::memcpy(block_.data() + at, digits.data(), width - 1);
        block_[at + width - 1] = '\0';
    }
    std::array<char, kBlock> block_{};
};

void pad(std::string& out) {
    out.append((kBlock - out.size() % kBlock) % kBlock, '\0');
}

// A path or target over 100 bytes, in front of the member it belongs to.
void long_text(std::string& out, char type, const std::string& value) {
    Header header("././@LongLink", type);
    header.mode(0);
    header.size(value.size() + 1);
    out += header.finish();
    out += value;
    out += '\0';
    pad(out);
}

void member(std::string& out, const std::string& path, const ArchiveMember& member) {
    std::string name = path;
    char type = '0';
    if (member.kind == EntryKind::kDirectory) {
        name += '/';
        type = '5';
    } else if (member.kind == EntryKind::kSymlink) {
        type = '2';
    }
    if (name.size() > 100) {
        long_text(out, 'L', name);
    }
    if (member.target.size() > 100) {
        long_text(out, 'K', member.target);
    }
    // A name cut behind a "/" would read as a directory.
    std::string shown = name.substr(0, 100);
    while (name.size() > 100 && shown.ends_with('/')) {
        shown.pop_back();
    }
    Header header(shown, type);
    header.mode(member.mode);
    header.size(member.bytes.size());
    header.target(member.target);
    header.device();
    out += header.finish();
    out += member.bytes;
    pad(out);
}

Result<std::string> gzip(std::string_view bytes) {
    z_stream stream{};
    if (::deflateInit2(&stream, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
        return fail(ErrorKind::kFailed, "zlib does not start");
    }
    // Deflate, no flags, no time, best compression, unknown system.
    std::string out("\x1f\x8b\x08\0\0\0\0\0\x02\xff", 10);
    std::array<char, 65536> chunk{};
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream.avail_in = static_cast<uInt>(bytes.size());
    int status = Z_OK;
    while (status == Z_OK) {
        stream.next_out = reinterpret_cast<Bytef*>(chunk.data());
        stream.avail_out = static_cast<uInt>(chunk.size());
        status = ::deflate(&stream, Z_FINISH);
        out.append(chunk.data(), chunk.size() - stream.avail_out);
    }
    ::deflateEnd(&stream);
    if (status != Z_STREAM_END) {
        return fail(ErrorKind::kFailed, "zlib does not compress");
    }
    uLong sum = ::crc32(0, nullptr, 0);
    sum =
        ::crc32(sum, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uInt>(bytes.size()));
    for (const std::uint64_t value : {std::uint64_t{sum}, std::uint64_t{bytes.size()}}) {
        for (unsigned shift = 0; shift < 32; shift += 8) {
            out += static_cast<char>(static_cast<unsigned char>(value >> shift & 0xFF));
        }
    }
    return out;
}

Result<std::string> xz(std::string_view bytes) {
    std::string out;
    out.resize(::lzma_stream_buffer_bound(bytes.size()));
    std::size_t size = 0;
    const lzma_ret status =
        ::lzma_easy_buffer_encode(6,
                                  LZMA_CHECK_CRC64,
                                  nullptr,
                                  reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                  bytes.size(),
                                  reinterpret_cast<std::uint8_t*>(out.data()),
                                  &size,
                                  out.size());
    if (status != LZMA_OK) {
        return fail(ErrorKind::kFailed, "liblzma does not compress (status {})", int{status});
    }
    out.resize(size);
    return out;
}

}  // namespace

Result<std::string> write_archive(const Archive& archive) {
    std::uint64_t size = 2 * kBlock;
    for (const auto& [path, each] : archive.members) {
        size += each.bytes.size() + path.size() + each.target.size() + 6 * kBlock;
    }
    if (size > std::numeric_limits<uInt>::max()) {
        return fail(ErrorKind::kFailed, "the changed archive is larger than 4 GiB");
    }
    std::string tar;
    tar.reserve(size);
    for (const auto& [path, each] : archive.members) {
        member(tar, path, each);
    }
    tar.append(2 * kBlock, '\0');
    switch (archive.compression) {
        case Compression::kGzip:
            return gzip(tar);
        case Compression::kXz:
            return xz(tar);
        case Compression::kZstd:
            return compress_zstd(tar, 19);
        default:
            return tar;
    }
}

}  // namespace tarn::overlay
