// rooms: render
// SPDX-License-Identifier: MIT
// A `sources` file: other lines stay, and what is printed reads the same.
#include "render/sources_file.hh"

using namespace tarn;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    auto file = SourcesFile::parse(text, "sources");
    if (!file) {
        return 0;
    }
    TARN_CHECK(file->print() == text || file->print() == std::string(text) + "\n");
    const std::vector<SourcesEntry> entries = file->entries();
    for (SourcesEntry entry : entries) {
        TARN_CHECK(file->find(entry.name) != nullptr);
        file->replace(entry);
    }
    file->append({"tarn-appended", "SHA256", std::string(64, '0')});
    const auto back = SourcesFile::parse(file->print(), "sources");
    if (file->entries().size() == entries.size() + 1 && back) {
        TARN_CHECK(back->entries().size() == file->entries().size());
    }
    return 0;
}
