// SPDX-License-Identifier: MIT
#include "workspace/update.hh"

#include "base/fs.hh"
#include "base/parallel.hh"
#include "distgit/distgit.hh"
#include "git/git.hh"
#include "project/component_lock.hh"
#include "render/rendered_tree.hh"
#include "workspace/detail/impl.hh"
#include "workspace/detail/lock_files.hh"

#include <algorithm>
#include <set>

namespace tarn {

namespace {

// In one line of a table: of a drawn diagnostic, the line that says what and where.
std::string told(const Error& error) {
    std::string text = error.message;
    if (!error.rendered.empty()) {
        text = error.rendered.substr(0, error.rendered.find('\n'));
    }
    for (const auto* more : {&error.notes, &error.help}) {
        for (const std::string& line : *more) {
            text += "; " + line;
        }
    }
    return text;
}

Error no_spec(const Component& component) {
    return error(ErrorKind::kNotFound,
                 "component `{}`: its spec {} is not there",
                 component.name,
                 component.spec_path)
        .advise("`spec.path` names a file: write it, or name another");
}

// One component on its way to a new lock.
struct Item {
    const Component* component = nullptr;
    std::optional<ComponentLock> before;
    ComponentLock after{};
    Freshness state = Freshness::kMissing;
    std::string reason;
    std::optional<Error> error;
};

class Update {
  public:
    Update(Workspace& workspace, const UpdateRequest& request, Reporter& reporter)
        : workspace_(workspace),
          project_(workspace.project()),
          request_(request),
          reporter_(reporter) {}

    Result<UpdateOutcome> run();

  private:
    Result<void> look();
    void look_at(Item& item) const;
    Result<void> resolve();
    Result<void> fingerprint();
    std::string header_for(const Item& item) const;
    Result<void> write_locks(LockFiles& files) const;
    Result<void> write(UpdateOutcome& outcome, LockFiles* files);
    bool needs_commit(const Item& item) const {
        return item.component->is_upstream() &&
               (request_.force || item.state == Freshness::kResolutionStale ||
                item.state == Freshness::kMissing);
    }

    Workspace& workspace_;
    const Project& project_;
    const UpdateRequest& request_;
    Reporter& reporter_;
    std::vector<Item> items_;
};

void Update::look_at(Item& item) const {
    auto lock = read_component_lock(project_, item.component->name);
    if (lock) {
        item.before = std::move(*lock);
        item.after = *item.before;
    } else if (lock.error().kind != ErrorKind::kNotFound) {
        item.error = std::move(lock.error());
        return;
    }
    auto report = freshness(project_, *item.component, item.before ? &*item.before : nullptr);
    if (!report) {
        item.error = report.error();
        return;
    }
    item.state = report->state;
    item.reason = report->reason;
}

Result<void> Update::look() {
    items_.resize(request_.components.size());
    return parallel_for(items_.size(),
                        workspace_.jobs(),
                        workspace_.impl().options.stop,
                        [&](std::size_t i) -> Result<void> {
                            items_[i].component = request_.components[i];
                            look_at(items_[i]);
                            return {};
                        });
}

// Every commit that has to be chosen, at once.
Result<void> Update::resolve() {
    std::vector<Item*> wanted;
    std::vector<distgit::PackageSource> sources;
    std::vector<distgit::CommitChoice> choices;
    for (Item& item : items_) {
        if (item.error || !needs_commit(item)) {
            continue;
        }
        auto source = distgit::package_source(project_, *item.component, workspace_.sources());
        if (!source) {
            item.error = source.error();
            continue;
        }
        wanted.push_back(&item);
        sources.push_back(std::move(*source));
        choices.push_back({item.component->upstream_commit, item.component->upstream.snapshot});
    }
    if (wanted.empty()) {
        return {};
    }
    distgit::Options options = workspace_.impl().distgit_options();
    options.ask_again = request_.force;
    auto dist_git = TARN_TRY(workspace_.impl().dist_git(options));
    const auto commits = dist_git.resolve_all(sources, choices, workspace_.jobs(), reporter_);
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        if (!commits[i] && commits[i].error().kind == ErrorKind::kInterrupted) {
            return fail(commits[i].error());
        }
        if (!commits[i]) {
            wanted[i]->error = commits[i].error();
            continue;
        }
        ComponentLock& lock = wanted[i]->after;
        lock.upstream_commit = *commits[i];
        if (lock.import_commit.empty()) {
            lock.import_commit = *commits[i];
        }
        lock.resolution_input_hash = resolution_hash(project_, *wanted[i]->component);
    }
    return {};
}

// A lock that is there keeps its own first line: another tool may share it.
std::string Update::header_for(const Item& item) const {
    const auto text = read_file(component_lock_path(project_, item.component->name), 1U << 20U);
    return text && text->starts_with('#') ? text->substr(0, text->find('\n'))
                                          : project_.render.lock_header;
}

Result<void> Update::fingerprint() {
    const auto body = [&](std::size_t i) -> Result<void> {
        Item& item = items_[i];
        if (item.error ||
            (item.state == Freshness::kCurrent && !request_.bump && !request_.force)) {
            return {};
        }
        if (request_.bump) {
            ++item.after.manual_bump;
        }
        FingerprintInput input;
        input.manual_bump = item.after.manual_bump;
        input.release_ver = project_.release_ver(*item.component);
        if (item.component->is_upstream()) {
            input.source_identity = item.after.upstream_commit;
            item.after.resolution_input_hash = resolution_hash(project_, *item.component);
        } else {
            item.after.import_commit.clear();  // it may have had an upstream before
            item.after.upstream_commit.clear();
            item.after.resolution_input_hash.clear();
            if (!path_exists(item.component->spec_path)) {
                item.error = no_spec(*item.component);
                return {};
            }
            auto identity = local_source_identity(parent_path(item.component->spec_path));
            if (!identity) {
                item.error = identity.error();
                return {};
            }
            input.source_identity = std::move(*identity);
        }
        auto value = input_fingerprint(*item.component, input);
        if (value) {
            item.after.input_fingerprint = std::move(*value);
        } else {
            item.error = value.error();
        }
        return {};
    };
    return parallel_for(items_.size(), workspace_.jobs(), workspace_.impl().options.stop, body);
}

Result<void> Update::write_locks(LockFiles& files) const {
    for (const Item& item : items_) {
        if (!item.before || *item.before != item.after) {
            TARN_TRY(files.write(file_name(component_lock_path(project_, item.component->name)),
                                 item.after.print(header_for(item))));
        }
    }
    if (workspace_.impl().options.stop.stop_requested()) {
        return fail(ErrorKind::kInterrupted, "interrupted");
    }
    return files.commit();
}

Result<void> Update::write(UpdateOutcome& outcome, LockFiles* files) {
    const bool write = files != nullptr && !outcome.failed;
    if (write) {
        TARN_TRY(write_locks(*files));
    }
    if (!request_.prune_orphans || outcome.failed) {
        return {};
    }
    for (const std::string& name : TARN_TRY(locked_components(project_))) {
        if (project_.components.contains(name)) {
            continue;
        }
        outcome.pruned.push_back(name);
        if (write) {
            TARN_TRY(remove_tree(component_lock_path(project_, name)));
        }
    }
    return {};
}

Result<UpdateOutcome> Update::run() {
    std::optional<LockFiles> files;
    if (!request_.check_only) {
        files.emplace(TARN_TRY(LockFiles::open(
            project_.lock_dir, workspace_.impl().options.stop, reporter_)));
    }
    TARN_TRY(look());
    TARN_TRY(resolve());
    TARN_TRY(fingerprint());
    UpdateOutcome outcome;
    for (const Item& item : items_) {
        UpdateRow row;
        row.component = item.component->name;
        row.error = item.error ? told(*item.error) : std::string();
        row.problem = item.error;
        row.previous_commit = item.before ? item.before->upstream_commit : std::string();
        row.upstream_commit = item.after.upstream_commit;
        row.changed = !item.error && (!item.before || *item.before != item.after);
        if (!item.error && !row.changed) {
            row.skipped = true;
            row.skip_reason = item.state == Freshness::kCurrent ? "up to date" : "same result";
        }
        outcome.failed = outcome.failed || item.error.has_value();
        outcome.rows.push_back(std::move(row));
    }
    TARN_TRY(write(outcome, files ? &*files : nullptr));
    return outcome;
}

// Locks and rendered `sources` files at one commit.
struct State {
    std::map<std::string, ComponentLock> locks;
    std::map<std::string, git::ObjectId> sources;
};

// A directory that a commit does not have yet is empty there.
Result<std::vector<git::Entry>> files_below(const git::Repository& repository,
                                            const git::ObjectId& commit,
                                            const std::string& directory) {
    const auto below = path_in_repository(repository, directory);
    if (!below) {
        return fail(error(ErrorKind::kUsage,
                          "{} lies outside the repository {}",
                          directory,
                          repository.work_tree())
                        .advise("only what git keeps can be compared"));
    }
    const auto entry = TARN_TRY(repository.find(commit, *below));
    if (!below->empty() && !entry) {
        return std::vector<git::Entry>{};
    }
    return repository.list(commit, *below);
}

Result<State> state_at(const git::Repository& repository,
                       const Project& project,
                       const git::ObjectId& commit) {
    State state;
    for (const git::Entry& entry : TARN_TRY(files_below(repository, commit, project.lock_dir))) {
        const std::string name = file_name(entry.path);
        if (!name.ends_with(".lock") || name != entry.path) {
            continue;
        }
        const std::string text = TARN_TRY(repository.blob(entry.id, 1U << 20U));
        auto lock = ComponentLock::parse(text, name + " at " + commit.substr(0, 12));
        const std::string component = name.substr(0, name.size() - 5);
        if (lock) {
            state.locks.emplace(component, std::move(*lock));
        } else if (project.components.contains(component)) {
            return fail(std::move(lock.error()));
        }
    }
    if (!path_in_repository(repository, project.rendered_specs_dir)) {
        return state;  // not kept in git
    }
    for (const git::Entry& entry :
         TARN_TRY(files_below(repository, commit, project.rendered_specs_dir))) {
        const std::string component = file_name(parent_path(entry.path));
        if (entry.path == rendered_path(component) + "/sources") {
            state.sources.emplace(component, entry.id);
        }
    }
    return state;
}

ChangedRow compare(const Project& project,
                   const std::string& name,
                   const State& before,
                   const State& after) {
    ChangedRow row;
    row.component = name;
    const auto old_lock = before.locks.find(name);
    const auto new_lock = after.locks.find(name);
    const auto sources_of = [&](const State& state) {
        const auto found = state.sources.find(name);
        return found == state.sources.end() ? std::string() : found->second;
    };
    row.sources_change = sources_of(before) != sources_of(after);
    if (old_lock == before.locks.end()) {
        row.change = "added";
    } else if (new_lock == after.locks.end()) {
        row.change = project.components.contains(name) ? "changed" : "deleted";
    } else if (old_lock->second.input_fingerprint != new_lock->second.input_fingerprint) {
        row.change = "changed";
    } else {
        row.change = "unchanged";
        if (row.sources_change) {
            row.error =
                fmt::format("component `{}`: its `sources` changed, its fingerprint did not", name);
        }
    }
    return row;
}

}  // namespace

Result<UpdateOutcome> update_components(Workspace& workspace,
                                        const UpdateRequest& request,
                                        Reporter& reporter) {
    return Update(workspace, request, reporter).run();
}

Result<std::vector<ChangedRow>> changed_components(const Project& project,
                                                   const std::string& from,
                                                   const std::string& to,
                                                   const std::vector<std::string>& components) {
    const git::Repository repository = TARN_TRY(git::Repository::discover(project.root));
    const git::ObjectId old_commit = TARN_TRY(repository.resolve(from));
    const git::ObjectId new_commit = TARN_TRY(repository.resolve(to));
    const State before = TARN_TRY(state_at(repository, project, old_commit));
    const State after = TARN_TRY(state_at(repository, project, new_commit));
    std::set<std::string> names(components.begin(), components.end());
    if (components.empty()) {
        for (const State* state : {&before, &after}) {
            for (const auto& [name, lock] : state->locks) {
                names.insert(name);
            }
        }
    }
    std::vector<ChangedRow> rows;
    for (const std::string& name : names) {
        if (before.locks.contains(name) || after.locks.contains(name)) {
            rows.push_back(compare(project, name, before, after));
        }
    }
    return rows;
}

}  // namespace tarn
