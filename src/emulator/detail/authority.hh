// SPDX-License-Identifier: MIT
// What the platform signs with: tokens (RFC 7519, RS256) and attested documents (CMS, RFC 5652).
// All keys are made when the emulator starts and nobody else has them.
#pragma once

#include "base/result.hh"

#include <cstdint>
#include <memory>
#include <string>

namespace tarn::emulator {

// What is wrong with the signer of an attested document.
enum class Flaw { kNone, kWrongName, kUntrusted, kExpired };

class Authority {
  public:
    // `issuer_url`: where the intermediate certificate can be fetched; goes into the signer's.
    static Result<Authority> make(const std::string& issuer_url);
    Authority(Authority&&) noexcept;
    ~Authority();

    // Header and signature around claims (a JSON object).
    Result<std::string> token(const std::string& claims) const;
    // SignedData in DER with the payload in it, and the signer's certificate but not its issuer's.
    Result<std::string> attest(const std::string& payload, Flaw flaw);

    std::string jwks() const;              // RFC 7517: who checks tokens takes the key from here
    std::string root_pem() const;          // anchor of the attested document's chain
    std::string intermediate_der() const;  // its issuer

  private:
    struct Impl;
    explicit Authority(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace tarn::emulator
