// rooms: pgp
// SPDX-License-Identifier: MIT
// Keyrings, signed documents and signatures from outside. The fixed ring is there so that the
// bytes are taken for a signature at all.
#include "pgp/pgp.hh"

using namespace tarn;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const auto ring = Keyring::parse(bytes);
    static const auto empty = Keyring::load({});
    const Keyring& known = ring ? *ring : *empty;
    static_cast<void>(known.verify_cleartext(bytes));
    static_cast<void>(known.verify_detached("text", bytes));
    return 0;
}
