// SPDX-License-Identifier: MIT
#include "spec/detail/expression.hh"

#include "spec/detail/header.hh"

#include <array>
#include <charconv>

namespace tarn::specs {
namespace {

using Kind = Value::Kind;

Value integer(std::int64_t number) {
    return {Kind::kInteger, number, {}};
}
Value unknown() {
    return {Kind::kUnknown, 0, {}};
}
Value of(bool truth) {
    return integer(truth ? 1 : 0);
}

std::int64_t wrapped(std::int64_t a, char operation, std::int64_t b) {
    const auto x = static_cast<std::uint64_t>(a);
    const auto y = static_cast<std::uint64_t>(b);
    return static_cast<std::int64_t>(operation == '+' ? x + y : operation == '-' ? x - y : x * y);
}

class Evaluator {
  public:
    explicit Evaluator(std::string_view text) : text_(text) {}

    Value whole() {
        Value value = ternary();
        skip();
        return at_ == text_.size() && !too_deep_ ? value : Value{};
    }

  private:
    static constexpr int kDeepest = 100;

    void skip() {
        while (at_ < text_.size() && is_space(text_[at_])) {
            ++at_;
        }
    }
    bool take(std::string_view token) {
        skip();
        if (!text_.substr(at_).starts_with(token)) {
            return false;
        }
        at_ += token.size();
        return true;
    }

    Value ternary() {
        if (++depth_ > kDeepest) {
            too_deep_ = true;
            at_ = text_.size();
            return {};
        }
        Value value = logical();
        if (take("?")) {
            const Value yes = ternary();
            const Value no = take(":") ? ternary() : Value{};
            if (yes.kind == Kind::kError || no.kind == Kind::kError) {
                value = {};
            } else if (value.kind != Kind::kUnknown) {
                const auto truth = value.truth();
                value = !truth ? Value{} : *truth ? yes : no;
            }
        }
        --depth_;
        return value;
    }

    Value logical() {
        Value left = relation();
        while (true) {
            const bool is_and = take("&&");
            if (!is_and && !take("||")) {
                return left;
            }
            left = combine(left, relation(), is_and);
        }
    }

    // rpm evaluates && and || from left to right at one precedence.
    static Value combine(const Value& left, const Value& right, bool is_and) {
        if (left.kind == Kind::kError || right.kind == Kind::kError) {
            return {};
        }
        if (left.kind == Kind::kUnknown || right.kind == Kind::kUnknown) {
            const Value& other = left.kind == Kind::kUnknown ? right : left;
            const auto truth = other.truth();
            return truth && *truth != is_and ? other : unknown();
        }
        if (left.kind != right.kind) {
            return {};
        }
        return *left.truth() == is_and ? right : left;
    }

    Value relation() {
        constexpr std::array<std::string_view, 6> kOperators = {"==", "!=", "<=", ">=", "<", ">"};
        Value left = sum();
        while (true) {
            std::string_view found;
            for (std::string_view candidate : kOperators) {
                if (take(candidate)) {
                    found = candidate;
                    break;
                }
            }
            if (found.empty()) {
                return left;
            }
            left = compare(left, sum(), found);
        }
    }

    static Value compare(const Value& left, const Value& right, std::string_view operation) {
        if (left.kind == Kind::kError || right.kind == Kind::kError) {
            return {};
        }
        if (left.kind == Kind::kUnknown || right.kind == Kind::kUnknown) {
            return unknown();
        }
        if (left.kind != right.kind) {
            return {};
        }
        int order = 0;
        if (left.kind == Kind::kInteger) {
            order = left.integer < right.integer ? -1 : left.integer > right.integer ? 1 : 0;
        } else if (left.kind == Kind::kVersion) {
            order = compare_versions(left.text, right.text);
        } else {
            order = left.text.compare(right.text);
        }
        switch (operation[0]) {
            case '=':
                return of(order == 0);
            case '!':
                return of(order != 0);
            case '<':
                return of(operation.size() == 2 ? order <= 0 : order < 0);
            default:
                return of(operation.size() == 2 ? order >= 0 : order > 0);
        }
    }

    Value sum() {
        Value left = product();
        while (true) {
            const bool plus = take("+");
            if (!plus && !take("-")) {
                return left;
            }
            left = calculate(left, product(), plus ? '+' : '-');
        }
    }

    Value product() {
        Value left = unary();
        while (true) {
            const bool times = take("*");
            if (!times && !take("/")) {
                return left;
            }
            left = calculate(left, unary(), times ? '*' : '/');
        }
    }

    static Value calculate(const Value& left, const Value& right, char operation) {
        if (left.kind == Kind::kError || right.kind == Kind::kError) {
            return {};
        }
        if (left.kind == Kind::kUnknown || right.kind == Kind::kUnknown) {
            return unknown();
        }
        if (left.kind == Kind::kString && right.kind == Kind::kString && operation == '+') {
            return {Kind::kString, 0, left.text + right.text};
        }
        if (left.kind != Kind::kInteger || right.kind != Kind::kInteger) {
            return {};
        }
        if (operation != '/') {
            return integer(wrapped(left.integer, operation, right.integer));
        }
        if (right.integer == 0) {
            return {};
        }
        return right.integer == -1 ? integer(wrapped(0, '-', left.integer))
                                   : integer(left.integer / right.integer);
    }

    Value unary() {
        bool negate = false;
        bool invert = false;
        bool minus = false;
        skip();
        while (at_ < text_.size() && (text_[at_] == '!' || text_[at_] == '-')) {
            if (text_[at_] == '!') {
                negate = true;
                invert = !invert;
            } else {
                minus = !minus;
            }
            ++at_;
            skip();
        }
        Value value = primary();
        if (value.kind == Kind::kUnknown || value.kind == Kind::kError) {
            return value;
        }
        if (minus) {
            if (value.kind != Kind::kInteger) {
                return {};
            }
            value = integer(wrapped(0, '-', value.integer));
        }
        return negate ? of(*value.truth() != invert) : value;
    }

    Value primary() {
        skip();
        if (at_ >= text_.size()) {
            return {};
        }
        if (take("(")) {
            Value value = ternary();
            return take(")") ? value : Value{};
        }
        if (text_[at_] == '"') {
            return quoted(Kind::kString);
        }
        if (text_.substr(at_).starts_with("v\"")) {
            ++at_;
            return quoted(Kind::kVersion);
        }
        return bare();
    }

    Value quoted(Kind kind) {
        const std::size_t close = text_.find('"', at_ + 1);
        if (close == std::string_view::npos) {
            return {};
        }
        const std::string_view inside = text_.substr(at_ + 1, close - at_ - 1);
        at_ = close + 1;
        return inside.find(kUnknownMark) == std::string_view::npos
                   ? Value{kind, 0, std::string(inside)}
                   : unknown();
    }

    // A number; anything with something unknown in it is unknown.
    Value bare() {
        const std::size_t begin = at_;
        bool has_unknown = false;
        while (at_ < text_.size() &&
               (is_word(text_[at_]) || text_[at_] == '.' || text_[at_] == kUnknownMark)) {
            has_unknown = has_unknown || text_[at_] == kUnknownMark;
            ++at_;
        }
        if (has_unknown) {
            return unknown();
        }
        std::int64_t number = 0;
        const char* end = text_.data() + at_;
        const auto [last, code] = std::from_chars(text_.data() + begin, end, number);
        return code == std::errc() && last == end ? integer(number) : Value{};
    }

    std::string_view text_;
    std::size_t at_ = 0;
    int depth_ = 0;
    bool too_deep_ = false;
};

std::string_view take_while(std::string_view& text, bool (*wanted)(char)) {
    std::size_t length = 0;
    while (length < text.size() && wanted(text[length])) {
        ++length;
    }
    const std::string_view taken = text.substr(0, length);
    text.remove_prefix(length);
    return taken;
}

std::string_view without_zeros(std::string_view digits) {
    while (digits.starts_with('0')) {
        digits.remove_prefix(1);
    }
    return digits;
}

int sign(int number) {
    return number < 0 ? -1 : number > 0 ? 1 : 0;
}

// Digits are newer than letters; a longer number is a larger one.
int compare_segments(std::string_view& a, std::string_view& b) {
    if (is_digit(a[0]) != is_digit(b[0])) {
        return is_digit(a[0]) ? 1 : -1;
    }
    if (is_digit(a[0])) {
        const std::string_view x = without_zeros(take_while(a, is_digit));
        const std::string_view y = without_zeros(take_while(b, is_digit));
        if (x.size() != y.size()) {
            return x.size() < y.size() ? -1 : 1;
        }
        return sign(x.compare(y));
    }
    const std::string_view x = take_while(a, is_alpha);
    const std::string_view y = take_while(b, is_alpha);
    return sign(x.compare(y));
}

int compare_parts(std::string_view a, std::string_view b) {
    const auto separator = [](char c) {
        return !is_alpha(c) && !is_digit(c) && c != '~' && c != '^';
    };
    while (true) {
        take_while(a, separator);
        take_while(b, separator);
        if (a.starts_with('~') || b.starts_with('~')) {
            if (!a.starts_with('~') || !b.starts_with('~')) {
                return a.starts_with('~') ? -1 : 1;
            }
        } else if (a.starts_with('^') || b.starts_with('^')) {
            if (!a.starts_with('^')) {
                return a.empty() ? -1 : 1;
            }
            if (!b.starts_with('^')) {
                return b.empty() ? 1 : -1;
            }
        } else {
            if (a.empty() || b.empty()) {
                return a.empty() && b.empty() ? 0 : a.empty() ? -1 : 1;
            }
            if (const int order = compare_segments(a, b)) {
                return order;
            }
            continue;
        }
        a.remove_prefix(1);
        b.remove_prefix(1);
    }
}

struct Evr {
    std::string_view epoch = "0", version, release;
    bool has_release = false;
};
Evr split_evr(std::string_view text) {
    Evr evr;
    const std::size_t colon = text.find(':');
    if (colon != std::string_view::npos) {
        evr.epoch = text.substr(0, colon);
        text.remove_prefix(colon + 1);
    }
    const std::size_t dash = text.rfind('-');
    evr.has_release = dash != std::string_view::npos;
    evr.version = text.substr(0, dash);
    evr.release = evr.has_release ? text.substr(dash + 1) : std::string_view();
    return evr;
}

}  // namespace

std::optional<bool> Value::truth() const {
    switch (kind) {
        case Kind::kInteger:
            return integer != 0;
        case Kind::kString:
            return !text.empty();
        case Kind::kVersion:
            return true;
        default:
            return std::nullopt;
    }
}

Value evaluate(std::string_view text) {
    return Evaluator(text).whole();
}

int compare_versions(std::string_view a, std::string_view b) {
    const Evr x = split_evr(a);
    const Evr y = split_evr(b);
    if (const int order = compare_parts(x.epoch, y.epoch)) {
        return order;
    }
    if (const int order = compare_parts(x.version, y.version)) {
        return order;
    }
    if (x.has_release != y.has_release) {
        return x.has_release ? 1 : -1;
    }
    return compare_parts(x.release, y.release);
}

}  // namespace tarn::specs
