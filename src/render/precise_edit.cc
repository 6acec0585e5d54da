// SPDX-License-Identifier: MIT
#include "render/detail/precise_edit.hh"

#include "base/strings.hh"
#include "render/detail/line_edits.hh"
#include "render/detail/nearest.hh"
#include "spec/macros.hh"
#include "spec/precise.hh"

#include <algorithm>

namespace tarn::overlay {
namespace {

using Sections = std::vector<const PreciseSection*>;

std::string family_of(std::string_view tag) {
    std::string name = to_lower(tag);
    while (!name.empty() && name.back() >= '0' && name.back() <= '9') {
        name.pop_back();
    }
    return name;
}

class PreciseEditor {
  public:
    PreciseEditor(const std::string& text, const std::string& spec_name, const Overlay& overlay)
        : text_(text), spec_(PreciseSpec::parse(text)), spec_name_(spec_name), overlay_(overlay) {}

    Outcome<std::string> run() {
        switch (overlay_.type) {
            case OverlayType::kSpecAddTag:
                return add_tag();
            case OverlayType::kSpecInsertTag:
                return insert_tag();
            case OverlayType::kSpecUpdateTag:
                return update_tag();
            case OverlayType::kSpecSetTag: {
                auto updated = update_tag();
                return updated ? updated : add_tag();
            }
            case OverlayType::kSpecRemoveTag:
                return remove_tag();
            case OverlayType::kSpecPrependLines:
            case OverlayType::kSpecAppendLines:
                return add_lines();
            case OverlayType::kSpecSearchReplace:
                return search_replace();
            case OverlayType::kSpecRemoveSection:
            case OverlayType::kSpecRemoveSubpackage:
                return remove_sections();
            default:
                return mismatch("type", "not an overlay of a spec");
        }
    }

  private:
    Outcome<std::string> done() const { return edits_.apply(spec_.lines()); }
    std::string tag_line() const { return overlay_.tag + ": " + overlay_.value; }
    LineKind kind(std::size_t line) const { return spec_.kinds()[line].kind; }

    // ---- which sections ----------------------------------------------------------------------

    // "%{name}-devel" of "%{?name}-devel", "%name-devel", and "x-devel" in the spec of x.
    std::string joined(std::string package) const {
        for (std::string_view form : {"%{?name}", "%{NAME}"}) {
            package = replace_all(std::move(package), form, "%{name}");
        }
        const std::string name = main_name();
        if (!name.empty() && package == name) {
            return {};
        }
        if (!name.empty() && package.starts_with(name + "-")) {
            return "%{name}" + package.substr(name.size());
        }
        return package;
    }

    std::string main_name() const {
        for (std::size_t line = 0; line < spec_.sections().front().end; ++line) {
            const auto tag = tag_at(line);
            if (tag && to_lower(tag->name) == "name") {
                return tag->value;
            }
        }
        return {};
    }

    Sections of_package(Sections sections) const {
        const std::string& wanted = overlay_.package;
        const std::string whole = joined(wanted);
        Sections found;
        for (const PreciseSection* section : sections) {
            if (wanted.empty() ? section->package.empty()
                               : section->package == whole || section->written == wanted ||
                                     section->package == "%{name}-" + wanted) {
                found.push_back(section);
            }
        }
        if (!found.empty() || wanted.empty()) {
            return found;
        }
        const MacroTable macros = read_spec_facts(text_, MacroTable()).macros;
        const std::string expanded = macros.expand(wanted).text;
        const std::string suffix = macros.expand("%{name}-" + wanted).text;
        for (const PreciseSection* section : sections) {
            const std::string own = macros.expand(section->package).text;
            if (!section->package.empty() && (own == expanded || own == suffix)) {
                found.push_back(section);
            }
        }
        return found;
    }

    Sections named(std::string_view name) const {
        Sections found;
        for (const PreciseSection& section : spec_.sections()) {
            if (section.name == name) {
                found.push_back(&section);
            }
        }
        return found;
    }

    Sections tag_sections() const {
        return overlay_.package.empty() ? Sections{&spec_.sections().front()}
                                        : of_package(named("%package"));
    }

    Unmatched no_section(const char* key, std::string_view name) const {
        return mismatch(key,
                        fmt::format("there is no section {}",
                                    section_title(name, overlay_.package)),
                        nearest_section(SpecDocument::parse(text_), name, overlay_.package));
    }

    // ---- tags --------------------------------------------------------------------------------

    std::optional<SpecTagText> tag_at(std::size_t line) const {
        return kind(line) == LineKind::kTag ? parse_spec_tag(spec_.lines()[line]) : std::nullopt;
    }

    // One past the last line of a tag whose value goes on.
    std::size_t tag_end(std::size_t line) const {
        ++line;
        while (line < spec_.lines().size() && kind(line) == LineKind::kMacroBody) {
            ++line;
        }
        return line;
    }

    Outcome<std::string> add_tag() {
        const Sections sections = tag_sections();
        if (sections.empty()) {
            return no_section("package", "%package");
        }
        for (const PreciseSection* section : sections) {
            edits_.insert(section->body_end, tag_line());
        }
        return done();
    }

    Outcome<std::string> insert_tag() {
        const Sections sections = tag_sections();
        if (sections.empty()) {
            return no_section("package", "%package");
        }
        std::optional<std::size_t> last_of_family, last;
        const PreciseSection* where = nullptr;
        for (const PreciseSection* section : sections) {
            for (std::size_t line = section->begin; line < section->end; ++line) {
                const auto tag = tag_at(line);
                if (!tag) {
                    continue;
                }
                const bool same = family_of(tag->name) == family_of(overlay_.tag);
                if (same || !last_of_family) {
                    where = section;
                    last = line;
                }
                if (same) {
                    last_of_family = line;
                }
            }
        }
        if (!last) {
            return add_tag();
        }
        edits_.insert(outside_conditions(*last, *where), tag_line());
        return done();
    }

    // Behind the outermost conditional of this section that the tag is in.
    std::size_t outside_conditions(std::size_t line, const PreciseSection& section) const {
        std::size_t at = tag_end(line);
        for (std::int32_t i = spec_.kinds()[line].condition; i >= 0;) {
            const PreciseCondition& condition = spec_.conditions()[static_cast<std::size_t>(i)];
            const bool inside = condition.lines.front() >= section.begin && condition.closed &&
                                condition.lines.back() < section.end;
            if (!inside) {
                break;
            }
            at = condition.lines.back() + 1;
            i = condition.parent;
        }
        return at;
    }

    template <class Action>
    void each_tag(Action action) {
        for (const PreciseSection* section : tag_sections()) {
            for (std::size_t line = section->begin; line < section->end; ++line) {
                const auto tag = tag_at(line);
                if (tag && to_lower(tag->name) == to_lower(overlay_.tag)) {
                    action(line, *tag);
                }
            }
        }
    }

    Outcome<std::string> no_such_tag() const {
        return mismatch(
            "tag",
            fmt::format("overlay matches nothing: {} in {}",
                        overlay_type_name(overlay_.type),
                        overlay_.package.empty() ? "the preamble"
                                                 : section_title("%package", overlay_.package)),
            nearest_tag(SpecDocument::parse(text_), spec_name_, overlay_.tag, overlay_.package));
    }

    void drop_tag(std::size_t line) {
        for (std::size_t i = line; i < tag_end(line); ++i) {
            edits_.remove(i);
        }
    }

    Outcome<std::string> update_tag() {
        each_tag([&](std::size_t line, const SpecTagText&) {
            drop_tag(line);
            edits_.insert(line, tag_line());
        });
        return edits_.empty() ? no_such_tag() : done();
    }

    Outcome<std::string> remove_tag() {
        const std::string wanted = to_lower(spec_trim(overlay_.value));
        each_tag([&](std::size_t line, const SpecTagText& tag) {
            if (wanted.empty() || to_lower(tag.value) == wanted) {
                drop_tag(line);
            }
        });
        return edits_.empty() ? no_such_tag() : done();
    }

    // ---- lines -------------------------------------------------------------------------------

    Outcome<std::string> add_lines() {
        const bool at_end = overlay_.type == OverlayType::kSpecAppendLines;
        std::vector<std::size_t> places;
        if (overlay_.section.empty()) {
            places.push_back(at_end ? spec_.lines().size() : 0);
        } else {
            for (const PreciseSection* section : of_package(named(to_lower(overlay_.section)))) {
                places.push_back(at_end ? section->body_end : section->begin + 1);
            }
        }
        if (places.empty()) {
            return no_section("section", overlay_.section);
        }
        for (const std::size_t place : places) {
            for (const std::string& line : overlay_.lines) {
                edits_.insert(place, line);
            }
        }
        return done();
    }

    Outcome<std::string> search_replace() {
        Sections sections;
        for (const PreciseSection& section : spec_.sections()) {
            if (overlay_.section.empty() || section.name == to_lower(overlay_.section)) {
                sections.push_back(&section);
            }
        }
        if (!overlay_.package.empty()) {
            sections = of_package(sections);
        }
        if (sections.empty()) {
            return no_section("section", overlay_.section);
        }
        const Replacer replacer(overlay_);
        for (const PreciseSection* section : sections) {
            for (std::size_t line = section->begin; line < section->end; ++line) {
                if (kind(line) == LineKind::kHeader) {
                    continue;
                }
                auto replaced = replacer.replace(spec_.lines()[line]);
                if (!replaced) {
                    return Unmatched(std::move(replaced.error()));
                }
                if (*replaced != spec_.lines()[line]) {
                    edits_.replace(line, std::move(*replaced));
                }
            }
        }
        if (edits_.empty()) {
            return mismatch(
                "regex",
                fmt::format("overlay matches nothing: spec-search-replace in {}",
                            overlay_.section.empty() ? spec_name_ : overlay_.section),
                nearest_line(SpecDocument::parse(text_), spec_name_, overlay_.regex, "", ""));
        }
        return done();
    }

    // ---- sections ----------------------------------------------------------------------------

    Outcome<std::string> remove_sections() {
        const bool whole_package = overlay_.type == OverlayType::kSpecRemoveSubpackage;
        Sections sections;
        for (const PreciseSection& section : spec_.sections()) {
            if (!section.name.empty() &&
                (whole_package || section.name == to_lower(overlay_.section))) {
                sections.push_back(&section);
            }
        }
        sections = of_package(sections);
        if (sections.empty()) {
            return no_section(whole_package ? "package" : "section",
                              whole_package ? "%package" : overlay_.section);
        }
        std::vector<bool> removed(spec_.lines().size(), false);
        for (const PreciseSection* section : sections) {
            std::fill(removed.begin() + static_cast<std::ptrdiff_t>(section->begin),
                      removed.begin() + static_cast<std::ptrdiff_t>(own_end(*section)),
                      true);
            drop_blanks(*section, removed);
        }
        for (const PreciseCondition& condition : spec_.conditions()) {
            const auto gone = std::count_if(condition.lines.begin(),
                                            condition.lines.end(),
                                            [&](std::size_t line) { return removed[line]; });
            if (gone != 0 && static_cast<std::size_t>(gone) != condition.lines.size()) {
                const std::size_t line = condition.lines.front();
                return overlay::mismatch(
                    whole_package ? "package" : "section",
                    "the section cannot be removed: a conditional spans across section boundaries",
                    fmt::format(
                        "{}:{} is in the way:  {}", spec_name_, line + 1, spec_.lines()[line]));
            }
        }
        drop_emptied(removed);
        for (std::size_t line = 0; line < removed.size(); ++line) {
            if (removed[line]) {
                edits_.remove(line);
            }
        }
        return done();
    }

    // Where the section's own text ends: before the %else or %endif of a conditional around it, if
    // nothing but empty conditionals comes behind that.
    std::size_t own_end(const PreciseSection& section) const {
        std::size_t end = section.body_end;
        for (std::size_t line = section.body_end; line-- > section.begin;) {
            const LineKind here = kind(line);
            if (here == LineKind::kCondition) {
                const std::int32_t index = spec_.kinds()[line].condition;
                const bool around =
                    index >= 0 &&
                    spec_.conditions()[static_cast<std::size_t>(index)].lines.front() <
                        section.begin;
                end = around ? line : end;
            } else if (here != LineKind::kBlank && here != LineKind::kComment) {
                break;
            }
        }
        return end;
    }

    // Blank lines behind a removed section go when there are some before it.
    void drop_blanks(const PreciseSection& section, std::vector<bool>& removed) const {
        if (section.begin == 0 || kind(section.begin - 1) != LineKind::kBlank) {
            return;
        }
        for (std::size_t line = section.body_end;
             line < section.end && kind(line) == LineKind::kBlank;
             ++line) {
            removed[line] = true;
        }
    }

    // Conditionals that held something, and now hold nothing.
    void drop_emptied(std::vector<bool>& removed) const {
        std::vector<bool> holds(spec_.conditions().size(), false);
        for (std::size_t line = 0; line < removed.size(); ++line) {
            const std::int32_t condition = spec_.kinds()[line].condition;
            const bool content = kind(line) != LineKind::kBlank &&
                                 kind(line) != LineKind::kComment &&
                                 kind(line) != LineKind::kCondition;
            if (content && !removed[line] && condition >= 0) {
                holds[static_cast<std::size_t>(condition)] = true;
            }
        }
        for (std::size_t i = holds.size(); i-- > 0;) {
            const PreciseCondition& condition = spec_.conditions()[i];
            if (holds[i] && condition.parent >= 0) {
                holds[static_cast<std::size_t>(condition.parent)] = true;
            }
        }
        for (std::size_t i = 0; i < holds.size(); ++i) {
            const PreciseCondition& condition = spec_.conditions()[i];
            if (holds[i] || condition.empty || !condition.closed) {
                continue;
            }
            std::fill(removed.begin() + static_cast<std::ptrdiff_t>(condition.lines.front()),
                      removed.begin() + static_cast<std::ptrdiff_t>(condition.lines.back()) + 1,
                      true);
        }
    }

    const std::string& text_;
    const PreciseSpec spec_;
    const std::string& spec_name_;
    const Overlay& overlay_;
    LineEdits edits_{};
};

}  // namespace

Outcome<std::string> edit_precise(const std::string& text,
                                  const std::string& spec_name,
                                  const Overlay& overlay) {
    auto normal = normal_spec_text(text, spec_name);
    if (!normal) {
        return normal;
    }
    return PreciseEditor(*normal, spec_name, overlay).run();
}

}  // namespace tarn::overlay
