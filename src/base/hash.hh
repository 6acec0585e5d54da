// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.hh"

namespace tarn {

using Sha256Sum = std::array<std::uint8_t, 32>;

enum class HashKind { kMd5, kSha1, kSha256, kSha512 };

// A running hash (OpenSSL EVP).
class Hasher {
  public:
    explicit Hasher(HashKind kind = HashKind::kSha256);
    Hasher(Hasher&&) noexcept;
    Hasher& operator=(Hasher&&) noexcept;
    ~Hasher();
    void update(std::string_view bytes);
    std::string finish_hex();
    Sha256Sum finish();  // kSha256 only

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

Sha256Sum sha256(std::string_view bytes);
std::string sha256_hex(std::string_view bytes);
std::string hash_hex(HashKind kind, std::string_view bytes);
Result<std::string> hash_file_hex(HashKind kind, const std::string& path);

std::string to_hex(std::string_view bytes);
// Lower or upper case; nullopt on anything else or odd length.
bool from_hex(std::string_view hex, std::string& out);

}  // namespace tarn
