// SPDX-License-Identifier: MIT
// Components: layers of defaults, members found by patterns, overlay files, what has to be there.
#include "base/fs.hh"
#include "base/strings.hh"
#include "project/detail/patterns.hh"
#include "project/detail/resolve.hh"

#include <algorithm>
#include <set>

namespace tarn::declaration {
namespace {

std::string_view without_extension(std::string_view name) {
    return name.ends_with(".spec") ? name.substr(0, name.size() - 5) : name;
}

}  // namespace

// A spec found by a group's pattern is a component of its own, or the one of that name.
void Resolver::found_members(GroupConfig& group, Members& groups_of) {
    auto& components = files_.collected().components;
    for (const std::string& pattern : group.spec_patterns) {
        // azldev passes over directories that cannot be read here.
        auto specs = matching_files(pattern, "/", kFileCountLimit, Unreadable::kIgnore);
        if (!specs) {
            complain(group.where, specs.error().message);
            continue;
        }
        for (const std::string& spec : *specs) {
            const bool excluded = std::any_of(
                group.excluded_paths.begin(),
                group.excluded_paths.end(),
                [&](const std::string& excluding) { return glob_match(excluding, spec); });
            if (excluded) {
                continue;
            }
            const std::string name(without_extension(file_name(spec)));
            auto [place, fresh] = components.try_emplace(name);
            ComponentConfig& config = place->second;
            if (fresh) {
                config.name = name;
                config.where = group.where;
                config.directory = parent_path(spec);
            }
            if (!config.spec_path.empty() && config.spec_path != spec) {
                complain(config.spec_where.begin ? config.spec_where : group.where,
                         fmt::format("component `{}` has the spec {}, but group `{}` finds {}",
                                     name,
                                     files_.shown(config.spec_path),
                                     group.name,
                                     files_.shown(spec)),
                         "take `spec.path` away, or keep the other out with `excluded-paths`");
                continue;
            }
            config.spec_path = spec;
            config.type_given = SpecType::kLocal;
            group.found.push_back(name);
            groups_of[name].push_back(group.name);
        }
    }
}

Resolver::Members Resolver::groups() {
    Members groups_of;
    for (auto& [name, group] : files_.collected().groups) {
        found_members(group, groups_of);
        for (const std::string& member : group.listed) {
            groups_of[member].push_back(name);
        }
        std::set<std::string> members(group.listed.begin(), group.listed.end());
        members.insert(group.found.begin(), group.found.end());
        std::sort(group.found.begin(), group.found.end());
        group.members.assign(members.begin(), members.end());
        project_.component_groups.emplace(name, static_cast<const ComponentGroup&>(group));
    }
    for (auto& [component, names] : groups_of) {
        std::sort(names.begin(), names.end());
        names.erase(std::unique(names.begin(), names.end()), names.end());
    }
    return groups_of;
}

void Resolver::components() {
    Collected& collected = files_.collected();
    const Members groups_of = groups();
    ComponentConfig common;
    const auto distro = collected.distros.find(project_.default_distro.name);
    if (distro != collected.distros.end()) {
        const std::string& wanted = project_.default_distro.version;
        const auto version = distro->second.version_configs.find(
            wanted.empty() ? distro->second.default_version : wanted);
        if (version != distro->second.version_configs.end()) {
            inherit(common, version->second.defaults);
        }
    }
    warn_of_false(common, collected.defaults);
    inherit(common, collected.defaults);
    // What was collected of a component goes as soon as it is resolved: half the memory.
    for (auto at = collected.components.begin(); at != collected.components.end();
         at = collected.components.erase(at)) {
        const auto& [name, own] = *at;
        check_name(name, own.where);
        ComponentConfig config = common;
        const auto member_of = groups_of.find(name);
        if (member_of != groups_of.end()) {
            for (const std::string& group : member_of->second) {
                const ComponentConfig& defaults = collected.groups.at(group).defaults;
                warn_of_false(config, defaults);
                inherit(config, defaults);
            }
            config.groups = member_of->second;
        }
        warn_of_false(config, own);
        warn_of_snapshot(config, own);
        inherit(config, own);
        finish_component(config, own);
        project_.components.emplace(name, static_cast<Component&&>(std::move(config)));
    }
}

void Resolver::finish_component(ComponentConfig& config, const ComponentConfig& own) {
    check_spec(config, own);
    if (config.release_calculation.empty()) {
        config.release_calculation = "auto";
    }
    config.precise_overlays = config.precise_given.value_or(false);
    add_overlay_files(config);
    check_sources(config);
    check_archives(config);
    if (!files_.incomplete() && config.spec_type == SpecType::kUpstream) {
        check_reference(config.upstream);
    }
}

void Resolver::check_spec(ComponentConfig& config, const ComponentConfig& own) {
    const Span where = config.spec_where.begin ? config.spec_where : config.where;
    if (!config.type_given) {
        const bool has_path = !config.spec_path.empty();
        if (!files_.incomplete()) {
            complain(where,
                     fmt::format("component `{}` does not say where its spec is", config.name),
                     has_path ? "write spec = { type = \"local\", path = ... }"
                              : "write spec = { type = \"local\", path = \"...\" }, or give a "
                                "default in default-component-config");
        }
        return;
    }
    config.spec_type = *config.type_given;
    config.has_spec_type = true;
    if (config.spec_type == SpecType::kUpstream) {
        if (!config.spec_path.empty()) {
            complain(where,
                     fmt::format("component `{}` has `spec.path`, but its spec is an upstream one",
                                 config.name),
                     "take `path` away, or say type = \"local\"");
        }
        if (config.upstream.name.empty() && !files_.incomplete()) {
            complain(where,
                     fmt::format("component `{}` does not say which distro its spec comes from",
                                 config.name),
                     "give `spec.upstream-distro` here or in default-component-config");
        }
        return;
    }
    // What a default gives is not looked at: it is for those that have an upstream spec.
    if (!own.upstream_name.empty() || !own.upstream_commit.empty()) {
        complain(where,
                 fmt::format("component `{}` has a local spec, so it cannot have `{}`",
                             config.name,
                             own.upstream_name.empty() ? "upstream-commit" : "upstream-name"),
                 "take it away, or say type = \"upstream\"");
    }
    if (config.spec_path.empty()) {
        complain(where, fmt::format("the local spec of component `{}` needs `path`", config.name));
    } else if (!path_exists(config.spec_path)) {
        diagnostics_.warning(where,
                             fmt::format("the spec of component `{}` is not there: {}",
                                         config.name,
                                         files_.shown(config.spec_path)),
                             "the component cannot be rendered or built");
    }
}

// A file that is missing fails its component when that is worked on; the others are well.
void Resolver::check_sources(const ComponentConfig& config) {
    for (const Overlay& overlay : config.overlays) {
        if (overlay.source.empty() || path_exists(overlay.source)) {
            continue;
        }
        const auto key = overlay.key_spans.find("source");
        const Span where = key == overlay.key_spans.end() ? overlay.where : key->second;
        if (reported_.try_emplace(where.begin).second) {
            diagnostics_.warning(where,
                                 fmt::format("there is no file {}", files_.shown(overlay.source)),
                                 "the path is relative to the directory of this file");
        }
    }
}

// Overlays inside an archive change what `sources` says of it, so the changed file's hash has to be
// declared; and what works on the archive as a file would fight with them.
void Resolver::check_archives(const ComponentConfig& config) {
    const auto place = [](const Overlay& overlay, const std::string& key) {
        const auto found = overlay.key_spans.find(key);
        return found == overlay.key_spans.end() ? overlay.where : found->second;
    };
    for (const Overlay& inside : config.overlays) {
        if (inside.archive.empty()) {
            continue;
        }
        const Span where = place(inside, "archive");
        const bool declared = std::any_of(
            config.source_files.begin(), config.source_files.end(), [&](const SourceFile& file) {
                return file.filename == inside.archive && file.origin_type == "overlay";
            });
        if (!declared && strict_) {
            warn_once(
                where,
                fmt::format("component `{}` changes the archive {}, but has no source file of "
                            "origin overlay for it",
                            config.name,
                            inside.archive),
                fmt::format("add to source-files: {{ filename = \"{}\", origin.type = \"overlay\", "
                            "replace-upstream = true, replace-reason = \"...\", hash-type = "
                            "\"SHA512\", hash = \"...\" }}",
                            inside.archive));
        }
        for (const Overlay& loose : config.overlays) {
            if (works_on_archive(loose, inside.archive) &&
                reported_.try_emplace(place(loose, "file").begin).second) {
                complain(place(loose, "file"),
                         fmt::format("overlay {} works on {} as a file, but another overlay "
                                     "changes what is in it",
                                     overlay_type_name(loose.type),
                                     inside.archive),
                         "give one of the two another file");
            }
        }
    }
}

// Names become file names: <name>.lock, <name>.spec.
void Resolver::check_name(const std::string& name, Span where) {
    const bool plain = !name.empty() && name.front() != '.' && name.front() != '-' &&
                       name.size() <= 200 &&
                       std::all_of(name.begin(), name.end(), [](char c) {
                           return c > ' ' && c != '\x7f' && c != '/' && c != '\\';
                       });
    if (!plain) {
        diagnostics_.error(where,
                           fmt::format("\"{}\" cannot be the name of a component", name),
                           "it becomes the name of files: no blanks, / or \\, not beginning with . "
                           "or -");
    }
}

const std::vector<std::string>& Resolver::overlay_paths(const std::string& pattern,
                                                        const std::string& directory,
                                                        Span where) {
    const auto [place, fresh] = overlay_paths_.try_emplace({pattern, directory});
    if (fresh) {
        auto paths = files_.expand(pattern, directory, where, "overlay file");
        std::sort(paths.begin(), paths.end(), [](const std::string& a, const std::string& b) {
            const std::string name_a = file_name(a);
            const std::string name_b = file_name(b);
            return name_a != name_b ? name_a < name_b : a < b;
        });
        place->second = std::move(paths);
    }
    return place->second;
}

void Resolver::add_overlay_files(ComponentConfig& config) {
    if (!config.overlay_files) {
        return;
    }
    std::set<std::string> seen;
    for (const auto& [pattern, where] : *config.overlay_files) {
        for (const std::string& path : overlay_paths(pattern, config.directory, where)) {
            if (!seen.insert(path).second) {
                continue;
            }
            if (const auto* document = files_.overlay_document(path, where)) {
                config.overlays.insert(
                    config.overlays.end(), document->overlays.begin(), document->overlays.end());
            }
        }
    }
}

}  // namespace tarn::declaration
