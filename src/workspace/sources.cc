// SPDX-License-Identifier: MIT
#include "workspace/sources.hh"

#include <algorithm>
#include <set>

#include "base/fs.hh"
#include "distgit/distgit.hh"
#include "project/component_lock.hh"
#include "render/sources_file.hh"
#include "spec/macros.hh"
#include "workspace/detail/custom_source.hh"
#include "workspace/detail/impl.hh"
#include "workspace/detail/release_step.hh"

namespace tarn {

namespace {

// Declarations that lie beside a spec are no sources of it.
bool is_declaration(const std::string& path) {
    return path.ends_with(".comp.toml") || path.ends_with(".overlay.toml") ||
           path == "tarn.toml" || path == "azldev.toml";
}

Result<PristineSources> local_sources(const Component& component) {
    PristineSources pristine;
    pristine.spec_name = file_name(component.spec_path);
    pristine.files = TARN_TRY(SourceSet::of_directory(parent_path(component.spec_path)));
    for (const std::string& path : pristine.files.paths()) {
        const bool other_spec = path.ends_with(".spec") && path != pristine.spec_name;
        if (is_declaration(path) || other_spec) {
            pristine.files.remove(path);
        }
    }
    return pristine;
}

// Which commit: the lock's, or when locks are not asked the pinned one, the snapshot's, the head.
Result<git::ObjectId> choose_commit(Workspace& workspace, const Component& component,
                                    const distgit::PackageSource& source, bool validate_locks) {
    const Project& project = workspace.project();
    if (validate_locks) {
        std::vector<Error> problems = tarn::validate_locks(project, {&component}, false);
        if (!problems.empty()) {
            return fail(std::move(problems.front()));
        }
    }
    auto lock = read_component_lock(project, component.name);
    if (lock && !lock->upstream_commit.empty()) {
        return lock->upstream_commit;
    }
    if (!lock && lock.error().kind != ErrorKind::kNotFound) {
        return fail(std::move(lock.error()));
    }
    auto dist_git = TARN_TRY(workspace.impl().dist_git());
    return dist_git.resolve(source, {component.upstream_commit, component.upstream.snapshot});
}

Result<PristineSources> upstream_sources(Workspace& workspace, const Component& component,
                                         const SourcesOptions& options) {
    const auto source = TARN_TRY(
        distgit::package_source(workspace.project(), component, workspace.sources()));
    PristineSources pristine;
    pristine.upstream_commit =
        TARN_TRY(choose_commit(workspace, component, source, options.validate_locks));
    pristine.spec_name = component.package() + ".spec";
    auto dist_git = TARN_TRY(workspace.impl().dist_git());
    const Tree tree =
        TARN_TRY(dist_git.checkout(workspace.store(), source, pristine.upstream_commit));
    pristine.files = SourceSet::of_tree(workspace.store(), tree);
    if (!pristine.files.has(pristine.spec_name)) {
        return fail(error(ErrorKind::kNotFound,
                          "component `{}`: {} has no {} at {}",
                          component.name,
                          source.url,
                          pristine.spec_name,
                          pristine.upstream_commit.substr(0, 12))
                        .advise("`spec.upstream-name` says what the package is called upstream"));
    }
    return pristine;
}

Result<Digest> locked_source(Workspace& workspace, const SourceFile& source, Reporter& reporter) {
    const Lock* lock = TARN_TRY(workspace.lock(reporter));
    const auto found =
        std::find_if(lock->sources.begin(), lock->sources.end(), [&](const LockedFile& file) {
            return file.package == source.package && file_name(file.path) == source.filename;
        });
    if (found == lock->sources.end()) {
        return fail(error(ErrorKind::kNotFound,
                          "the lock has no file {} of the source package {}",
                          source.filename,
                          source.package)
                        .advise("`tarn lock` locks again"));
    }
    return found->digest;
}

Error without_hash(const SourceMap& sources, const SourceFile& source) {
    Diagnostic diagnostic;
    diagnostic.primary = source.where;
    diagnostic.message = fmt::format("source `{}` has no hash", source.filename);
    diagnostic.help = {"give `hash` and `hash-type`, or compute it once with --allow-no-hashes"};
    Error problem = error(ErrorKind::kUsage, "nothing was built");
    problem.rendered = draw(diagnostic, sources);
    return problem;
}

struct Lookaside {
    std::vector<std::string> templates;
    bool origins = true;
    std::string package;
};

// A local component uses the lookaside of the distro it inherits, under its own name.
Lookaside lookaside_of(const Project& project, const Component& component) {
    Lookaside lookaside;
    lookaside.package = component.is_upstream() ? component.package() : component.name;
    if (const Distro* distro = project.distro(component.upstream)) {
        lookaside.templates = distro->lookaside_mirrors;
        if (!distro->lookaside_base_uri.empty()) {
            lookaside.templates.push_back(distro->lookaside_base_uri);
        }
        lookaside.origins = !distro->disable_origins;
    }
    return lookaside;
}

distgit::LookasideRequest request_for(const SourceFile& source, const Lookaside& lookaside) {
    return {lookaside.package,
            {source.filename, source.hash_type, source.hash},
            source.hash.empty() ? std::vector<std::string>{} : lookaside.templates,
            lookaside.origins ? source.uri : std::string()};
}

// A file that is fetched, and what asked for it.
struct Wanted {
    distgit::LookasideRequest request;
    const SourceFile* declared = nullptr;  // else a line of `sources`
    std::size_t line = 0;
};

Result<void> sources_file_requests(const Component& component, const SourceSet& files,
                                   const Lookaside& lookaside, std::vector<Wanted>& requests) {
    if (!files.has("sources")) {
        return {};
    }
    const std::string text = TARN_TRY(files.read("sources"));
    const SourcesFile parsed = TARN_TRY(SourcesFile::parse(text, component.name + "/sources"));
    for (const SourcesEntry& entry : parsed.entries()) {
        const auto replaced = std::any_of(
            component.source_files.begin(), component.source_files.end(), [&](const SourceFile& s) {
                return s.filename == entry.name && s.origin_type != "overlay";
            });
        if (!replaced && !files.has(entry.name)) {
            requests.push_back({{lookaside.package,
                                 {entry.name, entry.hash_type, entry.hash},
                                 lookaside.templates,
                                 {}},
                                nullptr,
                                entry.line});
        }
    }
    return {};
}

// Where it was asked for, in front of why it did not come.
Error not_fetched(const SourceMap& map, const Component& component, const Lookaside& lookaside,
                  const Wanted& wanted, Error problem) {
    if (wanted.declared == nullptr) {
        return std::move(problem).context(
            fmt::format("component `{}`, sources:{}", component.name, wanted.line));
    }
    Diagnostic diagnostic;
    diagnostic.primary = wanted.declared->where;
    diagnostic.message = std::move(problem.message);
    diagnostic.notes = std::move(problem.notes);
    if (!lookaside.origins && !wanted.declared->uri.empty()) {
        diagnostic.notes.push_back(fmt::format("`disable-origins` of the distro forbids to ask {}",
                                               wanted.declared->uri));
    }
    diagnostic.help = std::move(problem.help);
    problem.rendered = draw(diagnostic, map);
    problem.notes.clear();
    problem.help.clear();
    problem.message = fmt::format("component `{}` lacks a source", component.name);
    return problem;
}

// What is declared where, in front of what is wrong with its lock.
Error located(const SourceMap& map, const Component& component, Error problem) {
    const Location at = map.locate(component.where.begin);
    if (problem.rendered.empty() && !at.file.empty()) {
        problem.message = fmt::format("{}:{}:{}: {}", at.file, at.line, at.column, problem.message);
    }
    return problem;
}

}  // namespace

Result<PristineSources> pristine_sources(Workspace& workspace, const Component& component,
                                         const SourcesOptions& options) {
    return component.is_upstream() ? upstream_sources(workspace, component, options)
                                  : local_sources(component);
}

Result<void> add_downloads(Workspace& workspace, const Component& component, SourceSet& files,
                           const SourcesOptions& options, Reporter& reporter) {
    if (!options.download) {
        return {};
    }
    const Lookaside lookaside = lookaside_of(workspace.project(), component);
    std::vector<Wanted> wanted;
    std::vector<const SourceFile*> made;  // by scripts, from what is fetched
    TARN_TRY(sources_file_requests(component, files, lookaside, wanted));
    const std::int64_t mtime = workspace.project().source_date_epoch;
    for (const SourceFile& source : component.source_files) {
        if (source.origin_type == "overlay") {
            continue;  // an overlay makes it from the upstream archive
        }
        if (source.origin_type == "signing-key") {
            const SigningKey* signing = TARN_TRY(workspace.key());
            files.add(source.filename, signing->public_key_armored(), mtime);
        } else if (source.origin_type == "debian") {
            files.add_blob(workspace.store(), source.filename,
                           TARN_TRY(locked_source(workspace, source, reporter)), mtime);
        } else if (source.hash.empty() && !options.allow_no_hashes) {
            return fail(without_hash(workspace.sources(), source));
        } else if (source.origin_type == "custom") {
            made.push_back(&source);
        } else {
            wanted.push_back({request_for(source, lookaside), &source, 0});
        }
    }
    std::vector<distgit::LookasideRequest> requests;
    for (const Wanted& file : wanted) {
        requests.push_back(file.request);
    }
    const auto fetched = distgit::fetch_lookaside(
        workspace.store(), requests, workspace.impl().distgit_options(), reporter);
    for (std::size_t i = 0; i < fetched.size(); ++i) {
        if (!fetched[i]) {
            return fail(not_fetched(
                workspace.sources(), component, lookaside, wanted[i], fetched[i].error()));
        }
        files.add_blob(workspace.store(), requests[i].file.name, *fetched[i], mtime);
    }
    for (const SourceFile* source : made) {
        files.add_blob(workspace.store(), source->filename,
                       TARN_TRY(custom_source(workspace, component, *source,
                                              request_for(*source, lookaside), files, reporter)),
                       mtime);
    }
    return {};
}

Result<ComponentSources> prepared_sources(Workspace& workspace, const Component& component,
                                          PristineSources pristine, const SourcesOptions& options) {
    ComponentSources result;
    result.files = std::move(pristine.files);
    result.upstream_commit = std::move(pristine.upstream_commit);
    RenderRequest request;
    request.component = &component;
    request.wording = &workspace.project().render;
    request.map = &workspace.sources();
    request.pristine_spec_name = pristine.spec_name;
    request.archives_present = options.download;
    request.allow_no_hashes = options.allow_no_hashes;
    request.skip_overlays = !options.overlays;
    request.strict = workspace.impl().options.strict;
    request.keep_steps = options.keep_steps;
    if (component.build.emit_upstream_provenance && options.overlays) {
        request.provenance = TARN_TRY(upstream_provenance(
            workspace, component, result.files, pristine.spec_name, result.upstream_commit));
    }
    auto prepared = TARN_TRY(prepare_sources(result.files, request));
    result.spec_name = std::move(prepared.spec_name);
    result.warnings = std::move(prepared.warnings);
    result.steps = std::move(prepared.steps);
    if (options.overlays && options.release) {
        TARN_TRY(apply_release(workspace, component, result, options.keep_steps));
    }
    return result;
}

Result<ComponentSources> component_sources(Workspace& workspace, const Component& component,
                                           const SourcesOptions& options, Reporter& reporter) {
    PristineSources pristine = TARN_TRY(pristine_sources(workspace, component, options));
    TARN_TRY(add_downloads(workspace, component, pristine.files, options, reporter));
    return prepared_sources(workspace, component, std::move(pristine), options);
}

Result<void> check_locks(const Workspace& workspace,
                         const std::vector<const Component*>& components, bool orphans) {
    const Project& project = workspace.project();
    const auto locked = TARN_TRY(locked_components(project));
    const std::set<std::string> known(locked.begin(), locked.end());
    std::vector<Error> problems;
    for (const Component* component : components) {
        if (!component->is_upstream() && !known.contains(component->name)) {
            continue;
        }
        for (Error& problem : validate_locks(project, {component}, false)) {
            problems.push_back(located(workspace.sources(), *component, std::move(problem)));
        }
    }
    if (orphans) {
        for (Error& problem : validate_locks(project, {}, true)) {
            problems.push_back(std::move(problem));
        }
    }
    if (problems.empty()) {
        return {};
    }
    constexpr std::size_t kShown = 20;
    Error all = error(ErrorKind::kUsage, "{} lock{} not in order",
                      problems.size(), problems.size() == 1 ? " is" : "s are");
    for (std::size_t i = 0; i < problems.size() && i < kShown; ++i) {
        all.rendered += problems[i].rendered;
        if (problems[i].rendered.empty()) {
            all.notes.push_back(problems[i].message);
        }
    }
    if (problems.size() > kShown) {
        all.notes.push_back(fmt::format("... and {} more", problems.size() - kShown));
    }
    all.help = problems.size() == 1 ? problems.front().help
                                    : std::vector<std::string>{"`tarn component update` writes locks"};
    all.help.emplace_back("--skip-lock-validation goes on without");
    return fail(std::move(all));
}

}  // namespace tarn
