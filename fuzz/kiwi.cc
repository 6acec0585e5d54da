// rooms: kiwi
// SPDX-License-Identifier: MIT
// Image descriptions from anywhere.
#include "kiwi/kiwi.hh"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    static_cast<void>(tarn::kiwi::read_text("/nonexistent/x.kiwi", text, {"", "x86_64"}, {}));
    return 0;
}
