// SPDX-License-Identifier: MIT
#pragma once

#include "base/result.hh"

#include <string>

namespace tarn::emulator {

// A new Ed25519 key in the forms of OpenSSH (PROTOCOL.key), without a passphrase.
struct SshKey {
    std::string public_line;  // "ssh-ed25519 AAAA... comment"
    std::string private_text;
    static Result<SshKey> make(const std::string& comment);
};

}  // namespace tarn::emulator
