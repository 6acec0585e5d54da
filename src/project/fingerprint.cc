// SPDX-License-Identifier: MIT
// The hash of a component's configuration is that of azldev's Go structs under hashstructure v2:
// their names and those of their fields, in the order of their declaration, are part of the format.
#include "base/fs.hh"
#include "base/hash.hh"
#include "project/component_lock.hh"

#include <algorithm>
#include <array>
#include <filesystem>
#include <system_error>

namespace tarn {
namespace {

// ---- 64 bits over structs -----------------------------------------------------------------------

constexpr std::uint64_t kFnvBasis = 0xcbf29ce484222325ULL;
constexpr std::uint64_t kFnvPrime = 0x100000001b3ULL;

constexpr std::uint64_t fnv1_byte(std::uint64_t hash, std::uint8_t byte) {
    return (hash * kFnvPrime) ^ byte;  // FNV-1: multiply, then xor
}
constexpr std::uint64_t hash_of(std::string_view text) {
    std::uint64_t hash = kFnvBasis;
    for (const char c : text) {
        hash = fnv1_byte(hash, static_cast<std::uint8_t>(c));
    }
    return hash;
}
constexpr std::uint64_t add_number(std::uint64_t hash, std::uint64_t number) {
    for (unsigned shift = 0; shift < 64; shift += 8) {
        hash = fnv1_byte(hash, static_cast<std::uint8_t>(number >> shift));
    }
    return hash;
}
constexpr std::uint64_t ordered(std::uint64_t a, std::uint64_t b) {
    return add_number(add_number(kFnvBasis, a), b);
}
constexpr std::uint64_t finish(std::uint64_t hash) {
    return add_number(kFnvBasis, hash);
}
constexpr std::uint64_t hash_of_flag(bool flag) {
    return fnv1_byte(kFnvBasis, flag ? 1 : 0);
}

template <class T, class Hash>
std::uint64_t hash_of_list(const std::vector<T>& list, Hash hash_one) {
    std::uint64_t hash = 0;
    for (const T& each : list) {
        hash = ordered(hash, hash_one(each));
    }
    return hash;
}
std::uint64_t hash_of(const std::vector<std::string>& list) {
    return hash_of_list(list, [](const std::string& each) { return hash_of(each); });
}
template <class T, class Hash>
std::uint64_t hash_of_map(const std::map<std::string, T>& map, Hash hash_one) {
    std::uint64_t hash = 0;
    for (const auto& [key, value] : map) {
        hash ^= ordered(hash_of(key), hash_one(value));
    }
    return finish(hash);
}

class Struct {
  public:
    explicit Struct(std::string_view type_name) : hash_(hash_of(type_name)) {}

    Struct& number(std::string_view name, std::uint64_t value_hash) {
        hash_ = finish(hash_ ^ ordered(hash_of(name), value_hash));
        return *this;
    }
    Struct& text(std::string_view name, std::string_view value) {
        return number(name, hash_of(value));
    }
    Struct& flag(std::string_view name, bool value) { return number(name, hash_of_flag(value)); }
    Struct& list(std::string_view name, const std::vector<std::string>& value) {
        return number(name, hash_of(value));
    }
    // Fields younger than the first locks count only when they say something.
    Struct& text_if_set(std::string_view name, std::string_view value) {
        return value.empty() ? *this : text(name, value);
    }
    Struct& list_if_set(std::string_view name, const std::vector<std::string>& value) {
        return value.empty() ? *this : list(name, value);
    }
    Struct& flag_if_set(std::string_view name, bool value) {
        return value ? flag(name, value) : *this;
    }
    std::uint64_t hash() const { return hash_; }

  private:
    std::uint64_t hash_;
};

std::uint64_t hash_of_spec(const Component& component) {
    const Struct distro = Struct("DistroReference")
                              .text("Name", component.upstream.name)
                              .text("Version", component.upstream.version);
    const std::string_view type = component.spec_type == SpecType::kLocal ? "local" : "upstream";
    return Struct("SpecSource")
        .text("SourceType", component.has_spec_type ? type : "")
        .number("UpstreamDistro", distro.hash())
        .text("UpstreamName", component.upstream_name)
        .text("UpstreamCommit", component.upstream_commit)
        .hash();
}

std::uint64_t hash_of_overlay(const Overlay& overlay) {
    return Struct("ComponentOverlay")
        .text("Type", overlay_type_text(overlay))
        .text("Filename", overlay.file)
        .text_if_set("Archive", overlay.archive)
        .text("SectionName", overlay.section)
        .text("PackageName", overlay.package)
        .text("Tag", overlay.tag)
        .text("Value", overlay.value)
        .text("Regex", overlay.regex)
        .text("Replacement", overlay.replacement)
        .list("Lines", overlay.lines)
        .hash();
}

std::uint64_t hash_of_build(const BuildConfig& build) {
    const auto text = [](const std::string& value) { return hash_of(value); };
    return Struct("ComponentBuildConfig")
        .list("With", build.with)
        .list("Without", build.without)
        .number("Defines", hash_of_map(build.defines, text))
        .list("Undefines", build.undefines)
        .flag_if_set("EmitUpstreamProvenance", build.emit_upstream_provenance)
        .number("Check", Struct("CheckConfig").flag("Skip", build.check_skip).hash())
        .hash();
}

// Origins of Tarn's own kinds have no hash of their own: the archive's lock pins their content, and
// what they name counts here.
bool is_pinned_elsewhere(const SourceFile& file) {
    return file.origin_type == "debian" || file.origin_type == "signing-key";
}

std::uint64_t hash_of_source_file(const SourceFile& file) {
    Struct hash("SourceFileReference");
    hash.text("Filename", file.filename).text("Hash", file.hash).text("HashType", file.hash_type);
    Struct origin("Origin");
    origin.text_if_set("Script", file.script)
        .list_if_set("MockPackages", file.mock_packages)
        .list_if_set("Inputs", file.inputs);
    bool has_origin =
        !file.script.empty() || !file.mock_packages.empty() || !file.inputs.empty();
    if (is_pinned_elsewhere(file)) {
        has_origin = true;
        origin.text("Type", file.origin_type)
            .text_if_set("Package", file.package)
            .text_if_set("Member", file.member)
            .text_if_set("Distro", file.distro.name)
            .text_if_set("Version", file.distro.version);
    }
    if (has_origin) {
        hash.number("Origin", origin.hash());
    }
    return hash.flag("ReplaceUpstream", file.replace_upstream).hash();
}

// ---- SHA-256 over records -----------------------------------------------------------------------

class Records {
  public:
    void add(std::string_view label, std::string_view value) {
        fmt::format_to(std::back_inserter(text_),
                       "{}:{}={}:{}\n",
                       label.size(),
                       label,
                       value.size(),
                       value);
    }
    std::string finish() const { return "sha256:" + sha256_hex(text_); }

  private:
    std::string text_;
};

Result<void> check_can_be_hashed(const Component& component, const FingerprintInput& input) {
    for (const SourceFile& file : component.source_files) {
        if (file.hash.empty() && !is_pinned_elsewhere(file)) {
            return fail(error(ErrorKind::kUsage,
                              "component `{}`: source file `{}` has no `hash`, so there can be no "
                              "fingerprint of its inputs",
                              component.name,
                              file.filename)
                            .advise("give `hash` and `hash-type` in source-files"));
        }
    }
    if (component.has_spec_type && input.source_identity.empty()) {
        return fail(error(ErrorKind::kUsage,
                          "component `{}`: its commit is not known, so there can be no fingerprint "
                          "of its inputs",
                          component.name)
                        .advise("choose its commit: tarn component update " + component.name));
    }
    return {};
}

constexpr std::size_t kFileLimit = 100'000;

}  // namespace

std::uint64_t config_hash(const Component& component) {
    return Struct("ComponentConfig")
        .number("Spec", hash_of_spec(component))
        .number("Release",
                Struct("ReleaseConfig").text("Calculation", component.release_calculation).hash())
        .number("Overlays", hash_of_list(component.overlays, hash_of_overlay))
        .number("Build", hash_of_build(component.build))
        .number("Render",
                Struct("ComponentRenderConfig")
                    .flag("SkipFileFilter", component.skip_file_filter)
                    .flag_if_set("PreciseOverlays", component.precise_overlays)
                    .hash())
        .number("SourceFiles", hash_of_list(component.source_files, hash_of_source_file))
        .number("Packages",
                hash_of_map(component.packages,
                            [](const Publish&) { return Struct("PackageConfig").hash(); }))
        .hash();
}

Result<std::string> input_fingerprint(const Component& component, const FingerprintInput& input) {
    TARN_TRY(check_can_be_hashed(component, input));
    Records records;
    records.add("config_hash", std::to_string(config_hash(component)));
    records.add("source_identity", input.source_identity);
    records.add("manual_bump", std::to_string(input.manual_bump));
    records.add("release_ver", input.release_ver);
    std::map<std::string, const Overlay*> by_index;  // "10" before "2"
    for (std::size_t index = 0; index < component.overlays.size(); ++index) {
        if (!component.overlays[index].source.empty()) {
            by_index.emplace(std::to_string(index), &component.overlays[index]);
        }
    }
    for (const auto& [index, overlay] : by_index) {
        const auto content = is_directory(overlay->source)
                                 ? local_source_identity(overlay->source)
                                 : hash_file_hex(HashKind::kSha256, overlay->source);
        if (!content) {
            return fail(Error(content.error())
                            .context(fmt::format("component `{}`, overlay {} of {}",
                                                 component.name,
                                                 overlay - component.overlays.data() + 1,
                                                 component.overlays.size())));
        }
        const std::string name =
            overlay->file.empty() ? file_name(overlay->source) : overlay->file;
        records.add("overlay:" + index, name + ":" + *content);
    }
    return records.finish();
}

Result<std::vector<std::string>> source_files_below(const std::string& directory) {
    namespace fs = std::filesystem;
    std::vector<std::string> files;
    std::error_code code;
    fs::recursive_directory_iterator at(directory, code);
    for (; !code && at != fs::recursive_directory_iterator(); at.increment(code)) {
        std::error_code status_code;
        const fs::file_status status = at->status(status_code);
        const std::string path = at->path().string();
        if (fs::is_directory(status) && !at->is_symlink(status_code)) {
            continue;
        }
        if (!fs::is_regular_file(status)) {
            return fail(ErrorKind::kUsage,
                        "{} is neither a file nor a directory nor a link to a file, so the "
                        "sources it lies among cannot be hashed",
                        path);
        }
        if (files.size() == kFileLimit) {
            return fail(ErrorKind::kUsage, "{} has more than {} files", directory, kFileLimit);
        }
        files.push_back(relative_to(path, directory));
    }
    if (code) {
        return fail(ErrorKind::kSystem, "cannot read {}: {}", directory, code.message());
    }
    std::sort(files.begin(), files.end());
    return files;
}

Result<std::string> local_source_identity(const std::string& directory) {
    std::string text;
    for (const std::string& file : TARN_TRY(source_files_below(directory))) {
        auto content = hash_file_hex(HashKind::kSha256, join_path(directory, file));
        if (!content) {
            return fail(std::move(content.error()));
        }
        text += fmt::format("{}={}\n", file, *content);
    }
    return "sha256:" + sha256_hex(text);
}

std::string resolution_hash(const Project& project, const Component& component) {
    const Distro* distro = project.distro(component.upstream);
    const DistroVersion* version = project.version(component.upstream);
    Records records;
    records.add("snapshot", component.upstream.snapshot);
    records.add("distro_name", component.upstream.name);
    records.add("distro_version", component.upstream.version);
    records.add("dist_git_branch", version == nullptr ? "" : version->dist_git_branch);
    // As written: a lock says the same wherever the project lies.
    records.add("dist_git_base_uri",
                distro == nullptr                ? ""
                : distro->dist_git_path.empty() ? distro->dist_git_base_uri
                                                : distro->dist_git_path);
    records.add("upstream_commit_pin", component.upstream_commit);
    records.add("upstream_name", component.upstream_name);
    return records.finish();
}

}  // namespace tarn
