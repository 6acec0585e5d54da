// SPDX-License-Identifier: MIT
#include "efi/detail/der.hh"

#include "base/strings.hh"

#include <vector>

namespace tarn::efi::der {

std::string value(unsigned char tag, std::string_view content) {
    std::string out(1, static_cast<char>(tag));
    if (content.size() < 0x80) {
        out.push_back(static_cast<char>(content.size()));
    } else {
        std::string length;
        for (std::size_t rest = content.size(); rest > 0; rest >>= 8) {
            length.insert(length.begin(), static_cast<char>(rest & 0xff));
        }
        out.push_back(static_cast<char>(0x80 | length.size()));
        out += length;
    }
    return out.append(content);
}

std::string oid(std::string_view dotted) {
    std::vector<std::uint64_t> arcs;
    for (const std::string_view part : split(dotted, '.')) {
        const auto arc = parse_u64(part);
        TARN_CHECK(arc.has_value());
        arcs.push_back(*arc);
    }
    TARN_CHECK(arcs.size() >= 2);
    std::string out(1, static_cast<char>(arcs[0] * 40 + arcs[1]));
    for (std::size_t i = 2; i < arcs.size(); ++i) {
        std::string digits(1, static_cast<char>(arcs[i] & 0x7f));
        for (std::uint64_t rest = arcs[i] >> 7; rest > 0; rest >>= 7) {
            digits.insert(digits.begin(), static_cast<char>(0x80 | (rest & 0x7f)));
        }
        out += digits;
    }
    return value(kOid, out);
}

std::string algorithm(std::string_view dotted) {
    return value(kSequence, oid(dotted) + value(kNull, ""));
}

std::optional<Item> Reader::next() {
    if (rest_.size() < 2 || (rest_[0] & 0x1f) == 0x1f) {
        return std::nullopt;
    }
    Item item;
    item.tag = static_cast<unsigned char>(rest_[0]);
    std::size_t length = static_cast<unsigned char>(rest_[1]);
    std::size_t header = 2;
    if (length >= 0x80) {
        const std::size_t count = length & 0x7f;
        if (count == 0 || count > 4 || rest_.size() < 2 + count) {
            return std::nullopt;
        }
        length = 0;
        for (std::size_t i = 0; i < count; ++i) {
            length = length << 8 | static_cast<unsigned char>(rest_[2 + i]);
        }
        header += count;
    }
    if (rest_.size() - header < length) {
        return std::nullopt;
    }
    item.whole = rest_.substr(0, header + length);
    item.content = rest_.substr(header, length);
    rest_.remove_prefix(header + length);
    return item;
}

std::optional<Item> Reader::next(unsigned char tag) {
    if (rest_.empty() || static_cast<unsigned char>(rest_[0]) != tag) {
        return std::nullopt;
    }
    return next();
}

}  // namespace tarn::efi::der
