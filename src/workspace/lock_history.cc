// SPDX-License-Identifier: MIT
#include "workspace/detail/lock_history.hh"

#include <algorithm>

#include "base/fs.hh"
#include "git/git.hh"
#include "project/component_lock.hh"

namespace tarn {

namespace {

constexpr std::string_view kSuffix = ".lock";

release::LockRevision describe(const git::Commit& commit, const ComponentLock& lock) {
    release::LockRevision revision;
    revision.commit = commit.id;
    revision.author = commit.author;
    revision.email = commit.author_email;
    revision.subject = commit.subject();
    revision.time = commit.author_time;
    revision.offset = commit.author_offset;
    revision.input_fingerprint = lock.input_fingerprint;
    revision.upstream_commit = lock.upstream_commit;
    revision.import_commit = lock.import_commit;
    return revision;
}

// Commits are asked for by many locks; each is read once.
class Commits {
  public:
    explicit Commits(const git::Repository& repository) : repository_(repository) {}
    Result<const git::Commit*> find(const git::ObjectId& id) {
        const auto known = commits_.find(id);
        if (known != commits_.end()) {
            return &known->second;
        }
        git::Commit commit = TARN_TRY(repository_.commit(id));
        return &commits_.emplace(id, std::move(commit)).first->second;
    }

  private:
    const git::Repository& repository_;
    std::map<git::ObjectId, git::Commit> commits_;
};

Result<std::vector<release::LockRevision>> revisions_of(
    const git::Repository& repository, Commits& commits, const std::string& path,
    const std::vector<git::PathChange>& newest_first) {
    std::vector<release::LockRevision> revisions;
    for (auto change = newest_first.rbegin(); change != newest_first.rend(); ++change) {
        if (change->after.empty()) {
            continue;  // deleted here; a later version starts anew
        }
        const git::Commit* commit = TARN_TRY(commits.find(change->commit));
        const std::string text = TARN_TRY(repository.blob(change->after, 1U << 20U));
        const auto lock =
            ComponentLock::parse(text, path + " at " + change->commit.substr(0, 12));
        if (!lock) {
            continue;  // a version another tool wrote wrongly counts for nothing
        }
        revisions.push_back(describe(*commit, *lock));
    }
    return revisions;
}

}  // namespace

Result<LockHistory> LockHistory::read(const Project& project) {
    LockHistory history;
    auto repository = git::Repository::discover(project.root);
    if (!repository) {
        if (repository.error().kind == ErrorKind::kNotFound) {
            return history;
        }
        return fail(std::move(repository.error()));
    }
    auto head = repository->resolve("HEAD");
    const std::string directory = relative_to(project.lock_dir, repository->work_tree());
    if (!head || directory.starts_with('/')) {
        return history;  // no commit yet, or locks outside the repository
    }
    history.head_ = *head;
    history.shallow_ = repository->shallow();
    const auto changes = TARN_TRY(repository->changes_below(*head, directory));
    Commits commits(*repository);
    for (const auto& [path, newest_first] : changes) {
        const std::string name = file_name(path);
        if (!name.ends_with(kSuffix) || newest_first.empty() || newest_first.front().after.empty()) {
            continue;
        }
        history.revisions_.emplace(
            name.substr(0, name.size() - kSuffix.size()),
            TARN_TRY(revisions_of(*repository, commits, path, newest_first)));
    }
    return history;
}

const std::vector<release::LockRevision>& LockHistory::of(const std::string& component) const {
    static const std::vector<release::LockRevision> none;
    const auto found = revisions_.find(component);
    return found == revisions_.end() ? none : found->second;
}

}  // namespace tarn
