// SPDX-License-Identifier: MIT
#include "solve/detail/relation.hh"

#include "base/strings.hh"

#include <algorithm>
#include <array>

namespace tarn::solve {
namespace {

struct Operator {
    std::string_view text;
    int comparison;
};

// "<" and ">" mean "<=" and ">=" in old Debian control files, but not in RPM.
constexpr std::array kRpmOperators = {
    Operator{"=", kEqual},
    Operator{"==", kEqual},
    Operator{"<=", kLess | kEqual},
    Operator{">=", kGreater | kEqual},
    Operator{"<", kLess},
    Operator{">", kGreater},
};
constexpr std::array kDebOperators = {
    Operator{"<<", kLess},
    Operator{"<=", kLess | kEqual},
    Operator{"<", kLess | kEqual},
    Operator{">>", kGreater},
    Operator{">=", kGreater | kEqual},
    Operator{">", kGreater | kEqual},
    Operator{"=", kEqual},
};

// One name of an architecture list: does it mean `architecture`?
bool architecture_matches(std::string_view word, std::string_view architecture) {
    return word == architecture || word == "any" || word == "linux-any" ||
           word == fmt::format("any-{}", architecture);
}

// "amd64 arm64" or "!i386 !armhf".
bool applies_to(std::string_view list, std::string_view architecture) {
    bool negated = false;
    for (std::string_view word : split_words(list)) {
        negated = word.starts_with('!');
        if (negated) {
            word.remove_prefix(1);
        }
        if (architecture_matches(word, architecture)) {
            return !negated;
        }
    }
    return negated;
}

// Cuts "<open>...<close>" out of `text`; false when it is never closed.
bool cut_bracket(std::string_view& text, char open, char close, std::string_view& inside) {
    const std::size_t begin = text.find(open);
    if (begin == std::string_view::npos) {
        inside = {};
        return true;
    }
    const std::size_t end = text.find(close, begin);
    if (end == std::string_view::npos) {
        return false;
    }
    inside = trim(text.substr(begin + 1, end - begin - 1));
    text = text.substr(0, begin);
    return true;
}

std::string strip_qualifier(std::string_view name, std::string_view architecture) {
    const std::size_t colon = name.find(':');
    if (colon != std::string_view::npos) {
        const std::string_view qualifier = name.substr(colon + 1);
        if (qualifier == "any" || qualifier == "native" || qualifier == architecture) {
            name = name.substr(0, colon);
        }
    }
    return std::string(name);
}

// False when the alternative is not for this architecture.
bool parse_alternative(std::string_view text, std::string_view architecture, Relation& out) {
    const std::string_view whole = trim(text);
    std::string_view rest = whole;
    std::string_view architectures;
    std::string_view version;
    out = Relation{std::string(whole), kAny, {}};
    // From the right: name (version) [architectures]; build profiles do not occur in binary
    // packages and would follow the architectures.
    const std::size_t bracket = rest.find('[');
    const std::string_view tail = bracket == std::string_view::npos ? "" : rest.substr(bracket);
    if (bracket != std::string_view::npos) {
        std::string_view list = tail;
        if (!cut_bracket(list, '[', ']', architectures)) {
            return true;
        }
        rest = rest.substr(0, bracket);
    }
    if (!cut_bracket(rest, '(', ')', version)) {
        return true;
    }
    const std::string_view name = trim(rest);
    if (name.empty() || name.find_first_of(" \t\n") != std::string_view::npos) {
        return true;
    }
    if (!version.empty()) {
        const auto* const found = std::find_if(
            kDebOperators.begin(), kDebOperators.end(), [&](const Operator& candidate) {
                return version.starts_with(candidate.text);
            });
        const bool bad = found == kDebOperators.end();
        const std::string_view number = bad ? "" : trim(version.substr(found->text.size()));
        if (number.empty()) {
            return true;
        }
        out.comparison = found->comparison;
        out.version = number;
    }
    out.name = strip_qualifier(name, architecture);
    return architectures.empty() || applies_to(architectures, architecture);
}

}  // namespace

Relation parse_rpm_relation(std::string_view text) {
    const std::vector<std::string_view> words = split_words(text);
    if (words.size() == 3) {
        const auto* const found = std::find_if(
            kRpmOperators.begin(), kRpmOperators.end(), [&](const Operator& candidate) {
                return words[1] == candidate.text;
            });
        if (found != kRpmOperators.end()) {
            return {std::string(words[0]), found->comparison, std::string(words[2])};
        }
    }
    return {std::string(trim(text)), kAny, {}};
}

std::vector<std::vector<Relation>> parse_deb_relations(std::string_view text,
                                                       std::string_view architecture) {
    std::vector<std::vector<Relation>> clauses;
    for (const std::string_view part : split(text, ',')) {
        if (trim(part).empty()) {
            continue;
        }
        std::vector<Relation> clause;
        for (const std::string_view alternative : split(part, '|')) {
            Relation relation;
            if (!trim(alternative).empty() &&
                parse_alternative(alternative, architecture, relation)) {
                clause.push_back(std::move(relation));
            }
        }
        if (!clause.empty()) {
            clauses.push_back(std::move(clause));
        }
    }
    return clauses;
}

}  // namespace tarn::solve
