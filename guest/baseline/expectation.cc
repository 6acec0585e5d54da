// SPDX-License-Identifier: MIT
#include "base/strings.hh"

#include "baseline/rule.hh"

#include <algorithm>
#include <charconv>
#include <optional>

namespace tarn::guest::baseline {
namespace {

std::optional<long long> number(std::string_view text) {
    if (text.starts_with('+')) {
        text.remove_prefix(1);
    }
    long long value = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (code != std::errc() || end != text.data() + text.size() || text.empty()) {
        return std::nullopt;
    }
    return value;
}

// Runs of white space are one blank: sysctl prints tabs.
std::string normal(std::string_view text) {
    std::string out;
    for (const std::string_view word : split_words(text)) {
        if (!out.empty()) {
            out += ' ';
        }
        out += word;
    }
    return to_lower(out);
}

bool same(std::string_view a, std::string_view b) {
    const auto x = number(trim(a));
    const auto y = number(trim(b));
    return x && y ? *x == *y : normal(a) == normal(b);
}

// Part by part; false when one is no number or there are not as many.
template <class Compare>
bool every_part(std::string_view value, std::string_view bound, Compare compare) {
    const auto values = split(trim(value), ':');
    const auto bounds = split(trim(bound), ':');
    if (values.size() != bounds.size()) {
        return false;
    }
    for (std::size_t i = 0; i < values.size(); ++i) {
        const auto a = number(values[i]);
        const auto b = number(bounds[i]);
        if (!a || !b || !compare(*a, *b)) {
            return false;
        }
    }
    return true;
}

bool all_numbers(std::string_view text) {
    return every_part(text, text, [](long long, long long) { return true; });
}

}  // namespace

bool Expectation::met(std::string_view value) const {
    const auto at_least = [](long long a, long long b) { return a >= b; };
    const auto at_most = [](long long a, long long b) { return a <= b; };
    switch (kind) {
        case Kind::kAny:
            return true;
        case Kind::kAtLeast:
            return every_part(value, values[0], at_least);
        case Kind::kAtMost:
            return every_part(value, values[0], at_most);
        case Kind::kRange:
            return every_part(value, values[0], at_least) && every_part(value, values[1], at_most);
        case Kind::kOneOf:
            return std::ranges::any_of(values, [&](const auto& one) { return same(one, value); });
        case Kind::kNot:
            return std::ranges::none_of(values, [&](const auto& one) { return same(one, value); });
    }
    return false;
}

Result<Expectation> parse_expectation(std::string_view text) {
    Expectation out;
    out.text = std::string(trim(text));
    const std::string_view all = out.text;
    const auto bad = [&](const char* what) {
        return fail(error(ErrorKind::kUsage, "`{}` is no expectation: {}", all, what)
                        .advise("write \"1\", \">= 2\", \"<= 3\", \"1..3\", \"1 | 2\", \"!= none\" "
                                "or \"any\""));
    };
    if (all.empty()) {
        return bad("it is empty");
    }
    if (all == "any") {
        return out;
    }
    const auto bound = [&](Expectation::Kind kind, std::string_view value) -> Result<Expectation> {
        out.kind = kind;
        out.values = {std::string(trim(value))};
        if (!all_numbers(out.values[0])) {
            return bad("it compares with what is no number");
        }
        return out;
    };
    if (all.starts_with(">=")) {
        return bound(Expectation::Kind::kAtLeast, all.substr(2));
    }
    if (all.starts_with("<=")) {
        return bound(Expectation::Kind::kAtMost, all.substr(2));
    }
    if (all.starts_with('<') || all.starts_with('>')) {
        return bad("only >= and <= compare");
    }
    if (const std::size_t dots = all.find(".."); dots != std::string_view::npos) {
        out.kind = Expectation::Kind::kRange;
        out.values = {std::string(trim(all.substr(0, dots))),
                      std::string(trim(all.substr(dots + 2)))};
        if (!all_numbers(out.values[0]) || !all_numbers(out.values[1])) {
            return bad("a range goes from a number to a number");
        }
        return out;
    }
    const bool negated = all.starts_with("!=");
    out.kind = negated ? Expectation::Kind::kNot : Expectation::Kind::kOneOf;
    for (const std::string_view one : split(negated ? all.substr(2) : all, '|')) {
        if (trim(one).empty()) {
            return bad("one of its values is empty");
        }
        out.values.emplace_back(trim(one));
    }
    return out;
}

}  // namespace tarn::guest::baseline
