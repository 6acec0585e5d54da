// SPDX-License-Identifier: MIT
#include "render/detail/remove_section.hh"

#include "render/detail/conditions.hh"
#include "render/detail/line_edits.hh"
#include "render/detail/nearest.hh"

#include <algorithm>

namespace tarn::overlay {
namespace {

bool is_target(const SpecSection& section, const Overlay& overlay) {
    if (section.name.empty()) {
        return false;
    }
    if (overlay.type == OverlayType::kSpecRemoveSubpackage) {
        return section.package == overlay.package;
    }
    return section.name == overlay.section && section.package == overlay.package;
}

bool is_content(const std::string& line) {
    const std::string_view text = spec_trim(line);
    return !text.empty() && !text.starts_with('#') && condition_step(line) == 0;
}

struct Range {
    std::size_t begin = 0, end = 0;
    bool has(std::size_t line) const { return line >= begin && line < end; }
};

// The line of the first %if or %endif of the range whose partner lies outside, or the range's end.
std::size_t first_straddling(const Range& range, const std::vector<ConditionPair>& pairs) {
    std::size_t first = range.end;
    for (const ConditionPair& pair : pairs) {
        if (range.has(pair.open) != range.has(pair.close)) {
            first = std::min(first, range.has(pair.open) ? pair.open : pair.close);
        }
    }
    return first;
}

// Whether the innermost conditional around an %else reaches out of the range.
bool else_reaches_out(std::size_t line,
                      const Range& range,
                      const std::vector<ConditionPair>& pairs) {
    const ConditionPair* innermost = nullptr;
    for (const ConditionPair& pair : pairs) {
        if (pair.open < line && line < pair.close &&
            (innermost == nullptr || pair.open > innermost->open)) {
            innermost = &pair;
        }
    }
    return innermost == nullptr || !range.has(innermost->open) || !range.has(innermost->close);
}

// The line that keeps the range from being removed; the range's end when there is none.
std::size_t obstacle(const std::vector<std::string>& lines,
                     const Range& range,
                     std::size_t cut,
                     const std::vector<ConditionPair>& pairs) {
    for (std::size_t line = range.begin; line < range.end; ++line) {
        if (line >= cut && is_content(lines[line])) {
            return line;
        }
        if (condition_of(lines[line]) == Condition::kElse && else_reaches_out(line, range, pairs)) {
            return line;
        }
    }
    return range.end;
}

std::string missing_message(const Overlay& overlay) {
    return overlay.type == OverlayType::kSpecRemoveSubpackage
               ? fmt::format("overlay matches nothing: no section is of the package {}",
                             overlay.package)
               : fmt::format("overlay matches nothing: there is no section {}",
                             section_title(overlay.section, overlay.package));
}

}  // namespace

Outcome<std::string> remove_sections(const SpecDocument& spec,
                                     const std::string& spec_name,
                                     const Overlay& overlay) {
    const bool whole_package = overlay.type == OverlayType::kSpecRemoveSubpackage;
    const std::string key = whole_package ? "package" : "section";
    const Conditions conditions = pair_conditions(spec.lines());
    LineEdits edits;
    for (const SpecSection& section : spec.sections()) {
        if (!is_target(section, overlay)) {
            continue;
        }
        const std::string title = section_title(section.name, section.package);
        if (conditions.unbalanced_line) {
            return mismatch(key,
                            fmt::format("{} cannot be removed: {}:{} has no counterpart",
                                        title,
                                        spec_name,
                                        *conditions.unbalanced_line + 1),
                            "that line is:  " + spec.lines()[*conditions.unbalanced_line]);
        }
        const Range range{section.begin, section.end};
        const std::size_t cut = first_straddling(range, conditions.pairs);
        const std::size_t hindrance = obstacle(spec.lines(), range, cut, conditions.pairs);
        if (hindrance < range.end) {
            return mismatch(
                key,
                fmt::format("{} cannot be removed: a conditional spans across section boundaries",
                            title),
                fmt::format(
                    "{}:{} is in the way:  {}", spec_name, hindrance + 1, spec.lines()[hindrance]));
        }
        for (std::size_t line = range.begin; line < cut; ++line) {
            edits.remove(line);
        }
    }
    if (edits.empty()) {
        return mismatch(
            key,
            missing_message(overlay),
            nearest_section(spec, whole_package ? "%package" : overlay.section, overlay.package));
    }
    return edits.apply(spec.lines());
}

}  // namespace tarn::overlay
