// SPDX-License-Identifier: MIT
// Rules several kinds of tables share.
#pragma once

#include "project/detail/reader.hh"

namespace tarn::declaration {

// Whether a text is a path of the finished system: absolute, without "." and ".." parts.
bool is_root_path(std::string_view path);
bool is_file_mode(std::string_view mode);  // "0644"
// Of repositories, sub-repositories, sets and templates.
bool is_resource_name(std::string_view name);
bool is_rfc3339(std::string_view time);    // "2026-02-24T00:00:00-08:00"
// Exactly one of the keys `content` and `source`; a source has to be there.
void check_content_or_source(Reading& reading, const Value& table);

template <class T>
typename Keys<T>::Read root_path(std::string T::* member) {
    return {[member](Reading& reading, const Entry& entry, T& out) {
        Keys<T>::text(member)(reading, entry, out);
        if (entry.value.kind == ValueKind::kString && !entry.value.text.empty() &&
            !is_root_path(entry.value.text)) {
            reading.broken_rule(
                entry.value.span,
                fmt::format("`{}` must be an absolute path without `..`", entry.key));
        }
    }, Shape{ShapeKind::kText}};
}

template <class T>
typename Keys<T>::Read file_mode(std::string T::* member) {
    return {[member](Reading& reading, const Entry& entry, T& out) {
        Keys<T>::text(member)(reading, entry, out);
        if (entry.value.kind == ValueKind::kString && !is_file_mode(entry.value.text)) {
            reading.broken_rule(entry.value.span,
                                fmt::format("`{}` must be octal digits", entry.key),
                                "write it as \"0644\"");
        }
    }, Shape{ShapeKind::kText}};
}

}  // namespace tarn::declaration
