// SPDX-License-Identifier: MIT
// The little of DER (X.690) that signatures of boot programs need, written and read.
#pragma once

#include "base/result.hh"

#include <optional>
#include <string>
#include <string_view>

namespace tarn::efi::der {

inline constexpr unsigned char kInteger = 0x02, kBitString = 0x03, kOctetString = 0x04,
                               kNull = 0x05, kOid = 0x06, kSequence = 0x30, kSet = 0x31;
// [n], constructed or primitive.
constexpr unsigned char context(unsigned number) {
    return static_cast<unsigned char>(0xa0u + number);
}
constexpr unsigned char context_primitive(unsigned number) {
    return static_cast<unsigned char>(0x80u + number);
}

std::string value(unsigned char tag, std::string_view content);
std::string oid(std::string_view dotted);
// AlgorithmIdentifier with NULL parameters.
std::string algorithm(std::string_view dotted);

struct Item {
    unsigned char tag = 0;
    std::string_view content;
    std::string_view whole;  // with tag and length
};

// Reads one value after the other; definite lengths of at most four bytes.
class Reader {
  public:
    explicit Reader(std::string_view bytes) : rest_(bytes) {}
    std::optional<Item> next();
    // The next value when it has this tag.
    std::optional<Item> next(unsigned char tag);
    bool done() const { return rest_.empty(); }

  private:
    std::string_view rest_;
};

}  // namespace tarn::efi::der
