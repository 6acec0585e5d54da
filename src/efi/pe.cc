// SPDX-License-Identifier: MIT
#include "efi/detail/pe.hh"

#include "efi/detail/bytes.hh"

#include <algorithm>

namespace tarn::efi {
namespace {

constexpr std::size_t kSectionHeader = 40;
constexpr std::uint64_t kMaxImage = 0x7fffffffu;
constexpr unsigned kCertificateTable = 4;  // index among the data directories

Failure malformed(std::string_view what) {
    return fail(ErrorKind::kCorrupt, "not a usable PE image: {}", what);
}

Result<void> read_sections(std::string_view pe, std::size_t at, std::size_t count, PeImage& out) {
    for (std::size_t i = 0; i < count; ++i, at += kSectionHeader) {
        const PeRange range{take_le(pe, at + 20, 4), take_le(pe, at + 16, 4)};
        if (range.size > 0) {
            out.sections.push_back(range);
        }
    }
    std::ranges::sort(out.sections, {}, &PeRange::begin);
    std::uint64_t end = out.headers;
    for (const PeRange& section : out.sections) {
        if (section.begin < end) {
            return malformed("sections overlap");
        }
        end = section.begin + section.size;
    }
    if (end > out.content_size) {
        return malformed("a section is cut off");
    }
    return {};
}

}  // namespace

Result<PeImage> parse_pe(std::string_view pe) {
    if (pe.size() < 64 || pe.size() > kMaxImage || pe.substr(0, 2) != "MZ") {
        return malformed("no MZ header");
    }
    const std::uint64_t start = take_le(pe, 0x3c, 4);
    if (start > pe.size() || pe.size() - start < 24 ||
        pe.substr(start, 4) != std::string_view("PE\0\0", 4)) {
        return malformed("no PE header");
    }
    const std::size_t optional = start + 24;
    const std::size_t count = take_le(pe, start + 6, 2);
    const std::size_t optional_size = take_le(pe, start + 20, 2);
    const std::size_t table = optional + optional_size;
    PeImage out;
    out.checksum = optional + 64;
    out.directory = optional + 112 + kCertificateTable * 8;
    out.headers = take_le(pe, optional + 60, 4);
    if (take_le(pe, optional, 2) != 0x20b) {
        return malformed("not PE32+");
    }
    if (table + count * kSectionHeader > pe.size() || out.headers > pe.size() ||
        out.headers < table + count * kSectionHeader) {
        return malformed("headers are cut off");
    }
    if (take_le(pe, optional + 108, 4) <= kCertificateTable || out.directory + 8 > table) {
        return malformed("no place for a certificate table");
    }
    out.table = {take_le(pe, out.directory, 4), take_le(pe, out.directory + 4, 4)};
    out.content_size = pe.size();
    if (out.table.size != 0) {
        if (out.table.begin % 8 != 0 || out.table.begin < out.headers ||
            out.table.begin + out.table.size != pe.size()) {
            return malformed("the certificate table is not at the end of the file");
        }
        out.content_size = out.table.begin;
    } else if (out.table.begin != 0) {
        return malformed("an empty certificate table");
    }
    TARN_TRY(read_sections(pe, table, count, out));
    return out;
}

std::uint32_t pe_checksum(std::string_view pe, std::size_t checksum_at) {
    std::uint64_t sum = 0;
    for (std::size_t at = 0; at < pe.size(); at += 2) {
        if (at == checksum_at || at == checksum_at + 2) {
            continue;
        }
        const std::uint64_t low = static_cast<unsigned char>(pe[at]);
        const std::uint64_t high = at + 1 < pe.size() ? static_cast<unsigned char>(pe[at + 1]) : 0u;
        sum += low | high << 8;
    }
    while (sum > 0xffff) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return static_cast<std::uint32_t>(sum + pe.size());
}

}  // namespace tarn::efi
