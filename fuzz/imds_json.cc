// rooms: guest_imds
// SPDX-License-Identifier: MIT
#include "imds/imds.hh"

#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace tarn::guest;
    const auto parsed = parse_instance({reinterpret_cast<const char*>(data), size});
    if (parsed) {
        for (const Nic& nic : parsed->nics) {
            if (nic.mac.size() != 17) {
                __builtin_trap();
            }
        }
    }
    return 0;
}
