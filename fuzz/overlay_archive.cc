// rooms: render
// SPDX-License-Identifier: MIT
// A source archive: what can be read is written so that it reads back the same and gives the same
// bytes again.
#include "render/detail/archive.hh"

using namespace tarn;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    auto archive = overlay::read_archive(bytes, "x.tar");
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
    const auto back = overlay::read_archive(packed, "x.tar");
    TARN_CHECK(back.has_value());
    TARN_CHECK(back->members.size() == archive->members.size());
    TARN_CHECK(overlay::write_archive(*back).value() == packed);
    return 0;
}
