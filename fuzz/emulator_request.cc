// rooms: emulator
// SPDX-License-Identifier: MIT
// What callers send, and the emulator's whole answer to it.
#include "base/result.hh"
#include "emulator/detail/platform.hh"

#include <cstdint>

using namespace tarn;
using namespace tarn::emulator;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static Scenario scenario = Scenario::parse(R"(
rate-limits = false
[instances.a]
custom-data = "x"
nics = [{ secondary = ["10.0.0.9"] }, {}]
identities = [{}]
[[events]]
[[faults]]
path = "/metadata/instance"
every = 3
set = { "compute/vmId" = "x" }
)", "fuzz.toml", "/").value();
    static Platform platform(scenario, Authority::make("http://127.0.0.1/").value(), {}, {});
    static double now = 0;
    std::string bytes(reinterpret_cast<const char*>(data), size);
    for (int i = 0; i < 100; ++i) {
        const ParsedRequest parsed = parse_request(bytes);
        if (parsed.progress != Progress::kWhole) {
            break;
        }
        TARN_CHECK(parsed.used > 0 && parsed.used <= bytes.size());
        const Spoken spoken = platform.speak(parsed.request, Role::kAll, 0x7f000001, now += 0.25);
        TARN_CHECK(spoken.answer.status >= 200);
        if (spoken.identity != nullptr) {
            Platform::finished(spoken.identity);
        }
        TARN_CHECK(render(spoken.answer, parsed.request.keep_alive).starts_with("HTTP/1.1 "));
        bytes.erase(0, parsed.used);
    }
    return 0;
}
