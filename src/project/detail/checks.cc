// SPDX-License-Identifier: MIT
#include "project/detail/checks.hh"

#include "base/fs.hh"
#include "base/strings.hh"

#include <algorithm>

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

// The shape and the ranges; how many days a month has is left to whoever computes with it.
bool is_rfc3339(std::string_view time) {
    constexpr std::string_view kShape = "0000-00-00T00:00:00";
    const auto digit = [](char c) { return c >= '0' && c <= '9'; };
    const auto has_shape = [&](std::string_view text, std::string_view shape) {
        for (std::size_t at = 0; at < shape.size(); ++at) {
            if (at >= text.size()) {
                return false;
            }
            if (shape[at] == '0' ? !digit(text[at]) : text[at] != shape[at]) {
                return false;
            }
        }
        return true;
    };
    if (!has_shape(time, kShape)) {
        return false;
    }
    const auto number = [&](std::size_t at) { return (time[at] - '0') * 10 + time[at + 1] - '0'; };
    const bool in_range = number(5) >= 1 && number(5) <= 12 && number(8) >= 1 && number(8) <= 31 &&
                          number(11) <= 23 && number(14) <= 59 && number(17) <= 60;
    std::string_view zone = time.substr(kShape.size());
    if (zone.starts_with('.')) {
        zone.remove_prefix(std::min(zone.find_first_not_of("0123456789", 1), zone.size()));
    }
    return in_range && (zone == "Z" || (zone.size() == 6 && (has_shape(zone, "+00:00") ||
                                                             has_shape(zone, "-00:00"))));
}

bool is_resource_name(std::string_view name) {
    const auto alphanumeric = [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    };
    return !name.empty() && alphanumeric(name.front()) &&
           std::all_of(name.begin(), name.end(), [&](char c) {
               return alphanumeric(c) || c == '_' || c == '.' || c == ':' || c == '-';
           });
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
