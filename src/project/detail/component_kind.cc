// SPDX-License-Identifier: MIT
// Components, what they inherit, component groups.
#include "base/strings.hh"
#include "project/detail/collected.hh"
#include "project/detail/patterns.hh"

#include <algorithm>
#include <set>

namespace tarn::declaration {
namespace {

using K = Keys<ComponentConfig>;

bool plain_file_name(std::string_view name) {
    return !name.empty() && name != "." && name != ".." &&
           std::all_of(name.begin(), name.end(), [](char c) {
               return c > ' ' && c < '\x7f' && c != '/' && c != '\\';
           });
}

// ---- source-files -----------------------------------------------------------------------------

const TableKind<SourceFile>& origin_kind() {
    using S = Keys<SourceFile>;
    static const TableKind<SourceFile> kind = {
        "origin",
        {
            {"type",
             S::word_text(&SourceFile::origin_type,
                          {"download", "custom", "overlay", "debian", "signing-key"}),
             Need::kRequired},
            {"uri", S::text(&SourceFile::uri)},
            {"script", S::text(&SourceFile::script)},
            {"mock-packages", S::texts(&SourceFile::mock_packages)},
            {"inputs", S::texts(&SourceFile::inputs)},
            {"package", S::text(&SourceFile::package)},
            {"member", S::text(&SourceFile::member)},
            {"distro", checked_distro(&SourceFile::distro)},
        }};
    return kind;
}

void check_custom_origin(Reading& reading, const Value& origin, const SourceFile& file) {
    if (!plain_file_name(file.script)) {
        reading.broken_rule(place_of(origin, "script", file.where),
                            "origin custom needs `script`, a plain file name");
    }
    std::set<std::string> seen = {file.script};
    const Entry* inputs = origin.find("inputs");
    for (const std::string& input : file.inputs) {
        if (!plain_file_name(input)) {
            reading.broken_rule(inputs->value.span,
                                fmt::format("`inputs`: \"{}\" is not a plain file name", input));
        } else if (!seen.insert(input).second) {
            reading.broken_rule(
                inputs->value.span,
                fmt::format("`inputs`: {} is {}",
                            input,
                            input == file.script ? "the script itself" : "named twice"));
        }
    }
}

void check_origin(Reading& reading, const Value& table, SourceFile& file) {
    const Entry* entry = table.find("origin");
    if (entry == nullptr) {
        return;
    }
    const Value& origin = entry->value;
    if (file.origin_type == "download" && file.uri.find("://") == std::string::npos) {
        reading.broken_rule(place_of(origin, "uri", file.where),
                            "origin download needs `uri` with a scheme",
                            "write it as \"https://host/path\"");
    } else if (file.origin_type == "custom") {
        check_custom_origin(reading, origin, file);
    } else if (file.origin_type == "overlay" && !file.replace_upstream) {
        reading.broken_rule(file.where,
                            "origin overlay needs `replace-upstream`",
                            "the entry stands for a file of upstream's that overlays change: write "
                            "replace-upstream = true, replace-reason = \"...\"");
    } else if (file.origin_type == "debian") {
        if (file.package.empty() || file.distro.name.empty()) {
            reading.broken_rule(file.where, "origin debian needs `package` and `distro`");
        }
        if (file.member.empty()) {
            file.member = "orig";
        }
    }
}

void check_source_file(Reading& reading, const Value& table, SourceFile& file) {
    file.where = place_of(table, "filename", file.where);
    if (!file.filename.empty() && !plain_file_name(file.filename)) {
        reading.broken_rule(table.find("filename")->value.span,
                            "`filename` must be one plain file name, without `/` and blanks");
    }
    const Entry* hash = table.find("hash");
    if (!file.hash.empty() && hash != nullptr) {
        const std::size_t digits = file.hash_type == "SHA512" ? 128 : 64;
        if (table.find("hash-type") == nullptr) {
            reading.broken_rule(
                hash->value.span, "`hash` needs `hash-type`", "SHA256 and SHA512 are possible");
        } else if (!file.hash_type.empty() &&
                   (file.hash.size() != digits ||
                    file.hash.find_first_not_of("0123456789abcdefABCDEF") != std::string::npos)) {
            reading.broken_rule(
                hash->value.span,
                fmt::format("`hash` must be {} hexadecimal digits for {}", digits, file.hash_type));
        }
    }
    check_origin(reading, table, file);
    if (file.replace_upstream == file.replace_reason.empty()) {
        reading.broken_rule(place_of(table,
                                     file.replace_upstream ? "replace-upstream" : "replace-reason",
                                     file.where),
                            file.replace_upstream ? "`replace-upstream` needs `replace-reason`"
                                                  : "`replace-reason` needs `replace-upstream`");
    }
}

// ---- build, spec, release ---------------------------------------------------------------------

// Keys of a table that lies inside the component fill members of a member.
template <class M>
K::Read inside(BuildConfig Component::* outer,
               typename Keys<BuildConfig>::Read (*make)(M BuildConfig::*),
               M BuildConfig::* member) {
    auto read = make(member);
    Shape shape = read.shape;
    return {[outer, read = std::move(read)](
                Reading& reading, const Entry& entry, ComponentConfig& out) {
                read(reading, entry, out.*outer);
            },
            std::move(shape)};
}

K::Read build_texts(std::vector<std::string> BuildConfig::* member) {
    return inside(&Component::build, &Keys<BuildConfig>::texts, member);
}
// Remembers a `false`, which cannot undo an inherited `true`.
template <class Member>
K::Read sticky_flag(K::Read read, Member is_set) {
    Shape shape = read.shape;
    return {[read = std::move(read), is_set](
                Reading& reading, const Entry& entry, ComponentConfig& out) {
                read(reading, entry, out);
                if (entry.value.kind == ValueKind::kBoolean && !entry.value.boolean) {
                    out.said_false.push_back({entry.key, entry.value.span, is_set});
                }
            },
            std::move(shape)};
}
template <bool BuildConfig::* member>
K::Read build_flag() {
    return sticky_flag(inside(&Component::build, &Keys<BuildConfig>::flag, member),
                       [](const Component& component) { return component.build.*member; });
}
K::Read build_text(std::string BuildConfig::* member) {
    return inside(&Component::build, &Keys<BuildConfig>::text, member);
}

const TableKind<ComponentConfig>& check_kind() {
    static const TableKind<ComponentConfig> kind = {
        "build.check",
        {
            {"skip", build_flag<&BuildConfig::check_skip>()},
            {"skip_reason", build_text(&BuildConfig::check_skip_reason)},
        },
        [](Reading& reading, const Value& table, ComponentConfig& out) {
            if (out.build.check_skip && out.build.check_skip_reason.empty()) {
                reading.broken_rule(table.find("skip")->value.span,
                                    "`skip` needs `skip_reason` beside it");
            }
        }};
    return kind;
}

const TableKind<ComponentConfig>& failure_kind() {
    static const TableKind<ComponentConfig> kind = {
        "build.failure",
        {
            {"expected", build_flag<&BuildConfig::failure_expected>()},
            {"expected-reason", build_text(&BuildConfig::failure_reason)},
        },
        [](Reading& reading, const Value& table, ComponentConfig& out) {
            if (out.build.failure_expected && out.build.failure_reason.empty()) {
                reading.broken_rule(table.find("expected")->value.span,
                                    "`expected` needs `expected-reason` beside it");
            }
        }};
    return kind;
}

const TableKind<ComponentConfig>& hints_kind() {
    static const TableKind<ComponentConfig> kind = {
        "build.hints", {{"expensive", build_flag<&BuildConfig::expensive>()}}};
    return kind;
}

K::Read check_reader() {
    auto read = K::same(check_kind());
    Shape shape = read.shape;
    return {[read = std::move(read)](Reading& reading, const Entry& entry, ComponentConfig& out) {
                read(reading, entry, out);
                out.build_where = entry.key_span;
            },
            std::move(shape)};
}

const TableKind<ComponentConfig>& build_kind() {
    static const TableKind<ComponentConfig> kind = {
        "build",
        {
            {"with", build_texts(&BuildConfig::with)},
            {"without", build_texts(&BuildConfig::without)},
            {"undefines", build_texts(&BuildConfig::undefines)},
            {"defines",
             inside(&Component::build, &Keys<BuildConfig>::text_map, &BuildConfig::defines)},
            {"emit-upstream-provenance", build_flag<&BuildConfig::emit_upstream_provenance>()},
            {"cross-architectures",
             inside(&Component::build,
                    +[](std::vector<std::string> BuildConfig::* member) {
                        return Keys<BuildConfig>::words(member, {"x86_64", "aarch64"});
                    },
                    &BuildConfig::cross_architectures)},
            {"check", check_reader()},
            {"failure", K::same(failure_kind())},
            {"hints", K::same(hints_kind())},
        }};
    return kind;
}

void check_commit(Reading& reading, const Value& table, ComponentConfig& out) {
    const std::string& commit = out.upstream_commit;
    if (!commit.empty() &&
        (commit.size() < 7 || commit.size() > 40 ||
         commit.find_first_not_of("0123456789abcdefABCDEF") != std::string::npos)) {
        reading.broken_rule(table.find("upstream-commit")->value.span,
                            "`upstream-commit` must be 7 to 40 hexadecimal digits");
    }
}

void check_own_spec(Reading& reading, const Value& table, ComponentConfig& out) {
    check_commit(reading, table, out);
    const Entry* distro = table.find("upstream-distro");
    if (!out.upstream.snapshot.empty() && distro != nullptr) {
        const Entry* snapshot = distro->value.find("snapshot");
        reading.broken_rule(snapshot != nullptr ? snapshot->value.span : distro->value.span,
                            "`snapshot` cannot be given for one component",
                            "give it in default-component-config of a group, a distro version or "
                            "the project; `upstream-commit` pins one component");
    }
}

std::vector<Field<ComponentConfig>> spec_fields() {
    return {
        {"type",
         {[](Reading& reading, const Entry& entry, ComponentConfig& out) {
              struct Read {
                  std::optional<SpecType> type;
              } read;
              static const auto word = Keys<Read>::word(&Read::type,
                                                        {{"", std::nullopt},
                                                         {"local", SpecType::kLocal},
                                                         {"upstream", SpecType::kUpstream}});
              word(reading, entry, read);
              out.type_given = read.type;
              out.spec_where = entry.value.span;
          },
          Shape{ShapeKind::kText, {"", "local", "upstream"}}}},
        {"path", K::path(&Component::spec_path)},
        {"upstream-distro",
         Keys<Component>::table(distro_reference_kind(), &Component::upstream)},
        {"upstream-name", K::text(&Component::upstream_name)},
        {"upstream-commit", K::text(&Component::upstream_commit)},
    };
}

const TableKind<ComponentConfig>& own_spec_kind() {
    static const TableKind<ComponentConfig> kind = {"spec", spec_fields(), check_own_spec};
    return kind;
}
const TableKind<ComponentConfig>& default_spec_kind() {
    static const TableKind<ComponentConfig> kind = {"spec", spec_fields(), check_commit};
    return kind;
}

const TableKind<ComponentConfig>& release_kind() {
    static const TableKind<ComponentConfig> kind = {
        "release",
        {{"calculation",
          K::word_text(&Component::release_calculation,
                       {"auto", "autorelease", "static", "manual"})}}};
    return kind;
}

const TableKind<ComponentConfig>& render_kind() {
    static const TableKind<ComponentConfig> kind = {
        "render",
        {
            {"skip-file-filter",
             sticky_flag(Keys<Component>::flag(&Component::skip_file_filter),
                         [](const Component& component) { return component.skip_file_filter; })},
            {"overlay-view",
             K::word(&ComponentConfig::precise_given,
                     {{"line", std::optional(false)}, {"precise", std::optional(true)}})},
        }};
    return kind;
}

struct PackageConfig {
    Publish publish{};
};

const TableKind<PackageConfig>& package_kind() {
    static const TableKind<PackageConfig> kind = {
        "package",
        {{"publish", Keys<PackageConfig>::table(publish_kind(), &PackageConfig::publish)}}};
    return kind;
}

void read_packages(Reading& reading, const Entry& entry, ComponentConfig& out) {
    struct Packages {
        std::map<std::string, PackageConfig> packages{};
    } read;
    Keys<Packages>::replacing_map(package_kind(), &Packages::packages)(reading, entry, read);
    for (auto& [name, package] : read.packages) {
        out.packages[name] = std::move(package.publish);
    }
}

void read_overlay_files(Reading& reading, const Entry& entry, ComponentConfig& out) {
    out.overlay_files.emplace();
    each_string(reading, entry, [&](const Value& value) {
        out.overlay_files->emplace_back(value.text, value.span);
    });
}

// azldev checks the rules of overlays, build and source-files for components only.
enum class Layer : bool { kOwn, kDefaults };

K::Read with_rules_of_components(Layer layer, K::Read read) {
    return layer == Layer::kOwn ? read : without_rules(std::move(read));
}

std::vector<Field<ComponentConfig>> component_fields(Layer layer,
                                                     const TableKind<ComponentConfig>& spec) {
    return {
        {"description", K::text(&Component::description)},
        {"spec", K::same(spec)},
        {"release", K::same(release_kind())},
        {"overlays",
         with_rules_of_components(
             layer, Keys<Component>::list(overlay_kind(), &Component::overlays))},
        {"overlay-files", {read_overlay_files, Shape{ShapeKind::kTexts}}},
        {"build", with_rules_of_components(layer, K::same(build_kind()))},
        {"render", K::same(render_kind())},
        {"source-files",
         with_rules_of_components(
             layer, Keys<Component>::list(source_file_kind(), &Component::source_files))},
        {"packages", {read_packages, table_shape(ShapeKind::kNamedTables, package_kind())}},
        {"publish", Keys<Component>::table(publish_kind(), &Component::publish)},
    };
}

Keys<GroupConfig>::Read path_patterns(std::vector<std::string> GroupConfig::* member) {
    return {[member](Reading& reading, const Entry& entry, GroupConfig& out) {
                each_string(reading, entry, [&](const Value& value) {
                    const std::string_view fault = pattern_fault(value.text);
                    if (fault.empty()) {
                        (out.*member).push_back(path_value(reading, value.text));
                    } else {
                        reading.broken_rule(
                            value.span,
                            fmt::format("\"{}\" is not a valid pattern: {}", value.text, fault));
                    }
                });
            },
            Shape{ShapeKind::kTexts}};
}

void check_source_names(Reading& reading, const ComponentConfig& out, Severity severity) {
    std::map<std::string, Span> seen;
    for (const SourceFile& file : out.source_files) {
        auto [first, fresh] = seen.try_emplace(file.filename, file.where);
        if (!fresh && !file.filename.empty()) {
            reading.duplicate(fmt::format("source file `{}` is defined twice", file.filename),
                              file.where,
                              first->second,
                              severity);
        }
    }
}

void check_component(Reading& reading, const Value&, ComponentConfig& out) {
    out.directory = reading.directory;
    check_source_names(reading, out, reading.severity_of_rules());
}
void check_defaults(Reading& reading, const Value&, ComponentConfig& out) {
    out.directory = reading.directory;
    check_source_names(reading, out, Severity::kWarning);
}

}  // namespace

const TableKind<SourceFile>& source_file_kind() {
    using S = Keys<SourceFile>;
    static const TableKind<SourceFile> kind = {
        "source file",
        {
            {"filename", S::text(&SourceFile::filename), Need::kRequired},
            {"hash", S::text(&SourceFile::hash)},
            {"hash-type", S::word_text(&SourceFile::hash_type, {"SHA256", "SHA512"})},
            {"origin", S::same(origin_kind()), Need::kRequired},
            {"replace-upstream", S::flag(&SourceFile::replace_upstream)},
            {"replace-reason", S::text(&SourceFile::replace_reason)},
        },
        check_source_file};
    return kind;
}

const TableKind<ComponentConfig>& component_kind() {
    static const TableKind<ComponentConfig> kind = {
        "component", component_fields(Layer::kOwn, own_spec_kind()), check_component};
    return kind;
}

const TableKind<ComponentConfig>& component_defaults_kind() {
    static const TableKind<ComponentConfig> kind = {
        "default-component-config",
        component_fields(Layer::kDefaults, default_spec_kind()),
        check_defaults};
    return kind;
}

const TableKind<GroupConfig>& group_kind() {
    using G = Keys<GroupConfig>;
    static const TableKind<GroupConfig> kind = {
        "component group",
        {
            {"description", G::text(&GroupConfig::description)},
            {"metadata",
             Keys<ComponentGroup>::table(overlay_metadata_kind(), &ComponentGroup::metadata)},
            {"components", G::references(Names::kComponent, &GroupConfig::listed)},
            {"specs", path_patterns(&GroupConfig::spec_patterns)},
            {"excluded-paths", path_patterns(&GroupConfig::excluded_paths)},
            {"default-component-config",
             G::table(component_defaults_kind(), &GroupConfig::defaults)},
        }};
    return kind;
}

}  // namespace tarn::declaration
