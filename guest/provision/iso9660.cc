// SPDX-License-Identifier: MIT
// ISO 9660 (ECMA-119) with the names of Rock Ridge (IEEE P1282) or Joliet where a disk has them.
#include "base/bytes.hh"
#include "base/strings.hh"

#include "provision/medium.hh"

#include <algorithm>

namespace tarn::guest {

namespace {

constexpr std::size_t kSector = 2048;
constexpr std::uint64_t kDirectoryLimit = 1u << 20;
constexpr std::size_t kDescriptors = 32;
constexpr std::size_t kContinuations = 16;

struct Record {  // ECMA-119, 9.1
    std::uint32_t sector = 0, size = 0;
    unsigned flags = 0;
    std::string_view name, system_use;
};
constexpr unsigned kIsDirectory = 0x02, kGoesOn = 0x80;

// The record at the begin of `bytes`; nullopt when it is none.
std::optional<Record> record_of(std::string_view bytes) {
    const std::size_t length = bytes.empty() ? 0 : static_cast<unsigned char>(bytes[0]);
    if (length < 34 || length > bytes.size()) {
        return std::nullopt;
    }
    const std::size_t name_length = static_cast<unsigned char>(bytes[32]);
    if (name_length == 0 || 33 + name_length > length) {
        return std::nullopt;
    }
    Record record;
    record.sector = static_cast<std::uint32_t>(take_le(bytes, 2, 4)) +
                    static_cast<unsigned char>(bytes[1]);  // after the extended attributes
    record.size = static_cast<std::uint32_t>(take_le(bytes, 10, 4));
    record.flags = static_cast<unsigned char>(bytes[25]);
    record.name = bytes.substr(33, name_length);
    const std::size_t use = 33 + name_length + (name_length % 2 == 0 ? 1 : 0);
    record.system_use = use < length ? bytes.substr(use, length - use) : std::string_view();
    return record;
}

class Iso {
  public:
    explicit Iso(const Medium& medium) : medium_(medium) {}
    Result<bool> open();
    Result<MediumContents> take(const std::vector<std::string>& wanted);

  private:
    Failure broken(std::string_view what) const {
        return fail(ErrorKind::kCorrupt, "{}: broken ISO 9660: {}", medium_.name, what);
    }
    Result<std::string> extent(const Record& record, std::uint64_t limit) const;
    Result<std::string> rock_ridge_name(std::string_view use) const;
    Result<std::string> name_of(const Record& record) const;
    Result<void> look_for_rock_ridge(std::string_view directory);
    bool matches(const std::string& name, const std::string& wanted) const;

    const Medium& medium_;
    std::string primary_, joliet_;  // root directory records
    std::string label_;
    bool rock_ridge_ = false;
    std::size_t skip_ = 0;  // bytes in front of each system use area
};

bool is_joliet(std::string_view descriptor) {
    const std::string_view escapes = descriptor.substr(88, 32);
    return escapes.starts_with("%/@") || escapes.starts_with("%/C") || escapes.starts_with("%/E");
}

Result<bool> Iso::open() {
    for (std::size_t i = 0; i < kDescriptors; ++i) {
        const std::uint64_t at = (16 + i) * kSector;
        if (at + kSector > medium_.size) {
            break;
        }
        const std::string bytes = TARN_TRY(medium_.read(at, kSector));
        const std::string_view text = bytes;
        if (text.substr(1, 5) != "CD001" || bytes[0] == '\xff') {
            break;
        }
        if (bytes[0] == 1 && primary_.empty()) {
            if (take_le(text, 128, 2) != kSector) {
                return broken("its blocks are not of 2048 bytes");
            }
            label_ = std::string(trim(text.substr(40, 32)));
            primary_ = bytes.substr(156, 34);
        } else if (bytes[0] == 2 && joliet_.empty() && is_joliet(text)) {
            joliet_ = bytes.substr(156, 34);
        }
    }
    return !primary_.empty();
}

Result<std::string> Iso::extent(const Record& record, std::uint64_t limit) const {
    if (record.size > limit) {
        return fail(ErrorKind::kCorrupt,
                    "{}: a file of {} bytes: at most {} are read",
                    medium_.name,
                    record.size,
                    limit);
    }
    return medium_.read(std::uint64_t{record.sector} * kSector, record.size);
}

// NM fields (RRIP 4.1.4) of a system use area and of what it goes on in (CE).
Result<std::string> Iso::rock_ridge_name(std::string_view use) const {
    std::string name;
    std::string more;  // keeps what `use` looks at
    use = use.substr(std::min(skip_, use.size()));
    for (std::size_t area = 0; area < kContinuations; ++area) {
        std::uint64_t next = 0;
        std::size_t next_size = 0;
        while (use.size() >= 4) {
            const std::size_t length = static_cast<unsigned char>(use[2]);
            if (length < 4 || length > use.size()) {
                break;
            }
            const std::string_view signature = use.substr(0, 2);
            if (signature == "NM" && length >= 5) {
                name += use.substr(5, length - 5);
            } else if (signature == "CE" && length >= 28) {
                next = take_le(use, 4, 4) * kSector + take_le(use, 12, 4);
                next_size = static_cast<std::size_t>(take_le(use, 20, 4));
            } else if (signature == "ST") {
                break;
            }
            use.remove_prefix(length);
        }
        if (next == 0) {
            return name;
        }
        if (next_size > kSector) {
            return broken("a name goes on for too long");
        }
        std::string following = TARN_TRY(medium_.read(next, next_size));
        more = std::move(following);
        use = more;
    }
    return broken("a name goes on for too long");
}

// The SP field in the root's first record says that there is Rock Ridge, and where fields begin.
Result<void> Iso::look_for_rock_ridge(std::string_view directory) {
    const auto self = record_of(directory);
    if (!self) {
        return broken("its root directory has no first record");
    }
    const std::string_view use = self->system_use;
    if (use.size() >= 7 && use.substr(0, 2) == "SP" && use.substr(4, 2) == "\xbe\xef") {
        rock_ridge_ = true;
        skip_ = static_cast<unsigned char>(use[6]);
    }
    return {};
}

Result<std::string> Iso::name_of(const Record& record) const {
    if (rock_ridge_) {
        std::string name = TARN_TRY(rock_ridge_name(record.system_use));
        if (!name.empty()) {
            return name;
        }
    }
    std::string name = !rock_ridge_ && !joliet_.empty() ? from_utf16(record.name, ByteOrder::kBig)
                                                        : std::string(record.name);
    name = name.substr(0, name.find(';'));  // the version
    if (name.ends_with('.')) {
        name.pop_back();
    }
    return name;
}

// Plain names have no '-', and at most 8.3 characters at level 1.
bool Iso::matches(const std::string& name, const std::string& wanted) const {
    const std::string lower = to_lower(wanted);
    if (to_lower(name) == lower) {
        return true;
    }
    if (rock_ridge_ || !joliet_.empty()) {
        return false;
    }
    std::string plain = lower;
    for (char& c : plain) {
        c = c == '-' ? '_' : c;
    }
    const std::size_t dot = plain.rfind('.');
    const std::string end = dot == std::string::npos ? "" : plain.substr(dot).substr(0, 4);
    return to_lower(name) == plain || to_lower(name) == plain.substr(0, dot).substr(0, 8) + end;
}

Result<MediumContents> Iso::take(const std::vector<std::string>& wanted) {
    const auto root = record_of(primary_);
    if (!root) {
        return broken("no root directory is described");
    }
    std::string directory = TARN_TRY(extent(*root, kDirectoryLimit));
    TARN_TRY(look_for_rock_ridge(directory));
    if (!rock_ridge_ && !joliet_.empty()) {
        const auto wide = record_of(joliet_);
        if (!wide) {
            return broken("no root directory is described for Joliet");
        }
        std::string other = TARN_TRY(extent(*wide, kDirectoryLimit));
        directory = std::move(other);
    }
    MediumContents contents{"ISO 9660", label_, {}};
    std::map<std::string, bool> whole;  // false: its next record goes on
    const std::string_view text = directory;
    for (std::size_t at = 0; at < text.size();) {
        if (text[at] == 0) {  // records do not cross sectors: the rest of this one is empty
            at = static_cast<std::size_t>(align_up(at + 1, kSector));
            continue;
        }
        const auto record = record_of(text.substr(at));
        if (!record) {
            return broken("a directory record is expected");
        }
        at += static_cast<unsigned char>(text[at]);
        const bool self_or_parent =
            record->name.size() == 1 && (record->name[0] == '\0' || record->name[0] == '\1');
        if (self_or_parent || (record->flags & kIsDirectory) != 0) {
            continue;
        }
        const std::string name = TARN_TRY(name_of(*record));
        for (const std::string& each : wanted) {
            const auto seen = whole.find(each);
            if (!matches(name, each) || (seen != whole.end() && seen->second)) {
                continue;
            }
            std::string& bytes = contents.files[each];
            bytes += TARN_TRY(extent(*record, kMediumFileLimit - bytes.size()));
            whole[each] = (record->flags & kGoesOn) == 0;
        }
    }
    return contents;
}

}  // namespace

Result<std::optional<MediumContents>> read_iso9660(const Medium& medium,
                                                   const std::vector<std::string>& wanted) {
    Iso iso(medium);
    if (!TARN_TRY(iso.open())) {
        return std::optional<MediumContents>();
    }
    MediumContents contents = TARN_TRY(iso.take(wanted));
    return std::optional<MediumContents>(std::move(contents));
}

}  // namespace tarn::guest
