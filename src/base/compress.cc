// SPDX-License-Identifier: MIT
#include "base/compress.hh"

#include <bzlib.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include <vector>

namespace tarn {

Compression detect_compression(std::string_view head) {
    if (head.starts_with("\x1f\x8b")) {
        return Compression::kGzip;
    }
    if (head.starts_with(std::string_view("\xfd"
                                          "7zXZ\0",
                                          6))) {
        return Compression::kXz;
    }
    if (head.starts_with("\x28\xb5\x2f\xfd")) {
        return Compression::kZstd;
    }
    if (head.starts_with("BZh")) {
        return Compression::kBzip2;
    }
    return Compression::kNone;
}

Compression compression_of_name(std::string_view name) {
    if (name.ends_with(".gz") || name.ends_with(".tgz")) {
        return Compression::kGzip;
    }
    if (name.ends_with(".xz")) {
        return Compression::kXz;
    }
    if (name.ends_with(".zst")) {
        return Compression::kZstd;
    }
    if (name.ends_with(".bz2")) {
        return Compression::kBzip2;
    }
    return Compression::kNone;
}

namespace {

constexpr std::size_t kChunk = 256 * 1024;

Failure broken(std::string_view format) {
    return fail(ErrorKind::kCorrupt, "damaged or truncated {} data", format);
}
Failure too_large(std::uint64_t limit) {
    return fail(ErrorKind::kCorrupt, "decompresses to more than {} bytes", limit);
}

Result<std::string> gunzip(std::string_view bytes, std::uint64_t limit) {
    z_stream stream{};
    if (::inflateInit2(&stream, 15 + 32) != Z_OK) {
        return broken("gzip");
    }
    struct End {
        z_stream& s;
        ~End() { ::inflateEnd(&s); }
    } end{stream};
    std::string out;
    std::vector<char> chunk(kChunk);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream.avail_in = static_cast<uInt>(bytes.size());
    for (;;) {
        stream.next_out = reinterpret_cast<Bytef*>(chunk.data());
        stream.avail_out = static_cast<uInt>(chunk.size());
        const int status = ::inflate(&stream, Z_NO_FLUSH);
        out.append(chunk.data(), chunk.size() - stream.avail_out);
        if (out.size() > limit) {
            return too_large(limit);
        }
        if (status == Z_STREAM_END) {
            if (stream.avail_in == 0) {
                return out;
            }
            if (::inflateReset(&stream) != Z_OK) {  // a further member
                return broken("gzip");
            }
        } else if (status != Z_OK || (stream.avail_in == 0 && stream.avail_out != 0)) {
            return broken("gzip");
        }
    }
}

Result<std::string> unxz(std::string_view bytes, std::uint64_t limit) {
    lzma_stream stream = LZMA_STREAM_INIT;
    if (::lzma_stream_decoder(&stream, 1ULL << 30, LZMA_CONCATENATED) != LZMA_OK) {
        return broken("xz");
    }
    struct End {
        lzma_stream& s;
        ~End() { ::lzma_end(&s); }
    } end{stream};
    std::string out;
    std::vector<std::uint8_t> chunk(kChunk);
    stream.next_in = reinterpret_cast<const std::uint8_t*>(bytes.data());
    stream.avail_in = bytes.size();
    for (;;) {
        stream.next_out = chunk.data();
        stream.avail_out = chunk.size();
        const lzma_ret status = ::lzma_code(&stream, LZMA_FINISH);
        out.append(reinterpret_cast<const char*>(chunk.data()), chunk.size() - stream.avail_out);
        if (out.size() > limit) {
            return too_large(limit);
        }
        if (status == LZMA_STREAM_END) {
            return out;
        }
        if (status != LZMA_OK) {
            return broken("xz");
        }
    }
}

Result<std::string> unzstd(std::string_view bytes, std::uint64_t limit) {
    const std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context(ZSTD_createDCtx(),
                                                                       &ZSTD_freeDCtx);
    std::string out;
    std::vector<char> chunk(ZSTD_DStreamOutSize());
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    std::size_t status = 1;
    while (in.pos < in.size || status != 0) {
        ZSTD_outBuffer buffer{chunk.data(), chunk.size(), 0};
        const std::size_t before = in.pos;
        status = ::ZSTD_decompressStream(context.get(), &buffer, &in);
        if (::ZSTD_isError(status) != 0U || (in.pos == before && buffer.pos == 0 && status != 0)) {
            return broken("zstd");
        }
        out.append(chunk.data(), buffer.pos);
        if (out.size() > limit) {
            return too_large(limit);
        }
    }
    return out;
}

Result<std::string> bunzip2(std::string_view bytes, std::uint64_t limit) {
    bz_stream stream{};
    if (::BZ2_bzDecompressInit(&stream, 0, 0) != BZ_OK) {
        return broken("bzip2");
    }
    struct End {
        bz_stream& s;
        ~End() { ::BZ2_bzDecompressEnd(&s); }
    } end{stream};
    std::string out;
    std::vector<char> chunk(kChunk);
    stream.next_in = const_cast<char*>(bytes.data());
    stream.avail_in = static_cast<unsigned>(bytes.size());
    for (;;) {
        stream.next_out = chunk.data();
        stream.avail_out = static_cast<unsigned>(chunk.size());
        const int status = ::BZ2_bzDecompress(&stream);
        out.append(chunk.data(), chunk.size() - stream.avail_out);
        if (out.size() > limit) {
            return too_large(limit);
        }
        if (status == BZ_STREAM_END) {
            return out;
        }
        if (status != BZ_OK || (stream.avail_in == 0 && stream.avail_out != 0)) {
            return broken("bzip2");
        }
    }
}

}  // namespace

Result<std::string> decompress(std::string_view bytes, Compression kind, std::uint64_t limit) {
    if (bytes.size() > 0xffffffffULL) {
        return fail(ErrorKind::kCorrupt, "more than 4 GiB of compressed data");
    }
    switch (kind) {
        case Compression::kGzip:
            return gunzip(bytes, limit);
        case Compression::kXz:
            return unxz(bytes, limit);
        case Compression::kZstd:
            return unzstd(bytes, limit);
        case Compression::kBzip2:
            return bunzip2(bytes, limit);
        case Compression::kNone:
            break;
    }
    if (bytes.size() > limit) {
        return too_large(limit);
    }
    return std::string(bytes);
}

std::string compress_zstd(std::string_view bytes, int level) {
    const std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> context(ZSTD_createCCtx(),
                                                                       &ZSTD_freeCCtx);
    ::ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, level);
    ::ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 1);
    std::string out(::ZSTD_compressBound(bytes.size()), '\0');
    const std::size_t size =
        ::ZSTD_compress2(context.get(), out.data(), out.size(), bytes.data(), bytes.size());
    TARN_CHECK(::ZSTD_isError(size) == 0U);
    out.resize(size);
    return out;
}

std::string compress_gzip(std::string_view bytes, int level) {
    z_stream stream{};
    TARN_CHECK(::deflateInit2(&stream, level, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY) == Z_OK);
    std::string out;
    std::vector<char> chunk(kChunk);
    std::size_t at = 0;
    int status = Z_OK;
    while (status != Z_STREAM_END) {
        if (stream.avail_in == 0 && at < bytes.size()) {
            const std::size_t piece = std::min<std::size_t>(bytes.size() - at, 1U << 30);
            stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data() + at));
            stream.avail_in = static_cast<uInt>(piece);
            at += piece;
        }
        stream.next_out = reinterpret_cast<Bytef*>(chunk.data());
        stream.avail_out = static_cast<uInt>(chunk.size());
        status = ::deflate(&stream, at == bytes.size() ? Z_FINISH : Z_NO_FLUSH);
        TARN_CHECK(status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR);
        out.append(chunk.data(), chunk.size() - stream.avail_out);
    }
    ::deflateEnd(&stream);
    return out;
}

struct ZstdWriter::Impl {
    std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> context{ZSTD_createCCtx(),
                                                                 &ZSTD_freeCCtx};
    Sink sink;
    std::vector<char> chunk = std::vector<char>(ZSTD_CStreamOutSize());

    Result<void> step(std::string_view bytes, ZSTD_EndDirective mode) {
        ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
        for (;;) {
            ZSTD_outBuffer out{chunk.data(), chunk.size(), 0};
            const std::size_t left = ::ZSTD_compressStream2(context.get(), &out, &in, mode);
            TARN_CHECK(::ZSTD_isError(left) == 0U);
            if (out.pos != 0) {
                TARN_TRY(sink({chunk.data(), out.pos}));
            }
            if (mode == ZSTD_e_end ? left == 0 : in.pos == in.size) {
                return {};
            }
        }
    }
};

ZstdWriter::ZstdWriter(int level, Sink sink) : impl_(std::make_unique<Impl>()) {
    impl_->sink = std::move(sink);
    ::ZSTD_CCtx_setParameter(impl_->context.get(), ZSTD_c_compressionLevel, level);
    ::ZSTD_CCtx_setParameter(impl_->context.get(), ZSTD_c_checksumFlag, 1);
}
ZstdWriter::~ZstdWriter() = default;

Result<void> ZstdWriter::write(std::string_view bytes) {
    return impl_->step(bytes, ZSTD_e_continue);
}
Result<void> ZstdWriter::finish() {
    return impl_->step({}, ZSTD_e_end);
}

}  // namespace tarn
