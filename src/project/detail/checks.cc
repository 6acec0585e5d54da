// SPDX-License-Identifier: MIT
#include "project/detail/checks.hh"

#include "base/fs.hh"
#include "base/strings.hh"

namespace tarn::declaration {

bool is_root_path(std::string_view path) {
    if (!path.starts_with('/') || path.size() == 1 || path.ends_with('/')) {
        return false;
    }
    for (std::string_view part : split(path.substr(1), '/')) {
        if (part.empty() || part == "." || part == "..") {
            return false;
        }
    }
    return true;
}

bool is_file_mode(std::string_view mode) {
    return (mode.size() == 3 || mode.size() == 4) &&
           mode.find_first_not_of("01234567") == std::string_view::npos;
}

void check_content_or_source(Reading& reading, const Value& table) {
    const Entry* content = table.find("content");
    const Entry* source = table.find("source");
    if ((content == nullptr) == (source == nullptr)) {
        reading.broken_rule(table.span, "a file needs either `content` or `source`");
        return;
    }
    if (source != nullptr && source->value.kind == ValueKind::kString &&
        !path_exists(path_value(reading, source->value.text))) {
        reading.error(source->value.span,
                      fmt::format("there is no file {}", source->value.text),
                      "the path is relative to the directory of this file");
    }
}

}  // namespace tarn::declaration
