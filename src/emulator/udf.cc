// SPDX-License-Identifier: MIT
// ECMA-167 and OSTA UDF 1.02. Descriptors are built whole and then given their tag: CRC over what
// follows it, checksum over itself, and the block they lie in.
#include "base/bytes.hh"
#include "emulator/detail/media_names.hh"
#include "emulator/media.hh"

namespace tarn::emulator {

namespace {

constexpr std::uint64_t kBlock = 2048;
constexpr std::uint32_t kMainSequence = 32, kReserveSequence = 48, kIntegrity = 64;
constexpr std::uint32_t kAnchor = 256, kPartition = 257, kSequenceBlocks = 16;
// Blocks of the partition.
constexpr std::uint32_t kFileSet = 0, kRootEntry = 2, kRootBlock = 3, kFirstFile = 4;
constexpr unsigned kRevision = 0x0102;

std::uint16_t crc(std::string_view bytes) {  // CRC-CCITT, x^16 + x^12 + x^5 + 1
    std::uint32_t sum = 0;
    for (const char c : bytes) {
        sum ^= static_cast<std::uint32_t>(static_cast<unsigned char>(c)) << 8;
        for (int bit = 0; bit < 8; ++bit) {
            sum = (sum & 0x8000) != 0 ? (sum << 1) ^ 0x1021 : sum << 1;
        }
        sum &= 0xffff;
    }
    return static_cast<std::uint16_t>(sum);
}

// A descriptor with 16 zero bytes where its tag goes.
std::string tagged(std::string body, unsigned id, std::uint32_t location) {
    put_le(body, 0, id, 2);
    put_le(body, 2, 2, 2);
    put_le(body, 6, 1, 2);
    put_le(body, 8, crc(std::string_view(body).substr(16)), 2);
    put_le(body, 10, body.size() - 16, 2);
    put_le(body, 12, location, 4);
    unsigned sum = 0;
    for (std::size_t i = 0; i < 16; ++i) {
        sum += i == 4 ? 0U : static_cast<unsigned char>(body[i]);
    }
    body[4] = static_cast<char>(sum & 0xff);
    return body;
}

class Builder {
  public:
    Builder() : out_(16, '\0') {}
    Builder& number(std::uint64_t value, unsigned width) {
        append_le(out_, value, width);
        return *this;
    }
    Builder& zeros(std::size_t count) {
        out_.append(count, '\0');
        return *this;
    }
    Builder& bytes(std::string_view text, std::size_t size) {
        const std::size_t end = out_.size() + size;
        out_ += text.substr(0, size);
        out_.resize(end, '\0');
        return *this;
    }
    // OSTA compressed unicode, 8 bits a character, its length in the last byte.
    Builder& dstring(std::string_view text, std::size_t size) {
        bytes("\x08" + std::string(text), size);
        out_.back() = static_cast<char>(text.size() + 1);
        return *this;
    }
    Builder& charset() { return bytes(std::string("\0", 1) + "OSTA Compressed Unicode", 64); }
    Builder& domain() { return identifier("*OSTA UDF Compliant").revision(); }
    Builder& implementation() { return identifier("*Tarn").number(4, 1).number(5, 1).zeros(6); }
    Builder& identifier(std::string_view name) { return number(0, 1).bytes(name, 23); }
    Builder& revision() { return number(kRevision, 2).zeros(6); }
    Builder& time() {  // 2000-01-01 00:00 UTC: the medium is the same whenever it is written
        return number(0x1000, 2).number(2000, 2).number(1, 1).number(1, 1).zeros(6);
    }
    Builder& extent(std::uint64_t length, std::uint32_t block) {
        return number(length, 4).number(block, 4);
    }
    Builder& long_extent(std::uint64_t length, std::uint32_t block, std::uint32_t unique = 0) {
        return number(length, 4).number(block, 4).number(0, 2).zeros(2).number(unique, 4);
    }
    std::string finish(unsigned id, std::uint32_t location, std::size_t size = 0) {
        if (size > 0) {
            out_.resize(size, '\0');
        }
        return tagged(std::move(out_), id, location);
    }
    std::size_t size() const { return out_.size(); }

  private:
    std::string out_;
};

class Image {
  public:
    explicit Image(std::uint64_t blocks) : bytes_(blocks * kBlock, '\0') {}
    void put(std::uint64_t block, std::string_view bytes) {
        bytes_.replace(block * kBlock, bytes.size(), bytes);
    }
    std::string take() { return std::move(bytes_); }

  private:
    std::string bytes_;
};

std::string primary(const std::string& label, std::uint32_t at) {
    return Builder()
        .number(1, 4)
        .number(0, 4)
        .dstring(label, 32)
        .number(1, 2)
        .number(1, 2)
        .number(2, 2)
        .number(2, 2)
        .number(1, 4)
        .number(1, 4)
        .dstring("0000000000000000" + label, 128)
        .charset()
        .charset()
        .zeros(16)
        .zeros(32)
        .time()
        .implementation()
        .finish(1, at, 512);
}

std::string implementation_use(const std::string& label, std::uint32_t at) {
    return Builder()
        .number(2, 4)
        .identifier("*UDF LV Info")
        .number(kRevision, 2)
        .number(4, 1)
        .number(5, 1)
        .zeros(4)
        .charset()
        .dstring(label, 128)
        .zeros(36 * 3)
        .implementation()
        .finish(4, at, 512);
}

std::string partition(std::uint32_t blocks, std::uint32_t at) {
    return Builder()
        .number(3, 4)
        .number(1, 2)
        .number(0, 2)
        .number(2, 1)
        .bytes("+NSR02", 31)
        .zeros(128)
        .number(1, 4)
        .number(kPartition, 4)
        .number(blocks, 4)
        .implementation()
        .finish(5, at, 512);
}

std::string logical_volume(const std::string& label, std::uint32_t at) {
    return Builder()
        .number(4, 4)
        .charset()
        .dstring(label, 128)
        .number(kBlock, 4)
        .domain()
        .long_extent(2 * kBlock, kFileSet)
        .number(6, 4)
        .number(1, 4)
        .implementation()
        .zeros(128)
        .extent(2 * kBlock, kIntegrity)
        .number(1, 1)
        .number(6, 1)
        .number(1, 2)
        .number(0, 2)
        .finish(6, at);
}

void put_sequence(Image& image, const std::string& label, std::uint32_t blocks, std::uint32_t at) {
    image.put(at, primary(label, at));
    image.put(at + 1, implementation_use(label, at + 1));
    image.put(at + 2, partition(blocks, at + 2));
    image.put(at + 3, logical_volume(label, at + 3));
    image.put(at + 4, Builder().number(5, 4).number(0, 4).finish(7, at + 4));
    image.put(at + 5, Builder().finish(8, at + 5, 512));
}

std::string integrity(std::uint32_t blocks, std::size_t files) {
    return Builder()
        .time()
        .number(1, 4)
        .zeros(8)
        .number(files + 16, 8)
        .zeros(24)
        .number(1, 4)
        .number(46, 4)
        .number(0, 4)
        .number(blocks, 4)
        .implementation()
        .number(files, 4)
        .number(1, 4)
        .number(kRevision, 2)
        .number(kRevision, 2)
        .number(kRevision, 2)
        .finish(9, kIntegrity);
}

std::string file_set(const std::string& label) {
    return Builder()
        .time()
        .number(3, 2)
        .number(3, 2)
        .number(1, 4)
        .number(1, 4)
        .number(0, 4)
        .number(0, 4)
        .charset()
        .dstring(label, 128)
        .charset()
        .dstring(label, 32)
        .zeros(64)
        .long_extent(kBlock, kRootEntry)
        .domain()
        .finish(256, kFileSet, 512);
}

enum class Kind : std::uint8_t { kDirectory = 4, kFile = 5 };

std::string file_entry(
    Kind kind, std::uint64_t size, std::uint32_t data, std::uint32_t at, std::uint64_t unique) {
    const std::uint64_t blocks = align_up(size, kBlock) / kBlock;
    const bool directory = kind == Kind::kDirectory;
    Builder entry;
    entry.zeros(4)
        .number(4, 2)
        .number(0, 2)
        .number(1, 2)
        .zeros(1)
        .number(static_cast<std::uint8_t>(kind), 1)
        .zeros(6)
        .number(0, 2);  // short descriptors
    entry.number(0xffffffff, 4)
        .number(0xffffffff, 4)
        .number(directory ? 0x14a5 : 0x1084, 4)
        .number(1, 2)
        .zeros(6)
        .number(size, 8)
        .number(blocks, 8)
        .time()
        .time()
        .time()
        .number(1, 4)
        .zeros(16)
        .implementation()
        .number(unique, 8)
        .number(0, 4)
        .number(size > 0 ? 8 : 0, 4);
    if (size > 0) {
        entry.number(size, 4).number(data, 4);
    }
    return entry.finish(261, at);
}

std::string file_identifier(std::string_view name,
                            unsigned characteristics,
                            std::uint32_t entry,
                            std::uint32_t unique) {
    Builder out;
    const std::string identifier = name.empty() ? "" : "\x08" + std::string(name);
    out.number(1, 2)
        .number(characteristics, 1)
        .number(identifier.size(), 1)
        .long_extent(kBlock, entry, unique)
        .number(0, 2)
        .bytes(identifier, identifier.size());
    return out.zeros((4 - out.size() % 4) % 4).finish(257, kRootBlock);
}

}  // namespace

Result<std::string> udf_image(const std::string& label, const std::vector<MediaFile>& files) {
    TARN_TRY(check_media(label, files));
    std::string root = file_identifier({}, 0x0a, kRootEntry, 0);
    std::uint64_t next = kFirstFile;
    std::vector<std::uint32_t> places;
    for (std::size_t i = 0; i < files.size(); ++i) {
        places.push_back(static_cast<std::uint32_t>(next));
        root +=
            file_identifier(files[i].name, 0, places.back(), static_cast<std::uint32_t>(16 + i));
        next += 1 + align_up(files[i].bytes.size(), kBlock) / kBlock;
    }
    if (root.size() > kBlock) {
        return fail(ErrorKind::kUsage, "{} files are too many for a medium", files.size());
    }
    const auto blocks = static_cast<std::uint32_t>(next);
    Image image(kPartition + blocks + 1);
    static constexpr std::string_view kRecognition[] = {"BEA01", "NSR02", "TEA01"};
    for (std::uint64_t i = 0; i < 3; ++i) {
        image.put(16 + i, std::string("\0", 1) + std::string(kRecognition[i]) + "\1");
    }
    put_sequence(image, label, blocks, kMainSequence);
    put_sequence(image, label, blocks, kReserveSequence);
    image.put(kIntegrity, integrity(blocks, files.size()));
    image.put(kIntegrity + 1, Builder().finish(8, kIntegrity + 1, 512));
    for (const std::uint32_t at : {kAnchor, kPartition + blocks}) {
        image.put(at,
                  Builder()
                      .extent(kSequenceBlocks * kBlock, kMainSequence)
                      .extent(kSequenceBlocks * kBlock, kReserveSequence)
                      .finish(2, at, 512));
    }
    image.put(kPartition + kFileSet, file_set(label));
    image.put(kPartition + kFileSet + 1, Builder().finish(8, kFileSet + 1, 512));
    image.put(kPartition + kRootEntry,
              file_entry(Kind::kDirectory, root.size(), kRootBlock, kRootEntry, 0));
    image.put(kPartition + kRootBlock, root);
    for (std::size_t i = 0; i < files.size(); ++i) {
        const std::uint32_t at = places[i];
        image.put(kPartition + at,
                  file_entry(Kind::kFile, files[i].bytes.size(), at + 1, at, 16 + i));
        image.put(kPartition + at + 1, files[i].bytes);
    }
    return image.take();
}

}  // namespace tarn::emulator
