// rooms: emulator
// SPDX-License-Identifier: MIT
// Reports of machines, in both forms.
#include "emulator/detail/platform.hh"

#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    (void)tarn::emulator::parse_health_xml(text);
    (void)tarn::emulator::parse_health_json(text);
    return 0;
}
