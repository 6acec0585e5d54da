// SPDX-License-Identifier: MIT
// What stands around the main header in a package file: lead, signature header, payload
// (docs/formats/rpm.md).
#pragma once

#include "base/result.hh"
#include "rpm/detail/header.hh"

#include <cstdint>
#include <string>
#include <string_view>

namespace tarn::rpm {

inline constexpr std::uint64_t kLeadSize = 96;

// A package file taken apart; the views point into its bytes.
struct Frame {
    std::string_view lead, header, payload;  // header: with its magic
    std::string_view signature_blob, header_blob;
    std::uint64_t header_start = 0, header_end = 0;
};
// Bounds and magic numbers only. `name` is for errors.
Result<Frame> parse_frame(std::string_view bytes, std::string_view name);

// The frame with both headers read and the main header's digest compared.
struct Opened {
    Frame frame;
    HeaderValue signature, header;
    std::string header_sha256;
};
Result<Opened> open_package(std::string_view bytes, std::string_view name);
// SHA-256 of the payload against the header; kCorrupt, also when the header names none.
Result<void> check_payload(const Opened& package, std::string_view name);

std::string make_lead(const Nevra& nevra);

// How large header and payload are; recorded in the signature header.
struct Sizes {
    std::uint64_t header_and_payload = 0;
    std::uint64_t archive = 0;  // the cpio archive, uncompressed
};
// The signature header of a package that is not signed, as it lies in the file: magic, blob and
// padding. Always of one length, whatever the sizes are.
std::string make_signature_header(const std::string& header_sha256, const Sizes& sizes);
// `old` with a header signature instead of any it had. Keeps the length of `old_size` bytes as long
// as the reserved space suffices.
std::string make_signed_header(const HeaderValue& old,
                               std::size_t old_size,
                               std::string_view signature,
                               bool is_rsa);

}  // namespace tarn::rpm
