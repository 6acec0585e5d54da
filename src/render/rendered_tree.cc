// SPDX-License-Identifier: MIT
#include "render/rendered_tree.hh"

#include "base/fs.hh"
#include "base/strings.hh"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <set>

namespace tarn {
namespace {

constexpr std::string_view kFailedName = "RENDER_FAILED";
constexpr std::string_view kTemporary = ".tarn-new-";

Result<void> check_component(const std::string& component) {
    if (component.empty() || component == "." || component == ".." ||
        component.find('/') != component.npos || component.find('\0') != component.npos ||
        component.size() > 200) {
        return fail(error(ErrorKind::kUsage, "`{}` cannot be the name of a directory", component)
                        .advise("a component's name is one plain path component"));
    }
    return {};
}

// Every file below, without following links.
struct OnDisk {
    bool link = false;
    bool executable = false;
    std::string target{};
};
Result<void> scan(const std::string& top,
                  const std::string& below,
                  std::size_t depth,
                  std::map<std::string, OnDisk>& found) {
    if (depth > 64) {
        return fail(ErrorKind::kFailed, "{} is more than 64 directories deep", top);
    }
    for (const std::string& name : TARN_TRY(list_directory(join_path(top, below)))) {
        const std::string path = below.empty() ? name : below + "/" + name;
        const std::string full = join_path(top, path);
        struct stat status{};
        if (::lstat(full.c_str(), &status) != 0) {
            if (errno == ENOENT) {
                continue;
            }
            return fail(sys_error("look at", full));
        }
        if (S_ISDIR(status.st_mode)) {
            TARN_TRY(scan(top, path, depth + 1, found));
            continue;
        }
        OnDisk entry;
        entry.link = !S_ISREG(status.st_mode);
        entry.executable = (status.st_mode & S_IXUSR) != 0;
        if (S_ISLNK(status.st_mode)) {
            entry.target = TARN_TRY(read_symlink(full));
        }
        found.emplace(path, std::move(entry));
    }
    return {};
}

bool is_there(const std::string& path) {
    struct stat status{};
    return ::lstat(path.c_str(), &status) == 0;
}

Result<bool> equal(const SourceSet& sources,
                   const SourceSet::Item& item,
                   const OnDisk& there,
                   const std::string& full) {
    if (item.entry.kind == EntryKind::kSymlink || there.link) {
        return item.entry.kind == EntryKind::kSymlink && there.link &&
               item.entry.target == there.target;
    }
    if (((item.entry.mode & 0100) != 0) != there.executable) {
        return false;
    }
    const std::string wanted = TARN_TRY(sources.read(item.entry.path));
    struct stat status{};
    if (::lstat(full.c_str(), &status) != 0) {
        if (errno == ENOENT) {
            return false;  // another run exchanged the directory
        }
        return fail(sys_error("look at", full));
    }
    if (static_cast<std::uint64_t>(status.st_size) != wanted.size()) {
        return false;
    }
    const std::string now = TARN_TRY(read_file(full));
    return now == wanted;
}

// Paths that differ between the sources and the directory.
Result<std::vector<std::string>> compare(const SourceSet& sources, const std::string& directory) {
    std::map<std::string, OnDisk> there;
    struct stat status{};
    if (::lstat(directory.c_str(), &status) == 0) {
        if (!S_ISDIR(status.st_mode)) {
            return fail(error(ErrorKind::kFailed, "{} is no directory", directory)
                            .advise("remove it, and render again"));
        }
        TARN_TRY(scan(directory, "", 0, there));
    }
    std::vector<std::string> differing;
    for (const auto& [path, item] : sources.items()) {
        if (item.entry.kind == EntryKind::kDirectory) {
            continue;
        }
        const auto found = there.find(path);
        bool same = found != there.end();
        if (same) {
            same = TARN_TRY(equal(sources, item, found->second, join_path(directory, path)));
            there.erase(found);
        }
        if (!same) {
            differing.push_back(path);
        }
    }
    for (const auto& [path, entry] : there) {
        differing.push_back(path);
    }
    std::sort(differing.begin(), differing.end());
    return differing;
}

Result<void> write_item(const SourceSet& sources,
                        const SourceSet::Item& item,
                        const std::string& directory) {
    const auto path = safe_relative_path(item.entry.path, Absolute::kRefuse);
    if (!path) {
        return fail(ErrorKind::kFailed, "{} leaves the rendered directory", item.entry.path);
    }
    const std::string full = join_path(directory, *path);
    if (item.entry.kind == EntryKind::kDirectory) {
        return make_directories(full);
    }
    TARN_TRY(make_directories(parent_path(full)));
    if (item.entry.kind == EntryKind::kSymlink) {
        return make_symlink(item.entry.target, full);
    }
    const std::string bytes = TARN_TRY(sources.read(item.entry.path));
    return write_file_atomic(full, bytes, (item.entry.mode & 0100) != 0 ? 0755 : 0644);
}

std::string temporary_name(const std::string& component) {
    static std::atomic<unsigned> counter{0};
    return fmt::format("{}{}.{}.{}", kTemporary, component, ::getpid(), counter.fetch_add(1));
}

Result<void> write_place(const SourceSet& sources,
                         const std::string& component,
                         const std::string& place) {
    const std::string parent = parent_path(place);
    TARN_TRY(make_directories(parent));
    const std::string made = join_path(parent, temporary_name(component));
    TARN_TRY(make_directories(made));
    Result<void> written{};
    for (const auto& [path, item] : sources.items()) {
        written = write_item(sources, item, made);
        if (!written) {
            break;
        }
    }
    if (written) {
        written = replace_directory(made, place);
    }
    if (!written) {
        static_cast<void>(remove_tree(made));
    }
    return written;
}

// True when the link was not as it should be.
Result<bool> keep_alias(const std::string& component, const std::string& place, bool check_only) {
    const std::string alias = rendered_alias(component);
    if (alias.empty()) {
        return false;
    }
    const std::string link = join_path(parent_path(place), alias);
    struct stat status{};
    const bool there = ::lstat(link.c_str(), &status) == 0;
    if (there && S_ISLNK(status.st_mode)) {
        const std::string target = TARN_TRY(read_symlink(link));
        if (target == component) {
            return false;
        }
    } else if (there) {
        return fail(error(ErrorKind::kFailed, "{} is in the way of the link to {}", link, component)
                        .advise("remove it, and render again"));
    }
    if (!check_only) {
        TARN_TRY(replace_symlink(component, link));
    }
    return true;
}

// Whether remove_stale may judge a name at all: what nobody rendered is not taken away.
bool is_letter(std::string_view name) {
    return name.size() == 1 && name != "." && to_lower(name) == name;
}

bool looks_rendered(const std::string& directory) {
    const auto names = list_directory(directory);
    return names && (names->empty() || std::any_of(names->begin(), names->end(), [](const auto& n) {
                         return n == kFailedName || n.ends_with(".spec");
                     }));
}

bool may_be_stale(const std::string& below, const std::string& letter, const std::string& name) {
    const std::string path = join_path(below, name);
    struct stat status{};
    if (::lstat(path.c_str(), &status) != 0) {
        return false;
    }
    if (S_ISLNK(status.st_mode)) {
        const auto target = read_symlink(path);
        return target && rendered_alias(*target) == name;
    }
    const bool temporary = name.starts_with(kTemporary);
    return S_ISDIR(status.st_mode) &&
           (temporary || (to_lower(name.substr(0, 1)) == letter && looks_rendered(path)));
}

}  // namespace

std::string rendered_path(const std::string& component) {
    return to_lower(component.substr(0, 1)) + "/" + component;
}

std::string rendered_alias(const std::string& component) {
    std::string alias;
    for (const char c : component) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '~';
        if (plain) {
            alias += c;
        } else if (c == ' ') {
            alias += '+';
        } else {
            alias += fmt::format("%{:02X}", static_cast<unsigned char>(c));
        }
    }
    return alias == component ? std::string() : alias;
}

Result<RenderedDirectory> write_rendered(const std::string& directory,
                                         const std::string& component,
                                         const SourceSet& sources,
                                         bool check_only) {
    TARN_TRY(check_component(component));
    RenderedDirectory result;
    result.path = join_path(directory, rendered_path(component));
    result.differing = TARN_TRY(compare(sources, result.path));
    const bool there = is_there(result.path);
    if (!result.differing.empty() || !there) {
        result.state = there ? RenderedState::kChanged : RenderedState::kNew;
        if (!check_only) {
            TARN_TRY(write_place(sources, component, result.path));
        }
    }
    const bool alias_changed = TARN_TRY(keep_alias(component, result.path, check_only));
    if (alias_changed && result.state == RenderedState::kUnchanged) {
        result.state = RenderedState::kChanged;
    }
    return result;
}

Result<RenderedDirectory> write_render_failed(const std::string& directory,
                                              const std::string& component,
                                              const std::string& line,
                                              bool check_only) {
    SourceSet sources;
    sources.add(std::string(kFailedName), replace_all(line, "\n", " ") + "\n", 0);
    return write_rendered(directory, component, sources, check_only);
}

Result<std::vector<std::string>> remove_stale(const std::string& directory,
                                              const std::vector<std::string>& components,
                                              bool check_only) {
    std::set<std::string> wanted;
    for (const std::string& component : components) {
        const std::string path = rendered_path(component);
        wanted.insert(path);
        const std::string alias = rendered_alias(component);
        if (!alias.empty()) {
            wanted.insert(parent_path(path) + "/" + alias);
        }
    }
    std::vector<std::string> stale;
    if (!is_directory(directory)) {
        return stale;
    }
    for (const std::string& letter : TARN_TRY(list_directory(directory))) {
        const std::string below = join_path(directory, letter);
        struct stat status{};
        if (!is_letter(letter) || ::lstat(below.c_str(), &status) != 0 ||
            !S_ISDIR(status.st_mode)) {
            continue;
        }
        for (const std::string& name : TARN_TRY(list_directory(below))) {
            if (!wanted.contains(letter + "/" + name) && may_be_stale(below, letter, name)) {
                stale.push_back(join_path(below, name));
            }
        }
    }
    if (!check_only) {
        for (const std::string& path : stale) {
            TARN_TRY(remove_tree(path));
            ::rmdir(parent_path(path).c_str());  // an empty letter goes too
        }
    }
    return stale;
}

}  // namespace tarn
