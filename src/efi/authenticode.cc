// SPDX-License-Identifier: MIT
#include "efi/authenticode.hh"

#include "efi/detail/bytes.hh"
#include "efi/detail/der.hh"
#include "efi/detail/pe.hh"
#include "efi/detail/pkcs7.hh"

#include <algorithm>

namespace tarn::efi {
namespace {

constexpr std::size_t kCertificateHeader = 8;  // WIN_CERTIFICATE: length, revision, type
constexpr std::uint64_t kRevision2 = 0x0200, kPkcsSignedData = 0x0002;

std::string_view range(std::string_view bytes, std::uint64_t begin, std::uint64_t end) {
    return bytes.substr(begin, end - begin);
}

Sha256Sum hash_of(std::string_view pe, const PeImage& image) {
    Hasher hasher;
    hasher.update(range(pe, 0, image.checksum));
    hasher.update(range(pe, image.checksum + 4, image.directory));
    hasher.update(range(pe, image.directory + 8, image.headers));
    std::uint64_t hashed = image.headers;
    for (const PeRange& section : image.sections) {
        hasher.update(pe.substr(section.begin, section.size));
        hashed += section.size;
    }
    // What follows begins, by the specification, as many bytes into the file as were hashed.
    if (hashed < image.content_size) {
        hasher.update(range(pe, hashed, image.content_size));
    }
    hasher.update(std::string(align_up(image.content_size, 8) - image.content_size, '\0'));
    return hasher.finish();
}

// Bytes between sections are in no hash.
Result<void> check_covered(const PeImage& image) {
    std::uint64_t end = image.headers;
    for (const PeRange& section : image.sections) {
        if (section.begin != end) {
            return fail(ErrorKind::kCorrupt,
                        "the program has {} bytes between its sections that no signature covers",
                        section.begin - end);
        }
        end += section.size;
    }
    return {};
}

void set_table(std::string& pe, const PeImage& image, std::uint64_t begin, std::uint64_t size) {
    put_le(pe, image.directory, begin, 4);
    put_le(pe, image.directory + 4, size, 4);
}

}  // namespace

Result<Sha256Sum> image_hash(std::string_view pe) {
    const PeImage image = TARN_TRY(parse_pe(pe));
    return hash_of(pe, image);
}

Result<std::vector<std::string>> image_signatures(std::string_view pe) {
    const PeImage image = TARN_TRY(parse_pe(pe));
    const std::string_view table = pe.substr(image.content_size, image.table.size);
    std::vector<std::string> out;
    for (std::size_t at = 0; at < table.size();) {
        const std::uint64_t length = take_le(table, at, 4);
        if (length < kCertificateHeader || length > table.size() - at) {
            return fail(ErrorKind::kCorrupt, "the certificate table is damaged");
        }
        if (take_le(table, at + 4, 2) == kRevision2 &&
            take_le(table, at + 6, 2) == kPkcsSignedData) {
            const std::string_view bytes =
                table.substr(at + kCertificateHeader, length - kCertificateHeader);
            // Some tools count the padding to 8 bytes in the length.
            const auto item = der::Reader(bytes).next(der::kSequence);
            out.emplace_back(item ? item->whole : bytes);
        }
        at = std::min<std::uint64_t>(align_up(at + length, 8), table.size());
    }
    return out;
}

Result<std::string> attach_signature(std::string_view pe, std::string_view pkcs7) {
    const PeImage image = TARN_TRY(parse_pe(pe));
    std::string out(pe);
    out.resize(align_up(out.size(), 8), '\0');
    const std::uint64_t begin = align_up(image.content_size, 8);
    append_le(out, kCertificateHeader + pkcs7.size(), 4);
    append_le(out, kRevision2, 2);
    append_le(out, kPkcsSignedData, 2);
    out.append(pkcs7);
    out.resize(align_up(out.size(), 8), '\0');
    set_table(out, image, begin, out.size() - begin);
    put_le(out, image.checksum, pe_checksum(out, image.checksum), 4);
    TARN_TRY(parse_pe(out));  // not beyond what PE can hold
    return out;
}

Result<std::string> strip_signatures(std::string_view pe) {
    const PeImage image = TARN_TRY(parse_pe(pe));
    std::string out(pe.substr(0, image.content_size));
    out.resize(align_up(out.size(), 8), '\0');
    set_table(out, image, 0, 0);
    put_le(out, image.checksum, 0, 4);
    return out;
}

Result<std::string> make_signature(std::string_view pe,
                                   const Key& key,
                                   const Certificate& certificate) {
    const PeImage image = TARN_TRY(parse_pe(pe));
    TARN_TRY(check_covered(image));
    const Sha256Sum sum = hash_of(pe, image);
    return sign_image_hash(std::string(sum.begin(), sum.end()), key, certificate);
}

Result<void> verify_signature(std::string_view pkcs7,
                              const Sha256Sum& hash,
                              const std::vector<Certificate>& trusted) {
    const std::string signed_hash = TARN_TRY(verified_image_hash(pkcs7, trusted));
    if (signed_hash != std::string(hash.begin(), hash.end())) {
        return fail(ErrorKind::kCorrupt, "the signature is one of another program");
    }
    return {};
}

Result<void> verify_image(std::string_view pe, const std::vector<Certificate>& trusted) {
    const Sha256Sum hash = TARN_TRY(image_hash(pe));
    const std::vector<std::string> signatures = TARN_TRY(image_signatures(pe));
    if (signatures.empty()) {
        return fail(ErrorKind::kCorrupt, "the program is not signed");
    }
    Error refused = error(ErrorKind::kCorrupt, "no signature of the program is accepted");
    for (const std::string& signature : signatures) {
        const auto verdict = verify_signature(signature, hash, trusted);
        if (verdict) {
            return {};
        }
        refused.notes.push_back(verdict.error().message);
    }
    return fail(std::move(refused));
}

}  // namespace tarn::efi
