// SPDX-License-Identifier: MIT
#include "workspace/detail/lock_history.hh"

#include "base/fs.hh"
#include "project/component_lock.hh"
#include "store/store.hh"

#include <cstdlib>
#include <map>
#include <mutex>

namespace tarn {

namespace {

constexpr std::string_view kSuffix = ".lock";

std::string real_path(const std::string& path) {
    char* const real = ::realpath(path.c_str(), nullptr);
    if (real != nullptr) {
        std::string result = real;
        std::free(real);  // NOLINT(cppcoreguidelines-no-malloc): realpath allocated it
        return result;
    }
    const std::string parent = parent_path(path);
    return parent.empty() || parent == path ? path : join_path(real_path(parent), file_name(path));
}

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

}  // namespace

std::optional<std::string> path_in_repository(const git::Repository& repository,
                                              const std::string& path) {
    const std::string& top = repository.work_tree();
    if (top.empty()) {
        return std::nullopt;
    }
    for (const auto& [place, base] :
         {std::pair{path, top}, std::pair{real_path(path), real_path(top)}}) {
        if (place == base) {
            return std::string();
        }
        std::string relative = relative_to(place, base);
        if (!relative.starts_with('/')) {
            return relative;
        }
    }
    return std::nullopt;
}

struct LockHistory::Impl {
    std::string head;
    std::string directory;  // of the locks, below the work tree
    std::optional<git::Repository> repository;
    std::map<std::string, std::vector<git::PathChange>, std::less<>> changes;  // by component
    std::optional<Error> hidden;                                               // a shallow clone
    std::map<git::ObjectId, git::Commit> commits;  // asked for by many locks
    std::mutex mutex;                              // of repository and commits

    Result<const git::Commit*> commit(const git::ObjectId& id) {
        const auto known = commits.find(id);
        if (known != commits.end()) {
            return &known->second;
        }
        git::Commit found = TARN_TRY(repository->commit(id));
        return &commits.emplace(id, std::move(found)).first->second;
    }
    std::string path(const std::string& component) const {
        return join_path(directory, component + std::string(kSuffix));
    }
};

LockHistory::LockHistory(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
LockHistory::LockHistory(LockHistory&&) noexcept = default;
LockHistory& LockHistory::operator=(LockHistory&&) noexcept = default;
LockHistory::~LockHistory() = default;

Result<LockHistory> LockHistory::read(const Project& project) {
    LockHistory history(std::make_unique<Impl>());
    Impl& impl = *history.impl_;
    auto repository = git::Repository::discover(project.root);
    if (!repository) {
        if (repository.error().kind == ErrorKind::kNotFound) {
            return history;
        }
        return fail(std::move(repository.error()));
    }
    const auto head = repository->resolve("HEAD");
    const auto directory = path_in_repository(*repository, project.lock_dir);
    if (!head || !directory) {
        return history;  // no commit yet, or locks outside the repository
    }
    impl.head = *head;
    impl.directory = *directory;
    auto changes = repository->changes_below(*head, *directory);
    if (!changes && !repository->shallow()) {
        return fail(std::move(changes.error()));
    }
    if (!changes) {
        impl.hidden = std::move(changes.error());
    } else {
        for (auto& [path, newest_first] : *changes) {
            const bool lock = path.ends_with(kSuffix) && path.find('/') == std::string::npos;
            if (lock && !newest_first.empty() && !newest_first.front().after.empty()) {
                impl.changes.emplace(path.substr(0, path.size() - kSuffix.size()),
                                     std::move(newest_first));
            }
        }
    }
    impl.repository = std::move(*repository);
    return history;
}

Result<std::vector<release::LockRevision>> LockHistory::of(const std::string& component) const {
    std::vector<release::LockRevision> revisions;
    if (!impl_->repository) {
        return revisions;
    }
    const std::lock_guard guard(impl_->mutex);
    if (impl_->hidden) {
        const auto lock = TARN_TRY(impl_->repository->find(impl_->head, impl_->path(component)));
        if (!lock) {
            return revisions;
        }
        Error problem = *impl_->hidden;
        return fail(std::move(problem).context(
            fmt::format("the releases of component `{}` cannot be counted", component)));
    }
    const auto found = impl_->changes.find(component);
    if (found == impl_->changes.end()) {
        return revisions;
    }
    for (auto change = found->second.rbegin(); change != found->second.rend(); ++change) {
        if (change->after.empty()) {
            continue;  // deleted here, and added again later
        }
        const git::Commit* commit = TARN_TRY(impl_->commit(change->commit));
        const std::string text = TARN_TRY(impl_->repository->blob(change->after, 1U << 20U));
        const auto lock = ComponentLock::parse(
            text, impl_->path(component) + " at " + change->commit.substr(0, 12));
        if (lock) {  // a version that cannot be read counts for nothing
            revisions.push_back(describe(*commit, *lock));
        }
    }
    return revisions;
}

std::string LockHistory::key(const std::string& component) const {
    if (impl_->hidden) {
        return impl_->head;  // not known: every commit may be another history
    }
    const auto found = impl_->changes.find(component);
    if (found == impl_->changes.end()) {
        return "-";
    }
    KeyBuilder builder("lock-history", 1);
    for (const git::PathChange& change : found->second) {
        builder.field("commit", change.commit);
    }
    return builder.key().hex();
}

const std::string& LockHistory::head() const {
    return impl_->head;
}

}  // namespace tarn
