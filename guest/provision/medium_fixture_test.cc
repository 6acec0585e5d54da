// SPDX-License-Identifier: MIT
#include "provision/medium_fixture.hh"

#include "base/bytes.hh"
#include "base/strings.hh"

#include <algorithm>
#include <functional>

namespace tarn::guest {

namespace {

constexpr std::uint32_t kPartition = 300;  // block where the partition begins
constexpr std::uint32_t kPartitionBlocks = 200;

std::uint16_t crc(std::string_view bytes) {
    unsigned value = 0;
    for (const char c : bytes) {
        value ^= static_cast<unsigned>(static_cast<unsigned char>(c)) << 8;
        for (int bit = 0; bit < 8; ++bit) {
            value = (value & 0x8000) != 0 ? (value << 1) ^ 0x1021 : value << 1;
        }
    }
    return static_cast<std::uint16_t>(value & 0xffff);
}

class UdfWriter {
  public:
    explicit UdfWriter(const UdfShape& shape) : shape_(shape) {
        image_.resize((kPartition + kPartitionBlocks + 10) * std::size_t{shape.block}, '\0');
    }

    std::string write(const std::string& label, const ImageFiles& files) {
        for (const auto& [at, id] :
             {std::pair(0u, "BEA01"), std::pair(1u, "NSR02"), std::pair(2u, "TEA01")}) {
            image_.replace(32768 + at * 2048, 7, std::string(1, '\0') + id + '\1');
        }
        volume(label);
        std::string root = identifier("", 8 | 2, 1);
        std::uint32_t next = 10;
        for (const auto& [name, bytes] : files) {
            const std::uint32_t place = next;
            next +=
                3 + static_cast<std::uint32_t>((bytes.size() + shape_.block - 1) / shape_.block);
            root += identifier(name, 0, place);
            entry(place, 5, bytes, place + 2);
        }
        const auto allocation = shape_.allocation;
        shape_.allocation = UdfShape::Allocation::kShort;
        entry(1, 4, root, 3);
        shape_.allocation = allocation;
        return image_;
    }

  private:
    // Puts the tag in front and writes it to a block: of the partition, or absolute.
    void put(std::uint32_t block, std::uint16_t tag, std::string body, std::uint32_t base) {
        seal(tag, body, block);
        image_.replace((std::size_t{base} + block) * shape_.block, body.size(), body);
    }
    static void seal(std::uint16_t tag, std::string& body, std::uint32_t location) {
        put_le(body, 0, tag, 2);
        put_le(body, 2, 2, 2);
        put_le(body, 8, crc(std::string_view(body).substr(16)), 2);
        put_le(body, 10, body.size() - 16, 2);
        put_le(body, 12, location, 4);
        unsigned sum = 0;
        for (std::size_t i = 0; i < 16; ++i) {
            sum += i == 4 ? 0u : static_cast<unsigned char>(body[i]);
        }
        body[4] = static_cast<char>(sum & 0xff);
    }
    void volume(const std::string& label) {
        std::string anchor(512, '\0');
        for (const std::size_t at : {16u, 24u}) {
            put_le(anchor, at, 16 * shape_.block, 4);
            put_le(anchor, at + 4, at == 16 ? 100 : 120, 4);
        }
        put(256, 2, anchor, 0);
        for (const std::uint32_t base : {100u, 120u}) {
            std::string partition(512, '\0');
            put_le(partition, 188, kPartition, 4);
            put_le(partition, 192, kPartitionBlocks, 4);
            put(base + 1, 5, partition, 0);
            std::string logical(shape_.partition_map.empty() ? 446 : 504, '\0');
            logical[84] = '\x08';
            logical.replace(85, label.size(), label);
            logical[84 + 127] = static_cast<char>(label.size() + 1);
            put_le(logical, 212, shape_.block, 4);
            put_le(logical, 248, shape_.block, 4);  // the file set: block 0 of the partition
            put_le(logical, 264, logical.size() - 440, 4);
            put_le(logical, 268, 1, 4);
            logical[440] = shape_.partition_map.empty() ? '\1' : '\2';
            logical[441] = shape_.partition_map.empty() ? '\6' : '\x40';
            if (!shape_.partition_map.empty()) {
                logical.replace(445, shape_.partition_map.size(), shape_.partition_map);
            }
            put(base, 1, std::string(512, '\0'), 0);
            put(base + 2, 6, logical, 0);
            put(base + 3, 8, std::string(512, '\0'), 0);
        }
        std::string set(512, '\0');
        put_le(set, 400, shape_.block, 4);
        put_le(set, 404, 1, 4);  // root
        put(0, 256, set, kPartition);
    }
    std::string identifier(const std::string& name, unsigned flags, std::uint32_t place) const {
        std::string text;
        if (!name.empty()) {
            text += shape_.wide_names ? '\x10' : '\x08';
            for (const char c : name) {
                text += shape_.wide_names ? std::string{'\0', c} : std::string{c};
            }
        }
        std::string body(38, '\0');
        body[16] = '\1';
        body[18] = static_cast<char>(flags);
        body[19] = static_cast<char>(text.size());
        put_le(body, 20, shape_.block, 4);
        put_le(body, 24, place, 4);
        body += text;
        body.resize(align_up(body.size(), 4), '\0');
        seal(257, body, 3);
        return body;
    }
    std::string descriptors(std::size_t size, std::uint32_t data, bool wide) const {
        std::string out(wide ? 16 : 8, '\0');
        put_le(out, 0, size, 4);
        put_le(out, 4, data, 4);
        return out;
    }
    void entry(std::uint32_t place, unsigned type, const std::string& bytes, std::uint32_t data) {
        using A = UdfShape::Allocation;
        const std::size_t head = shape_.extended_entries ? 216 : 176;
        std::string body(head, '\0');
        put_le(body, 20, 4, 2);  // strategy
        body[27] = static_cast<char>(type);
        const unsigned form = shape_.allocation == A::kLong       ? 1
                              : shape_.allocation == A::kEmbedded ? 3
                                                                  : 0;
        put_le(body, 34, form, 2);
        put_le(body, 56, bytes.size(), 8);
        put_le(body, head - 8, 4, 4);  // some extended attributes
        std::string rest = descriptors(bytes.size(), data, form == 1);
        if (form == 3) {
            rest = bytes;
        } else if (shape_.allocation == A::kContinued) {
            std::string more(24, '\0');
            put_le(more, 20, 8, 4);
            put(place + 1, 258, more + rest, kPartition);
            rest = descriptors(0, place + 1, false);
            put_le(rest, 0, (3u << 30) | shape_.block, 4);
        }
        put_le(body, head - 4, rest.size(), 4);
        put(place,
            shape_.extended_entries ? 266 : 261,
            body + std::string(4, 'x') + rest,
            kPartition);
        if (form != 3) {
            image_.replace((std::size_t{kPartition} + data) * shape_.block, bytes.size(), bytes);
        }
    }

    UdfShape shape_;
    std::string image_;
};

std::string both_endian(std::uint64_t value, unsigned width) {
    std::string little;
    append_le(little, value, width);
    return little + std::string(little.rbegin(), little.rend());
}

std::string iso_record(const std::string& name,
                       std::uint32_t sector,
                       std::size_t size,
                       unsigned flags,
                       const std::string& use = {}) {
    std::string record(33, '\0');
    record.replace(2, 8, both_endian(sector, 4));
    record.replace(10, 8, both_endian(size, 4));
    record[25] = static_cast<char>(flags);
    record.replace(28, 4, both_endian(1, 2));
    record[32] = static_cast<char>(name.size());
    record += name;
    if (name.size() % 2 == 0) {
        record += '\0';
    }
    record += use;
    if (record.size() % 2 == 1) {
        record += '\0';
    }
    record[0] = static_cast<char>(record.size());
    return record;
}

std::string iso_descriptor(char type, const std::string& label, const std::string& root) {
    std::string out(2048, '\0');
    out.replace(0, 7, std::string(1, type) + "CD001\1");
    out.replace(40, 32, label + std::string(32 - label.size(), ' '));
    out.replace(128, 4, both_endian(2048, 2));
    out.replace(156, 34, root);
    return out;
}

std::string utf16(const std::string& text, bool big) {
    std::string out;
    for (const char c : text) {
        out += big ? std::string{'\0', c} : std::string{c, '\0'};
    }
    return out;
}

std::string plain_name(const std::string& name) {
    std::string out = replace_all(name, "-", "_");
    for (char& c : out) {
        c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    }
    const std::size_t dot = out.find('.');
    return out.substr(0, std::min<std::size_t>(dot, 8)) +
           (dot == std::string::npos ? "." : out.substr(dot, 4)) + ";1";
}

}  // namespace

std::string udf_image(const std::string& label, const ImageFiles& files, const UdfShape& shape) {
    return UdfWriter(shape).write(label, files);
}

std::string iso_image(const std::string& label, const ImageFiles& files, IsoNames names) {
    constexpr std::uint32_t kRoot = 20, kWideRoot = 21, kContinuation = 22;
    const bool rock_ridge = names == IsoNames::kRockRidge || names == IsoNames::kRockRidgeContinued;
    const std::string sp = rock_ridge ? std::string("SP\7\1\xbe\xef\0", 7) : std::string();
    std::string root = iso_record(std::string(1, '\0'), kRoot, 2048, 2, sp) +
                       iso_record(std::string(1, '\1'), kRoot, 2048, 2);
    std::string wide = iso_record(std::string(1, '\0'), kWideRoot, 2048, 2);
    std::string continuation;
    std::string data;
    for (const auto& [name, bytes] : files) {
        const auto sector = static_cast<std::uint32_t>(23 + data.size() / 2048);
        std::string nm =
            std::string("NM") + static_cast<char>(5 + name.size()) + '\1' + '\0' + name;
        if (names == IsoNames::kRockRidgeContinued) {
            std::string ce = "CE\x1c\1" + both_endian(kContinuation, 4) +
                             both_endian(continuation.size(), 4) + both_endian(nm.size(), 4);
            continuation += nm;
            nm = ce;
        }
        root += iso_record(plain_name(name), sector, bytes.size(), 0, rock_ridge ? nm : "");
        wide += iso_record(utf16(name + ";1", true), sector, bytes.size(), 0);
        data += bytes;
        data.resize(align_up(data.size(), 2048), '\0');
    }
    std::string image(16 * 2048, '\0');
    image += iso_descriptor('\1', label, iso_record(std::string(1, '\0'), kRoot, 2048, 2));
    std::string second(2048, '\0');
    if (names == IsoNames::kJoliet) {
        second = iso_descriptor('\2', "", iso_record(std::string(1, '\0'), kWideRoot, 2048, 2));
        second.replace(88, 3, "%/E");
        image += second;
    }
    std::string last(2048, '\0');
    last.replace(0,
                 6,
                 "\xff"
                 "CD001");
    image += last;
    image.resize(kRoot * 2048, '\0');
    for (std::string* sector : {&root, &wide, &continuation}) {
        sector->resize(2048, '\0');
        image += *sector;
    }
    return image + data;
}

std::string fat_image(const std::string& label, const ImageFiles& files) {
    constexpr std::size_t kSectors = 8192, kTable = 32, kRootEntries = 64;
    std::string image(kSectors * 512, '\0');
    image[0] = '\xeb';
    put_le(image, 11, 512, 2);
    put_le(image, 13, 1, 1);
    put_le(image, 14, 1, 2);
    put_le(image, 16, 1, 1);
    put_le(image, 17, kRootEntries, 2);
    put_le(image, 19, kSectors, 2);
    put_le(image, 22, kTable, 2);
    image.replace(510, 2, "\x55\xaa");
    const std::size_t root = 512 * (1 + kTable);
    const std::size_t data = root + kRootEntries * 32;
    std::string entries =
        label + std::string(11 - label.size(), ' ') + '\x08' + std::string(20, '\0');
    std::size_t cluster = 2;
    for (const auto& [name, bytes] : files) {
        for (std::size_t part = (name.size() + 12) / 13; part-- > 0;) {
            std::string units = utf16(name.substr(part * 13, 13), false);
            units.resize(std::min<std::size_t>(26, units.size() + 2), '\0');
            units.resize(26, '\xff');
            const bool last = (part + 1) * 13 >= name.size();
            entries += std::string(1, static_cast<char>((part + 1) | (last ? 0x40 : 0))) +
                       units.substr(0, 10) + std::string("\x0f\0\0", 3) + units.substr(10, 12) +
                       std::string(2, '\0') + units.substr(22, 4);
        }
        std::string entry = "FILE    BIN" + std::string(21, '\0');
        put_le(entry, 26, cluster, 2);
        put_le(entry, 28, bytes.size(), 4);
        entries += entry;
        const std::size_t count = std::max<std::size_t>((bytes.size() + 511) / 512, 1);
        image.replace(data + (cluster - 2) * 512, bytes.size(), bytes);
        for (std::size_t i = 0; i < count; ++i) {
            put_le(image, 512 + (cluster + i) * 2, i + 1 == count ? 0xffff : cluster + i + 1, 2);
        }
        cluster += count;
    }
    return image.replace(root, entries.size(), entries);
}

}  // namespace tarn::guest
