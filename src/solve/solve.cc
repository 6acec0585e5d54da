// SPDX-License-Identifier: MIT
#include "solve/solve.hh"

#include "base/strings.hh"
#include "solve/detail/explain.hh"
#include "solve/detail/pool.hh"

#include <algorithm>
#include <deque>
#include <utility>

extern "C" {
#include <solv/repo.h>
#include <solv/solver.h>
#include <solv/transaction.h>
}

namespace tarn {
namespace {

using solve::FilledPool;
using solve::IdQueue;

struct SolverDeleter {
    void operator()(Solver* solver) const { solver_free(solver); }
};
using SolverPtr = std::unique_ptr<Solver, SolverDeleter>;

bool has_package_named(Pool* pool, Id dependency) {
    for (const Id solvable : solve::providers_of(pool, dependency)) {
        if (pool_match_nevr(pool, pool_id2solvable(pool, solvable), dependency) != 0) {
            return true;
        }
    }
    return false;
}

bool has_provider(Pool* pool, Id dependency) {
    return !solve::providers_of(pool, dependency).empty();
}

Error unknown_packages(const std::vector<std::string>& unknown,
                       const std::vector<SolvePackage>& packages) {
    std::vector<std::string> names;
    names.reserve(packages.size());
    for (const SolvePackage& package : packages) {
        names.push_back(package.name);
    }
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());

    std::vector<std::string> quoted;
    Error error{ErrorKind::kNotFound, {}};
    for (const std::string& name : unknown) {
        quoted.push_back(fmt::format("`{}`", name));
        const std::string hint = did_you_mean(name, names);
        if (!hint.empty()) {
            error.help.push_back(unknown.size() == 1 ? hint : fmt::format("{}: {}", name, hint));
        }
    }
    error.message =
        fmt::format("unknown package{} {}", unknown.size() == 1 ? "" : "s", join(quoted, ", "));
    return error;
}

// What is asked for, as libsolv's dependencies; jobs are added on the way.
Result<std::vector<Id>> add_install_jobs(const FilledPool& filled,
                                         const SolveRequest& request,
                                         const std::vector<SolvePackage>& packages,
                                         IdQueue& jobs) {
    Pool* const pool = filled.get();
    std::vector<Id> wanted;
    std::vector<std::string> unknown;
    std::vector<std::string> excluded;
    for (const std::string& text : request.install) {
        const std::string name(trim(text));
        if (filled.assumed().contains(name)) {
            continue;
        }
        const Id dependency = filled.request_dependency(name);
        if (has_package_named(pool, dependency)) {
            jobs.push2(SOLVER_INSTALL | SOLVER_SOLVABLE_NAME, dependency);
        } else if (has_provider(pool, dependency)) {
            jobs.push2(SOLVER_INSTALL | SOLVER_SOLVABLE_PROVIDES, dependency);
        } else {
            (filled.excluded().contains(name) ? excluded : unknown).push_back(name);
            continue;
        }
        wanted.push_back(dependency);
    }
    if (!unknown.empty()) {
        return fail(unknown_packages(unknown, packages));
    }
    if (!excluded.empty()) {
        return fail(
            ErrorKind::kFailed, "`{}` is both requested and excluded", join(excluded, "`, `"));
    }
    return wanted;
}

// Walks the solution from what was requested, so that every package gets the first that asks.
class Reasons {
  public:
    Reasons(const FilledPool& filled, const std::vector<Id>& chosen)
        : pool_(filled.get()), chosen_(chosen) {
        in_solution_.resize(static_cast<std::size_t>(pool_->nsolvables), false);
        reasons_.resize(static_cast<std::size_t>(pool_->nsolvables));
        for (const Id id : chosen) {
            in_solution_[static_cast<std::size_t>(id)] = true;
        }
    }

    void run(const std::vector<Id>& requested) {
        for (const Id dependency : requested) {
            give(dependency, "requested");
        }
        drain();
        // What only a weak dependency brought, and then what that requires.
        for (const Id id : chosen_) {
            if (reason(id).empty()) {
                continue;
            }
            const Solvable* const solvable = pool_id2solvable(pool_, id);
            give_all(solvable->dep_recommends, solvable, "recommended by");
        }
        drain();
    }

    std::string reason(Id id) const { return reasons_[static_cast<std::size_t>(id)]; }

  private:
    void drain() {
        while (!pending_.empty()) {
            const Solvable* const solvable = pool_id2solvable(pool_, pending_.front());
            pending_.pop_front();
            give_all(solvable->dep_requires, solvable, "required by");
        }
    }

    void give_all(Offset list, const Solvable* from, std::string_view how) {
        if (list == 0) {
            return;
        }
        const std::string text = fmt::format("{} {}", how, pool_id2str(pool_, from->name));
        for (const Id* id = from->repo->idarraydata + list; *id != 0; ++id) {
            give(*id, text);
        }
    }

    // The packages of the solution that satisfy the dependency have this reason, unless they have
    // one already.
    void give(Id dependency, const std::string& text) {
        for (const Id solvable : solve::providers_of(pool_, dependency)) {
            const auto slot = static_cast<std::size_t>(solvable);
            if (in_solution_[slot] && reasons_[slot].empty()) {
                reasons_[slot] = text;
                pending_.push_back(solvable);
            }
        }
    }

    Pool* pool_;
    const std::vector<Id>& chosen_;
    std::vector<bool> in_solution_;
    std::vector<std::string> reasons_;
    std::deque<Id> pending_;
};

std::vector<SolvedPackage> collect(const FilledPool& filled,
                                   Solver* solver,
                                   const std::vector<Id>& requested,
                                   const std::vector<SolvePackage>& packages) {
    IdQueue decisions;
    solver_get_decisionqueue(solver, decisions.raw());
    std::vector<Id> chosen;
    for (int i = 0; i < decisions.size(); ++i) {
        if (decisions[i] > SYSTEMSOLVABLE) {
            chosen.push_back(decisions[i]);
        }
    }
    std::sort(chosen.begin(), chosen.end());
    Reasons reasons(filled, chosen);
    reasons.run(requested);
    std::vector<SolvedPackage> result;
    for (const Id id : chosen) {
        if (filled.package_of(id) != solve::kNoPackage) {
            result.push_back({filled.package_of(id), reasons.reason(id)});
        }
    }
    std::sort(result.begin(), result.end(), [&](const SolvedPackage& a, const SolvedPackage& b) {
        return std::tie(packages[a.index].name, a.index) <
               std::tie(packages[b.index].name, b.index);
    });
    return result;
}

}  // namespace

struct Universe::Impl {
    VersionScheme scheme;
    std::string architecture;
    std::vector<SolvePackage> packages;
};

Universe::Universe(VersionScheme scheme, std::string architecture)
    : impl_(std::make_unique<Impl>(Impl{scheme, std::move(architecture), {}})) {}
Universe::Universe(Universe&&) noexcept = default;
Universe& Universe::operator=(Universe&&) noexcept = default;
Universe::~Universe() = default;

std::size_t Universe::add(const SolvePackage& package) {
    impl_->packages.push_back(package);
    return impl_->packages.size() - 1;
}

Result<std::vector<SolvedPackage>> Universe::solve(const SolveRequest& request) {
    const FilledPool filled(impl_->scheme, impl_->architecture, impl_->packages, request);
    IdQueue jobs;
    const std::vector<Id> requested =
        TARN_TRY(add_install_jobs(filled, request, impl_->packages, jobs));
    if (impl_->scheme == VersionScheme::kDeb) {
        prefer_first_alternatives(filled, requested, jobs);
    }
    const SolverPtr solver(solver_create(filled.get()));
    solver_set_flag(
        solver.get(), SOLVER_FLAG_IGNORE_RECOMMENDED, request.weak_dependencies ? 0 : 1);
    if (solver_solve(solver.get(), jobs.raw()) != 0) {
        return fail(solve::explain(filled, solver.get()));
    }
    return collect(filled, solver.get(), requested, impl_->packages);
}

}  // namespace tarn
