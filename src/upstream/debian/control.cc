// SPDX-License-Identifier: MIT
#include "base/strings.hh"
#include "upstream/debian/archive.hh"
#include "upstream/debian/detail/fields.hh"

#include <algorithm>

namespace tarn::debian {
namespace detail {
namespace {

Failure malformed(const std::string& name, std::size_t line, std::string_view what) {
    return fail(ErrorKind::kCorrupt, "{}:{}: {}", name, line, what);
}

bool is_blank(std::string_view line) {
    return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

// Policy 5.1: US-ASCII, no control characters, blanks or colons, not beginning with "#" or "-".
bool is_field_name(std::string_view name) {
    return !name.empty() && name.front() != '-' &&
           std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

class Scanner {
  public:
    Scanner(std::string_view text, const std::string& name, FieldSink& sink)
        : text_(text), name_(name), sink_(sink) {}

    Result<void> run() {
        while (position_ < text_.size()) {
            const std::size_t begin = position_;
            const std::string_view line = next_line();
            if (line.find('\0') != std::string_view::npos) {
                return malformed(name_, line_, "a NUL byte");
            }
            if (is_blank(line)) {
                TARN_TRY(end_paragraph());
            } else if (line.front() == ' ' || line.front() == '\t') {
                if (field_.empty()) {
                    return malformed(name_, line_, "a continuation line without a field before it");
                }
                value_end_ = begin + line.size();
            } else if (line.front() != '#') {
                TARN_TRY(begin_field(line, begin));
            }
        }
        return end_paragraph();
    }

  private:
    std::string_view next_line() {
        ++line_;
        const std::size_t end = std::min(text_.find('\n', position_), text_.size());
        const std::string_view line = text_.substr(position_, end - position_);
        position_ = end + 1;
        return line;
    }

    Result<void> begin_field(std::string_view line, std::size_t begin) {
        TARN_TRY(flush());
        const std::size_t colon = line.find(':');
        if (colon == std::string_view::npos) {
            return malformed(name_, line_, "expected `Field: value`");
        }
        if (!is_field_name(line.substr(0, colon))) {
            return malformed(name_, line_, "not a field name before `:`");
        }
        field_ = line.substr(0, colon);
        field_line_ = line_;
        value_begin_ = begin + colon + 1;
        value_end_ = begin + line.size();
        return {};
    }

    Result<void> flush() {
        if (field_.empty()) {
            return {};
        }
        in_paragraph_ = true;
        const std::string_view field = std::exchange(field_, {});
        return sink_.field(
            field, text_.substr(value_begin_, value_end_ - value_begin_), field_line_);
    }

    Result<void> end_paragraph() {
        TARN_TRY(flush());
        if (!std::exchange(in_paragraph_, false)) {
            return {};
        }
        return sink_.end_of_paragraph(line_);
    }

    std::string_view text_;
    const std::string& name_;
    FieldSink& sink_;
    std::size_t position_ = 0;
    std::size_t line_ = 0;
    std::string_view field_;
    std::size_t field_line_ = 0;
    std::size_t value_begin_ = 0;
    std::size_t value_end_ = 0;
    bool in_paragraph_ = false;
};

}  // namespace

Result<void> scan_fields(std::string_view text, const std::string& name, FieldSink& sink) {
    return Scanner(text, name, sink).run();
}

std::string unfold(std::string_view raw) {
    std::string value;
    bool first = true;
    for (std::string_view line : split_lines(raw)) {
        if (first) {
            value = trim(line);
            first = false;
            continue;
        }
        if (line.starts_with('#')) {
            continue;  // a comment between continuation lines
        }
        while (line.ends_with('\r')) {
            line.remove_suffix(1);
        }
        value += '\n';
        value += line.substr(1);
    }
    return value;
}

}  // namespace detail

namespace {

class StanzaSink : public detail::FieldSink {
  public:
    StanzaSink(const std::string& name, const std::function<Result<void>(Stanza&&)>& each)
        : name_(name), each_(each) {}

    Result<void> field(std::string_view field, std::string_view value, std::size_t line) override {
        const auto [where, fresh] = stanza_.emplace(field, detail::unfold(value));
        if (!fresh) {
            return fail(
                ErrorKind::kCorrupt, "{}:{}: field `{}` is given twice", name_, line, field);
        }
        return {};
    }
    Result<void> end_of_paragraph(std::size_t) override {
        return each_(std::exchange(stanza_, {}));
    }

  private:
    const std::string& name_;
    const std::function<Result<void>(Stanza&&)>& each_;
    Stanza stanza_;
};

}  // namespace

Result<void> parse_control(std::string_view text,
                           const std::string& name,
                           const std::function<Result<void>(Stanza&&)>& each) {
    StanzaSink sink(name, each);
    return detail::scan_fields(text, name, sink);
}

}  // namespace tarn::debian
