// SPDX-License-Identifier: MIT
#include "efi/detail/bytes.hh"

#include "base/hash.hh"
#include "base/strings.hh"

#include <algorithm>

namespace tarn::efi {

std::string guid_bytes(std::string_view text) {
    std::string raw;
    TARN_CHECK(text.size() == 36 && from_hex(replace_all(std::string(text), "-", ""), raw));
    TARN_CHECK(raw.size() == 16);
    std::reverse(raw.begin(), raw.begin() + 4);
    std::reverse(raw.begin() + 4, raw.begin() + 6);
    std::reverse(raw.begin() + 6, raw.begin() + 8);
    return raw;
}

std::string utf16(std::string_view ascii) {
    std::string out;
    for (const char c : ascii) {
        out.push_back(c);
        out.push_back('\0');
    }
    return out;
}

}  // namespace tarn::efi
