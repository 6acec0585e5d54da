// SPDX-License-Identifier: MIT
#include "base/strings.hh"
#include "import/detail/draft.hh"
#include "import/detail/files.hh"
#include "import/detail/license.hh"

#include <algorithm>
#include <set>

namespace tarn::import {

namespace {

constexpr std::uint32_t kEqual = 8;
constexpr std::uint64_t kMaxCopyright = 8u << 20;

std::string field(const debian::Stanza& control, const std::string& name) {
    const auto at = control.find(name);
    return at == control.end() ? std::string() : at->second;
}

void parse_field(const debian::Stanza& control,
                 const std::string& name,
                 std::vector<Clause>& out,
                 const std::string& package,
                 Problems& problems) {
    auto clauses = parse_relations(field(control, name), fmt::format("{} of `{}`", name, package));
    if (!clauses) {
        problems.add(clauses.error());
        return;
    }
    out.insert(out.end(), clauses->begin(), clauses->end());
}

Control parse_control_relations(const debian::Stanza& control,
                                const std::string& package,
                                Problems& problems) {
    Control out;
    parse_field(control, "Pre-Depends", out.depends, package, problems);
    parse_field(control, "Depends", out.depends, package, problems);
    parse_field(control, "Conflicts", out.conflicts, package, problems);
    parse_field(control, "Breaks", out.conflicts, package, problems);
    parse_field(control, "Provides", out.provides, package, problems);
    return out;
}

// The copyright file is read before any path is excluded.
std::string license_of_package(const Store& store, const Tree& data, const std::string& package) {
    const TreeEntry* entry = data.find(fmt::format("usr/share/doc/{}/copyright", package));
    if (entry == nullptr || entry->kind != EntryKind::kFile ||
        entry->content.size > kMaxCopyright) {
        return license_of({});
    }
    const auto text = store.read(entry->content);
    return license_of(text ? *text : std::string());
}

std::int64_t newest_file(const Tree& tree, std::int64_t fallback) {
    std::int64_t time = 0;
    for (const TreeEntry& each : tree.entries()) {
        time = std::max(time, each.mtime);
    }
    return time > 0 ? time : fallback;
}

bool is_program(const TreeEntry& entry) {
    return entry.kind != EntryKind::kDirectory && contains(entry.path, "bin/");
}

// Name, architecture and, for the curious, what the package was in Debian.
void add_own_provides(const Draft& draft, std::vector<rpm::Dependency>& provides) {
    const rpm::Nevra& nevra = draft.meta.nevra;
    const std::string evr = nevra.evr.to_string();
    const auto add = [&](std::string name, std::string version) {
        rpm::Dependency each{std::move(name), kEqual, std::move(version)};
        if (std::find(provides.begin(), provides.end(), each) == provides.end()) {
            provides.push_back(std::move(each));
        }
    };
    add(nevra.name, evr);
    if (nevra.arch == "x86_64") {
        add(nevra.name + "(x86-64)", evr);
    } else if (nevra.arch == "aarch64") {
        add(nevra.name + "(aarch-64)", evr);
    }
    if (draft.package != nevra.name) {
        add(draft.package, evr);
    }
    std::string debian = draft.version;
    const std::size_t last = debian.rfind('-');
    for (std::size_t i = 0; last != std::string::npos && i < last; ++i) {
        debian[i] = debian[i] == '-' ? '_' : debian[i];  // RPM allows one "-" in an EVR
    }
    add(fmt::format("deb({})", draft.package), std::move(debian));
}

std::unordered_set<std::string> own_paths(const Draft& draft) {
    std::unordered_set<std::string> out;
    for (const TreeEntry& each : draft.tree.entries()) {
        if (each.kind != EntryKind::kDirectory) {
            out.insert("/" + each.path);
        }
    }
    for (const rpm::Dependency& each : draft.meta.provides) {
        out.insert(each.name);
    }
    return out;
}

void sort_unique(std::vector<rpm::Dependency>& all) {
    std::sort(all.begin(), all.end());
    all.erase(std::unique(all.begin(), all.end()), all.end());
}

// "which" beside "which = 2.21" says nothing, and hides the version from who asks for one.
void drop_shadowing(std::vector<rpm::Dependency>& provides) {
    std::set<std::string, std::less<>> versioned;
    for (const rpm::Dependency& each : provides) {
        if (!each.evr.empty()) {
            versioned.insert(each.name);
        }
    }
    std::erase_if(provides, [&](const rpm::Dependency& each) {
        return each.evr.empty() && versioned.contains(each.name);
    });
}

}  // namespace

Result<void> Problems::checkpoint(const std::string& package) const {
    if (diagnostics_.errors() == 0) {
        return {};
    }
    Error problem = tarn::error(ErrorKind::kUsage,
                                "`{}` cannot be imported: {} error{}",
                                package,
                                diagnostics_.errors(),
                                diagnostics_.errors() == 1 ? "" : "s");
    problem.rendered = diagnostics_.draw();
    return fail(std::move(problem));
}

ImportRule rule_for(const Project& project, const std::string& package) {
    const auto at = project.imports.find(package);
    ImportRule rule = at == project.imports.end() ? ImportRule{} : at->second;
    rule.package = package;
    return rule;
}

Result<Draft> make_draft(const Store& store,
                         const debian::DebPackage& deb,
                         const Project& project,
                         const SourceMap& sources) {
    Draft draft;
    draft.package = trim(field(deb.control, "Package"));
    draft.version = trim(field(deb.control, "Version"));
    if (draft.package.empty()) {
        return fail(ErrorKind::kCorrupt, "a .deb whose control file names no Package");
    }
    const ImportRule rule = rule_for(project, draft.package);
    Problems problems(sources, &rule);
    check_scripts(deb, draft.package, project.import_policy, rule, problems);
    Files files = make_files(store,
                             deb,
                             draft.package,
                             project.import_policy,
                             rule,
                             project.source_date_epoch,
                             problems);
    draft.control = parse_control_relations(deb.control, draft.package, problems);
    draft.meta = metadata_of(
        deb.control, project, rule, newest_file(files.tree, project.source_date_epoch), problems);
    draft.meta.license = license_of_package(store, deb.data, draft.package);
    TARN_TRY(problems.checkpoint(draft.package));
    draft.tree = std::move(files.tree);
    draft.flags = std::move(files.flags);
    draft.warnings = std::move(problems.warnings());
    draft.files = TARN_TRY(rpm::file_dependencies(store, draft.tree, draft.warnings));
    return draft;
}

Facts facts_of(const Draft& draft, const Project& project) {
    std::set<std::string> offers{draft.package};
    std::set<std::string> mentions;
    for (const Clause& clause : draft.control.provides) {
        for (const Relation& each : clause) {
            offers.insert(each.name);
            mentions.insert(each.name);
        }
    }
    for (const auto* clauses : {&draft.control.depends, &draft.control.conflicts}) {
        for (const Clause& clause : *clauses) {
            for (const Relation& each : clause) {
                mentions.insert(each.name);
            }
        }
    }
    for (const TreeEntry& each : draft.tree.entries()) {
        if (is_program(each)) {
            offers.insert("/" + each.path);
        }
    }
    for (const std::string& each : rule_for(project, draft.package).add_provides) {
        if (each.starts_with('/')) {
            offers.insert(usr_merged(each));
        }
    }
    for (const rpm::Dependency& each : draft.files.requires_) {
        if (each.name.starts_with('/')) {
            mentions.insert(usr_merged(each.name));
        }
    }
    return {{offers.begin(), offers.end()}, {mentions.begin(), mentions.end()}};
}

Result<Finished> finish_draft(Draft draft,
                              const Project& project,
                              const Closure& closure,
                              const SourceMap& sources) {
    const ImportRule rule = rule_for(project, draft.package);
    Problems problems(sources, &rule);
    Translator translator(closure, rule, project.import_policy.release_suffix, problems);
    rpm::PackageMeta& meta = draft.meta;
    meta.provides = translator.provides_of(draft.control);
    add_own_provides(draft, meta.provides);
    meta.provides.insert(
        meta.provides.end(), draft.files.provides.begin(), draft.files.provides.end());
    meta.requires_ = translator.requires_of(draft.control);
    std::vector<rpm::Dependency> found =
        translator.file_requires(draft.files.requires_, own_paths(draft));
    meta.requires_.insert(meta.requires_.end(), found.begin(), found.end());
    meta.conflicts = translator.conflicts_of(draft.package, draft.control);
    for (const std::string& each : rule.add_obsoletes) {
        meta.obsoletes.push_back(rpm::Dependency::parse(each));
    }
    translator.warn_about_unused_drops();
    TARN_TRY(problems.checkpoint(draft.package));
    for (auto* all : {&meta.provides, &meta.requires_, &meta.conflicts, &meta.obsoletes}) {
        sort_unique(*all);
    }
    drop_shadowing(meta.provides);
    Converted out{
        std::move(meta), std::move(draft.tree), std::move(draft.flags), std::move(draft.warnings)};
    out.warnings.insert(out.warnings.end(), problems.warnings().begin(), problems.warnings().end());
    return Finished{std::move(out), translator.dropped_interpreters()};
}

}  // namespace tarn::import

namespace tarn {

Result<Converted> convert(const Store& store,
                          const debian::DebPackage& deb,
                          const Project& project,
                          const std::vector<std::string>& known,
                          const SourceMap& sources) {
    import::Draft draft = TARN_TRY(import::make_draft(store, deb, project, sources));
    // A package may rely on what it offers itself.
    std::vector<std::string> names = known;
    const import::Facts facts = import::facts_of(draft, project);
    names.insert(names.end(), facts.offers.begin(), facts.offers.end());
    import::Finished finished = TARN_TRY(
        import::finish_draft(std::move(draft), project, import::Closure(project, names), sources));
    for (const std::string& each : finished.interpreters) {
        finished.converted.warnings.push_back(
            fmt::format("scripts are to be run by {}, which no imported package has", each));
    }
    return std::move(finished.converted);
}

}  // namespace tarn
