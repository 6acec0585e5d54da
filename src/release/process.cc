// SPDX-License-Identifier: MIT
// Which features a spec uses, and the spec with them filled in: line by line, as rpmautospec does
// it.
#include "base/strings.hh"
#include "release/autospec.hh"
#include "release/detail/text.hh"

#include <fmt/format.h>

namespace tarn::release {
namespace {

constexpr std::size_t kNone = static_cast<std::size_t>(-1);
constexpr std::string_view kAutorelease = "autorelease";

// The bytes of white space at the front of `text`.
std::size_t space_length(std::string_view text) {
    if (text.empty()) {
        return 0;
    }
    const std::u32string first = decode(text.substr(0, 4));
    return is_space(first[0]) ? encode(std::u32string_view(first).substr(0, 1)).size() : 0;
}

std::string_view skip_space(std::string_view text) {
    while (const std::size_t length = space_length(text)) {
        text.remove_prefix(length);
    }
    return text;
}

// What stands behind the name in the first call of %autorelease in a line; nullopt without one.
std::optional<std::string_view> autorelease_call(std::string_view line) {
    for (std::size_t at = line.find('%'); at != std::string_view::npos;
         at = line.find('%', at + 1)) {
        std::string_view rest = line.substr(at + 1);
        const bool braces = rest.starts_with('{');
        if (braces) {
            rest.remove_prefix(rest.substr(1).starts_with('?') ? 2 : 1);
        }
        if (!rest.starts_with(kAutorelease)) {
            continue;
        }
        rest.remove_prefix(kAutorelease.size());
        const bool separated = space_length(rest) > 0;
        if (!braces && (rest.empty() || separated)) {
            return rest;
        }
        const std::size_t end = braces ? rest.find('}') : std::string_view::npos;
        if (end == 0 || (end != std::string_view::npos && separated)) {
            return rest.substr(0, end);
        }
    }
    return std::nullopt;
}

// %changelog, in any case, alone or with white space behind it.
bool is_changelog_header(std::string_view line) {
    constexpr std::string_view kHeader = "%changelog";
    return to_lower(line.substr(0, kHeader.size())) == kHeader &&
           (line.size() == kHeader.size() || space_length(line.substr(kHeader.size())) > 0);
}

bool calls_autochangelog(std::string_view line) {
    const std::string_view text = skip_space(line);
    return text.starts_with("%autochangelog") || text.starts_with("%{autochangelog}") ||
           text.starts_with("%{?autochangelog}");
}

bool defines_autorelease(std::string_view line) {
    std::string_view text = skip_space(line);
    constexpr std::string_view kDefine = "%define";
    if (!text.starts_with(kDefine)) {
        return false;
    }
    text.remove_prefix(kDefine.size());
    if (space_length(text) == 0) {
        return false;
    }
    text = skip_space(text);
    if (!text.starts_with(kAutorelease)) {
        return false;
    }
    text.remove_prefix(kAutorelease.size());
    return skip_space(text).starts_with('(');
}

std::vector<std::string> flags_of(std::string_view call) {
    std::vector<std::string> flags;
    for (const std::string_view word : split_words(call)) {
        if (word.starts_with('-') && word.size() >= 2) {
            flags.emplace_back(word);
        } else if (!flags.empty() && flags.back().size() == 2 &&
                   std::string_view("esb").find(flags.back()[1]) != std::string_view::npos) {
            flags.back() += " " + std::string(word);
        } else {
            break;
        }
    }
    return flags;
}

struct Scan {
    Features features;
    std::size_t changelog = kNone;      // line of %changelog
    std::size_t autochangelog = kNone;  // first line that calls %autochangelog
};

Scan scan(const Lines& text) {
    Scan result;
    for (std::size_t i = 0; i < text.lines.size(); ++i) {
        const std::string_view line = text.lines[i];
        if (line.find('%') == std::string_view::npos) {
            continue;
        }
        if (result.changelog == kNone) {
            if (!result.features.autorelease) {
                if (const auto call = autorelease_call(line)) {
                    result.features.autorelease = true;
                    result.features.flags = flags_of(*call);
                }
            }
            if (is_changelog_header(line)) {
                result.changelog = i;
            }
        }
        if (result.autochangelog == kNone && calls_autochangelog(line)) {
            result.autochangelog = i;
        }
        result.features.processed |= defines_autorelease(line);
    }
    result.features.autochangelog = result.autochangelog != kNone || result.changelog == kNone;
    return result;
}

std::string block_on_top(const Features& features, unsigned number, const std::string& version) {
    std::string used = features.autorelease ? "autorelease" : "";
    if (features.autochangelog) {
        used += used.empty() ? "autochangelog" : ", autochangelog";
    }
    std::string block = fmt::format(
        "## START: Set by rpmautospec\n"
        "## (rpmautospec version {})\n"
        "## RPMAUTOSPEC: {}\n",
        version,
        used);
    if (features.autorelease) {
        block += fmt::format(
            "%define autorelease(e:s:pb:n) %{{?-p:0.}}%{{lua:\n"
            "    release_number = {};\n"
            "    base_release_number = tonumber(rpm.expand(\"%{{?-b*}}%{{!?-b:1}}\"));\n"
            "    print(release_number + base_release_number - 1);\n"
            "}}%{{?-e:.%{{-e*}}}}%{{?-s:.%{{-s*}}}}%{{!?-n:%{{?dist}}}}\n",
            number);
    }
    return block + "## END: Set by rpmautospec\n\n";
}

}  // namespace

Features features_of(std::string_view spec) {
    return scan(universal_lines(spec)).features;
}

std::string process_spec(std::string_view spec,
                         const AutospecResult& result,
                         const AutospecWording& wording) {
    const Lines text = universal_lines(spec);
    const Scan found = scan(text);
    if (found.features.processed ||
        (!found.features.autorelease && !found.features.autochangelog)) {
        return std::string(spec);
    }
    std::string output = block_on_top(found.features, result.release_number, wording.version);
    output.reserve(output.size() + spec.size() + result.changelog.size() + 128);
    const bool called = found.autochangelog != kNone;
    const std::size_t count = text.lines.size();
    // Where %autochangelog is called, everything behind %changelog goes; without that header,
    // everything from the call on.
    std::size_t end = count;
    if (called) {
        end = found.changelog != kNone ? found.changelog + 1 : found.autochangelog;
    }
    for (std::size_t i = 0; i < end; ++i) {
        output += text.lines[i];
        output += i + 1 < count || text.ended ? "\n" : "";
    }
    if (found.changelog == kNone) {
        output += called ? "%changelog\n" : "\n%changelog\n";
    }
    if (found.features.autochangelog) {
        // rpmautospec would go on in an unended line, and the section would be lost.
        output += output.ends_with('\n') ? "" : "\n";
        output += "## START: Generated by rpmautospec\n";
        output += result.changelog;
        output += "\n## END: Generated by rpmautospec\n";
    }
    return output;
}

}  // namespace tarn::release
