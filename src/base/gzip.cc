// SPDX-License-Identifier: MIT
// gzip (RFC 1952) by blocks: each is a piece of one deflate stream that ends on a byte, with the
// 32 KiB before it as its dictionary, so little is lost against one stream.
#include <zlib.h>

#include <algorithm>
#include <vector>

#include "base/compress.hh"
#include "base/parallel.hh"

namespace tarn {
namespace {

constexpr std::size_t kBlock = 1 << 20;
constexpr std::size_t kWindow = 32 << 10;

std::string deflate_block(std::string_view before, std::string_view block, int level, bool last) {
    z_stream stream{};
    TARN_CHECK(::deflateInit2(&stream, level, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY) == Z_OK);
    if (!before.empty()) {
        TARN_CHECK(::deflateSetDictionary(&stream,
                                          reinterpret_cast<const Bytef*>(before.data()),
                                          static_cast<uInt>(before.size())) == Z_OK);
    }
    std::string out(::deflateBound(&stream, static_cast<uLong>(block.size())) + 64, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(block.data()));
    stream.avail_in = static_cast<uInt>(block.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    const int status = ::deflate(&stream, last ? Z_FINISH : Z_SYNC_FLUSH);
    TARN_CHECK(status == (last ? Z_STREAM_END : Z_OK) && stream.avail_in == 0);
    out.resize(out.size() - stream.avail_out);
    ::deflateEnd(&stream);
    return out;
}

}  // namespace

struct GzipWriter::Impl {
    int level = 6;
    unsigned jobs = 1;
    Sink sink;
    std::string window;   // the end of what was compressed
    std::string pending;  // not compressed yet
    bool begun = false;
    uLong crc = ::crc32(0, nullptr, 0);
    std::uint64_t size = 0;

    Result<void> flush(bool last) {
        if (!begun) {
            begun = true;
            TARN_TRY(sink(std::string_view("\x1f\x8b\x08\0\0\0\0\0\0\xff", 10)));
        }
        const std::string all = window + pending;
        const std::size_t start = window.size();
        const std::size_t count = std::max<std::size_t>(1, (pending.size() + kBlock - 1) / kBlock);
        std::vector<std::string> blocks(count);
        const auto pack = [&](std::size_t i) -> Result<void> {
            const std::size_t at = start + i * kBlock;
            const std::size_t dictionary = std::min(at, kWindow);
            const std::string_view view(all);
            blocks[i] = deflate_block(view.substr(at - dictionary, dictionary),
                                      view.substr(at, kBlock),
                                      level,
                                      last && i + 1 == count);
            return {};
        };
        TARN_TRY(parallel_for(count, jobs, {}, pack));
        for (const std::string& block : blocks) {
            TARN_TRY(sink(block));
        }
        crc = ::crc32(crc,
                      reinterpret_cast<const Bytef*>(pending.data()),
                      static_cast<uInt>(pending.size()));
        size += pending.size();
        window = all.substr(all.size() - std::min(all.size(), kWindow));
        pending.clear();
        return {};
    }
};

GzipWriter::GzipWriter(int level, unsigned jobs, Sink sink) : impl_(std::make_unique<Impl>()) {
    impl_->level = level;
    impl_->jobs = std::max(1U, jobs);
    impl_->sink = std::move(sink);
}
GzipWriter::~GzipWriter() = default;

Result<void> GzipWriter::write(std::string_view bytes) {
    // Whole blocks only, and never the last one before finish() says that it is the last.
    const std::size_t batch = kBlock * impl_->jobs;
    while (!bytes.empty()) {
        if (impl_->pending.size() == batch) {
            TARN_TRY(impl_->flush(false));
        }
        const std::size_t take = std::min(batch - impl_->pending.size(), bytes.size());
        impl_->pending.append(bytes.substr(0, take));
        bytes.remove_prefix(take);
    }
    return {};
}

Result<void> GzipWriter::finish() {
    TARN_TRY(impl_->flush(true));
    std::string tail(8, '\0');
    for (unsigned i = 0; i < 4; ++i) {
        tail[i] = static_cast<char>(impl_->crc >> (8 * i) & 0xff);
        tail[4 + i] = static_cast<char>(impl_->size >> (8 * i) & 0xff);
    }
    return impl_->sink(tail);
}

}  // namespace tarn
