// rooms: oci
// SPDX-License-Identifier: MIT
// The JSON documents of container images: index, manifest, configuration.
#include "oci/oci.hh"

#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    (void)tarn::oci::parse_index(text);
    (void)tarn::oci::parse_manifest(text);
    (void)tarn::oci::parse_config(text);
    return 0;
}
