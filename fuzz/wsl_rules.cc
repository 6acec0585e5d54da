// rooms: image
// SPDX-License-Identifier: MIT
// What somebody hands in as a WSL distribution: the archive, and the files of it that are looked into.
#include "image/wsl_rules.hh"

#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    if (const auto findings = tarn::check_wsl_tar(bytes, "x.wsl")) {
        for (const tarn::WslFinding& finding : *findings) {
            (void)finding.to_string();
        }
    }
    return 0;
}
