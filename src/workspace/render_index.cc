// SPDX-License-Identifier: MIT
#include "workspace/detail/render_index.hh"

#include "base/fs.hh"
#include "base/hash.hh"
#include "base/strings.hh"
#include "project/component_lock.hh"
#include "store/store.hh"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <vector>

namespace tarn {

namespace {

constexpr std::string_view kMagic = "tarn-render-index 2";
constexpr int kDepthLimit = 64;

std::int64_t nanoseconds(const timespec& time) {
    return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

void add_stat(std::string& text,
              std::string_view name,
              const struct stat& status,
              std::int64_t& newest_ns) {
    const std::int64_t modified = nanoseconds(status.st_mtim);
    newest_ns = std::max({newest_ns, modified, nanoseconds(status.st_ctim)});
    fmt::format_to(std::back_inserter(text),
                   "{} {:o} {} {} {} {}\n",
                   name,
                   status.st_mode,
                   status.st_size,
                   modified,
                   nanoseconds(status.st_ctim),
                   status.st_ino);
}

bool add_directory(
    std::string& text, int parent, const char* name, std::int64_t& newest_ns, int depth) {
    if (depth > kDepthLimit) {
        return false;
    }
    const int fd = ::openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    DIR* stream = fd < 0 ? nullptr : ::fdopendir(fd);
    if (stream == nullptr) {
        return false;
    }
    std::vector<std::string> names;
    while (const dirent* entry = ::readdir(stream)) {
        const std::string_view each = entry->d_name;
        if (each != "." && each != ".." && each != ".git") {
            names.emplace_back(each);
        }
    }
    std::sort(names.begin(), names.end());
    bool good = true;
    for (const std::string& each : names) {
        struct stat status{};
        if (::fstatat(fd, each.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
            good = false;
            break;
        }
        if (S_ISDIR(status.st_mode)) {
            text += each + "/{\n";
            good = add_directory(text, fd, each.c_str(), newest_ns, depth + 1);
            text += "}\n";
        } else {
            add_stat(text, each, status, newest_ns);
        }
        if (!good) {
            break;
        }
    }
    ::closedir(stream);
    return good;
}

void add_overlay(KeyBuilder& key, const Overlay& overlay, std::int64_t& newest_ns) {
    key.field("type", overlay_type_name(overlay.type));
    key.field("texts",
              std::vector<std::string>{overlay.tag,
                                       overlay.value,
                                       overlay.section,
                                       overlay.package,
                                       overlay.regex,
                                       overlay.replacement,
                                       overlay.file,
                                       overlay.source,
                                       overlay.archive,
                                       overlay.has_replacement ? "r" : ""});
    key.field("lines", overlay.lines);
    if (!overlay.source.empty()) {
        std::string files;
        if (!add_directory(files, AT_FDCWD, overlay.source.c_str(), newest_ns, 0)) {
            files = file_signature(overlay.source, newest_ns);
        }
        key.field("source", files);
    }
}

void add_build(KeyBuilder& key, const Component& component) {
    const BuildConfig& build = component.build;
    key.field("with", build.with);
    key.field("without", build.without);
    key.field("undefines", build.undefines);
    for (const auto& [name, value] : build.defines) {
        key.field("define", std::vector<std::string>{name, value});
    }
    key.field("check",
              std::vector<std::string>{build.check_skip ? "skip" : "", build.check_skip_reason});
    key.field("provenance", build.emit_upstream_provenance ? "1" : "");
    for (const SourceFile& source : component.source_files) {
        key.field("source-file",
                  std::vector<std::string>{source.filename,
                                           source.hash_type,
                                           source.hash,
                                           source.origin_type,
                                           source.replace_upstream ? "replace" : ""});
    }
}

void add_project(KeyBuilder& key, const Project& project) {
    const RenderWording& wording = project.render;
    key.field("suffix", wording.macros_suffix);
    key.field("macros", wording.macros_header);
    key.field("load", wording.load_comment);
    key.field("header", wording.spec_header);
    key.field("skip", wording.check_skip);
}

// Warnings are told again although nothing is rendered: one field, no tab and no newline in it.
std::string packed(const std::vector<std::string>& warnings) {
    return replace_all(replace_all(join(warnings, "\x1f"), "\t", " "), "\n", "\x1e");
}

std::vector<std::string> unpacked(std::string_view field) {
    std::vector<std::string> warnings;
    for (const std::string_view each : split(field, '\x1f')) {
        if (!each.empty()) {
            warnings.push_back(replace_all(std::string(each), "\x1e", "\n"));
        }
    }
    return warnings;
}

// Another program may render otherwise.
std::string this_program() {
    std::int64_t unused = 0;
    return file_signature("/proc/self/exe", unused);
}

}  // namespace

RenderIndex RenderIndex::read(const std::string& path) {
    RenderIndex index;
    std::int64_t unused = 0;
    file_signature(path, unused);
    index.written_ns = unused;
    const auto text = read_file(path, 256ULL << 20);
    if (!text) {
        return index;
    }
    const auto lines = split_lines(*text);
    if (lines.size() < 3 || lines[0] != kMagic || lines[1] != this_program()) {
        return index;
    }
    index.head = lines[2];
    for (std::size_t i = 3; i < lines.size(); ++i) {
        const auto fields = split(lines[i], '\t');
        if (fields.size() == 5) {
            index.entries.emplace_hint(index.entries.end(),
                                       std::string(fields[0]),
                                       RenderIndexEntry{std::string(fields[1]),
                                                        std::string(fields[2]),
                                                        std::string(fields[3]),
                                                        unpacked(fields[4])});
        }
    }
    return index;
}

Result<void> RenderIndex::write(const std::string& path) const {
    std::string text = fmt::format("{}\n{}\n{}\n", kMagic, this_program(), head);
    for (const auto& [name, entry] : entries) {
        fmt::format_to(std::back_inserter(text),
                       "{}\t{}\t{}\t{}\t{}\n",
                       name,
                       entry.input,
                       entry.output,
                       entry.history,
                       packed(entry.warnings));
    }
    TARN_TRY(make_directories(parent_path(path)));
    return write_file_atomic(path, text);
}

std::string directory_signature(const std::string& directory, std::int64_t& newest_ns) {
    std::string text;
    if (!add_directory(text, AT_FDCWD, directory.c_str(), newest_ns, 0)) {
        return {};
    }
    return sha256_hex(text);
}

std::string file_signature(const std::string& path, std::int64_t& newest_ns) {
    struct stat status{};
    if (::stat(path.c_str(), &status) != 0) {
        return {};
    }
    std::string text;
    add_stat(text, path, status, newest_ns);
    return sha256_hex(text);
}

std::string component_signature(const Project& project,
                                const Component& component,
                                std::int64_t& newest_ns) {
    KeyBuilder key("rendered-component", 1);
    add_project(key, project);
    key.field("name", component.name);
    // What a lock's fingerprint covers decides whether there are changes that are not committed.
    key.field("configuration", std::to_string(config_hash(component)));
    const DistroVersion* version = project.version(component.upstream);
    key.field("release-ver", version == nullptr ? std::string() : version->release_ver);
    key.field("spec", component.spec_path);
    key.field("upstream",
              std::vector<std::string>{
                  component.upstream.name, component.upstream.version, component.upstream_name});
    key.field("release", component.release_calculation);
    key.field("view", component.precise_overlays ? "precise" : "line");
    key.field("filter", component.skip_file_filter ? "off" : "on");
    for (const Overlay& overlay : component.overlays) {
        add_overlay(key, overlay, newest_ns);
    }
    add_build(key, component);
    key.field("lock", file_signature(component_lock_path(project, component.name), newest_ns));
    if (component.spec_type == SpecType::kLocal) {
        key.field("files", directory_signature(parent_path(component.spec_path), newest_ns));
    }
    return key.key().hex();
}

}  // namespace tarn
