// SPDX-License-Identifier: MIT
#include "solve/detail/pool.hh"

#include <deque>
#include <limits>

extern "C" {
#include <solv/evr.h>
#include <solv/repo.h>
#include <solv/solver.h>
}

namespace tarn::solve {
namespace {

class Walk {
  public:
    explicit Walk(const FilledPool& filled)
        : pool_(filled.get()), taken_(static_cast<std::size_t>(pool_->nsolvables), false) {}

    // Dependencies with one way to satisfy them first: a choice is only made where they leave one.
    std::vector<Id> run(const std::vector<Id>& requested) {
        for (const Id dependency : requested) {
            take(best_of({dependency}));
        }
        std::vector<Id> chosen;
        while (!pending_.empty() || !choices_.empty()) {
            if (!pending_.empty()) {
                const Id solvable = pending_.front();
                pending_.pop_front();
                scan(solvable);
                continue;
            }
            const Id dependency = choices_.front();
            choices_.pop_front();
            if (satisfied(dependency)) {
                continue;
            }
            const Id best = best_of(alternatives(dependency));
            if (best != 0) {
                chosen.push_back(best);
                take(best);
            }
        }
        return chosen;
    }

  private:
    void take(Id solvable) {
        if (solvable != 0 && !taken_[static_cast<std::size_t>(solvable)]) {
            taken_[static_cast<std::size_t>(solvable)] = true;
            pending_.push_back(solvable);
        }
    }

    void scan(Id id) {
        const Solvable* const solvable = pool_id2solvable(pool_, id);
        if (solvable->dep_requires == 0) {
            return;
        }
        const Id* list = solvable->repo->idarraydata + solvable->dep_requires;
        for (; *list != 0; ++list) {
            const Id only = only_name(*list);
            if (only != 0) {
                take(only);
            } else {
                choices_.push_back(*list);
            }
        }
    }

    bool usable(Id id) const { return pool_installable(pool_, pool_id2solvable(pool_, id)) != 0; }

    bool satisfied(Id dependency) const {
        for (const Id solvable : providers_of(pool_, dependency)) {
            if (taken_[static_cast<std::size_t>(solvable)]) {
                return true;
            }
        }
        return false;
    }

    // The newest provider when all have one name, else 0.
    Id only_name(Id dependency) const {
        Id best = 0;
        for (const Id solvable : providers_of(pool_, dependency)) {
            if (!usable(solvable)) {
                continue;
            }
            if (best != 0 && name_of(best) != name_of(solvable)) {
                return 0;
            }
            if (best == 0 || better(solvable, best, 0)) {
                best = solvable;
            }
        }
        return best;
    }

    std::vector<Id> alternatives(Id dependency) const {
        std::vector<Id> leaves;
        const Reldep* parts = relation_parts(pool_, dependency);
        while (parts != nullptr && parts->flags == REL_OR) {
            leaves.push_back(parts->name);
            dependency = parts->evr;
            parts = relation_parts(pool_, dependency);
        }
        leaves.push_back(dependency);
        return leaves;
    }

    // The highest priority among all alternatives, then the first alternative that has it.
    Id best_of(const std::vector<Id>& leaves) const {
        Id best = 0;
        for (const Id leaf : leaves) {
            Id best_here = 0;
            const Reldep* const parts = relation_parts(pool_, leaf);
            const Id leaf_name = parts == nullptr ? leaf : parts->name;
            for (const Id solvable : providers_of(pool_, leaf)) {
                if (usable(solvable) &&
                    (best_here == 0 || better(solvable, best_here, leaf_name))) {
                    best_here = solvable;
                }
            }
            if (best_here != 0 && (best == 0 || priority_of(best_here) > priority_of(best))) {
                best = best_here;
            }
        }
        return best;
    }

    Id name_of(Id id) const { return pool_id2solvable(pool_, id)->name; }
    int priority_of(Id id) const { return pool_id2solvable(pool_, id)->repo->priority; }

    // Priority, then the package that has the very name, then newer, then the name's order.
    bool better(Id a, Id b, Id wanted_name) const {
        if (priority_of(a) != priority_of(b)) {
            return priority_of(a) > priority_of(b);
        }
        if ((name_of(a) == wanted_name) != (name_of(b) == wanted_name)) {
            return name_of(a) == wanted_name;
        }
        if (name_of(a) != name_of(b)) {
            return name_of(a) < name_of(b);
        }
        return pool_evrcmp(pool_,
                           pool_id2solvable(pool_, a)->evr,
                           pool_id2solvable(pool_, b)->evr,
                           EVRCMP_COMPARE) > 0;
    }

    Pool* pool_;
    std::vector<bool> taken_;
    std::deque<Id> pending_;
    std::deque<Id> choices_;
};

}  // namespace

void prefer_first_alternatives(const FilledPool& pool,
                               const std::vector<Id>& requested,
                               IdQueue& jobs) {
    for (const Id chosen : Walk(pool).run(requested)) {
        jobs.push2(SOLVER_FAVOR | SOLVER_SOLVABLE, chosen);
    }
}

}  // namespace tarn::solve
