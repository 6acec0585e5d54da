// SPDX-License-Identifier: MIT
#include "release/release.hh"

#include "base/strings.hh"
#include "spec/document.hh"

#include <re2/re2.h>

#include <algorithm>

namespace tarn::release {
namespace {

// Release tags of the preamble: those of the main package.
std::vector<SpecTag> release_tags(const SpecDocument& spec) {
    std::vector<SpecTag> tags;
    for (const SpecTag& tag : spec.tags()) {
        const SpecSection& section = spec.sections().at(tag.section);
        if (section.name.empty() && section.package.empty() && to_lower(tag.name) == "release") {
            tags.push_back(tag);
        }
    }
    return tags;
}

ReleaseKind kind_of(const std::vector<SpecTag>& tags) {
    static const RE2 autorelease("%(\\{[?]?autorelease($|[}\\s])|autorelease($|\\s))");
    static const RE2 number("^(\\d+)(%\\{\\??dist\\})?$");
    if (tags.empty()) {
        return ReleaseKind::kMissing;
    }
    const std::string& value = tags.back().value;
    if (RE2::PartialMatch(value, autorelease)) {
        return ReleaseKind::kAutorelease;
    }
    return RE2::PartialMatch(value, number) ? ReleaseKind::kStatic : ReleaseKind::kOther;
}

std::string place_of(const std::vector<SpecTag>& tags) {
    return fmt::format("line {}: Release is `{}`", tags.back().line + 1, tags.back().value);
}

// Neither counted nor left alone: the configuration has to say what is wanted.
Error undecided(const std::vector<SpecTag>& tags, const std::string& component) {
    Error result =
        tags.empty()
            ? error(ErrorKind::kFailed, "{}: the spec's main package has no Release", component)
            : error(ErrorKind::kFailed,
                    "{}: {}, expected a number with %{{?dist}} behind it, or %autorelease",
                    component,
                    place_of(tags));
    result.help.emplace_back("release.calculation = \"manual\" leaves Release as it is");
    return result;
}

}  // namespace

ReleaseKind classify(std::string_view spec) {
    return kind_of(release_tags(SpecDocument::parse(spec)));
}

Result<Action> decide(std::string_view calculation,
                      std::string_view spec,
                      const std::string& component) {
    if (calculation == "manual") {
        return Action::kNone;
    }
    if (calculation == "autorelease") {
        return Action::kAutospec;
    }
    const bool automatic = calculation == "auto" || calculation.empty();
    if (!automatic && calculation != "static") {
        Error result = error(ErrorKind::kUsage,
                             "{}: release.calculation is `{}`, expected auto, autorelease, static "
                             "or manual",
                             component,
                             calculation);
        const std::string guess =
            did_you_mean(calculation, {"auto", "autorelease", "static", "manual"});
        if (!guess.empty()) {
            result.help.push_back(guess);
        }
        return fail(std::move(result));
    }
    const std::vector<SpecTag> tags = release_tags(SpecDocument::parse(spec));
    switch (kind_of(tags)) {
        case ReleaseKind::kAutorelease:
            if (automatic) {
                return Action::kAutospec;
            }
            return fail(error(ErrorKind::kFailed,
                              "{}: {}, but release.calculation is \"static\"",
                              component,
                              place_of(tags))
                            .advise("use \"auto\" or \"autorelease\""));
        case ReleaseKind::kStatic:
            return Action::kBump;
        case ReleaseKind::kOther:
        case ReleaseKind::kMissing:
            break;
    }
    return fail(undecided(tags, component));
}

Result<std::string> bump_static(std::string_view spec, unsigned by) {
    if (by == 0) {
        return std::string(spec);
    }
    SpecDocument document = SpecDocument::parse(spec);
    const std::vector<SpecTag> tags = release_tags(document);
    if (kind_of(tags) != ReleaseKind::kStatic) {
        return fail(
            error(ErrorKind::kFailed,
                  "{}: there is no number to count on",
                  tags.empty() ? "the spec's main package has no Release" : place_of(tags)));
    }
    const std::string& value = tags.back().value;
    const std::size_t digits = std::min(value.find('%'), value.size());
    const auto number = parse_u64(value.substr(0, digits));
    if (!number || *number > 1'000'000'000'000'000'000ULL) {
        return fail(error(ErrorKind::kFailed,
                          "{}: the number is too high to count on",
                          place_of(tags))
                        .advise("release.calculation = \"manual\" leaves Release as it is"));
    }
    const std::string text = fmt::format("Release: {}{}", *number + by, value.substr(digits));
    for (const SpecTag& tag : tags) {
        document.replace(tag.line, text);
    }
    return document.print();
}

}  // namespace tarn::release
