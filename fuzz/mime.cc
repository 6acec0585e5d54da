// rooms: guest_provision
// SPDX-License-Identifier: MIT
#include "provision/mime.hh"

#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    static_cast<void>(tarn::guest::parse_mime("fuzz", text));
    return 0;
}
