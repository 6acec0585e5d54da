// SPDX-License-Identifier: MIT
#include "rpm/filedeps.hh"

#include "base/fs.hh"
#include "base/strings.hh"
#include "rpm/elf.hh"
#include "rpm/detail/textdeps.hh"

#include <rpm/rpmds.h>

#include <algorithm>
#include <array>

namespace tarn::rpm {

namespace {

constexpr std::uint64_t kMaxText = 256u << 10;  // only the head of anything longer is read

// Names a linker could have put there for a library others link with, as rpm sees it: modules and
// plugins are not depended on by name.
bool is_library_name(std::string_view name) {
    if (!contains(name, ".so") || split_words(name).size() != 1) {
        return false;
    }
    const std::array<std::string_view, 5> starts{"lib", "ld.", "ld-", "ld64.", "ld64-"};
    return std::any_of(starts.begin(), starts.end(), [&](std::string_view start) {
        return name.starts_with(start);
    });
}

void add_library(std::vector<Dependency>& list,
                 const std::string& library,
                 const std::string& version,
                 bool is_64bit) {
    if (!is_library_name(library)) {
        return;
    }
    if (version.empty() && !is_64bit) {
        list.push_back({library, 0, {}});
    } else {
        list.push_back(
            {fmt::format("{}({}){}", library, version, is_64bit ? "(64bit)" : ""), 0, {}});
    }
}

void add_elf(const ElfFacts& elf, const TreeEntry& entry, FileDependencies& out) {
    if (elf.is_library) {
        add_library(out.provides,
                    elf.soname.empty() ? file_name(entry.path) : elf.soname,
                    {},
                    elf.is_64bit);
    }
    for (const ElfVersion& version : elf.defined) {
        add_library(out.provides, version.library, version.version, elf.is_64bit);
    }
    for (const std::string& library : elf.needed) {
        add_library(out.requires_, library, {}, elf.is_64bit);
    }
    for (const ElfVersion& version : elf.required) {
        add_library(out.requires_, version.library, version.version, elf.is_64bit);
    }
    if (elf.has_gnu_hash && !elf.has_hash) {
        out.requires_.push_back({"rtld(GNU_HASH)", 0, {}});
    }
}

// "3.14" of "usr/lib/python3.14/...", else empty.
std::string python_version(std::string_view path) {
    for (const std::string_view start : {"usr/lib/python3.", "usr/lib64/python3."}) {
        if (path.starts_with(start)) {
            const std::string_view rest = path.substr(start.size());
            const std::string_view minor = rest.substr(0, rest.find('/'));
            if (minor.size() < rest.size() && parse_u64(minor)) {
                return fmt::format("3.{}", minor);
            }
        }
    }
    return {};
}

void add_python_abi(const TreeEntry& entry, FileDependencies& out) {
    const std::string version = python_version(entry.path);
    const std::string_view path = entry.path;
    if (!version.empty() && (path.ends_with(".py") || path.ends_with(".pyc") ||
                             path.ends_with(".pyo") || path.ends_with(".so"))) {
        out.requires_.push_back({"python(abi)", RPMSENSE_EQUAL, version});
    }
    constexpr std::string_view kInterpreter = "usr/bin/python3.";
    if (path.starts_with(kInterpreter) && parse_u64(path.substr(kInterpreter.size()))) {
        out.provides.push_back(
            {"python(abi)", RPMSENSE_EQUAL, fmt::format("3.{}", path.substr(kInterpreter.size()))});
    }
}

bool is_python_metadata(std::string_view path) {
    return (path.starts_with("usr/lib/python3") || path.starts_with("usr/lib64/python3")) &&
           (path.ends_with(".dist-info/METADATA") || path.ends_with(".egg-info/PKG-INFO") ||
            path.ends_with(".egg-info"));
}

bool is_pkg_config(std::string_view path) {
    return path.ends_with(".pc") && file_name(parent_path(path)) == "pkgconfig" &&
           path.starts_with("usr/");
}

bool is_sysusers(std::string_view path) {
    return path.starts_with("usr/lib/sysusers.d/") && path.ends_with(".conf");
}

// sysusers.d(5): the accounts a package declares are what others' user(x) and group(x) ask for.
void add_accounts(std::string_view text, FileDependencies& out) {
    for (const std::string_view line : split_lines(text)) {
        const std::vector<std::string_view> words = split_words(line);
        if (words.size() < 2 || words[1].find_first_of("%\"'") != std::string_view::npos) {
            continue;
        }
        const bool is_user = words[0] == "u" || words[0] == "u!";
        if (is_user) {
            out.provides.push_back({fmt::format("user({})", words[1]), 0, {}});
        }
        // A user comes with a group of its name, unless its line names another one.
        const bool names_group =
            is_user && words.size() > 2 && words[2].find(':') != std::string_view::npos;
        if (words[0] == "g" || (is_user && !names_group)) {
            out.provides.push_back({fmt::format("group({})", words[1]), 0, {}});
        }
    }
}

void add_text(std::string_view text, const TreeEntry& entry, FileDependencies& out) {
    if (is_sysusers(entry.path)) {
        add_accounts(text, out);
    } else if (is_pkg_config(entry.path)) {
        const PkgConfig file = read_pkg_config(text);
        const std::string name = file_name(entry.path);
        out.provides.push_back({fmt::format("pkgconfig({})", name.substr(0, name.size() - 3)),
                                file.version.empty() ? 0U : std::uint32_t{RPMSENSE_EQUAL},
                                file.version});
        out.requires_.insert(out.requires_.end(), file.requires_.begin(), file.requires_.end());
    } else if (is_python_metadata(entry.path)) {
        if (const auto distribution = read_python_metadata(text)) {
            const std::string version = python_version(entry.path);
            for (const std::string& prefix : {std::string("3"), version}) {
                if (!prefix.empty()) {
                    out.provides.push_back(
                        {fmt::format("python{}dist({})", prefix, distribution->name),
                         RPMSENSE_EQUAL,
                         distribution->version});
                }
            }
        }
    }
}

// Separate debug information repeats the names of what it describes.
bool is_debug_file(std::string_view path) {
    return path.starts_with("usr/lib/debug/") || path.ends_with(".debug");
}

Result<void> add_file(const Store& store,
                      const TreeEntry& entry,
                      FileDependencies& out,
                      std::vector<std::string>& warnings) {
    add_python_abi(entry, out);
    const bool is_executable = (entry.mode & 0111U) != 0;
    const bool is_text = is_pkg_config(entry.path) ||
                         is_python_metadata(entry.path) || is_sysusers(entry.path);
    const bool may_be_library = contains(file_name(entry.path), ".so");
    if (is_debug_file(entry.path) || entry.content.size == 0 ||
        (!is_executable && !is_text && !may_be_library)) {
        return {};
    }
    const MemoryMap map = TARN_TRY(store.map(entry.content));
    if (is_text) {
        add_text(map.bytes().substr(0, kMaxText), entry, out);
    } else if (is_elf(map.bytes())) {
        const auto elf = read_elf(map.bytes());
        if (!elf) {
            warnings.push_back(fmt::format("/{}: {}", entry.path, elf.error().message));
        } else if (*elf) {
            add_elf(**elf, entry, out);
        }
    } else if (is_executable) {
        if (auto program = script_interpreter(map.bytes())) {
            out.requires_.push_back({std::move(*program), 0, {}});
        }
    }
    return {};
}

void sort_unique(std::vector<Dependency>& list) {
    std::sort(list.begin(), list.end());
    list.erase(std::unique(list.begin(), list.end()), list.end());
}

}  // namespace

Result<FileDependencies> file_dependencies(const Store& store,
                                           const Tree& tree,
                                           std::vector<std::string>& warnings) {
    FileDependencies out;
    for (const TreeEntry& entry : tree.entries()) {
        if (entry.kind == EntryKind::kFile) {
            TARN_TRY(add_file(store, entry, out, warnings));
        }
    }
    sort_unique(out.provides);
    sort_unique(out.requires_);
    return out;
}

}  // namespace tarn::rpm
