// rooms: upstream
// SPDX-License-Identifier: MIT
#include "upstream/debian/archive.hh"

#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    (void)tarn::debian::parse_control(
        text, "fuzz", [](tarn::debian::Stanza&&) -> tarn::Result<void> { return {}; });
    return 0;
}
