// SPDX-License-Identifier: MIT
#include "render/detail/nearest.hh"

#include "base/strings.hh"

#include <algorithm>

namespace tarn::overlay {
namespace {

// What is literal in a regex, roughly: enough to find the line that was meant.
std::string literal_part(std::string_view regex) {
    std::string text;
    for (std::size_t i = 0; i < regex.size() && text.size() < 200; ++i) {
        const char c = regex[i];
        if (c == '\\' && i + 1 < regex.size()) {
            const char next = regex[++i];
            const bool letter = (next >= 'a' && next <= 'z') || (next >= 'A' && next <= 'Z');
            if (!letter) {
                text += next;
            }
        } else if (std::string_view("^$.*+?()[]{}|").find(c) == std::string_view::npos) {
            text += c;
        }
    }
    return text;
}

// The fewest edits that turn `wanted` into some part of `line`.
std::size_t distance_within(std::string_view wanted, std::string_view line) {
    line = line.substr(0, 400);
    std::vector<std::size_t> row(line.size() + 1, 0);
    for (std::size_t i = 1; i <= wanted.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= line.size(); ++j) {
            const std::size_t above = row[j];
            const std::size_t changed = diagonal + (wanted[i - 1] == line[j - 1] ? 0 : 1);
            row[j] = std::min({changed, above + 1, row[j - 1] + 1});
            diagonal = above;
        }
    }
    return *std::min_element(row.begin(), row.end());
}

}  // namespace

std::string nearest_line(const SpecDocument& spec,
                         const std::string& spec_name,
                         std::string_view regex,
                         std::string_view section,
                         std::string_view package) {
    constexpr std::size_t kLinesLooked = 20'000;
    const std::string wanted = literal_part(regex);
    if (wanted.size() < 3) {
        return {};
    }
    std::size_t best = wanted.size() / 3 + 1;
    std::size_t best_line = 0;
    bool found = false;
    std::size_t looked = 0;
    for (const SpecSection& each : spec.sections()) {
        if ((!section.empty() && each.name != section) ||
            (!package.empty() && each.package != package)) {
            continue;
        }
        const std::size_t first = each.name.empty() ? 0 : each.begin + 1;
        for (std::size_t line = first; line < each.end && looked < kLinesLooked; ++line) {
            ++looked;
            const std::size_t distance = distance_within(wanted, spec.lines()[line]);
            if (distance < best) {
                best = distance;
                best_line = line;
                found = true;
            }
        }
    }
    if (!found) {
        return {};
    }
    return fmt::format("{}:{} is the nearest line:  {}",
                       spec_name,
                       best_line + 1,
                       trim(std::string_view(spec.lines()[best_line]).substr(0, 120)));
}

std::string section_title(std::string_view name, std::string_view package) {
    const std::string_view shown = name.empty() ? "the preamble" : name;
    return package.empty() ? std::string(shown) : fmt::format("{} {}", shown, package);
}

std::string nearest_section(const SpecDocument& spec,
                            std::string_view name,
                            std::string_view package) {
    std::vector<std::string> titles;
    for (const SpecSection& section : spec.sections()) {
        if (!section.name.empty()) {
            titles.push_back(section_title(section.name, section.package));
        }
    }
    std::sort(titles.begin(), titles.end());
    titles.erase(std::unique(titles.begin(), titles.end()), titles.end());
    std::string hint = did_you_mean(section_title(name, package), titles);
    if (!hint.empty()) {
        return hint;
    }
    if (titles.size() > 12) {
        titles.resize(12);
        titles.emplace_back("...");
    }
    return "the spec has " + (titles.empty() ? "no sections" : join(titles, ", "));
}

std::string nearest_tag(const SpecDocument& spec,
                        const std::string& spec_name,
                        std::string_view tag,
                        std::string_view package) {
    std::vector<std::string> names;
    std::string same;
    for (const SpecTag& each : spec.tags()) {
        const SpecSection& section = spec.sections()[each.section];
        if (to_lower(each.name) == to_lower(tag)) {
            if (same.empty()) {
                same = fmt::format("{}:{} has  {}: {}, in {}",
                                   spec_name,
                                   each.line + 1,
                                   each.name,
                                   each.value,
                                   section_title(section.name, section.package));
            }
        } else if (section.package == package) {
            names.push_back(each.name);
        }
    }
    if (!same.empty()) {
        return same;
    }
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    std::string hint = did_you_mean(tag, names);
    if (hint.empty() && !names.empty()) {
        if (names.size() > 12) {
            names.resize(12);
            names.emplace_back("...");
        }
        hint = "there are " + join(names, ", ");
    }
    return hint;
}

}  // namespace tarn::overlay
