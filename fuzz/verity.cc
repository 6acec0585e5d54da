// rooms: verity
// SPDX-License-Identifier: MIT
// The head of a hash partition: what is accepted has sizes within the limits.
#include "verity/verity.hh"

#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto block =
        tarn::verity::parse_superblock({reinterpret_cast<const char*>(data), size});
    if (block && (block->data_blocks == 0 || block->salt.size() > tarn::verity::kMaxSalt ||
                  block->data_blocks > tarn::verity::kMaxData / tarn::verity::kBlock)) {
        __builtin_trap();
    }
    return 0;
}
