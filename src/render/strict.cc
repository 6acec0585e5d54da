// SPDX-License-Identifier: MIT
#include "render/detail/strict.hh"

#include "base/strings.hh"
#include "render/detail/conditions.hh"
#include "render/detail/nearest.hh"

#include <algorithm>
#include <array>

namespace tarn::overlay {
namespace {

bool is_comment(std::string_view line) {
    const std::string_view text = spec_trim(line);
    return text.starts_with('#') || text.starts_with("%dnl");
}

// Lines of conditionals that hold nothing.
std::vector<std::size_t> empty_conditions(const std::vector<std::string>& lines) {
    std::vector<std::size_t> found;
    for (const ConditionPair& pair : pair_conditions(lines).pairs) {
        bool empty = true;
        for (std::size_t i = pair.open + 1; i < pair.close && empty; ++i) {
            const bool word = condition_of(lines[i]) != Condition::kNone;
            empty = word || spec_trim(lines[i]).empty() || is_comment(lines[i]);
        }
        if (empty) {
            found.push_back(pair.open);
        }
    }
    std::sort(found.begin(), found.end());
    return found;
}

class Remarks {
  public:
    Remarks(const SpecDocument& before, const std::string& spec_name, const Overlay& overlay)
        : before_(before), spec_name_(spec_name), overlay_(overlay) {}

    std::vector<std::string> take() { return std::move(remarks_); }
    void add(std::string remark) { remarks_.push_back(std::move(remark)); }

    void hits() {
        const Replacer replacer(overlay_);
        std::vector<std::string> places;
        bool only_comments = true;
        for (const SpecSection& section : before_.sections()) {
            if ((!overlay_.section.empty() && section.name != overlay_.section) ||
                (!overlay_.package.empty() && section.package != overlay_.package)) {
                continue;
            }
            const std::size_t first = section.name.empty() ? 0 : section.begin + 1;
            for (std::size_t i = first; i < section.end; ++i) {
                const std::string& line = before_.lines()[i];
                if (replacer.replace(line).value_or(line) != line) {
                    only_comments = only_comments && is_comment(line);
                    places.push_back(fmt::format("{}", i + 1));
                }
            }
        }
        if (places.size() > 1) {
            const std::size_t count = places.size();
            if (places.size() > 8) {
                places.resize(8);
                places.emplace_back("...");
            }
            add(fmt::format(
                "`regex` changes {} lines of {}: {}", count, spec_name_, join(places, ", ")));
        }
        if (!places.empty() && only_comments) {
            add(fmt::format("`regex` changes nothing but comments of {}", spec_name_));
        }
    }

    void second_tag() {
        static constexpr std::array<std::string_view, 10> kOnce = {"name",
                                                                   "version",
                                                                   "release",
                                                                   "epoch",
                                                                   "license",
                                                                   "summary",
                                                                   "url",
                                                                   "group",
                                                                   "buildarch",
                                                                   "exclusivearch"};
        const std::string name = to_lower(overlay_.tag);
        if (std::find(kOnce.begin(), kOnce.end(), name) == kOnce.end()) {
            return;
        }
        for (const SpecTag& tag : before_.tags()) {
            if (to_lower(tag.name) == name &&
                before_.sections()[tag.section].package == overlay_.package) {
                add(fmt::format(
                    "{}:{} has {} already: {}", spec_name_, tag.line + 1, tag.name, tag.value));
                return;
            }
        }
    }

    // The end of a section lies inside an %if that was opened for the next one.
    void guards(std::string_view section_name, std::string_view package) {
        for (const SpecSection& section : before_.sections()) {
            if (section.name != section_name || section.package != package ||
                section.end >= before_.lines().size()) {
                continue;
            }
            std::vector<std::size_t> open;
            for (std::size_t i = section.begin; i < section.end; ++i) {
                const int step = condition_step(before_.lines()[i]);
                if (step > 0) {
                    open.push_back(i);
                } else if (step < 0 && !open.empty()) {
                    open.pop_back();
                }
            }
            if (!open.empty()) {
                add(fmt::format("what is added to {} lies inside the conditional {}:{} opens:  {}",
                                section_title(section.name, section.package),
                                spec_name_,
                                open.back() + 1,
                                spec_trim(before_.lines()[open.back()])));
            }
        }
    }

    // A patch is text until something applies it, and numbers that are counted can meet.
    void patches() {
        bool applied = false;
        for (const std::string& line : before_.lines()) {
            applied = applied || (!is_comment(line) && (contains(line, "%autosetup") ||
                                                        contains(line, "%autopatch")));
        }
        if (!applied) {
            add(fmt::format("{} has no %autosetup or %autopatch: nothing applies the patch unless "
                            "%prep names it",
                            spec_name_));
        }
        std::size_t bare = 0;
        std::size_t numbered = 0;
        for (const SpecTag& tag : before_.tags()) {
            const std::string name = to_lower(tag.name);
            if (name == "patch" && bare == 0) {
                bare = tag.line + 1;
            } else if (name.starts_with("patch") && name.size() > 5 &&
                       name.find_first_not_of("0123456789", 5) == std::string::npos) {
                numbered = tag.line + 1;
            }
        }
        if (bare != 0 && numbered != 0) {
            add(fmt::format("{0}:{1} is a bare Patch and {0}:{2} a numbered one: rpm counts on from "
                            "the last, and may reach the number added here",
                            spec_name_,
                            bare,
                            numbered));
        }
    }

    void left_empty(const SpecDocument& after) {
        const auto old_ones = empty_conditions(before_.lines());
        const auto new_ones = empty_conditions(after.lines());
        if (new_ones.size() > old_ones.size()) {
            std::vector<std::string> places;
            for (std::size_t line : new_ones) {
                places.push_back(fmt::format("{}:{}", spec_name_, line + 1));
            }
            add(fmt::format("leaves a conditional that holds nothing: {}", some(places)));
        }
    }

  private:
    static std::string some(std::vector<std::string> places) {
        if (places.size() > 8) {
            places.resize(8);
            places.emplace_back("...");
        }
        return join(places, ", ");
    }

    const SpecDocument& before_;
    const std::string& spec_name_;
    const Overlay& overlay_;
    std::vector<std::string> remarks_{};
};

}  // namespace

std::vector<std::string> strict_remarks(const std::string& before,
                                        const std::string& after,
                                        const std::string& spec_name,
                                        const Overlay& overlay,
                                        View view) {
    auto normal = normal_spec_text(before, spec_name);
    const SpecDocument old_spec = SpecDocument::parse(normal ? *normal : before);
    const SpecDocument new_spec = SpecDocument::parse(after);
    Remarks remarks(old_spec, spec_name, overlay);
    if (old_spec.lines() == new_spec.lines()) {
        remarks.add(fmt::format("changes nothing: {} is as it was", spec_name));
    }
    switch (overlay.type) {
        case OverlayType::kSpecSearchReplace:
            remarks.hits();
            break;
        case OverlayType::kSpecAddTag:
            remarks.second_tag();
            [[fallthrough]];
        case OverlayType::kPatchAdd:
            if (overlay.type == OverlayType::kPatchAdd) {
                remarks.patches();
            }
            if (view == View::kLines) {
                remarks.guards(overlay.package.empty() ? "" : "%package", overlay.package);
            }
            break;
        case OverlayType::kSpecAppendLines:
            if (view == View::kLines && !overlay.section.empty()) {
                remarks.guards(overlay.section, overlay.package);
            }
            break;
        default:
            break;
    }
    remarks.left_empty(new_spec);
    return remarks.take();
}

}  // namespace tarn::overlay
