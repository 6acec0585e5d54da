// rooms: spec
// SPDX-License-Identifier: MIT
// A spec as rpm reads it: sections tile the lines, conditionals nest, every line has its place.
#include "base/result.hh"
#include "spec/precise.hh"

using namespace tarn;

namespace {

void check_conditions(const PreciseSpec& spec) {
    for (std::size_t i = 0; i < spec.conditions().size(); ++i) {
        const PreciseCondition& condition = spec.conditions()[i];
        TARN_CHECK(condition.parent < static_cast<std::int32_t>(i));
        TARN_CHECK(!condition.lines.empty() && (!condition.closed || condition.lines.size() > 1));
        std::size_t before = 0;
        for (std::size_t line : condition.lines) {
            TARN_CHECK(line >= before && line < spec.lines().size());
            TARN_CHECK(spec.kinds()[line].kind == LineKind::kCondition);
            TARN_CHECK(spec.kinds()[line].condition == static_cast<std::int32_t>(i));
            before = line + 1;
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const PreciseSpec spec = PreciseSpec::parse(text);
    TARN_CHECK(spec.kinds().size() == spec.lines().size());
    std::size_t bytes = 0;
    for (std::string_view line : spec.lines()) {
        bytes += line.size() + 1;
    }
    TARN_CHECK(bytes == size + (text.empty() || text.ends_with('\n') ? 0 : 1));
    std::size_t line = 0;
    for (std::size_t i = 0; i < spec.sections().size(); ++i) {
        const PreciseSection& section = spec.sections()[i];
        TARN_CHECK(section.begin == line && section.end >= section.begin);
        TARN_CHECK(section.body_end >= section.begin && section.body_end <= section.end);
        for (; line < section.end; ++line) {
            TARN_CHECK(spec.kinds()[line].section == i);
            const bool header = i > 0 && line == section.begin;
            TARN_CHECK((spec.kinds()[line].kind == LineKind::kHeader) == header);
            const std::int32_t condition = spec.kinds()[line].condition;
            TARN_CHECK(condition < static_cast<std::int32_t>(spec.conditions().size()));
        }
    }
    TARN_CHECK(line == spec.lines().size());
    check_conditions(spec);
    return 0;
}
