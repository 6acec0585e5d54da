// SPDX-License-Identifier: MIT
#include "rpm/detail/frame.hh"

#include "base/hash.hh"

#include <openssl/evp.h>

#include <cstring>
#include <limits>

namespace tarn::rpm {

namespace {

constexpr std::string_view kLeadMagic{"\xed\xab\xee\xdb", 4};
constexpr std::uint32_t kMaxTags = 0xffff;
constexpr std::uint32_t kMaxHeaderData = 256u << 20;
constexpr std::uint32_t kSignatureData = 64u << 20;
// Room for an RSA-4096 signature twice, binary and as text; the 4 KiB are rpm's own custom.
constexpr std::size_t kReserved = 4096 + 32;

std::uint32_t big_endian(std::string_view bytes, std::size_t offset) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i) {
        value = value << 8U | static_cast<unsigned char>(bytes[offset + i]);
    }
    return value;
}

// Length of the header structure at `offset`, magic included; nullopt when it is no header.
std::optional<std::uint64_t> header_length(std::string_view bytes,
                                           std::uint64_t offset,
                                           std::uint32_t max_data) {
    constexpr std::uint64_t kIntro = 16;
    if (offset > bytes.size() || bytes.size() - offset < kIntro ||
        bytes.substr(offset, kHeaderMagic.size()) != kHeaderMagic) {
        return std::nullopt;
    }
    const std::uint32_t tags = big_endian(bytes, offset + 8);
    const std::uint32_t data = big_endian(bytes, offset + 12);
    if (tags == 0 || tags > kMaxTags || data > max_data) {
        return std::nullopt;
    }
    const std::uint64_t length = kIntro + std::uint64_t{tags} * 16 + data;
    return length <= bytes.size() - offset ? std::optional(length) : std::nullopt;
}

std::uint64_t pad8(std::uint64_t size) {
    return (size + 7) & ~std::uint64_t{7};
}

std::string framed(const HeaderValue& signature) {
    std::string bytes(kHeaderMagic);
    bytes += signature.blob();
    bytes.resize(pad8(bytes.size()));
    return bytes;
}

std::string base64(std::string_view bytes) {
    std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
    const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                       reinterpret_cast<const unsigned char*>(bytes.data()),
                                       static_cast<int>(bytes.size()));
    text.resize(static_cast<std::size_t>(length));
    return text;
}

// Seals a copy of `base` with `reserved` zero bytes in it.
std::string with_reserve(const HeaderValue& base, std::size_t reserved) {
    HeaderValue header = base.copy();
    header.put_binary(RPMSIGTAG_RESERVEDSPACE, std::string(reserved, '\0'));
    header.seal(RPMTAG_HEADERSIGNATURES);
    return framed(header);
}

// With as much reserved space as gives `size` bytes in all, or a little when that is too small.
std::string with_size(const HeaderValue& base, std::size_t size) {
    constexpr std::size_t kLeast = 32;
    std::string bytes = with_reserve(base, kLeast);
    if (bytes.size() < size) {
        bytes = with_reserve(base, kLeast + size - bytes.size());
    }
    return bytes;
}

}  // namespace

Result<Frame> parse_frame(std::string_view bytes, std::string_view name) {
    if (bytes.size() < kLeadSize || !bytes.starts_with(kLeadMagic)) {
        return fail(ErrorKind::kCorrupt, "{} is not an RPM package", name);
    }
    const auto signature = header_length(bytes, kLeadSize, kSignatureData);
    if (!signature) {
        return fail(ErrorKind::kCorrupt, "{}: truncated or malformed signature header", name);
    }
    Frame frame;
    frame.header_start = kLeadSize + pad8(*signature);
    const auto header = header_length(bytes, frame.header_start, kMaxHeaderData);
    if (!header) {
        return fail(ErrorKind::kCorrupt, "{}: truncated or malformed header", name);
    }
    frame.header_end = frame.header_start + *header;
    frame.lead = bytes.substr(0, kLeadSize);
    frame.signature_blob = bytes.substr(kLeadSize, *signature).substr(kHeaderMagic.size());
    frame.header = bytes.substr(frame.header_start, *header);
    frame.header_blob = frame.header.substr(kHeaderMagic.size());
    frame.payload = bytes.substr(frame.header_end);
    return frame;
}

Result<Opened> open_package(std::string_view bytes, std::string_view name) {
    const Frame frame = TARN_TRY(parse_frame(bytes, name));
    HeaderValue signature = TARN_TRY(HeaderValue::import(frame.signature_blob, name));
    HeaderValue header = TARN_TRY(HeaderValue::import(frame.header_blob, name));
    Opened opened{frame, std::move(signature), std::move(header), sha256_hex(frame.header)};
    const std::string sha256 = opened.signature.string(RPMSIGTAG_SHA256);
    const std::string sha1 = opened.signature.string(RPMSIGTAG_SHA1);
    if (sha256.empty() && sha1.empty()) {
        return fail(ErrorKind::kCorrupt, "{}: there is no digest of the header", name);
    }
    const bool good = sha256.empty() ? hash_hex(HashKind::kSha1, frame.header) == sha1
                                     : opened.header_sha256 == sha256;
    if (!good) {
        return fail(error(ErrorKind::kCorrupt, "{}: the header was altered", name)
                        .note(fmt::format("its digest is {}, expected {}",
                                          opened.header_sha256,
                                          sha256.empty() ? sha1 : sha256)));
    }
    return opened;
}

Result<void> check_payload(const Opened& package, std::string_view name) {
    const std::string expected = package.header.string(RPMTAG_PAYLOADDIGEST);
    if (expected.empty() || package.header.number(RPMTAG_PAYLOADDIGESTALGO) != 8U) {
        return fail(ErrorKind::kCorrupt, "{}: there is no SHA-256 of the payload", name);
    }
    const std::uint64_t size = package.frame.header.size() + package.frame.payload.size();
    for (const rpmTagVal tag : {rpmTagVal{RPMSIGTAG_SIZE}, rpmTagVal{RPMSIGTAG_LONGSIZE}}) {
        if (package.signature.number(tag).value_or(size) != size) {
            return fail(ErrorKind::kCorrupt,
                        "{}: it is {} bytes long, expected {}",
                        name,
                        package.frame.header_start + size,
                        package.frame.header_start + *package.signature.number(tag));
        }
    }
    const std::string actual = sha256_hex(package.frame.payload);
    if (actual != expected) {
        return fail(error(ErrorKind::kCorrupt, "{}: the payload was altered or cut off", name)
                        .note(fmt::format("its digest is {}, expected {}", actual, expected)));
    }
    return {};
}

std::string make_lead(const Nevra& nevra) {
    constexpr std::size_t kNameOffset = 10;
    constexpr std::size_t kNameSize = 66;
    std::string lead(kLeadSize, '\0');
    std::memcpy(lead.data(), kLeadMagic.data(), kLeadMagic.size());
    lead[4] = 3;  // major version of the lead; minor is 0, and so is the type: binary
    // Numbers of architectures as rpmrc has them; nothing reads them any more.
    const int arch = nevra.arch == "noarch" ? 255 : nevra.arch == "aarch64" ? 19 : 1;
    lead[9] = static_cast<char>(arch);
    const std::string name =
        fmt::format("{}-{}-{}", nevra.name, nevra.evr.version, nevra.evr.release)
            .substr(0, kNameSize - 1);
    std::memcpy(lead.data() + kNameOffset, name.data(), name.size());
    lead[77] = 1;  // Linux
    lead[79] = 5;  // a header with signatures follows
    return lead;
}

std::string make_signature_header(const std::string& header_sha256, const Sizes& sizes) {
    HeaderValue header;
    constexpr std::uint64_t kMax32 = std::numeric_limits<std::uint32_t>::max();
    header.put_string(RPMSIGTAG_SHA256, header_sha256);
    if (sizes.header_and_payload > kMax32 || sizes.archive > kMax32) {
        header.put_u64(RPMSIGTAG_LONGSIZE, {sizes.header_and_payload});
        header.put_u64(RPMSIGTAG_LONGARCHIVESIZE, {sizes.archive});
    } else {
        header.put_u32(RPMSIGTAG_SIZE, {static_cast<std::uint32_t>(sizes.header_and_payload)});
        header.put_u32(RPMSIGTAG_PAYLOADSIZE, {static_cast<std::uint32_t>(sizes.archive)});
    }
    HeaderValue usual;
    usual.put_string(RPMSIGTAG_SHA256, header_sha256);
    usual.put_u32(RPMSIGTAG_SIZE, {0});
    usual.put_u32(RPMSIGTAG_PAYLOADSIZE, {0});
    return with_size(header, with_reserve(usual, kReserved).size());
}

std::string make_signed_header(const HeaderValue& old,
                               std::size_t old_size,
                               std::string_view signature,
                               bool is_rsa) {
    HeaderValue header = old.copy();
    for (const rpmTagVal tag : {rpmTagVal{RPMTAG_HEADERSIGNATURES},
                                rpmTagVal{RPMSIGTAG_DSA},
                                rpmTagVal{RPMSIGTAG_RSA},
                                rpmTagVal{RPMSIGTAG_PGP},
                                rpmTagVal{RPMSIGTAG_GPG},
                                kTagOpenPgp,
                                rpmTagVal{RPMSIGTAG_RESERVEDSPACE}}) {
        header.remove(tag);
    }
    header.put_binary(is_rsa ? RPMSIGTAG_RSA : RPMSIGTAG_DSA, signature);
    header.put_strings(kTagOpenPgp, {base64(signature)});
    return with_size(header, old_size);
}

}  // namespace tarn::rpm
