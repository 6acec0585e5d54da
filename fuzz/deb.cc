// rooms: upstream
// SPDX-License-Identifier: MIT
#include "upstream/debian/deb.hh"

#include "base/fs.hh"

#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const auto directory = tarn::TempDir::make();
    static const auto store = tarn::Store::open(directory->path() + "/store");
    tarn::debian::DebLimits limits;
    limits.data_bytes = 1U << 20;
    limits.control_bytes = 1U << 16;
    limits.entries = 100;
    (void)tarn::debian::parse_deb(
        *store, std::string_view(reinterpret_cast<const char*>(data), size), "fuzz", limits);
    return 0;
}
