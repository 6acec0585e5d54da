// SPDX-License-Identifier: MIT
#include "workspace/detail/release_step.hh"

#include <algorithm>
#include <map>

#include "distgit/distgit.hh"
#include "project/component_lock.hh"
#include "spec/macros.hh"
#include "workspace/detail/impl.hh"

namespace tarn {

namespace {

// Blobs by id: most commits leave the spec as it was.
class Blobs {
  public:
    explicit Blobs(const git::Repository& repository) : repository_(repository) {}
    Result<std::optional<std::string>> file(const git::ObjectId& commit, const std::string& path) {
        const auto entry = TARN_TRY(repository_.find(commit, path));
        if (!entry || (entry->type != git::EntryType::kFile &&
                       entry->type != git::EntryType::kExecutable)) {
            return std::nullopt;
        }
        const auto known = texts_.find(entry->id);
        if (known != texts_.end()) {
            return known->second;
        }
        std::string text = TARN_TRY(repository_.blob(entry->id, 64U << 20U));
        return texts_.emplace(entry->id, std::move(text)).first->second;
    }

  private:
    const git::Repository& repository_;
    std::map<git::ObjectId, std::string> texts_;
};

release::Revision revision_of(const git::Commit& commit,
                              const std::map<git::ObjectId, std::size_t>& index) {
    release::Revision revision;
    revision.id = commit.id;
    revision.tree = commit.tree;
    for (const git::ObjectId& parent : commit.parents) {
        const auto found = index.find(parent);
        revision.parents.push_back(found == index.end() ? index.size() : found->second);
    }
    revision.author = commit.author;
    revision.email = commit.author_email;
    revision.time = commit.committer_time;
    revision.message = commit.message;
    return revision;
}

enum class Contents { kNone, kSpecs };

Result<std::vector<release::Revision>> upstream_history(Workspace& workspace,
                                                        const Component& component,
                                                        const git::ObjectId& tip,
                                                        Contents contents) {
    const auto source = TARN_TRY(
        distgit::package_source(workspace.project(), component, workspace.sources()));
    const std::string spec = source.package + ".spec";
    auto dist_git = TARN_TRY(workspace.impl().dist_git());
    std::vector<std::string> files;
    if (contents == Contents::kSpecs) {
        files = {spec, "changelog"};
    }
    const git::Repository repository = TARN_TRY(dist_git.history(source, tip, files));
    const std::vector<git::Commit> commits = TARN_TRY(repository.ancestors(tip));
    std::map<git::ObjectId, std::size_t> index;
    for (const git::Commit& commit : commits) {
        index.emplace(commit.id, index.size());
    }
    Blobs blobs(repository);
    std::vector<release::Revision> history;
    history.reserve(commits.size());
    for (const git::Commit& commit : commits) {
        history.push_back(revision_of(commit, index));
        if (contents == Contents::kSpecs) {
            history.back().spec = TARN_TRY(blobs.file(commit.id, spec));
            history.back().changelog = TARN_TRY(blobs.file(commit.id, "changelog"));
        }
    }
    return history;
}

std::string release_ver(const Project& project, const Component& component) {
    const DistroVersion* version = project.version(component.upstream);
    return version == nullptr ? std::string() : version->release_ver;
}

// The project's own changes of a component, as entries of its history. Nothing without a committed
// lock. A change that is not committed yet is dated as the newest one that is, so that two runs give
// the same bytes.
Result<std::vector<release::SyntheticEntry>> own_entries(
    Workspace& workspace, const Component& component,
    const std::vector<release::LockRevision>& revisions) {
    if (revisions.empty()) {
        return std::vector<release::SyntheticEntry>{};
    }
    const LockHistory* locks = TARN_TRY(workspace.impl().locks_so_far());
    if (locks->shallow()) {
        return fail(error(ErrorKind::kFailed,
                          "component `{}`: the project's repository is a shallow clone, so its "
                          "releases cannot be counted",
                          component.name)
                        .advise("`git fetch --unshallow`, or --without-git to leave releases alone"));
    }
    std::string current;
    if (component.spec_type == SpecType::kUpstream) {
        const ComponentLock lock =
            TARN_TRY(read_component_lock(workspace.project(), component.name));
        current = TARN_TRY(input_fingerprint(
            component,
            {lock.upstream_commit, lock.manual_bump, release_ver(workspace.project(), component)}));
    }
    return release::synthetic_entries(revisions, current, revisions.back().time);
}

struct Own {  // what the project itself did to a component
    std::vector<release::SyntheticEntry> entries;
    git::ObjectId tip, import_commit;  // upstream: newest commit ever locked, first one
};

// The whole history, upstream's and the project's.
Result<release::Interleaved> whole_history(Workspace& workspace, const Component& component,
                                           const Own& own, const std::string& spec,
                                           Contents contents) {
    std::vector<release::Revision> base;  // a local component has none
    if (component.spec_type == SpecType::kUpstream) {
        base = TARN_TRY(upstream_history(workspace, component, own.tip, contents));
    }
    return release::interleave(base, own.import_commit, own.entries, spec);
}

Result<std::string> bumped(Workspace& workspace, const Component& component, const Own& own,
                           const std::string& spec, std::vector<std::string>& warnings) {
    const std::string calculation =
        component.release_calculation.empty() ? "auto" : component.release_calculation;
    const release::Action action = TARN_TRY(release::decide(calculation, spec, component.name));
    if (action != release::Action::kBump || own.entries.empty()) {
        return spec;
    }
    const auto whole =
        TARN_TRY(whole_history(workspace, component, own, spec, Contents::kNone));
    warnings.insert(warnings.end(), whole.warnings.begin(), whole.warnings.end());
    const std::size_t counted = own.entries.size() - whole.warnings.size();
    return release::bump_static(spec, static_cast<unsigned>(counted));
}

Result<std::string> changed_spec(Workspace& workspace, const Component& component,
                                 const std::string& spec, ComponentSources& sources) {
    const LockHistory* locks = TARN_TRY(workspace.impl().locks_so_far());
    const auto& revisions = locks->of(component.name);
    Own own;
    own.entries = TARN_TRY(own_entries(workspace, component, revisions));
    own.tip = revisions.empty() ? sources.upstream_commit : revisions.back().upstream_commit;
    own.import_commit =
        revisions.empty() ? sources.upstream_commit : revisions.front().import_commit;
    const release::Features features = release::features_of(spec);
    // A local spec without history of its own is left alone, but for a macro it cannot do without.
    const bool known = component.spec_type == SpecType::kUpstream || !own.entries.empty();
    const bool process =
        !features.processed && (features.autorelease || (features.autochangelog && known));
    std::string text = spec;
    if (!own.entries.empty()) {
        text = TARN_TRY(bumped(workspace, component, own, spec, sources.warnings));
    }
    if (!process) {
        return text;
    }
    auto whole = TARN_TRY(whole_history(workspace, component, own, text, Contents::kSpecs));
    if (!whole.history.empty() && sources.files.has("changelog")) {
        whole.history.front().changelog = TARN_TRY(sources.files.read("changelog"));
    }
    const auto computed = TARN_TRY(release::compute(whole.history));
    const auto warn = [&](const std::vector<std::string>& warnings) {
        sources.warnings.insert(sources.warnings.end(), warnings.begin(), warnings.end());
    };
    warn(whole.warnings);
    warn(computed.warnings);
    return release::process_spec(text, computed);
}

}  // namespace

Result<void> apply_release(Workspace& workspace, const Component& component,
                           ComponentSources& sources, bool keep_step) {
    const std::string before = TARN_TRY(sources.files.read(sources.spec_name));
    const std::string after =
        TARN_TRY(changed_spec(workspace, component, before, sources));
    if (after == before) {
        return {};
    }
    sources.files.write(sources.spec_name, after);
    if (keep_step) {
        RenderStep step;
        step.what = "release and changelog";
        step.changes.push_back({sources.spec_name, before, after});
        sources.steps.push_back(std::move(step));
    }
    return {};
}

Result<std::vector<std::pair<std::string, std::string>>> upstream_provenance(
    Workspace& workspace, const Component& component, const SourceSet& pristine,
    const std::string& spec_name) {
    std::vector<std::pair<std::string, std::string>> macros;
    const std::string version = release_ver(workspace.project(), component);
    const bool numbered = !version.empty() &&
                          version.find_first_not_of("0123456789") == std::string::npos;
    if (component.spec_type != SpecType::kUpstream || component.upstream.name != "fedora" ||
        !numbered) {
        return macros;
    }
    const std::string spec = TARN_TRY(pristine.read(spec_name));
    const std::string dist = ".fc" + version;
    MacroTable known;
    known.define("dist", {dist, std::nullopt});
    const SpecFacts facts = read_spec_facts(spec, known);
    std::string release = facts.release.text;
    if (release::classify(spec) == release::ReleaseKind::kAutorelease) {
        const auto lock = read_component_lock(workspace.project(), component.name);
        const git::ObjectId tip = lock ? lock->upstream_commit : component.upstream_commit;
        const auto history =
            TARN_TRY(upstream_history(workspace, component, tip, Contents::kSpecs));
        release = std::to_string(TARN_TRY(release::compute(history)).release_number) + dist;
    } else if (!facts.release.complete()) {
        return fail(error(ErrorKind::kFailed,
                          "component `{}`: the upstream release `{}` cannot be evaluated",
                          component.name,
                          facts.release.text)
                        .advise("give `build.defines.fedora_upstream_release`, or leave "
                                "`build.emit-upstream-provenance` out"));
    }
    macros.emplace_back("fedora_upstream_version", facts.version.text);
    macros.emplace_back("fedora_upstream_release", release);
    return macros;
}

}  // namespace tarn
