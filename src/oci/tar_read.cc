// SPDX-License-Identifier: MIT
#include "base/strings.hh"
#include "oci/tar.hh"

#include <algorithm>
#include <optional>

namespace tarn::oci {
namespace {

constexpr std::size_t kBlock = 512;

std::string_view field(std::string_view block, std::size_t at, std::size_t size) {
    const std::string_view out = block.substr(at, size);
    return out.substr(0, out.find('\0'));
}

// Octal digits between blanks, or GNU's two's complement when the top bit is set.
std::optional<std::int64_t> number(std::string_view block, std::size_t at, std::size_t size) {
    const std::string_view raw = block.substr(at, size);
    const auto first = static_cast<unsigned char>(raw[0]);
    if ((first & 0x80u) != 0) {
        const bool negative = (first & 0x40u) != 0;
        std::uint64_t value = negative ? ~std::uint64_t{0} << 6 | (first & 0x3fu) : first & 0x3fu;
        for (std::size_t i = 1; i < size; ++i) {
            const std::uint64_t top = value >> 55;
            if (top != 0 && top != 0x1ff) {
                return std::nullopt;
            }
            value = value << 8 | static_cast<unsigned char>(raw[i]);
        }
        return static_cast<std::int64_t>(value);
    }
    const std::string_view digits = trim(raw.substr(0, raw.find('\0')));
    if (digits.empty()) {
        return 0;
    }
    const auto value = parse_u64(digits, 8);
    if (!value || *value > static_cast<std::uint64_t>(INT64_MAX)) {
        return std::nullopt;
    }
    return static_cast<std::int64_t>(*value);
}

bool checksum_fits(std::string_view block) {
    const auto said = number(block, 148, 8);
    std::int64_t is_unsigned = 8 * ' ', is_signed = 8 * ' ';
    for (std::size_t i = 0; i < kBlock; ++i) {
        if (i < 148 || i >= 156) {
            is_unsigned += static_cast<unsigned char>(block[i]);
            is_signed += static_cast<signed char>(block[i]);
        }
    }
    return said && (*said == is_unsigned || *said == is_signed);
}

std::optional<std::int64_t> whole_seconds(std::string_view text) {
    const bool negative = text.starts_with('-');
    const std::string_view digits = text.substr(negative ? 1 : 0);
    const std::size_t dot = digits.find('.');
    const auto value = parse_u64(digits.substr(0, dot));
    if (!value || *value > static_cast<std::uint64_t>(INT64_MAX) - 1) {
        return std::nullopt;
    }
    const auto seconds = static_cast<std::int64_t>(*value);
    const bool part = dot != std::string_view::npos &&
                      digits.find_first_not_of('0', dot + 1) != std::string_view::npos;
    return negative ? -seconds - (part ? 1 : 0) : seconds;
}

std::string path_of(std::string_view block) {
    const std::string_view name = field(block, 0, 100);
    const bool ustar = block.substr(257, 6) == std::string_view("ustar\0", 6);
    const std::string_view prefix = ustar ? field(block, 345, 155) : std::string_view();
    return prefix.empty() ? std::string(name) : fmt::format("{}/{}", prefix, name);
}

// What a header block says: nullptr, or what is wrong with it.
const char* read_header(std::string_view block, TarMember& out, std::uint64_t& size) {
    if (!checksum_fits(block)) {
        return "no tar header (its checksum does not fit)";
    }
    const auto bytes = number(block, 124, 12), mode = number(block, 100, 8);
    const auto uid = number(block, 108, 8), gid = number(block, 116, 8);
    const auto mtime = number(block, 136, 12);
    if (!bytes || !mode || !uid || !gid || !mtime || *bytes < 0 || *uid < 0 || *gid < 0) {
        return "a header with numbers that are none";
    }
    out = TarMember{};
    size = static_cast<std::uint64_t>(*bytes);
    out.type = block[156];
    out.path = path_of(block);
    out.link = field(block, 157, 100);
    out.mode = static_cast<std::uint32_t>(*mode) & 07777u;
    out.uid = static_cast<std::uint64_t>(*uid);
    out.gid = static_cast<std::uint64_t>(*gid);
    out.mtime = *mtime;
    out.user = field(block, 265, 32);
    out.group = field(block, 297, 32);
    out.device_major = static_cast<std::uint32_t>(number(block, 329, 8).value_or(0));
    out.device_minor = static_cast<std::uint32_t>(number(block, 337, 8).value_or(0));
    return nullptr;
}

}  // namespace

Failure TarReader::broken(std::string_view what) const {
    return fail(ErrorKind::kCorrupt, "{}: byte {}: {}", name_, at_, what);
}

// The bytes after a header, up to the next one.
Result<std::string_view> TarReader::extended(std::uint64_t size, std::string_view what) {
    if (size > limits_.extended_bytes) {
        return broken(
            fmt::format("{} of {} bytes, more than {}", what, size, limits_.extended_bytes));
    }
    if (size > bytes_.size() - at_) {
        return broken(fmt::format("the archive ends within {}", what));
    }
    const std::string_view out = bytes_.substr(at_, size);
    at_ = std::min(bytes_.size(), at_ + (size + kBlock - 1) / kBlock * kBlock);
    return out;
}

Result<void> TarReader::read_pax(std::string_view text, Records& out) const {
    while (!text.empty()) {
        const std::size_t space = text.find(' ');
        const auto length = parse_u64(text.substr(0, space));
        if (space == std::string_view::npos || !length || *length <= space + 1 ||
            *length > text.size() || text[*length - 1] != '\n') {
            return broken("a pax record that is none");
        }
        const std::string_view record = text.substr(space + 1, *length - space - 2);
        const std::size_t equals = record.find('=');
        if (equals == std::string_view::npos || equals == 0) {
            return broken("a pax record without a key");
        }
        out.insert_or_assign(std::string(record.substr(0, equals)),
                             std::string(record.substr(equals + 1)));
        text.remove_prefix(*length);
    }
    return {};
}

Result<void> TarReader::apply(const Records& records, TarMember& out, std::uint64_t& size) const {
    constexpr std::string_view kXattr = "SCHILY.xattr.";
    for (const auto& [key, value] : records) {
        if (key == "path") {
            out.path = value;
        } else if (key == "linkpath") {
            out.link = value;
        } else if (key == "uname") {
            out.user = value;
        } else if (key == "gname") {
            out.group = value;
        } else if (key == "mtime") {
            const auto time = whole_seconds(value);
            if (!time) {
                return broken(fmt::format("the time `{}`", value.substr(0, 40)));
            }
            out.mtime = *time;
        } else if (key == "uid" || key == "gid" || key == "size") {
            const auto number_value = parse_u64(value);
            if (!number_value) {
                return broken(fmt::format("{} is `{}`", key, value.substr(0, 40)));
            }
            (key == "uid" ? out.uid : key == "gid" ? out.gid : size) = *number_value;
        } else if (key.starts_with(kXattr) && key.size() > kXattr.size()) {
            out.xattrs[key.substr(kXattr.size())] = value;
        } else if (key.starts_with("GNU.sparse.")) {
            return broken("a sparse file; refused");
        }
    }
    return {};
}

Result<void> TarReader::finish(const Records& records, TarMember& out, std::uint64_t size) {
    TARN_TRY(apply(global_, out, size));
    TARN_TRY(apply(records, out, size));
    if (out.type == '\0' || out.type == '7') {
        out.type = out.path.ends_with('/') ? '5' : '0';
    }
    if (out.type < '0' || out.type > '6') {
        return broken(out.type == 'S' ? std::string("a sparse file; refused")
                                      : fmt::format("a member of the unknown type {:#04x}",
                                                    static_cast<unsigned char>(out.type)));
    }
    if (out.path.empty() || out.path.find('\0') != std::string::npos ||
        out.link.find('\0') != std::string::npos) {
        return broken("a member without a usable name");
    }
    if (out.path.size() > limits_.path_bytes || out.link.size() > limits_.path_bytes) {
        return broken(fmt::format("a name of more than {} bytes", limits_.path_bytes));
    }
    if (out.type != '0') {
        size = 0;  // as every reader does; some writers repeat the size of a hard link's target
    }
    if (size > bytes_.size() - at_) {
        return broken(fmt::format("the archive ends within {}", out.path));
    }
    content_ += size;
    if (content_ > limits_.content_bytes) {
        return broken(fmt::format("more than {} bytes of files", limits_.content_bytes));
    }
    out.content = bytes_.substr(at_, size);
    at_ = std::min<std::size_t>(bytes_.size(), at_ + (size + kBlock - 1) / kBlock * kBlock);
    return {};
}

Result<bool> TarReader::next(TarMember& out) {
    Records records;
    std::string long_path, long_link;
    for (;;) {
        if (bytes_.size() - at_ < kBlock) {
            if (at_ != bytes_.size() || !records.empty() || !long_path.empty()) {
                return broken("the archive ends within a header");
            }
            return false;
        }
        const std::string_view block = bytes_.substr(at_, kBlock);
        if (std::ranges::all_of(block, [](char c) { return c == '\0'; })) {
            return false;
        }
        std::uint64_t size = 0;
        if (const char* problem = read_header(block, out, size)) {
            return broken(problem);
        }
        if (++members_ > limits_.members) {
            return broken(fmt::format("more than {} members", limits_.members));
        }
        at_ += kBlock;
        if (out.type == 'x' || out.type == 'g') {
            const std::string_view text = TARN_TRY(extended(size, "a pax header"));
            TARN_TRY(read_pax(text, out.type == 'x' ? records : global_));
        } else if (out.type == 'L' || out.type == 'K') {
            const std::string_view text = TARN_TRY(extended(size, "a long name"));
            (out.type == 'L' ? long_path : long_link) = text.substr(0, text.find('\0'));
        } else {
            if (!long_path.empty()) {
                out.path = std::move(long_path);
            }
            if (!long_link.empty()) {
                out.link = std::move(long_link);
            }
            TARN_TRY(finish(records, out, size));
            return true;
        }
    }
}

}  // namespace tarn::oci
