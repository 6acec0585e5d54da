// SPDX-License-Identifier: MIT
#include "provision/yaml.hh"

#include "base/strings.hh"

#include <yaml.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>

namespace tarn::guest {
namespace {

constexpr std::size_t kLimit = 1u << 20;
constexpr std::size_t kDepth = 24;
constexpr std::size_t kValues = 50'000;
constexpr std::size_t kKeys = 2'000;  // of one mapping

constexpr std::array kTrue = {"yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"};
constexpr std::array kFalse = {"no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"};
constexpr std::array kNothing = {"", "~", "null", "Null", "NULL"};

template <std::size_t N>
bool one_of(std::string_view text, const std::array<const char*, N>& names) {
    return std::any_of(names.begin(), names.end(), [&](const char* name) { return text == name; });
}

bool digit(char c) {
    return c >= '0' && c <= '9';
}

// All of `text` is digits of the base or '_', and it is not empty.
std::optional<std::int64_t> digits(std::string_view text, unsigned base) {
    std::string plain;
    for (const char c : text) {
        if (c != '_') {
            plain += c;
        }
    }
    const auto value = parse_u64(plain, static_cast<int>(base));
    if (!value || *value > INT64_MAX) {
        return std::nullopt;
    }
    return static_cast<std::int64_t>(*value);
}

// [1-9][0-9_]*(:[0-5]?[0-9])+
std::optional<std::int64_t> sexagesimal(std::string_view text) {
    const auto parts = split(text, ':');
    if (parts.size() < 2 || parts.size() > 8 || parts[0].empty() || parts[0][0] < '1' ||
        parts[0][0] > '9') {
        return std::nullopt;
    }
    std::int64_t value = 0;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const auto part = digits(parts[i], 10);
        if (!part || *part > 1'000'000 ||
            (i > 0 && (*part > 59 || parts[i].size() > 2 || contains(parts[i], "_")))) {
            return std::nullopt;
        }
        value = value * 60 + *part;
    }
    return value;
}

std::optional<std::int64_t> integer(std::string_view text) {
    bool minus = false;
    if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
        minus = text[0] == '-';
        text.remove_prefix(1);
    }
    if (text.empty() || !digit(text[0])) {
        return std::nullopt;
    }
    std::optional<std::int64_t> value;
    if (text.starts_with("0b")) {
        value = digits(text.substr(2), 2);
    } else if (text.starts_with("0x")) {
        value = digits(text.substr(2), 16);
    } else if (text[0] == '0' && text.size() > 1) {
        const bool zero = text.find_first_not_of('_', 1) == std::string_view::npos;
        value = zero ? 0 : digits(text.substr(1), 8);
    } else if (contains(text, ":")) {
        value = sexagesimal(text);
    } else {
        value = digits(text, 10);
    }
    if (value && minus) {
        *value = -*value;
    }
    return value;
}

// [-+]? digits "." digits? ([eE][-+]digits)? and the names of infinity and no number.
bool is_float(std::string_view text) {
    constexpr std::array kNames = {".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN"};
    const bool sign = !text.empty() && (text[0] == '-' || text[0] == '+');
    text.remove_prefix(sign ? 1 : 0);
    if (one_of(text, kNames)) {
        return !sign || to_lower(text) == ".inf";
    }
    const std::size_t dot = text.find('.');
    if (dot == std::string_view::npos || (sign && dot == 0)) {
        return false;
    }
    const auto all_digits = [](std::string_view part) {
        return std::all_of(part.begin(), part.end(), [](char c) { return digit(c) || c == '_'; });
    };
    std::string_view after = text.substr(dot + 1);
    const std::size_t e = after.find_first_of("eE");
    if (e != std::string_view::npos) {
        const std::string_view power = after.substr(e + 1);
        if (power.size() < 2 || (power[0] != '-' && power[0] != '+') ||
            !all_digits(power.substr(1))) {
            return false;
        }
        after = after.substr(0, e);
    }
    const std::string_view before = text.substr(0, dot);
    if (contains(before, ":")) {  // 1:30.5
        const auto parts = split(before, ':');
        return e == std::string_view::npos && all_digits(after) && !parts[0].empty() &&
               digit(parts[0][0]) && all_digits(parts[0]) &&
               std::all_of(parts.begin() + 1, parts.end(), [](std::string_view part) {
                   return (part.size() == 1 && digit(part[0])) ||
                          (part.size() == 2 && part[0] >= '0' && part[0] < '6' && digit(part[1]));
               });
    }
    return all_digits(before) && all_digits(after) && !(before.empty() && after.empty()) &&
           (before.empty() ? digit(after[0]) : digit(before[0]));
}

// 2026-01-31, alone or with a time behind it.
bool is_date(std::string_view text) {
    if (text.size() < 8 || !std::all_of(text.begin(), text.begin() + 4, digit) || text[4] != '-') {
        return false;
    }
    const auto parts = split(text.substr(0, 10), '-');
    return parts.size() == 3 && text.size() >= 10 && digit(text[5]) && digit(text[6]) &&
           text[7] == '-' && digit(text[8]) && digit(text[9]) &&
           (text.size() == 10 || text[10] == 'T' || text[10] == 't' || text[10] == ' ');
}

struct Event {
    yaml_event_t raw{};
    Event() = default;
    Event(const Event&) = delete;
    Event& operator=(const Event&) = delete;
    ~Event() { yaml_event_delete(&raw); }
    yaml_event_type_t type() const { return raw.type; }
    Mark mark() const {
        return {static_cast<unsigned>(raw.start_mark.line + 1),
                static_cast<unsigned>(raw.start_mark.column + 1)};
    }
};

std::string text_of(const yaml_char_t* bytes) {
    return bytes == nullptr ? std::string() : std::string(reinterpret_cast<const char*>(bytes));
}

class Loader {
  public:
    Loader(std::string_view document, std::string_view text, Problems& problems)
        : document_(document), text_(text), problems_(problems) {
        TARN_CHECK(yaml_parser_initialize(&parser_) == 1);
        yaml_parser_set_input_string(
            &parser_, reinterpret_cast<const unsigned char*>(text.data()), text.size());
    }
    Loader(const Loader&) = delete;
    Loader& operator=(const Loader&) = delete;
    ~Loader() { yaml_parser_delete(&parser_); }

    Result<Node> load() {
        Node root;
        bool seen = false;
        for (;;) {
            Event event;
            TARN_TRY(next(event));
            switch (event.type()) {
                case YAML_STREAM_START_EVENT:
                case YAML_DOCUMENT_END_EVENT:
                    break;
                case YAML_DOCUMENT_START_EVENT:
                    if (seen) {
                        return fail(wrong(event.mark(), "a second document begins here"));
                    }
                    seen = true;
                    break;
                case YAML_STREAM_END_EVENT:
                    return root;
                default:
                    root = TARN_TRY(value(event, 0));
            }
        }
    }

  private:
    Error wrong(Mark mark, std::string text) {
        Problem problem{Problem::Weight::kRefused, mark, 1, std::move(text), {}, false};
        return problems_error(document_, text_, {problem});
    }

    Result<void> next(Event& event) {
        if (yaml_parser_parse(&parser_, &event.raw) == 1) {
            return {};
        }
        const bool placed = parser_.problem_mark.line != 0 || parser_.problem_mark.column != 0 ||
                            parser_.problem_mark.index != 0;
        Mark mark{static_cast<unsigned>(parser_.problem_mark.line + 1),
                  static_cast<unsigned>(parser_.problem_mark.column + 1)};
        if (!placed && parser_.error == YAML_READER_ERROR) {
            const std::string_view before =
                text_.substr(0, std::min<std::size_t>(parser_.problem_offset, text_.size()));
            mark = {static_cast<unsigned>(std::count(before.begin(), before.end(), '\n')) + 1, 1};
        }
        const std::string context =
            parser_.context != nullptr ? fmt::format(" {}", parser_.context) : std::string();
        return fail(wrong(mark,
                          fmt::format("this is no YAML: {}{}",
                                      parser_.problem != nullptr ? parser_.problem : "broken",
                                      context)));
    }

    void feature(Mark mark, std::string text, std::string help = {}) {
        problems_.push_back(
            {Problem::Weight::kHandOver, mark, 1, std::move(text), std::move(help), false});
    }

    void check_properties(Mark mark, const yaml_char_t* anchor, const yaml_char_t* tag) {
        if (anchor != nullptr) {
            feature(mark, fmt::format("the anchor `&{}` is not read natively", text_of(anchor)));
        }
        if (tag != nullptr && text_of(tag) != "!") {
            feature(mark, fmt::format("the tag `{}` is not read natively", text_of(tag)));
        }
    }

    Result<Node> value(const Event& event, std::size_t depth) {
        if (++count_ > kValues) {
            return fail(wrong(event.mark(), fmt::format("more than {} values", kValues)));
        }
        if (depth > kDepth) {
            return fail(wrong(event.mark(), fmt::format("nested deeper than {} levels", kDepth)));
        }
        switch (event.type()) {
            case YAML_SCALAR_EVENT:
                return scalar(event);
            case YAML_SEQUENCE_START_EVENT:
                return sequence(event, depth);
            case YAML_MAPPING_START_EVENT:
                return mapping(event, depth);
            case YAML_ALIAS_EVENT: {
                feature(event.mark(),
                        fmt::format("the alias `*{}` is not read natively",
                                    text_of(event.raw.data.alias.anchor)));
                Node node;
                node.mark = event.mark();
                return node;
            }
            default:
                return fail(wrong(event.mark(), "a value was expected here"));
        }
    }

    Result<Node> scalar(const Event& event) {
        const auto& data = event.raw.data.scalar;
        check_properties(event.mark(), data.anchor, data.tag);
        const std::string_view text(reinterpret_cast<const char*>(data.value), data.length);
        if (text.find('\0') != std::string_view::npos) {
            return fail(wrong(event.mark(), "a NUL byte in text"));
        }
        Node node;
        if (data.style == YAML_PLAIN_SCALAR_STYLE) {
            node = resolve_scalar(text);
        } else {
            node.kind = Node::Kind::kText;
            node.text = text;
        }
        node.mark = event.mark();
        return node;
    }

    Result<Node> sequence(const Event& start, std::size_t depth) {
        const auto& data = start.raw.data.sequence_start;
        check_properties(start.mark(), data.anchor, data.tag);
        Node node;
        node.kind = Node::Kind::kList;
        node.mark = start.mark();
        for (;;) {
            Event event;
            TARN_TRY(next(event));
            if (event.type() == YAML_SEQUENCE_END_EVENT) {
                return node;
            }
            node.items.push_back(TARN_TRY(value(event, depth + 1)));
        }
    }

    Result<Node> mapping(const Event& start, std::size_t depth) {
        const auto& data = start.raw.data.mapping_start;
        check_properties(start.mark(), data.anchor, data.tag);
        Node node;
        node.kind = Node::Kind::kMap;
        node.mark = start.mark();
        for (;;) {
            Event event;
            TARN_TRY(next(event));
            if (event.type() == YAML_MAPPING_END_EVENT) {
                return node;
            }
            const Node key = TARN_TRY(value(event, depth + 1));
            if (!key.is_scalar()) {
                return fail(wrong(key.mark, "a key must be text, not a list or a mapping"));
            }
            if (node.members.size() >= kKeys) {
                return fail(wrong(key.mark, fmt::format("more than {} keys", kKeys)));
            }
            check_key(event, key, node);
            Event next_event;
            TARN_TRY(next(next_event));
            node.members.push_back({key.text, TARN_TRY(value(next_event, depth + 1))});
            node.member_marks.push_back(key.mark);
        }
    }

    void check_key(const Event& event, const Node& key, const Node& node) {
        if (key.text == "<<" && event.type() == YAML_SCALAR_EVENT &&
            event.raw.data.scalar.style == YAML_PLAIN_SCALAR_STYLE) {
            feature(key.mark, "the merge key `<<` is not read natively");
        } else if (node.find(key.text) != nullptr) {
            feature(key.mark,
                    fmt::format("`{}` is given twice", key.text),
                    "only the last one would count: take one away");
        }
    }

    std::string_view document_, text_;
    Problems& problems_;
    yaml_parser_t parser_{};
    std::size_t count_ = 0;
};

}  // namespace

const Node* Node::find(std::string_view key) const {
    // The last one counts, as for cloud-init.
    for (auto each = members.rbegin(); each != members.rend(); ++each) {
        if (each->name == key) {
            return &each->value;
        }
    }
    return nullptr;
}

Node resolve_scalar(std::string_view text) {
    Node node;
    node.text = text;
    if (one_of(text, kNothing)) {
        node.kind = Node::Kind::kNull;
    } else if (one_of(text, kTrue) || one_of(text, kFalse)) {
        node.kind = Node::Kind::kBool;
        node.boolean = one_of(text, kTrue);
    } else if (const auto number = integer(text)) {
        node.kind = Node::Kind::kInt;
        node.integer = *number;
    } else if (is_float(text)) {
        node.kind = Node::Kind::kFloat;
    } else if (is_date(text)) {
        node.kind = Node::Kind::kDate;
    } else {
        node.kind = Node::Kind::kText;
    }
    return node;
}

std::string_view kind_name(Node::Kind kind) {
    switch (kind) {
        case Node::Kind::kNull:
            return "nothing";
        case Node::Kind::kBool:
            return "true or false";
        case Node::Kind::kInt:
            return "a number";
        case Node::Kind::kFloat:
            return "a number with a point";
        case Node::Kind::kText:
            return "text";
        case Node::Kind::kDate:
            return "a date";
        case Node::Kind::kList:
            return "a list";
        case Node::Kind::kMap:
            break;
    }
    return "a mapping";
}

Result<Node> parse_yaml(std::string_view document, std::string_view text, Problems& problems) {
    if (text.size() > kLimit) {
        return fail(ErrorKind::kUsage,
                    "{}: {} bytes of YAML, at most {} are accepted",
                    document,
                    text.size(),
                    kLimit);
    }
    return Loader(document, text, problems).load();
}

}  // namespace tarn::guest
