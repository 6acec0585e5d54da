// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <mutex>

#include "distgit/distgit.hh"
#include "upstream/debian/archive.hh"
#include "workspace/detail/lock_history.hh"
#include "workspace/workspace.hh"

namespace tarn {

struct Workspace::Impl {
    explicit Impl(Store opened) : store(std::move(opened)) {}

    WorkspaceOptions options;
    SourceMap sources;
    Project project;
    Store store;
    unsigned jobs = 1;
    std::string target = machine_architecture();  // debian::LockRequest::target

    // Those of other targets belong to the machine's own.
    Workspace* self = nullptr;
    Impl* machine = nullptr;  // nullptr: this is it
    std::map<std::string, std::unique_ptr<Workspace>> others;

    bool foreign() const { return machine != nullptr; }
    // What the machine's tools work with: its own tools tree and boot files of the target.
    Result<Tree> tools_tree(Workspace& workspace, Reporter& reporter);

    // What was computed in this run already; each stage fills its own.
    std::optional<SigningKey> key;
    std::optional<Lock> lock;
    std::optional<std::vector<ImportedPackage>> imported;
    std::optional<std::vector<AvailablePackage>> available;
    std::vector<StageTime> times;
    std::mutex mutex;  // of what several threads may ask for first
    std::optional<LockHistory> lock_history;

    // Composes what `wanted` says (image, signer of boot programs, where to), from what is published.
    Result<ImageResult> compose(Workspace& workspace, const ComposeRequest& wanted, Reporter& reporter);

    FetchOptions fetch_options() const {
        FetchOptions result;
        result.stop = options.stop;
        return result;
    }
    distgit::Options distgit_options() const {
        distgit::Options result;
        result.stop = options.stop;
        result.attempts = options.network_retries;
        result.offline = options.offline;
        return result;
    }
    // Cheap; one for every thread.
    Result<distgit::DistGit> dist_git() const { return dist_git(distgit_options()); }
    Result<distgit::DistGit> dist_git(const distgit::Options& with) const {
        return distgit::DistGit::open(store.directory() + "/dist-git", with);
    }
    Result<const LockHistory*> locks_so_far() {
        const std::lock_guard guard(mutex);
        if (!lock_history) {
            lock_history = TARN_TRY(LockHistory::read(project));
        }
        return &*lock_history;
    }
};

// Adds the time until its end to the stages.
class StageTimer {
  public:
    StageTimer(std::vector<StageTime>& times, std::string stage)
        : times_(times), stage_(std::move(stage)), start_(std::chrono::steady_clock::now()) {}
    StageTimer(const StageTimer&) = delete;
    StageTimer& operator=(const StageTimer&) = delete;
    ~StageTimer() {
        const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start_;
        times_.push_back({stage_, spent.count()});
    }

  private:
    std::vector<StageTime>& times_;
    std::string stage_;
    std::chrono::steady_clock::time_point start_;
};

}  // namespace tarn
