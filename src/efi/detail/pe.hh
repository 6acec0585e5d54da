// SPDX-License-Identifier: MIT
// The parts of a PE32+ image that a signature goes by (Microsoft PE/COFF).
#pragma once

#include "base/result.hh"

#include <cstdint>
#include <string_view>
#include <vector>

namespace tarn::efi {

struct PeRange {
    std::uint64_t begin = 0, size = 0;
};

struct PeImage {
    std::size_t checksum = 0;       // where CheckSum lies
    std::size_t directory = 0;      // where the certificate table's entry lies: offset, size
    std::uint64_t headers = 0;      // SizeOfHeaders
    std::vector<PeRange> sections;  // those with bytes in the file, by place
    PeRange table{};                // the certificate table; empty: not signed
    // The file is: headers, sections, what follows them, table.
    std::uint64_t content_size = 0;  // without the table
};

// kCorrupt when it is none, or sections overlap, or a table is not at the end.
Result<PeImage> parse_pe(std::string_view pe);

// The sum that CheckSum holds: 16-bit words with carry, then the length.
std::uint32_t pe_checksum(std::string_view pe, std::size_t checksum_at);

}  // namespace tarn::efi
