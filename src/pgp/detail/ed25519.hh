// SPDX-License-Identifier: MIT
// Raw Ed25519 (RFC 8032) with the numbers of an OpenPGP v4 key.
#pragma once

#include "base/result.hh"

#include <string>
#include <string_view>

namespace tarn::pgp {

inline constexpr std::size_t kEd25519Size = 32;

// The first packet of an exported binary key, public or secret. Empty `seed` for a public key.
struct Ed25519Numbers {
    std::string point;  // 32 bytes
    std::string seed;   // 32 bytes or none
};
// kCorrupt for what is no unprotected v4 Ed25519 key.
Result<Ed25519Numbers> parse_ed25519_key(std::string_view packet);

Result<std::string> ed25519_sign(std::string_view seed, std::string_view bytes);

}  // namespace tarn::pgp
