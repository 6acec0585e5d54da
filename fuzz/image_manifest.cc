// rooms: image
// SPDX-License-Identifier: MIT
#include "image/image.hh"

#include <cstdint>
#include <cstdlib>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(reinterpret_cast<const char*>(data), size);
    if (const auto manifest = tarn::Manifest::parse(text)) {
        // What was read can be written and read again, and then says the same.
        const std::string written = manifest->to_json();
        const auto again = tarn::Manifest::parse(written);
        if (!again || again->to_json() != written) {
            std::abort();
        }
    }
    return 0;
}
