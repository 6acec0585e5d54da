// SPDX-License-Identifier: MIT
#include "release/detail/version.hh"

#include "base/strings.hh"
#include "release/detail/changelog.hh"

#include <re2/re2.h>

#include <algorithm>

namespace tarn::release {
namespace {

// The lines before %prep: all that is needed, unless the spec is an odd one.
std::string_view before_prep(std::string_view spec) {
    for (std::size_t at = 0; at < spec.size();) {
        const std::size_t end = std::min(spec.find('\n', at), spec.size());
        if (trim(spec.substr(at, end - at)) == "%prep") {
            return spec.substr(0, at);
        }
        at = end + 1;
    }
    return spec;
}

bool good_version(const Expansion& value) {
    return !value.complete() || std::all_of(value.text.begin(), value.text.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               std::string_view("._+%{}~^").find(c) != std::string_view::npos;
    });
}

std::string problem_of(const SpecFacts& facts) {
    if (facts.version.text.empty()) {
        return "it has no Version";
    }
    if (facts.release.text.empty()) {
        return "it has no Release";
    }
    if (!good_version(facts.version)) {
        return "its Version is `" + facts.version.text + "`";
    }
    if (!good_version(facts.release)) {
        return "its Release is `" + facts.release.text + "`";
    }
    if (facts.epoch.complete() && !facts.epoch.text.empty() && !parse_u64(facts.epoch.text)) {
        return "its Epoch is `" + facts.epoch.text + "`";
    }
    return {};
}

// Expands to its own options, so that the whole Release shows whether and how it was called.
MacroTable with_autorelease(MacroTable table) {
    table.define("autorelease",
                 {"E%{?-e*}_S%{?-s*}_P%{?-p:1}%{!?-p:0}_B%{?-b*}", std::string("e:s:pb:n")});
    table.define("autochangelog", {"", std::nullopt});
    if (table.find("dist") == nullptr) {
        table.define("dist", {".dist", std::nullopt});
    }
    return table;
}

void read_release(std::string_view release, SpecVersion& result) {
    static const RE2 call("E([^_]*)_S([^_]*)_P([01])_B(\\d*)");
    std::string extra;
    std::string snapshot;
    std::string prerelease;
    std::string base;
    if (!RE2::FullMatch(release, call, &extra, &snapshot, &prerelease, &base)) {
        return;
    }
    result.prerelease = prerelease == "1";
    if (!base.empty()) {
        result.base = std::min(parse_u64(base).value_or(kHighestRelease), kHighestRelease);
    }
    result.tags = (extra.empty() ? "" : "." + extra) + (snapshot.empty() ? "" : "." + snapshot);
}

// A line that says nothing about the version, whatever is before or behind it.
bool says_nothing(std::string_view line) {
    if (line.find('%') != std::string_view::npos || line.ends_with('\\')) {
        return false;
    }
    const std::string_view tag = line.substr(0, line.find_first_of(" \t"));
    return line.starts_with('#') ||
           (tag.ends_with(':') &&
            (tag.starts_with("Patch") || tag.starts_with("Source") ||
             tag.starts_with("BuildRequires") || tag.starts_with("Requires")));
}

}  // namespace

std::string version_key(std::string_view spec) {
    std::string key;
    for (const std::string_view line : split_lines(before_prep(spec))) {
        if (!says_nothing(line)) {
            key += line;
            key += '\n';
        }
    }
    return key;
}

SpecVersion read_version(std::string_view spec, const MacroTable& known) {
    const MacroTable table = with_autorelease(known);
    const std::string_view head = before_prep(spec);
    SpecFacts facts = read_spec_facts(head, table);
    if (!problem_of(facts).empty() && head.size() < spec.size()) {
        facts = read_spec_facts(spec, table);
    }
    SpecVersion result;
    result.problem = problem_of(facts);
    if (!result.problem.empty()) {
        return result;
    }
    if (!facts.epoch.text.empty()) {
        const auto number = parse_u64(facts.epoch.text);
        result.epoch_version = (number ? std::to_string(*number) : facts.epoch.text) + ":";
    }
    result.epoch_version += facts.version.text;
    result.unknown = facts.epoch.unresolved;
    result.unknown.insert(
        result.unknown.end(), facts.version.unresolved.begin(), facts.version.unresolved.end());
    read_release(facts.release.text, result);
    return result;
}

}  // namespace tarn::release
