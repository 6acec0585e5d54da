// SPDX-License-Identifier: MIT
// Compression of whole buffers and of streams. Decompression is bounded: a bomb is kCorrupt.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.hh"

namespace tarn {

enum class Compression { kNone, kGzip, kXz, kZstd, kBzip2 };

// From the first bytes (magic numbers).
Compression detect_compression(std::string_view head);
// From a name's suffix: .gz .xz .zst .bz2.
Compression compression_of_name(std::string_view name);

Result<std::string> decompress(std::string_view bytes,
                               Compression kind,
                               std::uint64_t limit = 4ULL << 30);
// zstd with a checksum; `level` 1..22. Same input, same output for the same library version.
std::string compress_zstd(std::string_view bytes, int level);
// gzip without name and time.
std::string compress_gzip(std::string_view bytes, int level);

// Compresses a stream piece by piece into a sink.
class ZstdWriter {
  public:
    using Sink = std::function<Result<void>(std::string_view)>;
    ZstdWriter(int level, Sink sink);
    ~ZstdWriter();
    Result<void> write(std::string_view bytes);
    Result<void> finish();

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

// One gzip member without name and time, made of blocks of 1 MiB that are compressed side by side;
// the bytes do not depend on `jobs`.
class GzipWriter {
  public:
    using Sink = std::function<Result<void>(std::string_view)>;
    GzipWriter(int level, unsigned jobs, Sink sink);
    ~GzipWriter();
    Result<void> write(std::string_view bytes);
    Result<void> finish();

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace tarn
