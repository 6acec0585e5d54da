// SPDX-License-Identifier: MIT
// Sections of a UKI (uapi-group.org/specifications/specs/unified_kernel_image).
#include "inspect/detail/uki.hh"

#include "efi/authenticode.hh"
#include "inspect/detail/region.hh"

#include <algorithm>

namespace tarn::inspect {
namespace {

constexpr std::size_t kMaxSections = 96;
constexpr std::size_t kMaxText = 1 << 20;

struct Section {
    std::string name;
    std::string_view bytes;
};

// What cannot be read is left out.
std::vector<Section> sections(std::string_view pe) {
    std::vector<Section> out;
    const std::size_t head = le<std::uint32_t>(pe, 0x3c);
    if (!pe.starts_with("MZ") || head > pe.size() || pe.size() - head < 24 ||
        pe.substr(head, 4) != std::string_view("PE\0\0", 4)) {
        return out;
    }
    const std::size_t count = std::min<std::size_t>(le<std::uint16_t>(pe, head + 6), kMaxSections);
    const std::size_t table = head + 24 + le<std::uint16_t>(pe, head + 20);
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t at = table + i * 40;
        if (at > pe.size() || pe.size() - at < 40) {
            break;
        }
        const std::string_view name = pe.substr(at, 8);
        const std::size_t offset = le<std::uint32_t>(pe, at + 20);
        const std::size_t size =
            std::min(le<std::uint32_t>(pe, at + 8), le<std::uint32_t>(pe, at + 16));
        if (offset > pe.size() || size > pe.size() - offset) {
            continue;
        }
        out.push_back({std::string(name.substr(0, name.find('\0'))), pe.substr(offset, size)});
    }
    return out;
}

std::string text_of(std::string_view bytes) {
    std::string out(bytes.substr(0, std::min(bytes.find('\0'), kMaxText)));
    out.erase(out.find_last_not_of(" \n") + 1);
    return out;
}

}  // namespace

std::optional<Uki> read_uki(const std::string& path, std::string_view pe) {
    Uki out;
    out.path = path;
    out.size = pe.size();
    for (const Section& section : sections(pe)) {
        if (section.name == ".linux") {
            out.kernel_bytes = section.bytes.size();
        } else if (section.name == ".initrd") {
            out.initrd_bytes = section.bytes.size();
        } else if (section.name == ".cmdline") {
            out.command_line = text_of(section.bytes);
        } else if (section.name == ".osrel") {
            out.os_release = text_of(section.bytes);
        } else if (section.name == ".uname") {
            out.uname = text_of(section.bytes);
        }
    }
    if (out.kernel_bytes == 0) {
        return std::nullopt;
    }
    if (const auto signatures = efi::image_signatures(pe)) {
        out.signatures = signatures->size();
    }
    return out;
}

}  // namespace tarn::inspect
