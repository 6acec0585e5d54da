// SPDX-License-Identifier: MIT
// OpenPGP (RFC 4880 / 9580 v4 keys): the only room that includes librnp. Keys for signing packages
// and metadata, and verification of what an upstream signed.
#pragma once

#include "base/result.hh"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tarn {

// kRsa4096 stands for RSA of any size in a ring, kOther for what is only ever verified.
enum class KeyAlgorithm { kEd25519, kRsa4096, kOther };

struct KeyInfo {
    std::string fingerprint;  // 40 upper-case hex digits
    std::string key_id;       // last 16 of it
    std::string user_id;
    KeyAlgorithm algorithm = KeyAlgorithm::kEd25519;
    std::int64_t created = 0;
    std::int64_t expires = 0;  // 0: never
    std::string point{};       // kEd25519: the 32 bytes of the public key (RFC 8032); else empty
};

// A private key held in memory; never printed, never logged.
class SigningKey {
  public:
    // Makes `<directory>/<name>.key` (armored secret key, 0600, in a 0700 directory) and
    // `<directory>/<name>.asc` (armored public key). kFailed when one is there already.
    static Result<SigningKey> create(const std::string& directory,
                                     const std::string& name,
                                     const std::string& user_id,
                                     KeyAlgorithm algorithm,
                                     std::int64_t created);
    // kUsage when the file may be read by others.
    static Result<SigningKey> load(const std::string& directory, const std::string& name);
    SigningKey(SigningKey&&) noexcept;
    SigningKey& operator=(SigningKey&&) noexcept;
    ~SigningKey();

    const KeyInfo& info() const;
    std::string public_key_armored() const;
    // A binary v4 signature packet over `bytes` (type 0x00, SHA-256), made at `when`, or at the
    // key's creation if that is later: verifiers refuse older ones. Safe to call from several
    // threads.
    Result<std::string> sign_detached(std::string_view bytes, std::int64_t when) const;
    Result<std::string> sign_detached_armored(std::string_view bytes, std::int64_t when) const;
    // The 64 bytes of RFC 8032 over `bytes` themselves, for formats that know no OpenPGP. kUsage
    // for a key that is not Ed25519.
    Result<std::string> sign_ed25519(std::string_view bytes) const;

  private:
    struct Impl;
    explicit SigningKey(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

// Public keys that may vouch for something.
class Keyring {
  public:
    // Files: armored or binary public keys or keyrings.
    static Result<Keyring> load(const std::vector<std::string>& files);
    static Result<Keyring> parse(std::string_view bytes);
    Keyring(Keyring&&) noexcept;
    Keyring& operator=(Keyring&&) noexcept;
    ~Keyring();
    std::vector<KeyInfo> keys() const;

    struct Verified {
        std::string text;              // what was signed
        std::vector<KeyInfo> signers;  // valid signatures by keys of this ring; never empty
    };
    // A cleartext-signed document (InRelease). kCorrupt when no signature of a known key is valid;
    // the notes name the key ids that signed.
    Result<Verified> verify_cleartext(std::string_view document) const;
    // A detached signature, armored or binary.
    Result<std::vector<KeyInfo>> verify_detached(std::string_view bytes,
                                                 std::string_view signature) const;

  private:
    struct Impl;
    explicit Keyring(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

// Of sign_ed25519; false for anything malformed.
bool verify_ed25519(std::string_view point, std::string_view bytes, std::string_view signature);

// Keys in a directory, by name.
struct NamedKey {
    std::string name;
    KeyInfo info;
};
Result<std::vector<NamedKey>> list_keys(const std::string& directory);

}  // namespace tarn
