// SPDX-License-Identifier: MIT
// Sections appended to a PE image (Microsoft PE/COFF): how a unified kernel image is made of
// systemd's stub (UAPI group, "Unified Kernel Image").
#pragma once

#include "base/result.hh"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::image {

struct PeSection {
    std::string name;  // ".linux": at most 8 bytes
    std::string_view bytes;
    // Bytes in memory when more than in the file (a kernel that runs where it lies).
    std::uint64_t memory_size = 0;
};

// A copy of `stub` with the sections behind its own, at ascending addresses. Signed images are
// refused: their signature would be void. The checksum becomes 0: UEFI does not look at it.
Result<std::string> append_sections(std::string_view stub, const std::vector<PeSection>& sections);

// SizeOfImage of a PE image: what it takes in memory.
Result<std::uint64_t> pe_memory_size(std::string_view pe);

// The bytes of a section, for checks.
Result<std::string_view> pe_section(std::string_view pe, std::string_view name);

}  // namespace tarn::image
