// SPDX-License-Identifier: MIT
// A raw disk as qcow2, version 3 (QEMU, docs/interop/qcow2.txt): 64 KiB clusters, those of zeros
// left out, 16-bit reference counts. The header, the data, then the tables: same disk, same bytes.
#pragma once

#include "base/result.hh"

#include <cstdint>
#include <stop_token>
#include <string>

namespace tarn::image {

enum class Qcow2Compression {
    kNone,
    kZstd,  // QEMU 5.1 and later read it
};

struct Qcow2Options {
    Qcow2Compression compression = Qcow2Compression::kNone;
    unsigned jobs = 1;
    std::stop_token stop{};
};

// Makes `path` (which must not exist) of the first `size` bytes of `raw`, a multiple of 512, at
// most 8 TiB. Returns the SHA-256 of the file in hex.
Result<std::string> write_qcow2(int raw,
                                std::uint64_t size,
                                const std::string& path,
                                const Qcow2Options& options);

}  // namespace tarn::image
