// SPDX-License-Identifier: MIT
// The only file that sees the TOML library.
#include "base/strings.hh"
#include "project/toml.hh"

#include <toml++/toml.h>

#include <algorithm>

namespace tarn::declaration {

std::string_view kind_name(ValueKind kind) {
    switch (kind) {
        case ValueKind::kString:
            return "a string";
        case ValueKind::kInteger:
            return "an integer";
        case ValueKind::kFloat:
            return "a number with a fraction";
        case ValueKind::kBoolean:
            return "a boolean";
        case ValueKind::kDate:
            return "a date";
        case ValueKind::kArray:
            return "an array";
        case ValueKind::kTable:
            return "a table";
    }
    return "a value";
}

const Entry* Value::find(std::string_view key) const {
    auto found = std::find_if(
        entries.begin(), entries.end(), [&](const Entry& entry) { return entry.key == key; });
    return found == entries.end() ? nullptr : &*found;
}

namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// From the library's lines and columns, which count code points, to byte offsets. Every 64th code
// point's offset is kept, so that a lookup is cheap however long a line is; in plain ASCII the two
// are the same.
class Positions {
  public:
    explicit Positions(std::string_view text) : text_(text) {
        line_starts_.push_back(0);
        ascii_ = std::all_of(text.begin(), text.end(), [](char c) { return (c & 0x80) == 0; });
        if (ascii_) {
            for (std::size_t at = text.find('\n'); at != std::string_view::npos;
                 at = text.find('\n', at + 1)) {
                line_starts_.push_back(at + 1);
            }
            points_ = text.size();
            return;
        }
        std::size_t offset = text.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
        std::size_t points = 0;
        for (; offset < text.size(); ++offset) {
            if (is_continuation(text[offset])) {
                continue;
            }
            if (points % kStride == 0) {
                offsets_.push_back(offset);
            }
            ++points;
            if (text[offset] == '\n') {
                line_starts_.push_back(points);
            }
        }
        points_ = points;
    }

    std::size_t offset(toml::source_position position) const {
        if (position.line == 0 || position.line > line_starts_.size()) {
            return text_.size();
        }
        const std::size_t column = std::max<std::size_t>(position.column, 1);
        return offset_of_point(line_starts_[position.line - 1] + column - 1);
    }

  private:
    static constexpr std::size_t kStride = 64;
    static bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

    std::size_t offset_of_point(std::size_t point) const {
        if (point >= points_) {
            return text_.size();
        }
        if (ascii_) {
            return point;
        }
        std::size_t offset = offsets_[point / kStride];
        for (std::size_t left = point % kStride; left > 0; --left) {
            do {
                ++offset;
            } while (offset < text_.size() && is_continuation(text_[offset]));
        }
        return offset;
    }

    std::string_view text_;
    std::vector<std::size_t> line_starts_;  // in code points
    std::vector<std::size_t> offsets_;      // in bytes, of every kStride-th code point
    std::size_t points_ = 0;
    bool ascii_ = false;
};

// Finds the first place where brackets or dotted keys go deeper than allowed.
class NestingScan {
  public:
    explicit NestingScan(std::string_view text) : text_(text) {}

    std::optional<std::size_t> first_offence() {
        while (at_ < text_.size()) {
            const char c = text_[at_];
            if (c == '#') {
                at_ = std::min(text_.find('\n', at_), text_.size());
            } else if (c == '"' || c == '\'') {
                skip_string(c);
            } else {
                if (!count(c)) {
                    return at_;
                }
                ++at_;
            }
        }
        return std::nullopt;
    }

  private:
    bool count(char c) {
        switch (c) {
            case '[':
            case '{':
                ++depth_;
                dots_ = 0;
                break;
            case ']':
            case '}':
                depth_ -= depth_ > 0 ? 1 : 0;
                dots_ = 0;
                break;
            case '=':
            case ',':
            case '\n':
                dots_ = 0;
                break;
            case '.':
                ++dots_;
                break;
            default:
                break;
        }
        return depth_ <= kNestingLimit && dots_ < kDottedKeyLimit;
    }

    void skip_string(char quote) {
        const std::string three(3, quote);
        const bool multi_line = text_.substr(at_, 3) == three;
        at_ += multi_line ? 3 : 1;
        while (at_ < text_.size()) {
            const char c = text_[at_];
            if (c == '\\' && quote == '"') {
                at_ += 2;
            } else if (multi_line && text_.substr(at_, 3) == three) {
                at_ += 3;
                // Up to two more quotes belong to the string's content.
                while (at_ < text_.size() && text_[at_] == quote) {
                    ++at_;
                }
                return;
            } else if (!multi_line && (c == quote || c == '\n')) {
                at_ += c == quote ? 1 : 0;
                return;
            } else {
                ++at_;
            }
        }
        at_ = text_.size();
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::size_t depth_ = 0;
    std::size_t dots_ = 0;
};

class Converter {
  public:
    Converter(const SourceMap& map, const SourceMap::File& file)
        : map_(map), file_(file), positions_(file.text) {}

    Span span(const toml::source_region& region) const {
        const std::size_t begin = positions_.offset(region.begin);
        const std::size_t end = positions_.offset(region.end);
        return bytes(begin, end > begin ? end - begin : 1);
    }
    Span point(toml::source_position position) const {
        return bytes(positions_.offset(position), 1);
    }
    Span bytes(std::size_t offset, std::size_t length) const {
        return {map_.offset(file_, offset), static_cast<std::uint32_t>(length)};
    }

    Value value(const toml::node& node) const {
        Value result;
        result.span = span(node.source());
        switch (node.type()) {
            case toml::node_type::table:
                table(*node.as_table(), result);
                break;
            case toml::node_type::array:
                result.kind = ValueKind::kArray;
                result.items.reserve(node.as_array()->size());
                for (const toml::node& item : *node.as_array()) {
                    result.items.push_back(value(item));
                }
                break;
            case toml::node_type::string:
                result.kind = ValueKind::kString;
                result.text = node.as_string()->get();
                break;
            case toml::node_type::integer:
                result.kind = ValueKind::kInteger;
                result.integer = node.as_integer()->get();
                break;
            case toml::node_type::boolean:
                result.kind = ValueKind::kBoolean;
                result.boolean = node.as_boolean()->get();
                break;
            case toml::node_type::floating_point:
                result.kind = ValueKind::kFloat;
                break;
            default:
                result.kind = ValueKind::kDate;
                break;
        }
        return result;
    }

  private:
    void table(const toml::table& source, Value& result) const {
        result.kind = ValueKind::kTable;
        result.entries.reserve(source.size());
        for (const auto& [key, node] : source) {
            result.entries.push_back({std::string(key.str()), span(key.source()), value(node)});
        }
        std::sort(result.entries.begin(), result.entries.end(), [](const Entry& a, const Entry& b) {
            return a.key_span.begin < b.key_span.begin;
        });
    }

    const SourceMap& map_;
    const SourceMap::File& file_;
    Positions positions_;
};

// The library's sentence without its preamble and in Tarn's way of quoting.
std::string plain_message(std::string_view description) {
    constexpr std::string_view kPreamble = "Error while parsing ";
    if (description.starts_with(kPreamble)) {
        const std::size_t colon = description.find(": ");
        if (colon != std::string_view::npos) {
            description.remove_prefix(colon + 2);
        }
    }
    std::string text;
    for (char c : description) {
        if (c == '\'') {
            text += '`';
        } else if (c == '\n') {
            text += "\\n";
        } else if (c != '\r') {
            text += c;
        }
    }
    return text;
}

// The key at the beginning of the line that `offset` is in, when nothing but it lies before.
std::optional<std::pair<std::size_t, std::size_t>> key_before(std::string_view text,
                                                              std::size_t offset) {
    const std::size_t line = offset == 0 ? 0 : text.rfind('\n', offset - 1) + 1;
    const std::string_view before = text.substr(line, offset - line);
    const std::string_view key = trim(before.substr(0, before.find('=')));
    if (key.empty() || key.find_first_of("{[,") != std::string_view::npos) {
        return std::nullopt;
    }
    return std::pair{line + before.find(key), key.size()};
}

bool at_conflict(std::string_view text, std::size_t offset) {
    const std::size_t end = std::min(offset, text.size());
    const std::size_t line = end == 0 ? 0 : text.rfind('\n', end - 1) + 1;
    const std::string_view mark = text.substr(line, 7);
    return mark == "<<<<<<<" || mark == "=======" || mark == ">>>>>>>";
}

Diagnostic describe(const toml::parse_error& error,
                    const Converter& convert,
                    std::string_view text,
                    std::size_t offset) {
    Diagnostic diagnostic;
    diagnostic.primary = convert.point(error.source().begin);
    const std::string_view description = error.description();
    const bool line_ended = offset >= text.size() || text[offset] == '\n' || text[offset] == '\r';
    if (contains(description, "parsing string") && line_ended) {
        diagnostic.message = "string is not closed";
        diagnostic.help.emplace_back("end it with the same quote, or use \"\"\" for several lines");
    } else if (contains(description, "cannot redefine existing")) {
        const std::string plain = plain_message(description);
        const std::size_t quote = plain.find('`');
        diagnostic.message = quote == std::string::npos
                                 ? "defined twice in this file: " + plain
                                 : plain.substr(quote) + " is defined twice in this file";
        if (const auto key = key_before(text, offset)) {
            diagnostic.primary = convert.bytes(key->first, key->second);
        }
        diagnostic.help.emplace_back("keep one of the two definitions");
    } else if (at_conflict(text, offset)) {
        diagnostic.message = "a merge conflict was left here";
        diagnostic.help.emplace_back("`git diff` shows both sides: keep one");
    } else if (contains(description, "invalid utf-8")) {
        diagnostic.message = "not valid TOML: these bytes are not UTF-8";
        diagnostic.help.emplace_back("save the file as UTF-8");
    } else {
        diagnostic.message = "not valid TOML: " + plain_message(description);
    }
    return diagnostic;
}

}  // namespace

std::optional<Value> parse_toml(const SourceMap& map,
                                const SourceMap::File& file,
                                Diagnostics& diagnostics) {
    const Converter convert(map, file);
    if (const auto offence = NestingScan(file.text).first_offence()) {
        diagnostics.error(convert.bytes(*offence, 1),
                          fmt::format("nested too deeply: at most {} brackets and {} parts of a "
                                      "dotted key",
                                      kNestingLimit,
                                      kDottedKeyLimit));
        return std::nullopt;
    }
    try {
        const toml::table table = toml::parse(std::string_view(file.text));
        return convert.value(table);
    } catch (const toml::parse_error& error) {
        const std::size_t offset = Positions(file.text).offset(error.source().begin);
        diagnostics.add(describe(error, convert, file.text, offset));
    } catch (const std::exception& error) {
        diagnostics.error(convert.bytes(0, 1), fmt::format("not valid TOML: {}", error.what()));
    }
    return std::nullopt;
}

}  // namespace tarn::declaration
