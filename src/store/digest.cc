// SPDX-License-Identifier: MIT
#include "store/digest.hh"

#include "base/hash.hh"
#include "base/strings.hh"

#include <algorithm>
#include <cstring>

namespace tarn {

std::string Digest::hex() const {
    return to_hex({reinterpret_cast<const char*>(sha256.data()), sha256.size()});
}

std::string Digest::to_string() const {
    return hex() + "/" + std::to_string(size);
}

std::optional<Digest> Digest::parse(std::string_view text) {
    const std::size_t slash = text.find('/');
    if (slash == std::string_view::npos) {
        return std::nullopt;
    }
    // One spelling only: no sign, no leading zero.
    const std::string_view number = text.substr(slash + 1);
    if (number.empty() || (number.size() > 1 && number.front() == '0') ||
        !std::all_of(number.begin(), number.end(), [](char c) { return c >= '0' && c <= '9'; })) {
        return std::nullopt;
    }
    const std::optional<std::uint64_t> size = parse_u64(number);
    return size ? from_hex(text.substr(0, slash), *size) : std::nullopt;
}

std::optional<Digest> Digest::from_hex(std::string_view hex, std::uint64_t size) {
    const auto lower = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
    std::string bytes;
    if (hex.size() != 64 || !std::all_of(hex.begin(), hex.end(), lower) ||
        !tarn::from_hex(hex, bytes)) {
        return std::nullopt;
    }
    Digest result;
    std::memcpy(result.sha256.data(), bytes.data(), result.sha256.size());
    result.size = size;
    return result;
}

Digest Digest::of(std::string_view bytes) {
    return Digest{tarn::sha256(bytes), bytes.size()};
}

std::size_t DigestHash::operator()(const Digest& digest) const {
    std::size_t result = 0;
    std::memcpy(&result, digest.sha256.data(), sizeof result);
    return result;
}

}  // namespace tarn
