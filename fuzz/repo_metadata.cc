// rooms: repo
// SPDX-License-Identifier: MIT
// The metadata of an RPM repository: repomd.xml, primary.xml and filelists.xml.
#include "repo/detail/metadata.hh"

#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    static_cast<void>(tarn::repo::parse_repomd(text, "repomd.xml"));
    static_cast<void>(tarn::repo::parse_primary(text, "primary.xml"));
    static_cast<void>(tarn::repo::parse_filelists(text, {"/usr/bin/sh"}, "filelists.xml"));
    return 0;
}
