// rooms: efi
// SPDX-License-Identifier: MIT
// Programs, signatures, variable stores and lists that come from elsewhere.
#include "efi/authenticode.hh"
#include "efi/variables.hh"

#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace tarn::efi;
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    if (const auto hash = image_hash(bytes)) {
        (void)attach_signature(bytes, "signature");
    }
    (void)image_signatures(bytes);
    (void)strip_signatures(bytes);
    (void)verify_image(bytes, {});
    (void)verify_signature(bytes, tarn::Sha256Sum{}, {});
    (void)certificates_in(bytes);
    (void)verify_update(
        {"db", std::string(kImageSecurityDatabase), kKeyAttributes, "", 0}, bytes, {});
    (void)Certificate::parse(bytes);
    if (const auto variables = read_variables(bytes)) {
        (void)with_variables(bytes, *variables);
    }
    return 0;
}
