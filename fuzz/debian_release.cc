// rooms: upstream
// SPDX-License-Identifier: MIT
#include "upstream/debian/archive.hh"
#include "upstream/debian/detail/date.hh"

#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto release = tarn::debian::parse_release(text, "fuzz");
    if (release) {
        (void)tarn::debian::detail::parse_date(release->date);
        (void)release->find("main/binary-amd64/Packages");
    }
    return 0;
}
