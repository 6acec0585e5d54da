// rooms: guest_provision
// SPDX-License-Identifier: MIT
#include "provision/kvp.hh"

#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace tarn::guest;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (parse_kvp(text).size() > size / kKvpRecord) {
        __builtin_trap();
    }
    return 0;
}
