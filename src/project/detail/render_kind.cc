// SPDX-License-Identifier: MIT
// [render]: the wording of what rendering adds to specs.
#include "project/detail/collected.hh"

#include <algorithm>

namespace tarn::declaration {
namespace {

using K = Keys<RenderWording>;

bool is_comment_line(std::string_view text) {
    return text.starts_with('#') && text.find_first_of("\r\n") == std::string_view::npos;
}

void check_comment(Reading& reading, std::string_view key, const Value& value) {
    if (!is_comment_line(value.text)) {
        reading.error(value.span,
                      fmt::format("`{}` must be a comment: one line that begins with #", key));
    }
}

K::Read comment(std::string RenderWording::* member) {
    return {[member](Reading& reading, const Entry& entry, RenderWording& out) {
                if (const std::string* value = expect_string(reading, entry)) {
                    out.*member = *value;
                    check_comment(reading, entry.key, entry.value);
                }
            },
            Shape{ShapeKind::kText}};
}

// One line or several; what a later file gives replaces what an earlier one gave.
K::Read comments(std::vector<std::string> RenderWording::* member) {
    return {[member](Reading& reading, const Entry& entry, RenderWording& out) {
                std::vector<std::string> lines;
                if (entry.value.kind == ValueKind::kString) {
                    check_comment(reading, entry.key, entry.value);
                    lines.push_back(entry.value.text);
                } else {
                    each_string(reading, entry, [&](const Value& value) {
                        check_comment(reading, entry.key, value);
                        lines.push_back(value.text);
                    });
                }
                out.*member = std::move(lines);
            },
            Shape{ShapeKind::kTextOrTexts}};
}

bool is_plain_suffix(std::string_view name) {
    return !name.empty() && name.front() != '.' &&
           std::all_of(name.begin(), name.end(), [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                      c == '.' || c == '-' || c == '_' || c == '+';
           });
}

void read_suffix(Reading& reading, const Entry& entry, RenderWording& out) {
    const std::string* value = expect_string(reading, entry);
    if (value == nullptr) {
        return;
    }
    if (!is_plain_suffix(*value)) {
        reading.error(entry.value.span,
                      "`macros-suffix` must be a plain name: letters, digits and . - _ +",
                      "the file is named <component>.<suffix>");
        return;
    }
    out.macros_suffix = *value;
}

void check_reason(Reading& reading, const Value& table, RenderWording& out) {
    const Entry* skip = table.find("check-skip");
    if (skip != nullptr && skip->value.kind == ValueKind::kString &&
        out.check_skip.find("{reason}") == std::string::npos) {
        reading.error(skip->value.span,
                      "`check-skip` must say {reason} where the reason is to stand");
    }
}

}  // namespace

const TableKind<RenderWording>& render_wording_kind() {
    static const TableKind<RenderWording> kind = {
        "render",
        {
            {"macros-suffix", {read_suffix, Shape{ShapeKind::kText}}},
            {"macros-header", comments(&RenderWording::macros_header)},
            {"load-comment", comments(&RenderWording::load_comment)},
            {"spec-header", comments(&RenderWording::spec_header)},
            {"check-skip", comment(&RenderWording::check_skip)},
            {"lock-header", comment(&RenderWording::lock_header)},
        },
        check_reason};
    return kind;
}

}  // namespace tarn::declaration
