// SPDX-License-Identifier: MIT
#include "import/detail/relation.hh"

#include "base/strings.hh"
#include "import/import.hh"

#include <algorithm>
#include <array>
#include <cctype>

namespace tarn::import {

namespace {

constexpr std::size_t kMaxClauses = 10'000;

bool is_name(std::string_view text) {
    return !text.empty() && text.size() <= 255 && std::all_of(text.begin(), text.end(), [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '+' || c == '-' || c == '.';
    });
}

bool is_version(std::string_view text) {
    return !text.empty() && text.size() <= 255 && std::all_of(text.begin(), text.end(), [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
               std::string_view(".+-~:_").find(c) != std::string_view::npos;
    });
}

// "(>= 1.2)" without its brackets.
bool parse_version(std::string_view text, Relation& out) {
    struct Operator {
        std::string_view text;
        Comparison comparison;
    };
    // "<" and ">" alone are the old spelling of "<=" and ">=".
    constexpr std::array<Operator, 7> kOperators{{{"<<", Comparison::kLess},
                                                  {"<=", Comparison::kLessEqual},
                                                  {"=", Comparison::kEqual},
                                                  {">=", Comparison::kGreaterEqual},
                                                  {">>", Comparison::kGreater},
                                                  {"<", Comparison::kLessEqual},
                                                  {">", Comparison::kGreaterEqual}}};
    for (const Operator& each : kOperators) {
        if (text.starts_with(each.text)) {
            out.comparison = each.comparison;
            out.version = trim(text.substr(each.text.size()));
            return is_version(out.version);
        }
    }
    return false;
}

bool parse_one(std::string_view text, Relation& out) {
    text = trim(text);
    const std::size_t open = text.find('(');
    if (open != std::string_view::npos) {
        if (!text.ends_with(')') ||
            !parse_version(trim(text.substr(open + 1, text.size() - open - 2)), out)) {
            return false;
        }
        text = trim(text.substr(0, open));
    }
    const std::size_t colon = text.find(':');
    if (colon != std::string_view::npos) {
        if (!is_name(text.substr(colon + 1))) {
            return false;
        }
        text = text.substr(0, colon);
    }
    out.name = text;
    return is_name(text);
}

bool has_revision(const std::string& version) {
    return version.find('-') != std::string::npos;
}

constexpr std::uint32_t kLess = 2;
constexpr std::uint32_t kGreater = 4;
constexpr std::uint32_t kEqual = 8;

std::uint32_t sense(Comparison comparison) {
    switch (comparison) {
        case Comparison::kLess:
            return kLess;
        case Comparison::kLessEqual:
            return kLess | kEqual;
        case Comparison::kEqual:
            return kEqual;
        case Comparison::kGreaterEqual:
            return kGreater | kEqual;
        case Comparison::kGreater:
            return kGreater;
        case Comparison::kNone:
            break;
    }
    return 0;
}

}  // namespace

Result<std::vector<Clause>> parse_relations(std::string_view field, std::string_view what) {
    std::vector<Clause> clauses;
    for (const std::string_view part : split(field, ',')) {
        if (trim(part).empty()) {
            continue;  // a trailing comma is common
        }
        Clause clause;
        for (const std::string_view alternative : split(part, '|')) {
            Relation relation;
            if (!parse_one(alternative, relation)) {
                return fail(ErrorKind::kCorrupt,
                            "{}: `{}` is not a relation between packages",
                            what,
                            trim(part).substr(0, 200));
            }
            clause.push_back(std::move(relation));
        }
        clauses.push_back(std::move(clause));
        if (clauses.size() > kMaxClauses) {
            return fail(ErrorKind::kCorrupt, "{}: more than {} relations", what, kMaxClauses);
        }
    }
    return clauses;
}

std::string relation_evr(const Relation& relation, const std::string& suffix) {
    const bool revision = has_revision(relation.version);
    switch (relation.comparison) {
        case Comparison::kNone:
            return {};
        case Comparison::kEqual:
            return convert_version(relation.version, suffix).to_string();
        case Comparison::kLessEqual:
        case Comparison::kGreater:
            // The imported release is longer by the suffix: bounds that the version itself lies on
            // must carry it too.
            if (revision) {
                return convert_version(relation.version, suffix).to_string();
            }
            if (relation.comparison == Comparison::kGreater) {
                // Debian: "2.43-7" is later than "2.43"; RPM compares no release with "2.43" alone.
                rpm::Evr evr = convert_version(relation.version, {});
                evr.release = "0";
                return evr.to_string();
            }
            break;
        case Comparison::kLess:
        case Comparison::kGreaterEqual:
            if (revision) {
                return convert_version(relation.version, {}).to_string();
            }
            break;
    }
    rpm::Evr evr = convert_version(relation.version, {});
    return evr.epoch ? fmt::format("{}:{}", *evr.epoch, evr.version) : evr.version;
}

rpm::Dependency to_dependency(const Relation& relation,
                              const std::string& rpm_name,
                              const std::string& suffix) {
    return {rpm_name, sense(relation.comparison), relation_evr(relation, suffix)};
}

}  // namespace tarn::import
