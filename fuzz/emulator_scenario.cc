// rooms: emulator
// SPDX-License-Identifier: MIT
// A scenario: what is accepted has instances that can be told apart and media that can be written.
#include "base/result.hh"
#include "emulator/media.hh"

#include <cstdint>
#include <set>

using namespace tarn;
using namespace tarn::emulator;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto scenario = Scenario::parse(
        std::string(reinterpret_cast<const char*>(data), size), "scenario.toml", "/nowhere");
    if (!scenario) {
        return 0;
    }
    TARN_CHECK(!scenario->instances.empty());
    std::set<std::string> names;
    for (const Instance& instance : scenario->instances) {
        TARN_CHECK(names.insert(instance.name).second);
        TARN_CHECK(scenario->instances.size() == 1 || !instance.source.empty());
    }
    TARN_CHECK(udf_image("m", azure_files(scenario->instances.front())).has_value());
    TARN_CHECK(nocloud_medium(scenario->instances.front()).has_value());
    return 0;
}
