// rooms: guest_provision
// SPDX-License-Identifier: MIT
// The provisioning media's document: what is kept of it never has the password, and both of its
// settings are made of what a machine takes.
#include "provision/azure.hh"
#include "provision/ovf.hh"

#include <cstdint>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace tarn::guest;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    auto ovf = parse_ovf(text);
    const auto kept = redact_ovf(text);
    if (!ovf) {
        return 0;
    }
    if (kept) {
        const auto again = parse_ovf(*kept);
        if (again && !again->password.empty() && again->password.reveal() != kRedacted &&
            again->password.reveal().find_first_not_of(" \t\r\n\v\f") != std::string::npos) {
            __builtin_trap();
        }
    }
    const auto settings =
        azure_settings({"0f0e0d0c-0b0a-4908-8706-050403020100", std::move(*ovf), {}});
    if (settings) {
        for (const std::string& key : settings->ssh_keys) {
            if (key.find_first_of("\r\n") != std::string::npos) {
                __builtin_trap();
            }
        }
    }
    return 0;
}
