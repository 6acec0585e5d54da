// rooms: render
// SPDX-License-Identifier: MIT
// A source archive: what can be read is written so that it reads back the same and gives the same
// bytes again. An input that begins with a NUL is a tar behind it, whose headers are summed up
// here.
#include "render/detail/archive.hh"

using namespace tarn;

namespace {

constexpr std::size_t kBlock = 512;
constexpr std::uint64_t kUnpackedLimit = 16U << 20U;

// Every block that says it is a header gets the sum it should have.
std::string summed(std::string tar) {
    for (std::size_t at = 0; at + kBlock <= tar.size(); at += kBlock) {
        if (tar.compare(at + 257, 5, "ustar") != 0) {
            continue;
        }
        tar.replace(at + 148, 8, 8, ' ');
        unsigned sum = 0;
        for (std::size_t i = at; i < at + kBlock; ++i) {
            sum += static_cast<unsigned char>(tar[i]);
        }
        tar.replace(at + 148, 7, fmt::format("{:06o}", sum) + std::string(1, '\0'));
    }
    return tar;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string bytes(reinterpret_cast<const char*>(data), size);
    if (bytes.starts_with('\0')) {
        bytes = summed(bytes.substr(1));
    }
    auto archive = overlay::read_archive(bytes, "x.tar", kUnpackedLimit);
    if (!archive) {
        return 0;
    }
    std::size_t contents = 0;
    for (const auto& [path, member] : archive->members) {
        TARN_CHECK(!path.empty() && !path.starts_with('/') && !path.ends_with('/'));
        contents += member.bytes.size();
    }
    // Compressing is not what is looked at here.
    archive->compression = contents > 100'000 ? Compression::kNone : archive->compression;
    if (archive->compression == Compression::kZstd || archive->compression == Compression::kXz) {
        archive->compression = Compression::kGzip;
    }
    const std::string packed = overlay::write_archive(*archive).value();
    const auto back = overlay::read_archive(packed, "x.tar", 2 * kUnpackedLimit);
    TARN_CHECK(back.has_value());
    TARN_CHECK(back->members.size() == archive->members.size());
    TARN_CHECK(overlay::write_archive(*back).value() == packed);
    return 0;
}
