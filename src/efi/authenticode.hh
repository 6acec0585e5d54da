// SPDX-License-Identifier: MIT
// Signatures of PE images (Microsoft, "Windows Authenticode Portable Executable Signature Format",
// and UEFI 2.10, 32.2.2): a PKCS#7 SignedData over the image's SHA-256, in the certificate table at
// the file's end. Nothing in it depends on the time of signing.
#pragma once

#include "base/hash.hh"
#include "efi/certificate.hh"

#include <string>
#include <string_view>
#include <vector>

namespace tarn::efi {

// SHA-256 over all but the checksum, the certificate table and its directory entry. The image
// counts as padded to 8 bytes, as it is once it is signed. kCorrupt when it is no PE32+ image.
Result<Sha256Sum> image_hash(std::string_view pe);

// The PKCS#7 structures (DER) in the certificate table, in order; none when it is not signed.
Result<std::vector<std::string>> image_signatures(std::string_view pe);

// The image with one more signature: padded to 8 bytes, checksum computed.
Result<std::string> attach_signature(std::string_view pe, std::string_view pkcs7);

// The image without its certificate table, padded to 8 bytes, checksum 0. Two images differ in
// nothing but their signatures when this is the same of both.
Result<std::string> strip_signatures(std::string_view pe);

// A PKCS#7 signature of the image.
Result<std::string> make_signature(std::string_view pe,
                                   const Key& key,
                                   const Certificate& certificate);

// Accepts what firmware with `trusted` in its db accepts: one signature over the image's hash whose
// signer is trusted or issued by a trusted certificate. kCorrupt with the reasons otherwise.
Result<void> verify_image(std::string_view pe, const std::vector<Certificate>& trusted);

// Whether one PKCS#7 structure is such a signature of an image with this hash.
Result<void> verify_signature(std::string_view pkcs7,
                              const Sha256Sum& hash,
                              const std::vector<Certificate>& trusted);

}  // namespace tarn::efi
