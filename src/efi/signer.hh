// SPDX-License-Identifier: MIT
// How the programs a machine boots get their signatures: with a key at hand, or with signatures
// that were made elsewhere and lie in a directory of the project.
#pragma once

#include "efi/authenticode.hh"
#include "store/digest.hh"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::efi {

struct KeySource {
    std::string certificate;  // file, PEM or DER
    // Exactly one of these:
    std::string key_file;              // PEM
    std::string pkcs11;                // URI
    std::vector<std::string> command;  // argv
    std::string signatures;            // directory of <image hash in hex>.p7s (DER)
};

class ImageSigner {
  public:
    virtual ~ImageSigner() = default;
    // The signed image. `name` is where it is going to lie, for messages.
    virtual Result<std::string> sign(std::string_view name, std::string_view pe) const = 0;
    // Changes when signed images may: goes into keys of results.
    virtual Digest identity() const = 0;
};

// The key at hand of a source; kUsage when it has none.
Result<std::unique_ptr<Key>> open_key(const KeySource& source, const Certificate& certificate);

// kUsage when the source names no way to sign or several. Every signature is verified with the
// certificate before it is attached, whoever made it. A key is opened when the first image is
// signed.
Result<std::unique_ptr<ImageSigner>> open_signer(const KeySource& source);

// ---- signing elsewhere ------------------------------------------------------------------------

struct UnsignedImage {
    std::string name;    // "EFI/BOOT/BOOTX64.EFI"
    std::string file;    // in the directory: "efi-boot-bootx64.efi"
    std::string sha256;  // of the file
    std::string authenticode_sha256;
    std::uint64_t size = 0;
};

// Signs nothing: keeps what it is asked to sign. For export_unsigned.
class Collector final : public ImageSigner {
  public:
    Result<std::string> sign(std::string_view name, std::string_view pe) const override;
    Digest identity() const override;
    // Writes the images and unsigned.json into a new or empty directory. kUsage when it is not.
    Result<std::vector<UnsignedImage>> write(const std::string& directory) const;

  private:
    struct Kept {
        std::string name, bytes;
    };
    mutable std::vector<Kept> kept_;  // in the order of signing
};

Result<std::vector<UnsignedImage>> read_unsigned_list(const std::string& directory);

// Takes signatures out of a directory that export wrote and in which each image is now signed, or
// has a detached PKCS#7 signature beside it (<file>.p7s, DER or PEM), and puts them into
// `signatures`. All are checked first: an image that differs in more than its signatures, or whose
// signature does not hold for the certificate, is kCorrupt and nothing is written. The number
// taken.
Result<std::size_t> inject_signatures(const std::string& directory,
                                      const Certificate& certificate,
                                      const std::string& signatures);

}  // namespace tarn::efi
