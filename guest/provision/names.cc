// SPDX-License-Identifier: MIT
#include "provision/names.hh"

#include "base/strings.hh"

#include <fmt/format.h>

#include <algorithm>

namespace tarn::guest {
namespace {

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

constexpr std::string_view kAccountFiles[] = {"/etc/passwd",
                                              "/etc/shadow",
                                              "/etc/group",
                                              "/etc/gshadow",
                                              "/etc/subuid",
                                              "/etc/subgid",
                                              "/etc/.pwd.lock"};
constexpr std::string_view kNoFiles[] = {"/proc/", "/sys/", "/dev/"};
constexpr std::string_view kOwnState = "/var/lib/tarn/provision";

// "//a/./b" as "/a/b": what the kernel makes of it.
std::string folded(std::string_view path) {
    std::string result;
    for (const std::string_view part : split(path, '/')) {
        if (!part.empty() && part != ".") {
            result += "/" + std::string(part);
        }
    }
    return result;
}

}  // namespace

bool is_one_line(std::string_view text) {
    return std::none_of(text.begin(), text.end(), [](char c) {
        return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    });
}

std::string why_no_account_name(std::string_view name) {
    if (name.empty()) {
        return "a name is empty";
    }
    if (name.size() > 32) {
        return fmt::format("a name of {} characters: at most 32 are taken", name.size());
    }
    const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
        return is_letter(c) || is_digit(c) || c == '_' || c == '.' || c == '-';
    });
    if (!plain) {
        return "a name has characters other than letters, digits, `_`, `.` and `-`";
    }
    if (name[0] == '-' || name[0] == '.') {
        return fmt::format("the name `{}` begins with `{}`", name, name[0]);
    }
    if (std::all_of(name.begin(), name.end(), is_digit)) {
        return fmt::format("the name `{}` could be taken for an id", name);
    }
    return {};
}

std::string why_no_hostname(std::string_view name) {
    if (name.empty() || name.size() > 64) {
        return fmt::format("a host name has 1 to 64 characters, this one has {}", name.size());
    }
    for (const std::string_view label : split(name, '.')) {
        const bool plain = std::all_of(label.begin(), label.end(), [](char c) {
            return is_letter(c) || is_digit(c) || c == '-' || c == '_';
        });
        if (label.empty() || label.size() > 63 || !plain || label.front() == '-' ||
            label.back() == '-') {
            return "a host name is of letters, digits and `-`, with `.` between its parts";
        }
    }
    return {};
}

std::string why_no_file_path(std::string_view path) {
    if (path.empty() || path[0] != '/') {
        return "the path is not absolute";
    }
    if (path.size() > 4000 || !is_one_line(path)) {
        return "the path is too long or has control characters";
    }
    const auto parts = split(path, '/');
    if (std::find(parts.begin(), parts.end(), "..") != parts.end()) {
        return "the path has `..`";
    }
    if (path.back() == '/' || parts.back() == ".") {
        return "the path names a directory";
    }
    return {};
}

std::string why_not_written(std::string_view path) {
    const std::string plain = folded(path);
    for (const std::string_view each : kAccountFiles) {
        if (plain == each) {
            return fmt::format("{} is written by `users`, `groups` and `chpasswd` only", each);
        }
    }
    if (plain == kOwnState || plain.starts_with(std::string(kOwnState) + "/")) {
        return fmt::format("{} is provisioning's own", kOwnState);
    }
    for (const std::string_view each : kNoFiles) {
        if (plain.starts_with(each)) {
            return fmt::format("{} has no files that last", each.substr(0, each.size() - 1));
        }
    }
    return {};
}

std::string why_no_timezone(std::string_view name) {
    const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
        return is_letter(c) || is_digit(c) || c == '_' || c == '-' || c == '+' || c == '/';
    });
    if (name.empty() || name.size() > 100 || !plain || name[0] == '/' || name.back() == '/' ||
        contains(name, "//")) {
        return "this is no name of a time zone";
    }
    return {};
}

}  // namespace tarn::guest
