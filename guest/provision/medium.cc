// SPDX-License-Identifier: MIT
#include "provision/medium.hh"

namespace tarn::guest {

namespace {

void append_utf8(std::string& out, std::uint32_t code) {
    const auto put = [&](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
    if (code < 0x80) {
        put(code);
    } else if (code < 0x800) {
        put(0xc0 | (code >> 6));
        put(0x80 | (code & 0x3f));
    } else if (code < 0x10000) {
        put(0xe0 | (code >> 12));
        put(0x80 | ((code >> 6) & 0x3f));
        put(0x80 | (code & 0x3f));
    } else {
        put(0xf0 | (code >> 18));
        put(0x80 | ((code >> 12) & 0x3f));
        put(0x80 | ((code >> 6) & 0x3f));
        put(0x80 | (code & 0x3f));
    }
}

}  // namespace

std::string from_utf16(std::string_view bytes, ByteOrder order) {
    const auto unit = [&](std::size_t at) -> std::uint32_t {
        const auto first = static_cast<unsigned char>(bytes[at]);
        const auto second = static_cast<unsigned char>(bytes[at + 1]);
        return order == ByteOrder::kBig ? static_cast<std::uint32_t>(first << 8 | second)
                                        : static_cast<std::uint32_t>(second << 8 | first);
    };
    std::string out;
    for (std::size_t at = 0; at + 1 < bytes.size(); at += 2) {
        std::uint32_t code = unit(at);
        if (code >= 0xd800 && code < 0xdc00 && at + 3 < bytes.size()) {
            const std::uint32_t low = unit(at + 2);
            if (low >= 0xdc00 && low < 0xe000) {
                code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
                at += 2;
            }
        }
        append_utf8(out, code >= 0xd800 && code < 0xe000 ? 0xfffd : code);
    }
    return out;
}

Result<std::string> Medium::read(std::uint64_t offset, std::size_t count) const {
    if (offset > size || count > size - offset) {
        return fail(
            ErrorKind::kCorrupt, "{}: what is at byte {} lies beyond its end", name, offset);
    }
    return read_at(offset, count);
}

Medium Medium::of_bytes(std::string name, std::string_view bytes) {
    return {std::move(name),
            bytes.size(),
            [bytes](std::uint64_t offset, std::size_t count) -> Result<std::string> {
                return std::string(bytes.substr(static_cast<std::size_t>(offset), count));
            }};
}

Result<std::optional<MediumContents>> read_medium(const Medium& medium,
                                                  const std::vector<std::string>& wanted) {
    // A bridge disk is of two formats: one that is broken is no reason not to read the other.
    std::optional<Error> problem;
    for (const auto& reader : {read_udf, read_iso9660, read_fat}) {
        auto contents = reader(medium, wanted);
        if (contents && *contents) {
            return contents;
        }
        if (!contents && !problem) {
            problem = std::move(contents.error());
        }
    }
    if (problem) {
        return fail(std::move(*problem));
    }
    return std::optional<MediumContents>();
}

}  // namespace tarn::guest
