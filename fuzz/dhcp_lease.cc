// rooms: guest_provision
// SPDX-License-Identifier: MIT
// networkd's lease file, the seed text of SMBIOS, and NoCloud's meta-data.
#include "provision/detect.hh"
#include "provision/dhcp.hh"
#include "provision/nocloud.hh"
#include "provision/text.hh"

#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace tarn::guest;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto lease = parse_lease("2", text);
    if (lease && lease->address.size() > 15) {
        __builtin_trap();
    }
    (void)parse_seed_text(text);
    (void)nocloud_settings({"seed", std::string(text), {}, {}, {}}, {});
    const std::string name = directory_name(text);
    if (name.empty() || name[0] == '/' || name == ".." || name.find('/') != std::string::npos) {
        __builtin_trap();
    }
    return 0;
}
