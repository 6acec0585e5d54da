// SPDX-License-Identifier: MIT
#include "rpm/detail/cpio.hh"

#include "base/strings.hh"

namespace tarn::rpm {

namespace {

constexpr std::string_view kNewc = "070701";
constexpr std::string_view kIndexed = "07070X";
constexpr std::string_view kTrailer = "TRAILER!!!";
constexpr std::uint64_t kNewcSize = 110;
constexpr std::uint64_t kMaxName = 4096;

}  // namespace

std::size_t cpio_padding(std::uint64_t size) {
    return static_cast<std::size_t>((4 - size % 4) % 4);
}

std::string cpio_header(const CpioEntry& entry) {
    std::string bytes = fmt::format(
        "{}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}",
        kNewc,
        entry.inode,
        entry.mode,
        0,
        0,
        entry.links,
        entry.mtime,
        entry.size,
        0,
        0,
        entry.device_major,
        entry.device_minor,
        entry.name.size() + 1,
        0);
    bytes += entry.name;
    bytes.push_back('\0');
    bytes.append(cpio_padding(bytes.size()), '\0');
    return bytes;
}

std::string cpio_indexed_header(std::uint32_t index) {
    std::string bytes = fmt::format("{}{:08x}", kIndexed, index);
    bytes.append(cpio_padding(bytes.size()), '\0');
    return bytes;
}

std::string cpio_trailer() {
    CpioEntry entry;
    entry.name = kTrailer;
    return cpio_header(entry);
}

Result<std::string_view> CpioReader::take(std::uint64_t size) {
    if (size > bytes_.size() - at_) {
        return fail(ErrorKind::kCorrupt, "the payload ends in the middle of a file");
    }
    const std::string_view part = bytes_.substr(at_, size);
    at_ += size;
    return part;
}

Result<void> CpioReader::align() {
    TARN_TRY(take(cpio_padding(at_)));
    return {};
}

Result<bool> CpioReader::next(CpioItem& item) {
    TARN_TRY(align());
    const std::string_view magic = TARN_TRY(take(kNewc.size()));
    if (magic == kIndexed) {
        const auto index = parse_u64(TARN_TRY(take(8)), 16);
        if (!index) {
            return fail(ErrorKind::kCorrupt, "malformed cpio entry in the payload");
        }
        item = {CpioForm::kIndexed, {}, static_cast<std::uint32_t>(*index), 0};
        TARN_TRY(align());
        return true;
    }
    if (magic != kNewc) {
        return fail(ErrorKind::kCorrupt, "malformed cpio entry in the payload");
    }
    const std::string_view fields = TARN_TRY(take(kNewcSize - kNewc.size()));
    const auto size = parse_u64(fields.substr(6 * 8, 8), 16);
    const auto name_size = parse_u64(fields.substr(11 * 8, 8), 16);
    if (!size || !name_size || *name_size == 0 || *name_size > kMaxName) {
        return fail(ErrorKind::kCorrupt, "malformed cpio entry in the payload");
    }
    const std::string_view name = TARN_TRY(take(*name_size));
    if (name.find('\0') != name.size() - 1) {
        return fail(ErrorKind::kCorrupt, "malformed file name in the payload");
    }
    item = {CpioForm::kNewc, name.substr(0, name.size() - 1), 0, *size};
    TARN_TRY(align());
    return item.name != kTrailer;
}

Result<std::string_view> CpioReader::contents(std::uint64_t size) {
    return take(size);
}

}  // namespace tarn::rpm
