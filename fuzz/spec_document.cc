// rooms: spec
// SPDX-License-Identifier: MIT
// A spec: printing gives the same bytes, sections tile the lines, tags lie in their sections.
#include "spec/document.hh"

using namespace tarn;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    SpecDocument spec = SpecDocument::parse(text);
    TARN_CHECK(spec.print() == text);
    std::size_t line = 0;
    for (const SpecSection& section : spec.sections()) {
        TARN_CHECK(section.begin == line && section.end >= section.begin);
        line = section.end;
    }
    TARN_CHECK(line == spec.lines().size());
    for (const SpecTag& tag : spec.tags()) {
        const SpecSection& section = spec.sections().at(tag.section);
        TARN_CHECK(tag.line >= section.begin && tag.line < section.end);
    }
    const std::size_t middle = spec.lines().size() / 2;
    spec.insert(middle, {std::string(text.substr(0, size / 2))});
    spec.remove(middle, 1);
    return 0;
}
