// rooms: guest_provision
// SPDX-License-Identifier: MIT
// The wireserver's goal state, and that what is made of it is XML again.
#include "provision/health.hh"
#include "provision/report.hh"
#include "provision/xml.hh"

#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace tarn::guest;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    Report report;
    report.reason = text;
    if (report_text(report, kHealthDescription).size() > kHealthDescription) {
        __builtin_trap();
    }
    const auto goal = parse_goal_state(text);
    if (goal && !parse_xml("health", health_xml(*goal, {false, "why"}))) {
        __builtin_trap();
    }
    return 0;
}
