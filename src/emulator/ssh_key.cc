// SPDX-License-Identifier: MIT
#include "emulator/ssh_key.hh"

#include "base/base64.hh"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <memory>

namespace tarn::emulator {

namespace {

constexpr std::string_view kType = "ssh-ed25519";

void put_number(std::string& out, std::size_t value) {
    for (int shift = 24; shift >= 0; shift -= 8) {
        out.push_back(static_cast<char>((value >> shift) & 0xff));
    }
}

std::string field(std::string_view bytes) {
    std::string out;
    put_number(out, bytes.size());
    return out.append(bytes);
}

struct FreeKey {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};

}  // namespace

Result<SshKey> SshKey::make(const std::string& comment) {
    const std::unique_ptr<EVP_PKEY, FreeKey> key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
    std::string seed(32, '\0'), point(32, '\0'), check(4, '\0');
    const auto bytes = [](std::string& text) {
        return reinterpret_cast<unsigned char*>(text.data());
    };
    std::size_t seed_size = seed.size(), point_size = point.size();
    if (key == nullptr || EVP_PKEY_get_raw_private_key(key.get(), bytes(seed), &seed_size) != 1 ||
        EVP_PKEY_get_raw_public_key(key.get(), bytes(point), &point_size) != 1 ||
        RAND_bytes(bytes(check), 4) != 1) {
        return fail(ErrorKind::kFailed, "cannot make an SSH key");
    }
    const std::string public_part = field(kType) + field(point);
    std::string secret = check + check + public_part + field(seed + point) + field(comment);
    for (char pad = 1; secret.size() % 8 != 0; ++pad) {
        secret.push_back(pad);
    }
    std::string whole("openssh-key-v1\0", 15);
    whole += field("none") + field("none") + field("");
    put_number(whole, 1);
    whole += field(public_part) + field(secret);
    SshKey made;
    made.public_line = std::string(kType) + " " + base64(public_part) + " " + comment;
    const std::string text = base64(whole);
    made.private_text = "-----BEGIN OPENSSH PRIVATE KEY-----\n";
    for (std::size_t at = 0; at < text.size(); at += 70) {
        made.private_text += text.substr(at, 70) + "\n";
    }
    made.private_text += "-----END OPENSSH PRIVATE KEY-----\n";
    return made;
}

}  // namespace tarn::emulator
