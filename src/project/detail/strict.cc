// SPDX-License-Identifier: MIT
// --strict: where the format does something else than it looks like.
#include "base/strings.hh"
#include "project/detail/resolve.hh"

#include <algorithm>

namespace tarn::declaration {
namespace {

using enum OverlayType;

Span place_of(const Overlay& overlay, const std::string& key) {
    const auto found = overlay.key_spans.find(key);
    return found == overlay.key_spans.end() ? overlay.where : found->second;
}

// The keys an overlay of a type reads, beside type, description and metadata.
std::vector<std::string_view> keys_read(OverlayType type) {
    switch (type) {
        case kSpecAddTag:
        case kSpecInsertTag:
        case kSpecSetTag:
        case kSpecUpdateTag:
        case kSpecRemoveTag:
            return {"tag", "value", "package"};
        case kSpecPrependLines:
        case kSpecAppendLines:
            return {"lines", "section", "package"};
        case kSpecSearchReplace:
            return {"regex", "replacement", "section", "package"};
        case kSpecRemoveSection:
            return {"section", "package"};
        case kSpecRemoveSubpackage:
            return {"package"};
        case kPatchAdd:
            return {"source", "file", "package"};
        case kPatchRemove:
            return {"file"};
        case kFilePrependLines:
            return {"file", "lines"};
        case kFileSearchReplace:
            return {"file", "regex", "replacement", "archive"};
        case kFileAdd:
            return {"file", "source"};
        case kFileRemove:
            return {"file", "archive"};
        case kFileRename:
            return {"file", "replacement"};
        case kUnknown:
            break;
    }
    return {};
}

bool refers_to_group(std::string_view replacement) {
    for (std::size_t at = 0; at + 1 < replacement.size(); ++at) {
        const bool sign = replacement[at] == '\\' || replacement[at] == '$';
        if (sign && replacement[at + 1] >= '0' && replacement[at + 1] <= '9') {
            return true;
        }
    }
    return false;
}

bool is_literal(std::string_view regex) {
    return regex.find_first_of("\\^$.|?*+()[]{}") == std::string_view::npos;
}

struct Trap {
    Span where{};
    std::string message;
    std::string help;
};

void traps_of_regex(const Overlay& overlay, std::vector<Trap>& traps) {
    if (refers_to_group(overlay.replacement)) {
        traps.push_back({place_of(overlay, "replacement"),
                         "`replacement` is literal text: $1 and \\1 stand for themselves",
                         {}});
    }
    if (is_literal(overlay.regex) && overlay.regex == overlay.replacement) {
        traps.push_back({place_of(overlay, "replacement"),
                         "this replaces text by itself, which counts as not found",
                         {}});
    }
    if (overlay.type == kSpecSearchReplace && contains(overlay.regex, "\\n")) {
        traps.push_back({place_of(overlay, "regex"),
                         "each line of the spec is searched by itself: \\n never matches",
                         {}});
    }
    const bool anchored = overlay.regex.starts_with('^') || overlay.regex.ends_with('$');
    if (overlay.type == kFileSearchReplace && anchored && !contains(overlay.regex, "(?")) {
        traps.push_back({place_of(overlay, "regex"),
                         "the whole file is one text here: ^ and $ stand for its ends",
                         "write (?m) in front for the ends of lines"});
    }
}

std::vector<Trap> traps_of(const Overlay& overlay) {
    std::vector<Trap> traps;
    if (overlay.type == kUnknown) {
        return traps;  // its type is reported
    }
    const std::vector<std::string_view> read = keys_read(overlay.type);
    for (const auto& [key, span] : overlay.key_spans) {
        const bool always = key == "type" || key == "description" || key == "metadata";
        if (!always && std::find(read.begin(), read.end(), key) == read.end()) {
            traps.push_back({span,
                             fmt::format("overlay {} does not read `{}`",
                                         overlay_type_name(overlay.type),
                                         key),
                             {}});
        }
    }
    const bool reads_section = std::find(read.begin(), read.end(), "section") != read.end();
    if (reads_section && !overlay.section.empty() && !overlay.section.starts_with('%')) {
        traps.push_back({place_of(overlay, "section"),
                         "sections are compared with their %: this one is never found",
                         fmt::format("write \"%{}\"", overlay.section)});
    }
    if (overlay.type == kSpecSearchReplace || overlay.type == kFileSearchReplace) {
        traps_of_regex(overlay, traps);
    }
    return traps;
}

bool has_duplicate(std::vector<std::string> list, std::string& which) {
    std::sort(list.begin(), list.end());
    const auto twice = std::adjacent_find(list.begin(), list.end());
    if (twice == list.end()) {
        return false;
    }
    which = *twice;
    return true;
}

bool is_number(std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace

void Resolver::warn_once(Span where, std::string message, std::string help) {
    if (warned_.emplace(where.begin, message).second) {
        diagnostics_.warning(where, std::move(message), std::move(help));
    }
}

void Resolver::warn_of_false(const ComponentConfig& so_far, const ComponentConfig& layer) {
    if (!strict_) {
        return;
    }
    for (const SaidFalse& said : layer.said_false) {
        if (said.is_set(so_far)) {
            warn_once(said.where,
                      fmt::format("`{} = false` has no effect: it is inherited as true, and true "
                                  "wins",
                                  said.key),
                      "take the `true` out of the defaults or the group");
        }
    }
}

void Resolver::warn_of_snapshot(const ComponentConfig& inherited, const ComponentConfig& own) {
    const DistroReference& from = inherited.upstream;
    if (!strict_ || from.snapshot.empty() || !own.upstream_commit.empty()) {
        return;
    }
    const auto differs = [](const std::string& mine, const std::string& theirs) {
        return !mine.empty() && mine != theirs;
    };
    if (differs(own.upstream.name, from.name) || differs(own.upstream.version, from.version)) {
        warn_once(own.upstream.where,
                  fmt::format("component `{}` names another distro but inherits the snapshot {} of "
                              "{} {}",
                              own.name,
                              from.snapshot,
                              from.name,
                              from.version),
                  "pin it with `upstream-commit`, or give it a group with a snapshot of its own");
    }
}

void Resolver::warn_of_defaults(const ComponentConfig& defaults, std::string_view what) {
    if (defaults.build.check_skip) {
        warn_once(defaults.build_where,
                  fmt::format("{} skips %check for all: a spec without %check fails then", what),
                  "skip it in the components that need it");
    }
}

void Resolver::warn_of_component(const Component& component) {
    for (const Overlay& overlay : component.overlays) {
        for (Trap& trap : traps_of(overlay)) {
            warn_once(trap.where, std::move(trap.message), std::move(trap.help));
        }
    }
    const BuildConfig& build = component.build;
    const auto warn = [&](std::string message, std::string help = {}) {
        warn_once(component.where, std::move(message), std::move(help));
    };
    std::string which;
    if (has_duplicate(build.with, which) || has_duplicate(build.without, which)) {
        warn(fmt::format("component `{}` gives `{}` twice: lists are added to those inherited",
                         component.name,
                         which));
    }
    for (const std::string& name : build.with) {
        if (std::find(build.without.begin(), build.without.end(), name) != build.without.end()) {
            warn(fmt::format(
                "component `{}` is built with and without `{}`", component.name, name));
        }
    }
    for (const std::string& name : build.undefines) {
        const auto is_switch = [&](std::string_view prefix, const std::vector<std::string>& of) {
            return name.starts_with(prefix) &&
                   std::find(of.begin(), of.end(), name.substr(prefix.size())) != of.end();
        };
        if (!build.defines.contains(name) && !is_switch("_with_", build.with) &&
            !is_switch("_without_", build.without)) {
            warn(fmt::format("component `{}`: `undefines` only takes away what the declaration "
                             "itself defines, and nothing defines `{}`",
                             component.name,
                             name));
        }
    }
    std::vector<std::string> files;
    for (const SourceFile& file : component.source_files) {
        files.push_back(file.filename);
    }
    if (has_duplicate(files, which)) {
        warn(fmt::format("component `{}` has the source file `{}` twice, one of them inherited",
                         component.name,
                         which));
    }
}

void Resolver::warn_of_traps() {
    const Collected& collected = files_.collected();
    warn_of_defaults(collected.defaults, "default-component-config");
    for (const auto& [name, group] : collected.groups) {
        warn_of_defaults(group.defaults, fmt::format("component group `{}`", name));
    }
    for (const auto& [name, distro] : collected.distros) {
        for (const auto& [version_name, version] : distro.version_configs) {
            warn_of_defaults(version.defaults, fmt::format("distro `{}` {}", name, version_name));
            if (is_number(version_name) && is_number(version.release_ver) &&
                version_name != version.release_ver) {
                warn_once(version.where,
                          fmt::format("version {} of distro `{}` has release-ver {}",
                                      version_name,
                                      name,
                                      version.release_ver));
            }
        }
    }
    for (const auto& [name, component] : project_.components) {
        warn_of_component(component);
    }
}

}  // namespace tarn::declaration
