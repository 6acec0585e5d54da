// rooms: project
// SPDX-License-Identifier: MIT
// A component's lock: what is accepted is written and read again as the same.
#include "project/component_lock.hh"

using namespace tarn;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto lock =
        ComponentLock::parse(std::string_view(reinterpret_cast<const char*>(data), size), "lock");
    if (lock) {
        const auto again = ComponentLock::parse(lock->print("# header"), "lock");
        TARN_CHECK(again.has_value() && *again == *lock);
    }
    return 0;
}
