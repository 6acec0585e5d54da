// rooms: guest_http
// SPDX-License-Identifier: MIT
// An answer of a metadata server: read whole, and byte by byte with the same result.
#include "http/parser.hh"

#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace tarn::guest;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto whole = parse_response(text, 1 << 16);
    if (size > 4096) {
        return 0;
    }
    ResponseParser parser(1 << 16);
    bool broken = false;
    for (std::size_t i = 0; i < size && !broken; ++i) {
        broken = !parser.feed(text.substr(i, 1));
    }
    if (broken) {
        if (whole) {
            __builtin_trap();
        }
        return 0;
    }
    const auto pieces = std::move(parser).finish();
    if (pieces.has_value() != whole.has_value() || (whole && pieces->body != whole->body)) {
        __builtin_trap();
    }
    return 0;
}
