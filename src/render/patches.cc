// SPDX-License-Identifier: MIT
#include "base/fs.hh"
#include "base/strings.hh"
#include "render/detail/line_edits.hh"
#include "render/detail/spec_edit.hh"

#include <algorithm>

namespace tarn::overlay {
namespace {

// The number of "Patch12"; nullopt for "Patch", "Patch%{n}" and other tags.
std::optional<std::uint64_t> patch_number(std::string_view tag) {
    const std::string name = to_lower(tag);
    if (!name.starts_with("patch") || name.size() == 5 || name.size() > 14) {
        return std::nullopt;
    }
    return parse_u64(std::string_view(name).substr(5));
}

// One above the highest number, where the bare "Patch:" tags count from 0.
std::uint64_t next_patch_number(const SpecDocument& spec) {
    std::uint64_t next = 0;
    std::uint64_t bare = 0;
    for (const SpecTag& tag : spec.tags()) {
        if (to_lower(tag.name) == "patch") {
            next = std::max(next, ++bare);
        } else if (const auto number = patch_number(tag.name)) {
            next = std::max(next, *number + 1);
        }
    }
    return next;
}

bool literal(std::string_view pattern) {
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        if (pattern[i] == '\\') {
            ++i;
        } else if (std::string_view("*?[{").find(pattern[i]) != std::string_view::npos) {
            return false;
        }
    }
    return true;
}

// A literal pattern's name: only a backslash before a pattern character goes.
std::string plain_name(std::string_view pattern) {
    std::string name;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        const bool escapes =
            pattern[i] == '\\' && i + 1 < pattern.size() &&
            std::string_view("*?[]{}").find(pattern[i + 1]) != std::string_view::npos;
        if (!escapes) {
            name += pattern[i];
        }
    }
    return name;
}

}  // namespace

bool file_matches(std::string_view pattern, std::string_view name) {
    return literal(pattern) ? plain_name(pattern) == name : glob_match(pattern, name);
}

Outcome<std::string> add_patch(const std::string& text,
                               const std::string& spec_name,
                               const std::string& file,
                               const Overlay& overlay,
                               View view) {
    Overlay change = overlay;
    auto normal = normal_spec_text(text, spec_name);
    if (!normal) {
        return normal;
    }
    const SpecDocument spec = SpecDocument::parse(*normal);
    const bool has_list =
        std::any_of(spec.sections().begin(), spec.sections().end(), [](const SpecSection& section) {
            return section.name == "%patchlist";
        });
    if (has_list) {
        change.type = OverlayType::kSpecAppendLines;
        change.section = "%patchlist";
        change.package.clear();
        change.lines = {file};
    } else {
        change.type = OverlayType::kSpecAddTag;
        change.tag = fmt::format("Patch{}", next_patch_number(spec));
        change.value = file;
    }
    return edit_spec(*normal, spec_name, change, view);
}

Outcome<std::string> remove_patches(const std::string& text,
                                    const std::string& spec_name,
                                    const Overlay& overlay) {
    auto normal = normal_spec_text(text, spec_name);
    if (!normal) {
        return normal;
    }
    const SpecDocument spec = SpecDocument::parse(*normal);
    LineEdits edits;
    std::vector<std::string> names;
    for (const SpecTag& tag : spec.tags()) {
        if (!patch_number(tag.name)) {
            continue;
        }
        names.push_back(tag.value);
        if (glob_match(overlay.file, tag.value)) {
            edits.remove(tag.line);
        }
    }
    for (const SpecSection& section : spec.sections()) {
        if (to_lower(section.name) != "%patchlist") {
            continue;
        }
        for (std::size_t line = section.begin + 1; line < section.end; ++line) {
            const std::string name(spec_trim(spec.lines()[line]));
            if (name.empty()) {
                continue;
            }
            names.push_back(name);
            if (glob_match(overlay.file, name)) {
                edits.remove(line);
            }
        }
    }
    if (edits.empty()) {
        Mismatch result{"file", "overlay matches nothing: no patch of the spec is " + overlay.file};
        result.notes.emplace_back(
            "tags are compared as they are written, and `Patch:` without a number does not count");
        const std::string hint = did_you_mean(overlay.file, names);
        if (!hint.empty()) {
            result.help.push_back(hint);
        } else if (!names.empty()) {
            names.resize(std::min<std::size_t>(names.size(), 12));
            result.notes.push_back("the spec has " + join(names, ", "));
        }
        return Unmatched(std::move(result));
    }
    return edits.apply(spec.lines());
}

}  // namespace tarn::overlay
