// rooms: project
// SPDX-License-Identifier: MIT
// A lock: what is accepted is written and read again as the same.
#include "project/lock.hh"

using namespace tarn;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto lock = Lock::parse(std::string(reinterpret_cast<const char*>(data), size), "lock");
    if (lock) {
        const std::string text = lock->serialize();
        const auto again = Lock::parse(text, "lock");
        TARN_CHECK(again.has_value() && again->serialize() == text);
    }
    return 0;
}
