// rooms: guest_metadata
// SPDX-License-Identifier: MIT
// Attested documents: nothing that the fuzzer makes is trusted.
#include "base/base64.hh"
#include "metadata/attest.hh"

#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace tarn::guest;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    (void)parse_attested(text);
    (void)parse_attested_time(text);
    AttestPolicy policy;
    policy.ca_file = "/dev/null";
    policy.now = 1'790'000'000;
    policy.fetch = [text](const std::string&) {
        return tarn::Result<std::string>(std::string(text));
    };
    if (verify_attested(text, policy) || verify_attested(tarn::base64(text), policy)) {
        __builtin_trap();
    }
    return 0;
}
