// SPDX-License-Identifier: MIT
// UDF 1.02, 1.50 and 2.01 on a plain (type 1) partition: ECMA-167, 3rd edition, whose clauses are
// named at each structure, as narrowed by OSTA UDF.
#include "base/bytes.hh"
#include "base/strings.hh"

#include "provision/medium.hh"

#include <algorithm>
#include <array>

namespace tarn::guest {

namespace {

constexpr std::size_t kVolumeStructure = 2048;  // bytes of a descriptor of the recognition sequence
constexpr std::size_t kVolumeDescriptors = 64;  // of one sequence
constexpr std::size_t kExtents = 4096;          // of one file
constexpr std::uint64_t kDirectoryLimit = 1u << 20;
constexpr std::uint32_t kLengthMask = 0x3fffffff;

// Identifiers of descriptor tags (3/7.2.1, 4/7.2.1).
enum Tag : std::uint16_t {
    kPrimary = 1,
    kAnchor = 2,
    kPartition = 5,
    kLogicalVolume = 6,
    kTerminating = 8,
    kFileSet = 256,
    kFileIdentifier = 257,
    kAllocationExtent = 258,
    kFileEntry = 261,
    kExtendedFileEntry = 266,
};

std::uint16_t crc_itu_t(std::string_view bytes) {
    unsigned crc = 0;
    for (const char c : bytes) {
        crc ^= static_cast<unsigned>(static_cast<unsigned char>(c)) << 8;
        for (int bit = 0; bit < 8; ++bit) {
            crc = (crc & 0x8000) != 0 ? (crc << 1) ^ 0x1021 : crc << 1;
        }
        crc &= 0xffff;
    }
    return static_cast<std::uint16_t>(crc);
}

std::uint32_t u32(std::string_view in, std::size_t at) {
    return static_cast<std::uint32_t>(take_le(in, at, 4));
}
std::uint16_t u16(std::string_view in, std::size_t at) {
    return static_cast<std::uint16_t>(take_le(in, at, 2));
}

// The tag in front of a descriptor (3/7.2): identifier, or nullopt when the bytes are none that was
// written at `location`.
std::optional<std::uint16_t> tag_of(std::string_view bytes, std::uint32_t location) {
    if (bytes.size() < 16 || u32(bytes, 12) != location) {
        return std::nullopt;
    }
    unsigned sum = 0;
    for (std::size_t i = 0; i < 16; ++i) {
        sum += i == 4 ? 0u : static_cast<unsigned char>(bytes[i]);
    }
    const std::size_t crc_length = u16(bytes, 10);
    if ((sum & 0xff) != static_cast<unsigned char>(bytes[4]) || crc_length > bytes.size() - 16 ||
        crc_itu_t(bytes.substr(16, crc_length)) != u16(bytes, 8)) {
        return std::nullopt;
    }
    return u16(bytes, 0);
}

// OSTA compressed Unicode: 8 is Latin-1, 16 is UCS-2, 254 and 255 the same of deleted names.
std::string characters(std::string_view bytes) {
    if (bytes.empty()) {
        return {};
    }
    const auto kind = static_cast<unsigned char>(bytes[0]);
    const std::string_view text = bytes.substr(1);
    if (kind == 16 || kind == 255) {
        return from_utf16(text, ByteOrder::kBig);
    }
    std::string wide;
    for (const char c : text) {
        wide += '\0';
        wide += c;
    }
    return from_utf16(wide, ByteOrder::kBig);
}
// A dstring (1/7.2.12): its last byte is its length.
std::string dstring(std::string_view field) {
    const std::size_t length = static_cast<unsigned char>(field.back());
    return length == 0 ? std::string()
                       : characters(field.substr(0, std::min(length, field.size() - 1)));
}

struct Address {  // long_ad (4/14.14.2), without the partition's number: there is one
    std::uint32_t length = 0, block = 0;
    std::uint16_t partition = 0;
};
Address long_ad(std::string_view in, std::size_t at) {
    return {u32(in, at), u32(in, at + 4), u16(in, at + 8)};
}

class Udf {
  public:
    Udf(const Medium& medium, std::uint32_t block) : medium_(medium), block_(block) {}

    // False: there is no anchor for blocks of this size.
    Result<bool> open();
    Result<MediumContents> take(const std::vector<std::string>& wanted);

  private:
    Failure broken(std::string_view what) const {
        return fail(ErrorKind::kCorrupt, "{}: broken UDF: {}", medium_.name, what);
    }
    Failure unsupported(std::string_view what) const {
        return fail(ErrorKind::kCorrupt,
                    "{}: this UDF uses {}, which is not read here",
                    medium_.name,
                    what);
    }
    Result<void> sequence(std::uint32_t length, std::uint32_t location);
    Result<void> logical_volume(std::string_view descriptor);
    Result<std::string> blocks(std::uint32_t block, std::uint64_t bytes) const;
    Result<std::string> descriptor(const Address& address, Tag tag, std::string_view what) const;
    Result<std::string> file(const Address& icb,
                             std::uint8_t wanted_type,
                             std::uint64_t limit) const;
    Result<std::string> extents(std::string_view descriptors,
                                unsigned form,
                                std::uint64_t length) const;

    const Medium& medium_;
    std::uint32_t block_;
    bool have_partition_ = false, have_volume_ = false;
    std::uint16_t partition_number_ = 0, mapped_number_ = 0;
    std::uint32_t partition_start_ = 0, partition_blocks_ = 0;
    Address file_set_;
    std::string label_;
};

Result<bool> Udf::open() {
    const std::uint64_t count = medium_.size / block_;
    std::vector<std::uint64_t> places = {256, 512};
    if (count > 257) {
        places.push_back(count - 1);
        places.push_back(count - 257);
    }
    for (const std::uint64_t place : places) {
        if (place >= count || place > 0xffffffffu) {
            continue;
        }
        const std::string anchor = TARN_TRY(medium_.read(place * block_, block_));
        if (tag_of(anchor, static_cast<std::uint32_t>(place)) != kAnchor) {
            continue;
        }
        // The main sequence, else its copy.
        auto read = sequence(u32(anchor, 16), u32(anchor, 20));
        if (!read || !have_partition_ || !have_volume_) {
            read = sequence(u32(anchor, 24), u32(anchor, 28));
        }
        TARN_TRY(std::move(read));
        if (!have_partition_ || !have_volume_) {
            return broken("no partition or no logical volume is described");
        }
        if (partition_number_ != mapped_number_) {
            return broken("the volume's partition is not there");
        }
        return true;
    }
    return false;
}

// The volume descriptor sequence (3/8.4.2).
Result<void> Udf::sequence(std::uint32_t length, std::uint32_t location) {
    const std::size_t count = std::min<std::size_t>(length / block_, kVolumeDescriptors);
    for (std::size_t i = 0; i < count; ++i) {
        const auto place = static_cast<std::uint32_t>(location + i);
        const std::string bytes = TARN_TRY(medium_.read(std::uint64_t{place} * block_, block_));
        const auto tag = tag_of(bytes, place);
        if (!tag || tag == kTerminating) {
            break;
        }
        if (tag == kPartition) {  // 3/10.5
            partition_number_ = u16(bytes, 22);
            partition_start_ = u32(bytes, 188);
            partition_blocks_ = u32(bytes, 192);
            have_partition_ = true;
        } else if (tag == kLogicalVolume) {
            TARN_TRY(logical_volume(bytes));
            have_volume_ = true;
        }
    }
    return {};
}

// 3/10.6, with the partition maps of UDF 2.2.8.
Result<void> Udf::logical_volume(std::string_view bytes) {
    if (u32(bytes, 212) != block_) {
        return broken("its logical blocks have another size than its sectors");
    }
    label_ = dstring(bytes.substr(84, 128));
    file_set_ = long_ad(bytes, 248);
    const std::size_t maps = u32(bytes, 264);
    if (u32(bytes, 268) != 1 || maps > bytes.size() - 440) {
        return unsupported(u32(bytes, 268) > 1 ? "more than one partition map"
                                               : "no partition map");
    }
    const std::string_view map = bytes.substr(440, maps);
    if (map.size() >= 64 && map[0] == 2) {
        const std::string_view name = map.substr(5, 23);
        return unsupported(contains(name, "Metadata")   ? "a metadata partition (revision 2.50)"
                           : contains(name, "Virtual")  ? "a virtual partition"
                           : contains(name, "Sparable") ? "a sparable partition"
                                                        : "an unknown partition map");
    }
    if (map.size() < 6 || map[0] != 1) {
        return broken("its partition map is of no known type");
    }
    mapped_number_ = u16(map, 4);
    return {};
}

// Bytes from a logical block of the partition on.
Result<std::string> Udf::blocks(std::uint32_t block, std::uint64_t bytes) const {
    if (block >= partition_blocks_ ||
        (bytes + block_ - 1) / block_ > std::uint64_t{partition_blocks_} - block) {
        return broken("an extent lies outside its partition");
    }
    return medium_.read((std::uint64_t{partition_start_} + block) * block_,
                        static_cast<std::size_t>(bytes));
}

Result<std::string> Udf::descriptor(const Address& address, Tag tag, std::string_view what) const {
    std::string bytes = TARN_TRY(blocks(address.block, block_));
    if (tag_of(bytes, address.block) != tag) {
        return broken(what);
    }
    return bytes;
}

// The contents a file entry (4/14.9) or an extended one (4/14.17) leads to.
Result<std::string> Udf::file(const Address& icb,
                              std::uint8_t wanted_type,
                              std::uint64_t limit) const {
    if (icb.partition != 0) {
        return broken("a file entry lies in another partition");
    }
    const std::string bytes = TARN_TRY(blocks(icb.block, block_));
    const auto tag = tag_of(bytes, icb.block);
    if (tag != kFileEntry && tag != kExtendedFileEntry) {
        return broken("a file entry is expected");
    }
    const std::size_t head = tag == kFileEntry ? 176 : 216;
    if (u16(bytes, 20) != 4) {
        return unsupported("an allocation strategy other than 4");
    }
    if (static_cast<std::uint8_t>(bytes[27]) != wanted_type) {
        return broken("a file is not of the type its directory says");
    }
    const std::uint64_t length = take_le(bytes, 56, 8);
    if (length > limit) {
        return fail(ErrorKind::kCorrupt,
                    "{}: a file of {} bytes: at most {} are read",
                    medium_.name,
                    length,
                    limit);
    }
    const std::uint64_t attributes = u32(bytes, head - 8);
    const std::uint64_t allocation = u32(bytes, head - 4);
    if (attributes > bytes.size() - head || allocation > bytes.size() - head - attributes) {
        return broken("a file entry is longer than its block");
    }
    const std::string_view rest = std::string_view(bytes).substr(
        head + static_cast<std::size_t>(attributes), static_cast<std::size_t>(allocation));
    const unsigned form = u16(bytes, 34) & 7;
    if (form == 3) {  // the file's bytes are in the entry
        if (length > rest.size()) {
            return broken("a file is longer than the bytes in its entry");
        }
        return std::string(rest.substr(0, static_cast<std::size_t>(length)));
    }
    return extents(rest, form, length);
}

// Allocation descriptors: short_ad (form 0), long_ad (1); one of type 3 leads to more of them.
Result<std::string> Udf::extents(std::string_view descriptors,
                                 unsigned form,
                                 std::uint64_t length) const {
    if (form > 1) {
        return unsupported("extended allocation descriptors");
    }
    const std::size_t width = form == 0 ? 8 : 16;
    std::string more;  // keeps what `descriptors` looks at
    std::string out;
    std::size_t at = 0;
    for (std::size_t i = 0; i < kExtents && out.size() < length && at + width <= descriptors.size();
         ++i) {
        const std::uint32_t word = u32(descriptors, at);
        const std::uint32_t block = u32(descriptors, at + 4);
        const std::uint32_t size = word & kLengthMask;
        if (form == 1 && u16(descriptors, at + 8) != 0) {
            return broken("an extent lies in another partition");
        }
        at += width;
        if (size == 0) {
            break;
        }
        const unsigned type = word >> 30;
        const std::uint64_t bytes = std::min<std::uint64_t>(size, length - out.size());
        if (type == 0) {
            out += TARN_TRY(blocks(block, bytes));
        } else if (type < 3) {  // allocated or not, but never written
            out.append(static_cast<std::size_t>(bytes), '\0');
        } else {
            more = TARN_TRY(descriptor(
                {size, block, 0}, kAllocationExtent, "a continuation of extents is expected"));
            const std::size_t count = u32(more, 20);
            if (count > more.size() - 24) {
                return broken("a continuation of extents is longer than its block");
            }
            descriptors = std::string_view(more).substr(24, count);
            at = 0;
        }
    }
    if (out.size() < length) {
        return broken("a file is longer than its extents");
    }
    return out;
}

// The root directory (file identifier descriptors, 4/14.4), and the wanted files of it.
Result<MediumContents> Udf::take(const std::vector<std::string>& wanted) {
    MediumContents contents{"UDF", label_, {}};
    if (file_set_.partition != 0) {
        return broken("the file set lies in another partition");
    }
    const std::string set = TARN_TRY(descriptor(file_set_, kFileSet, "a file set is expected"));
    const std::string root = TARN_TRY(file(long_ad(set, 400), 4, kDirectoryLimit));
    const std::string_view entries = root;
    for (std::size_t at = 0; at + 38 <= entries.size();) {
        const std::string_view entry = entries.substr(at);
        const std::size_t name_length = static_cast<unsigned char>(entry[19]);
        const std::size_t use = u16(entry, 36);
        const std::size_t whole = static_cast<std::size_t>(align_up(38 + use + name_length, 4));
        if (u16(entry, 0) != kFileIdentifier || 38 + use + name_length > entry.size()) {
            return broken("a directory entry is expected");
        }
        const auto flags = static_cast<unsigned char>(entry[18]);
        constexpr unsigned kDirectory = 2, kDeleted = 4, kParent = 8;
        if ((flags & (kDirectory | kDeleted | kParent)) == 0) {
            const std::string name = to_lower(characters(entry.substr(38 + use, name_length)));
            for (const std::string& each : wanted) {
                if (to_lower(each) == name && !contents.files.contains(each)) {
                    contents.files[each] = TARN_TRY(file(long_ad(entry, 20), 5, kMediumFileLimit));
                }
            }
        }
        at += whole;
    }
    return contents;
}

}  // namespace

Result<std::optional<MediumContents>> read_udf(const Medium& medium,
                                               const std::vector<std::string>& wanted) {
    // The volume recognition sequence (2/8.3): "NSR02" or "NSR03" among the first descriptors.
    bool known = false;
    for (std::size_t i = 0; i < 16 && !known; ++i) {
        const std::uint64_t at = 32768 + i * kVolumeStructure;
        if (at + kVolumeStructure > medium.size) {
            break;
        }
        const std::string head = TARN_TRY(medium.read(at, 8));
        const std::string_view id = std::string_view(head).substr(1, 5);
        known = id == "NSR02" || id == "NSR03";
        const bool goes_on = id == "BEA01" || id == "CD001" || id == "BOOT2" || id == "CDW02";
        if (!known && !goes_on) {
            break;
        }
    }
    if (!known) {
        return std::optional<MediumContents>();
    }
    for (const std::uint32_t block : {2048u, 512u, 4096u, 1024u}) {
        Udf udf(medium, block);
        if (TARN_TRY(udf.open())) {
            MediumContents contents = TARN_TRY(udf.take(wanted));
            return std::optional<MediumContents>(std::move(contents));
        }
    }
    return fail(ErrorKind::kCorrupt, "{}: broken UDF: no anchor is found", medium.name);
}

}  // namespace tarn::guest
