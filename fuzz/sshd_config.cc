// rooms: guest_baseline
// SPDX-License-Identifier: MIT
// sshd_config of any bytes, including itself: parsing ends, and what the rules ask of it too.
#include "baseline/detail/sshd.hh"

#include <cstdint>

using namespace tarn;
using namespace tarn::guest::baseline;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(reinterpret_cast<const char*>(data), size);
    int reads = 0;
    const SshdInclude include = [&](const std::string& pattern) -> Result<SshdFiles> {
        if (++reads > 200) {
            return SshdFiles{};
        }
        return SshdFiles{{pattern, text.substr(text.size() / 2)}};
    };
    const auto options = parse_sshd(text, "sshd_config", include);
    if (!options) {
        return 0;
    }
    for (const char* keyword : {"permitrootlogin", "maxstartups", "ciphers", "macs"}) {
        const SshdValue value = sshd_value(*options, keyword);
        sshd_algorithms(value.value, keyword);
    }
    return 0;
}
