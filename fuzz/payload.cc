// rooms: guest_provision
// SPDX-License-Identifier: MIT
// gzip, MIME, templates and what is in them.
#include "provision/payload.hh"

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace tarn::guest;
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const auto payload = read_payload("fuzz", bytes, {{"v1.region", "north"}});
    if (payload) {
        for (const PayloadPart& each : payload->parts) {
            if (each.file.find('/') != std::string::npos || each.file.starts_with(".")) {
                std::abort();
            }
        }
    }
    static_cast<void>(gunzip("fuzz", bytes, 65536));
    return 0;
}
