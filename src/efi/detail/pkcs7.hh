// SPDX-License-Identifier: MIT
// PKCS#7 SignedData (RFC 2315) with one signer, as firmware expects it.
#pragma once

#include "efi/certificate.hh"

#include <string>
#include <string_view>
#include <vector>

namespace tarn::efi {

// A ContentInfo whose content is SpcIndirectDataContent for an image with this SHA-256. Signed
// attributes: content type and digest, no time.
Result<std::string> sign_image_hash(std::string_view sha256,
                                    const Key& key,
                                    const Certificate& certificate);

// A bare SignedData (UEFI 2.10, 8.2.2) over bytes that it does not hold, without attributes.
Result<std::string> sign_detached(std::string_view bytes,
                                  const Key& key,
                                  const Certificate& certificate);

// The image hash a signature stands for, once the signature over it is found to hold and to come
// from a trusted certificate.
Result<std::string> verified_image_hash(std::string_view pkcs7,
                                        const std::vector<Certificate>& trusted);

// Whether a bare SignedData over `bytes` holds and comes from a trusted certificate.
Result<void> verify_detached(std::string_view signed_data,
                             std::string_view bytes,
                             const std::vector<Certificate>& trusted);

}  // namespace tarn::efi
