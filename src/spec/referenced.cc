// SPDX-License-Identifier: MIT
#include "base/strings.hh"
#include "spec/detail/expression.hh"
#include "spec/macros.hh"

#include <algorithm>
#include <set>

namespace tarn {
namespace {

bool is_archive(std::string_view name) {
    for (std::string_view end : {".tgz",
                                 ".tbz2",
                                 ".tbz",
                                 ".txz",
                                 ".tzst",
                                 ".zip",
                                 ".gem",
                                 ".crate",
                                 ".jar",
                                 ".whl",
                                 ".rpm",
                                 ".7z",
                                 ".tar",
                                 ".gz",
                                 ".bz2",
                                 ".xz",
                                 ".zst",
                                 ".lz"}) {
        if (name.ends_with(end)) {
            return true;
        }
    }
    return false;
}

// '\1' and '\2' stand for any text. Greedy from the left: linear in the name for each piece.
bool matches(std::string_view pattern, std::string_view name) {
    const auto wild = [&](std::size_t from) { return pattern.find_first_of("\1\2", from); };
    if (pattern.find(specs::kArchiveMark) != std::string_view::npos && !is_archive(name)) {
        return false;
    }
    std::size_t at = wild(0);
    if (at == std::string_view::npos) {
        return pattern == name;
    }
    if (!name.starts_with(pattern.substr(0, at))) {
        return false;
    }
    std::size_t read = at;
    while (true) {
        const std::size_t next = wild(at + 1);
        const std::string_view piece = pattern.substr(at + 1, next - at - 1);
        if (next == std::string_view::npos) {
            return name.size() >= read + piece.size() && name.ends_with(piece);
        }
        const std::size_t found = name.find(piece, read);
        if (found == std::string_view::npos) {
            return false;
        }
        read = found + piece.size();
        at = next;
    }
}

// Nothing in it narrows it down.
bool is_anything(std::string_view pattern) {
    return !pattern.empty() &&
           pattern.find_first_not_of(specs::kUnknownMark) == std::string_view::npos;
}

std::string_view last_component(std::string_view path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

// The file a reference names, and the directory when it is a path in the sources' directory.
std::vector<std::string_view> components(std::string_view reference) {
    std::vector<std::string_view> result = {last_component(reference)};
    const std::size_t slash = reference.find('/');
    if (slash != std::string_view::npos && slash > 0 &&
        reference.find("://") == std::string_view::npos) {
        const std::string_view first = reference.substr(0, slash);
        if (first.find_first_of("\1\2") == std::string_view::npos) {
            result.push_back(first);
        }
    }
    return result;
}

}  // namespace

ReferencedFiles referenced_files(const SpecFacts& facts, const std::vector<std::string>& present) {
    ReferencedFiles result;
    std::set<std::string_view> exact;
    std::set<std::string_view> patterns;
    const auto add = [&](std::string_view pattern) {
        for (std::string_view part : components(pattern)) {
            const bool is_pattern = part.find_first_of("\1\2") != std::string_view::npos;
            (is_pattern ? patterns : exact).insert(part);
            result.sure = result.sure && !is_anything(part);
        }
    };
    for (const SpecFile& file : facts.files) {
        add(file.pattern);
        if (!file.expanded.complete()) {
            result.unresolved.push_back(file.written);
        }
    }
    for (const std::string& include : facts.includes) {
        if (contains(include, "%")) {
            result.sure = false;
            result.unresolved.push_back(include);
        }
        exact.insert(include);
    }
    std::set<std::string> names;
    for (const std::string& name : present) {
        if (exact.contains(name) ||
            std::any_of(patterns.begin(), patterns.end(), [&](std::string_view pattern) {
                return matches(pattern, name);
            })) {
            names.insert(name);
        }
    }
    result.names.assign(names.begin(), names.end());
    return result;
}

}  // namespace tarn
