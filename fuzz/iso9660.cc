// rooms: guest_provision
// SPDX-License-Identifier: MIT
#include "provision/medium.hh"

#include <cstdint>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace tarn::guest;
    if (size < 1024) {
        return 0;
    }
    // Where the volume's description lies, and no sooner: the reader gets to it at once.
    std::string image(32768, '\0');
    image.append(reinterpret_cast<const char*>(data), size);
    (void)read_iso9660(Medium::of_bytes("m", image), {"ovf-env.xml", "user-data"});
    return 0;
}
