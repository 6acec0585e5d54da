// SPDX-License-Identifier: MIT
// Tags, lines, search and replace. Sections are removed in remove_section.cc.
#include "render/detail/spec_edit.hh"

#include "base/strings.hh"
#include "render/detail/conditions.hh"
#include "render/detail/line_edits.hh"
#include "render/detail/nearest.hh"
#include "render/detail/precise_edit.hh"
#include "render/detail/remove_section.hh"

#include <re2/re2.h>

#include <algorithm>

namespace tarn::overlay {
namespace {

std::string nothing(const Overlay& overlay, std::string_view where) {
    return fmt::format("overlay matches nothing: {} in {}", overlay_type_name(overlay.type), where);
}

// One spec, one overlay.
class Editor {
  public:
    Editor(const SpecDocument& spec, const std::string& spec_name, const Overlay& overlay)
        : spec_(spec), spec_name_(spec_name), overlay_(overlay) {}

    Outcome<std::string> add_tag() {
        const auto sections = tag_sections();
        if (sections.empty()) {
            return no_tag_section();
        }
        for (std::size_t section : sections) {
            edits_.insert(spec_.sections()[section].end, tag_line());
        }
        return done();
    }

    Outcome<std::string> insert_tag() {
        const auto sections = tag_sections();
        if (sections.empty()) {
            return no_tag_section();
        }
        const SpecTag* last_of_family = nullptr;
        const SpecTag* last = nullptr;
        for (const SpecTag& tag : spec_.tags()) {
            if (std::find(sections.begin(), sections.end(), tag.section) == sections.end()) {
                continue;
            }
            last = &tag;
            if (family(tag.name) == family(overlay_.tag)) {
                last_of_family = &tag;
            }
        }
        const SpecTag* after = last_of_family != nullptr ? last_of_family : last;
        if (after == nullptr) {
            return add_tag();
        }
        edits_.insert(outside_conditions(*after), tag_line());
        return done();
    }

    Outcome<std::string> update_tag() {
        for (const SpecTag& tag : spec_.tags()) {
            if (is_wanted(tag)) {
                edits_.replace(tag.line, tag_line());
            }
        }
        return edits_.empty() ? no_such_tag() : done();
    }

    Outcome<std::string> set_tag() {
        auto updated = update_tag();
        return updated ? updated : add_tag();
    }

    Outcome<std::string> remove_tag() {
        for (const SpecTag& tag : spec_.tags()) {
            const bool value_wanted = overlay_.value.empty() ||
                                      to_lower(tag.value) == to_lower(spec_trim(overlay_.value));
            if (is_wanted(tag) && value_wanted) {
                edits_.remove(tag.line);
            }
        }
        return edits_.empty() ? no_such_tag() : done();
    }

    Outcome<std::string> add_lines(bool at_end) {
        if (overlay_.section.empty()) {
            for (const std::string& line : overlay_.lines) {
                edits_.insert(at_end ? spec_.lines().size() : 0, line);
            }
            return done();
        }
        for (const SpecSection& section : spec_.sections()) {
            if (section.name == overlay_.section && section.package == overlay_.package) {
                for (const std::string& line : overlay_.lines) {
                    edits_.insert(at_end ? section.end : section.begin + 1, line);
                }
            }
        }
        if (edits_.empty()) {
            return mismatch("section",
                            fmt::format("there is no section {}",
                                        section_title(overlay_.section, overlay_.package)),
                            nearest_section(spec_, overlay_.section, overlay_.package));
        }
        return done();
    }

    Outcome<std::string> search_replace() {
        const Replacer replacer(overlay_);
        bool section_seen = false;
        bool changed = false;
        for (const SpecSection& section : spec_.sections()) {
            if ((!overlay_.section.empty() && section.name != overlay_.section) ||
                (!overlay_.package.empty() && section.package != overlay_.package)) {
                continue;
            }
            section_seen = true;
            const std::size_t first = section.name.empty() ? 0 : section.begin + 1;
            for (std::size_t line = first; line < section.end; ++line) {
                auto replaced = replacer.replace(spec_.lines()[line]);
                if (!replaced) {
                    return Unmatched(std::move(replaced.error()));
                }
                if (*replaced != spec_.lines()[line]) {
                    changed = true;
                    edits_.replace(line, std::move(*replaced));
                }
            }
        }
        if (changed) {
            return done();
        }
        const std::string where = overlay_.section.empty()
                                      ? spec_name_
                                      : section_title(overlay_.section, overlay_.package);
        if (!section_seen) {
            return mismatch("section",
                            nothing(overlay_, where),
                            nearest_section(spec_, overlay_.section, overlay_.package));
        }
        return mismatch("regex", nothing(overlay_, where), why_unchanged(replacer));
    }

  private:
    Outcome<std::string> done() const { return edits_.apply(spec_.lines()); }
    std::string tag_line() const { return overlay_.tag + ": " + overlay_.value; }

    static std::string family(std::string_view tag) {
        std::string name = to_lower(tag);
        while (!name.empty() && name.back() >= '0' && name.back() <= '9') {
            name.pop_back();
        }
        return name;
    }

    // The preamble, or all %package sections of the overlay's package.
    std::vector<std::size_t> tag_sections() const {
        if (overlay_.package.empty()) {
            return {0};
        }
        std::vector<std::size_t> found;
        for (std::size_t i = 0; i < spec_.sections().size(); ++i) {
            const SpecSection& section = spec_.sections()[i];
            if (section.name == "%package" && section.package == overlay_.package) {
                found.push_back(i);
            }
        }
        return found;
    }

    bool is_wanted(const SpecTag& tag) const {
        return spec_.sections()[tag.section].package == overlay_.package &&
               to_lower(tag.name) == to_lower(overlay_.tag);
    }

    // A line that matches after all, or the nearest one.
    std::string why_unchanged(const Replacer& replacer) const {
        for (const SpecSection& section : spec_.sections()) {
            const bool searched =
                (overlay_.section.empty() || section.name == overlay_.section) &&
                (overlay_.package.empty() || section.package == overlay_.package);
            for (std::size_t line = section.begin; line < section.end; ++line) {
                const bool header = !section.name.empty() && line == section.begin;
                if ((header || searched) && replacer.matches(spec_.lines()[line])) {
                    return fmt::format("{}:{} matches, but {}:  {}",
                                       spec_name_,
                                       line + 1,
                                       header ? "headers of sections are never searched"
                                              : "the replacement leaves it as it is",
                                       spec_.lines()[line].substr(0, 120));
                }
            }
        }
        std::string note =
            nearest_line(spec_, spec_name_, overlay_.regex, overlay_.section, overlay_.package);
        return note.empty() ? nearest_line(spec_, spec_name_, overlay_.regex, "", "") : note;
    }

    Outcome<std::string> no_tag_section() const {
        return mismatch("package",
                        fmt::format("there is no section {}",
                                    section_title("%package", overlay_.package)),
                        nearest_section(spec_, "%package", overlay_.package));
    }

    Outcome<std::string> no_such_tag() const {
        const std::string where =
            overlay_.package.empty() ? "the preamble" : section_title("%package", overlay_.package);
        return mismatch(overlay_.value.empty() || overlay_.type != OverlayType::kSpecRemoveTag
                            ? "tag"
                            : "value",
                        nothing(overlay_, where),
                        nearest_tag(spec_, spec_name_, overlay_.tag, overlay_.package));
    }

    // After the tag, and after the %endif of the conditional the tag is in.
    std::size_t outside_conditions(const SpecTag& tag) const {
        int depth = 0;
        for (std::size_t line = 0; line <= tag.line; ++line) {
            depth += condition_step(spec_.lines()[line]);
        }
        if (depth > 0) {
            const std::size_t end = spec_.sections()[tag.section].end;
            for (std::size_t line = tag.line + 1; line < end; ++line) {
                depth += condition_step(spec_.lines()[line]);
                if (depth == 0) {
                    return line + 1;
                }
            }
        }
        return tag.line + 1;
    }

    const SpecDocument& spec_;
    const std::string& spec_name_;
    const Overlay& overlay_;
    LineEdits edits_{};
};

std::size_t character_length(std::string_view text) {
    std::size_t length = 1;
    while (length < text.size() && length < 4 &&
           (static_cast<unsigned char>(text[length]) & 0xC0) == 0x80) {
        ++length;
    }
    return length;
}

}  // namespace

Unmatched mismatch(std::string key, std::string message, std::string remark) {
    Mismatch result{std::move(key), std::move(message)};
    if (remark.starts_with("did you mean")) {
        result.help.push_back(std::move(remark));
    } else if (!remark.empty()) {
        result.notes.push_back(std::move(remark));
    }
    return Unmatched(std::move(result));
}

Outcome<std::string> normal_spec_text(std::string_view text, const std::string& spec_name) {
    if (std::count(text.begin(), text.end(), '\n') > static_cast<std::ptrdiff_t>(kLineCountLimit)) {
        return mismatch("", fmt::format("{} has more than {} lines", spec_name, kLineCountLimit));
    }
    std::string result;
    result.reserve(text.size() + 1);
    std::size_t number = 0;
    for (std::string_view line : split_lines(text)) {
        ++number;
        // The newline counts, and a carriage return before it too.
        if (line.size() >= kLineLimit) {
            return mismatch("",
                            fmt::format("line {} of {} is longer than 64 KiB", number, spec_name));
        }
        if (line.ends_with('\r')) {
            line.remove_suffix(1);
        }
        result += line;
        result += '\n';
    }
    return result;
}

Replacer::Replacer(const Overlay& overlay) : replacement_(overlay.replacement) {
    RE2::Options options;
    options.set_log_errors(false);
    regex_ = std::make_unique<RE2>(overlay.regex, options);
}

Replacer::~Replacer() = default;

bool Replacer::matches(std::string_view text) const {
    return regex_->ok() && RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *regex_);
}

Outcome<std::string> Replacer::replace(std::string_view text) const {
    if (!regex_->ok()) {
        return mismatch("regex", fmt::format("`regex` does not compile: {}", regex_->error()));
    }
    std::string result;
    std::size_t at = 0;
    std::size_t last_end = std::string_view::npos;
    const re2::StringPiece subject(text.data(), text.size());
    re2::StringPiece match;
    while (at <= text.size() &&
           regex_->Match(subject, at, text.size(), RE2::UNANCHORED, &match, 1)) {
        const auto begin = static_cast<std::size_t>(match.data() - subject.data());
        result.append(text.substr(at, begin - at));
        at = begin + match.size();
        if (match.empty() && begin == last_end) {
            // An empty match directly after a match is none: go on behind the next character.
            if (begin >= text.size()) {
                break;
            }
            const std::size_t length = character_length(text.substr(begin));
            result.append(text.substr(begin, length));
            at = begin + length;
            continue;
        }
        result += replacement_;
        last_end = at;
        if (result.size() > kTextLimit) {
            return mismatch("replacement", "the result of the replacement exceeds 64 MiB");
        }
    }
    if (at < text.size()) {
        result.append(text.substr(at));
    }
    return result;
}

Outcome<std::string> edit_spec(const std::string& text,
                               const std::string& spec_name,
                               const Overlay& overlay,
                               View view) {
    if (view == View::kPrecise) {
        return edit_precise(text, spec_name, overlay);
    }
    auto normal = normal_spec_text(text, spec_name);
    if (!normal) {
        return normal;
    }
    const SpecDocument spec = SpecDocument::parse(*normal);
    Editor editor(spec, spec_name, overlay);
    switch (overlay.type) {
        case OverlayType::kSpecAddTag:
            return editor.add_tag();
        case OverlayType::kSpecInsertTag:
            return editor.insert_tag();
        case OverlayType::kSpecSetTag:
            return editor.set_tag();
        case OverlayType::kSpecUpdateTag:
            return editor.update_tag();
        case OverlayType::kSpecRemoveTag:
            return editor.remove_tag();
        case OverlayType::kSpecPrependLines:
            return editor.add_lines(false);
        case OverlayType::kSpecAppendLines:
            return editor.add_lines(true);
        case OverlayType::kSpecSearchReplace:
            return editor.search_replace();
        case OverlayType::kSpecRemoveSection:
        case OverlayType::kSpecRemoveSubpackage:
            return remove_sections(spec, spec_name, overlay);
        default:
            break;
    }
    return mismatch("type", "not an overlay of a spec");
}

}  // namespace tarn::overlay
