// rooms: oci
// SPDX-License-Identifier: MIT
// Layers of container images: the tar reader, and layers upon each other. The first byte says where
// the input is cut into two layers.
#include "oci/oci.hh"

#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace tarn::oci;
    if (size == 0) {
        return 0;
    }
    const std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
    const std::size_t cut = std::min<std::size_t>(bytes.size(), data[0] * std::size_t{512});
    TarLimits limits;
    limits.content_bytes = 1 << 20;
    limits.members = 1000;
    LayerStack stack(
        [](std::string_view content) -> tarn::Result<tarn::Digest> {
            return tarn::Digest::of(content);
        },
        limits);
    if (stack.apply(bytes.substr(0, cut), "lower")) {
        (void)stack.apply(bytes.substr(cut), "upper");
    }
    // Whatever was applied is a tree.
    if (!stack.tree()) {
        __builtin_trap();
    }
    return 0;
}
