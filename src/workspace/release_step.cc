// SPDX-License-Identifier: MIT
#include "workspace/detail/release_step.hh"

#include "distgit/distgit.hh"
#include "project/component_lock.hh"
#include "spec/macros.hh"
#include "workspace/detail/impl.hh"

#include <algorithm>
#include <map>
#include <set>

namespace tarn {

namespace {

// Blobs by id: most commits leave the spec as it was.
class Blobs {
  public:
    explicit Blobs(const git::Repository& repository) : repository_(repository) {}
    Result<std::optional<std::string>> file(const git::ObjectId& commit, const std::string& path) {
        const auto entry = TARN_TRY(repository_.find(commit, path));
        if (!entry ||
            (entry->type != git::EntryType::kFile && entry->type != git::EntryType::kExecutable)) {
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
    const auto source =
        TARN_TRY(distgit::package_source(workspace.project(), component, workspace.sources()));
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

struct Own {  // what the project itself did to a component
    std::vector<release::SyntheticEntry> entries;
    std::vector<git::ObjectId> locked;  // upstream commits ever locked, newest version first
    git::ObjectId import_commit;        // upstream: the first one
};

// The fingerprint as it is now. Empty for local components and where it cannot be known: the lock
// is gone, or a source file has no hash.
std::string current_fingerprint(const Component& component,
                                const ComponentLock& lock,
                                const std::string& version) {
    const auto current =
        input_fingerprint(component, {lock.upstream_commit, lock.manual_bump, version});
    return current ? *current : std::string();
}

// The project's own changes of a component, as entries of its history. Nothing without a committed
// lock. A change that is not committed yet is dated as the newest one that is, so that two runs
// give the same bytes.
Result<Own> own_history(Workspace& workspace,
                        const Component& component,
                        const git::ObjectId& upstream_commit) {
    Own own;
    const LockHistory* locks = TARN_TRY(workspace.impl().locks_so_far());
    const auto revisions = TARN_TRY(locks->of(component.name));
    const bool upstream = component.is_upstream();
    if (revisions.empty()) {
        own.locked = {upstream_commit};
        own.import_commit = upstream_commit;
        return own;
    }
    const auto lock = read_component_lock(workspace.project(), component.name);
    if (!lock && lock.error().kind != ErrorKind::kNotFound) {
        return fail(lock.error());
    }
    const std::string version = workspace.project().release_ver(component);
    const std::string current =
        lock && upstream ? current_fingerprint(component, *lock, version) : std::string();
    own.entries = release::synthetic_entries(revisions, current, revisions.back().time);
    if (!current.empty() && current != revisions.back().input_fingerprint && !own.entries.empty()) {
        // Made with the commit that is locked now, be that committed or not.
        own.entries.back().upstream_commit = lock->upstream_commit;
        own.locked.push_back(lock->upstream_commit);
    }
    for (auto revision = revisions.rbegin(); revision != revisions.rend(); ++revision) {
        own.locked.push_back(revision->upstream_commit);
    }
    // Of the newest version: a lock may have been removed and begun anew.
    own.import_commit = revisions.back().import_commit;
    if (own.import_commit.empty()) {
        own.import_commit = revisions.front().upstream_commit;
    }
    return own;
}

// The history up to the newest commit ever locked: the one whose first parents hold the others.
// When a lock went back to an older commit, that is not the one locked now.
Result<std::vector<release::Revision>> upstream_history(Workspace& workspace,
                                                        const Component& component,
                                                        const Own& own,
                                                        Contents contents) {
    std::vector<release::Revision> best;
    std::size_t most = 0;
    std::set<git::ObjectId> wanted(own.locked.begin(), own.locked.end());
    wanted.erase(std::string());
    std::set<git::ObjectId> tried;
    Error problem =
        error(ErrorKind::kFailed, "component `{}`: no commit is locked", component.name);
    for (const git::ObjectId& tip : own.locked) {
        if (tip.empty() || !tried.insert(tip).second) {
            continue;
        }
        auto history = upstream_history(workspace, component, tip, contents);
        if (!history) {
            if (most == 0) {
                problem = std::move(history.error());
            }
            continue;
        }
        std::size_t held = 0;
        std::size_t at = 0;
        while (at < history->size()) {
            held += wanted.contains((*history)[at].id) ? 1U : 0U;
            const auto& parents = (*history)[at].parents;
            at = parents.empty() ? history->size() : parents.front();
        }
        if (held > most) {
            most = held;
            best = std::move(*history);
        }
        if (most == wanted.size()) {
            break;
        }
    }
    if (most == 0) {
        return fail(std::move(problem));
    }
    return best;
}

// The whole history, upstream's and the project's.
Result<release::Interleaved> whole_history(Workspace& workspace,
                                           const Component& component,
                                           const Own& own,
                                           const std::string& spec,
                                           Contents contents) {
    std::vector<release::Revision> base;  // a local component has none
    if (component.is_upstream()) {
        base = TARN_TRY(upstream_history(workspace, component, own, contents));
    }
    auto whole = release::interleave(base, own.import_commit, own.entries, spec);
    if (!whole) {
        return fail(
            std::move(whole.error()).context(fmt::format("component `{}`", component.name)));
    }
    return whole;
}

// How many of the entries lie on the upstream chain.
Result<std::size_t> counted_entries(Workspace& workspace,
                                    const Component& component,
                                    const Own& own,
                                    std::vector<std::string>& warnings) {
    const bool nothing_moved =
        std::all_of(own.locked.begin(), own.locked.end(), [&](const git::ObjectId& commit) {
            return commit == own.import_commit;
        });
    if (nothing_moved) {
        return own.entries.size();  // no need to look at the history of upstream
    }
    const auto whole = TARN_TRY(whole_history(workspace, component, own, {}, Contents::kNone));
    warnings.insert(warnings.end(), whole.warnings.begin(), whole.warnings.end());
    return own.entries.size() - whole.warnings.size();  // one warning for each that is left out
}

Result<std::string> bumped(Workspace& workspace,
                           const Component& component,
                           const Own& own,
                           const std::string& spec,
                           std::vector<std::string>& warnings) {
    const std::string calculation =
        component.release_calculation.empty() ? "auto" : component.release_calculation;
    const release::Action action = TARN_TRY(release::decide(calculation, spec, component.name));
    if (action != release::Action::kBump || own.entries.empty()) {
        return spec;
    }
    const auto by = TARN_TRY(counted_entries(workspace, component, own, warnings));
    return release::bump_static(spec, static_cast<unsigned>(by));
}

// What the component's macro file defines: its spec may build its version from it.
MacroTable own_macros(const Workspace& workspace, const Component& component) {
    MacroTable table;
    table.define_file(macros_file_text(component, workspace.project().render, {}));
    return table;
}

Result<std::string> changed_spec(Workspace& workspace,
                                 const Component& component,
                                 const std::string& spec,
                                 ComponentSources& sources) {
    const Own own = TARN_TRY(own_history(workspace, component, sources.upstream_commit));
    const release::Features features = release::features_of(spec);
    // A local spec without history of its own is left alone, but for a macro it cannot do without.
    const bool known = component.is_upstream() || !own.entries.empty();
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
    auto computed = release::compute(whole.history, own_macros(workspace, component));
    if (!computed) {
        return fail(
            std::move(computed.error()).context(fmt::format("component `{}`", component.name)));
    }
    const auto warn = [&](const std::vector<std::string>& warnings) {
        for (const std::string& warning : warnings) {
            auto& all = sources.warnings;  // the same may have been told with the release
            if (std::find(all.begin(), all.end(), warning) == all.end()) {
                all.push_back(warning);
            }
        }
    };
    warn(whole.warnings);
    warn(computed->warnings);
    return release::process_spec(text, *computed);
}

}  // namespace

Result<void> apply_release(Workspace& workspace,
                           const Component& component,
                           ComponentSources& sources,
                           bool keep_step) {
    const std::string before = TARN_TRY(sources.files.read(sources.spec_name));
    const std::string after = TARN_TRY(changed_spec(workspace, component, before, sources));
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

namespace {

Failure not_evaluated(const Component& component,
                      std::string_view what,
                      const std::string& text,
                      std::string_view macro) {
    return fail(error(ErrorKind::kFailed,
                      "component `{}`: the upstream {} `{}` cannot be evaluated",
                      component.name,
                      what,
                      text)
                    .advise(fmt::format("give `build.defines.{}`, or leave "
                                        "`build.emit-upstream-provenance` out",
                                        macro)));
}

}  // namespace

Result<std::vector<std::pair<std::string, std::string>>> upstream_provenance(
    Workspace& workspace,
    const Component& component,
    const SourceSet& pristine,
    const std::string& spec_name,
    const std::string& upstream_commit) {
    std::vector<std::pair<std::string, std::string>> macros;
    const std::string number = workspace.project().release_ver(component);
    const bool numbered =
        !number.empty() && number.find_first_not_of("0123456789") == std::string::npos;
    if (!component.is_upstream() || component.upstream.name != "fedora" ||
        !numbered) {
        return macros;
    }
    std::string spec = TARN_TRY(pristine.read(spec_name));
    if (release::features_of(spec).autorelease) {
        const auto history =
            TARN_TRY(upstream_history(workspace, component, upstream_commit, Contents::kSpecs));
        spec = release::process_spec(spec, TARN_TRY(release::compute(history)));
    }
    MacroTable known;
    known.define("dist", {".fc" + number, std::nullopt});
    const SpecFacts facts = read_spec_facts(spec, known);
    const std::pair<std::string, const Expansion*> wanted[] = {{"version", &facts.version},
                                                               {"release", &facts.release}};
    for (const auto& [what, expansion] : wanted) {
        const std::string macro = "fedora_upstream_" + what;
        if (component.build.defines.contains(macro)) {
            continue;  // said already
        }
        if (!expansion->complete() || expansion->text.empty()) {
            return not_evaluated(component, what, expansion->text, macro);
        }
        macros.emplace_back(macro, expansion->text);
    }
    return macros;
}

}  // namespace tarn
