// SPDX-License-Identifier: MIT
#include "image/detail/pe.hh"

#include "image/detail/bytes.hh"

#include <algorithm>

namespace tarn::image {
namespace {

constexpr std::size_t kSectionHeader = 40;
constexpr std::uint32_t kReadableData = 0x40000040u;  // initialized data, readable
constexpr std::uint64_t kMaxImage = 0x7fffffffu;

struct Layout {
    std::size_t coff = 0, optional = 0, table = 0;
    std::size_t count = 0;
    std::uint64_t section_alignment = 0, file_alignment = 0;
    std::uint64_t memory_end = 0;  // one past the last section in memory
    std::uint64_t first_raw = 0;   // where the first section's bytes lie
};

Failure malformed(std::string_view what) {
    return fail(ErrorKind::kCorrupt, "not a usable PE image: {}", what);
}

bool power_of_two(std::uint64_t value) {
    return value != 0 && (value & (value - 1)) == 0;
}

Result<Layout> read_layout(std::string_view pe) {
    if (pe.size() < 64 || pe.substr(0, 2) != "MZ") {
        return malformed("no MZ header");
    }
    Layout out;
    const std::uint64_t start = take_le(pe, 0x3c, 4);
    if (start > pe.size() || pe.size() - start < 24 ||
        pe.substr(start, 4) != std::string_view("PE\0\0", 4)) {
        return malformed("no PE header");
    }
    out.coff = start + 4;
    out.optional = out.coff + 20;
    out.count = take_le(pe, out.coff + 2, 2);
    const std::uint64_t optional_size = take_le(pe, out.coff + 16, 2);
    out.table = out.optional + optional_size;
    if (optional_size < 152 || out.table + out.count * kSectionHeader > pe.size()) {
        return malformed("headers are cut off");
    }
    if (take_le(pe, out.optional, 2) != 0x20b) {
        return malformed("not PE32+");
    }
    out.section_alignment = take_le(pe, out.optional + 32, 4);
    out.file_alignment = take_le(pe, out.optional + 36, 4);
    if (!power_of_two(out.section_alignment) || !power_of_two(out.file_alignment)) {
        return malformed("bad alignment");
    }
    out.first_raw = pe.size();
    for (std::size_t i = 0; i < out.count; ++i) {
        const std::size_t at = out.table + i * kSectionHeader;
        const std::uint64_t end = take_le(pe, at + 12, 4) + take_le(pe, at + 8, 4);
        out.memory_end = std::max(out.memory_end, end);
        const std::uint64_t raw = take_le(pe, at + 20, 4);
        if (take_le(pe, at + 16, 4) != 0) {
            out.first_raw = std::min(out.first_raw, raw);
        }
    }
    return out;
}

Result<void> check_appendable(std::string_view stub, const Layout& layout, std::size_t added) {
    const std::uint64_t directories = take_le(stub, layout.optional + 108, 4);
    if (directories > 4 && take_le(stub, layout.optional + 112 + 4 * 8 + 4, 4) != 0) {
        return fail(ErrorKind::kFailed, "the stub is signed; take the unsigned one");
    }
    const std::uint64_t table_end = layout.table + (layout.count + added) * kSectionHeader;
    if (table_end > layout.first_raw || layout.count + added > 96) {
        return malformed("no room for more section headers");
    }
    return {};
}

}  // namespace

Result<std::string> append_sections(std::string_view stub, const std::vector<PeSection>& sections) {
    const Layout layout = TARN_TRY(read_layout(stub));
    TARN_TRY(check_appendable(stub, layout, sections.size()));
    std::string out(stub);
    std::uint64_t address = align_up(layout.memory_end, layout.section_alignment);
    std::uint64_t data_size = take_le(stub, layout.optional + 8, 4);
    std::size_t at = layout.table + layout.count * kSectionHeader;
    for (const PeSection& section : sections) {
        const std::uint64_t memory =
            std::max<std::uint64_t>(section.memory_size, section.bytes.size());
        if (section.name.empty() || section.name.size() > 8 || memory == 0 ||
            address + memory > kMaxImage || out.size() + section.bytes.size() > kMaxImage) {
            return fail(ErrorKind::kFailed,
                        "section `{}` ({} bytes) cannot be appended",
                        section.name,
                        section.bytes.size());
        }
        const std::uint64_t raw = align_up(out.size(), layout.file_alignment);
        const std::uint64_t raw_size = align_up(section.bytes.size(), layout.file_alignment);
        out.resize(raw, '\0');
        out.append(section.bytes);
        out.resize(raw + raw_size, '\0');
        put_bytes(out, at, section.name);
        std::fill_n(out.begin() + static_cast<std::ptrdiff_t>(at + section.name.size()),
                    kSectionHeader - section.name.size(),
                    '\0');
        put_le(out, at + 8, memory, 4);
        put_le(out, at + 12, address, 4);
        put_le(out, at + 16, raw_size, 4);
        put_le(out, at + 20, raw, 4);
        put_le(out, at + 36, kReadableData, 4);
        at += kSectionHeader;
        data_size += raw_size;
        address = align_up(address + memory, layout.section_alignment);
    }
    put_le(out, layout.coff + 2, layout.count + sections.size(), 2);
    put_le(out, layout.optional + 8, data_size, 4);
    put_le(out, layout.optional + 56, address, 4);
    const std::uint64_t headers = take_le(stub, layout.optional + 60, 4);
    put_le(out, layout.optional + 60, std::max(headers, align_up(at, layout.file_alignment)), 4);
    put_le(out, layout.optional + 64, 0, 4);
    return out;
}

Result<std::uint64_t> pe_memory_size(std::string_view pe) {
    const Layout layout = TARN_TRY(read_layout(pe));
    return take_le(pe, layout.optional + 56, 4);
}

Result<std::string_view> pe_section(std::string_view pe, std::string_view name) {
    const Layout layout = TARN_TRY(read_layout(pe));
    for (std::size_t i = 0; i < layout.count; ++i) {
        const std::size_t at = layout.table + i * kSectionHeader;
        std::string_view have = pe.substr(at, 8);
        have = have.substr(0, have.find('\0'));
        if (have == name) {
            const std::uint64_t raw = take_le(pe, at + 20, 4);
            const std::uint64_t size = std::min(take_le(pe, at + 8, 4), take_le(pe, at + 16, 4));
            if (raw > pe.size() || pe.size() - raw < size) {
                return malformed("a section lies outside");
            }
            return pe.substr(raw, size);
        }
    }
    return fail(ErrorKind::kNotFound, "the PE image has no section `{}`", name);
}

}  // namespace tarn::image
