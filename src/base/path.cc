// SPDX-License-Identifier: MIT
// The textual half of fs.hh: nothing here touches the disk.
#include "base/fs.hh"
#include "base/strings.hh"

namespace tarn {

namespace {

std::string fold(std::string_view path) {
    const bool absolute = path.starts_with('/');
    std::vector<std::string_view> parts;
    for (const std::string_view part : split(path, '/')) {
        if (part.empty() || part == ".") {
            continue;
        }
        if (part == ".." && !parts.empty() && parts.back() != "..") {
            parts.pop_back();
        } else if (part != ".." || !absolute) {
            parts.push_back(part);
        }
    }
    std::string result = absolute ? "/" : "";
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (i != 0) {
            result += '/';
        }
        result += parts[i];
    }
    return result.empty() ? "." : result;
}

}  // namespace

std::string absolute_path(std::string_view path, std::string_view base) {
    return path.starts_with('/') ? fold(path) : fold(join_path(base, path));
}

std::string parent_path(std::string_view path) {
    const std::size_t slash = path.rfind('/');
    if (slash == std::string_view::npos) {
        return "";
    }
    return slash == 0 ? "/" : std::string(path.substr(0, slash));
}

std::string file_name(std::string_view path) {
    const std::size_t slash = path.rfind('/');
    return std::string(slash == std::string_view::npos ? path : path.substr(slash + 1));
}

std::string join_path(std::string_view a, std::string_view b) {
    if (a.empty()) {
        return std::string(b);
    }
    if (b.empty()) {
        return std::string(a);
    }
    std::string result(a);
    if (!result.ends_with('/')) {
        result += '/';
    }
    result += b.starts_with('/') ? b.substr(1) : b;
    return result;
}

std::string relative_to(std::string_view path, std::string_view base) {
    if (base.ends_with('/')) {
        base.remove_suffix(1);
    }
    if (path.size() > base.size() && path.starts_with(base) && path[base.size()] == '/') {
        return std::string(path.substr(base.size() + 1));
    }
    return std::string(path);
}

std::optional<std::string> safe_relative_path(std::string_view path, Absolute absolute) {
    if (path.find('\0') != std::string_view::npos) {
        return std::nullopt;
    }
    if (path.starts_with('/')) {
        if (absolute == Absolute::kRefuse) {
            return std::nullopt;
        }
    }
    std::string result;
    for (const std::string_view part : split(path, '/')) {
        if (part.empty() || part == ".") {
            continue;
        }
        if (part == "..") {
            return std::nullopt;
        }
        if (!result.empty()) {
            result += '/';
        }
        result += part;
    }
    return result;
}

}  // namespace tarn
