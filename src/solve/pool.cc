// SPDX-License-Identifier: MIT
#include "solve/detail/pool.hh"

#include "base/strings.hh"
#include "solve/detail/relation.hh"

#include <algorithm>
#include <numeric>
#include <tuple>

extern "C" {
#include <solv/pool_parserpmrichdep.h>
#include <solv/poolarch.h>
#include <solv/repo.h>
}

namespace tarn::solve {
namespace {

// Above every priority a caller gives: favoured names, and above those what is assumed to be there.
constexpr int kFavored = 1 << 20;
constexpr int kAssumed = 1 << 28;
constexpr int kPriorityLimit = 1 << 18;

static_assert(kGreater == REL_GT && kEqual == REL_EQ && kLess == REL_LT);

}  // namespace

FilledPool::FilledPool(VersionScheme scheme,
                       const std::string& architecture,
                       const std::vector<SolvePackage>& packages,
                       const SolveRequest& request)
    : scheme_(scheme),
      architecture_(architecture),
      pool_(pool_create()),
      assumed_(request.assume_provided.begin(), request.assume_provided.end()),
      excluded_(request.exclude.begin(), request.exclude.end()) {
    TARN_CHECK(
        pool_setdisttype(pool_, scheme == VersionScheme::kRpm ? DISTTYPE_RPM : DISTTYPE_DEB) >= 0);
    pool_setarch(pool_, architecture.c_str());
    const NameSet favored(request.favor.begin(), request.favor.end());

    // Ids in the order of names make libsolv's own tie-breaking independent of the order in which
    // packages were added.
    std::vector<std::size_t> order(packages.size());
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return std::tie(packages[a].name, packages[a].arch, packages[a].evr, a) <
               std::tie(packages[b].name, packages[b].arch, packages[b].evr, b);
    });
    for (const std::size_t index : order) {
        pool_str2id(pool_, packages[index].name.c_str(), 1);
    }
    for (const std::size_t index : order) {
        const SolvePackage& package = packages[index];
        if (assumed_.contains(package.name) || excluded_.contains(package.name)) {
            continue;
        }
        const int priority = std::clamp(package.priority, -kPriorityLimit, kPriorityLimit);
        add(package,
            index,
            repo_for(favored.contains(package.name) ? priority + kFavored : priority));
    }
    add_assumed(packages, repo_for(kAssumed));
    packages_.resize(static_cast<std::size_t>(pool_->nsolvables), kNoPackage);
    pool_createwhatprovides(pool_);
}

FilledPool::~FilledPool() {
    pool_free(pool_);
}

Repo* FilledPool::repo_for(int priority) {
    for (const auto& [known, repo] : repos_) {
        if (known == priority) {
            return repo;
        }
    }
    Repo* const repo = repo_create(pool_, "packages");
    repo->priority = priority;
    repos_.emplace_back(priority, repo);
    return repo;
}

Id FilledPool::relation_id(const std::string& name,
                           int comparison,
                           const std::string& version) const {
    const Id name_id = pool_str2id(pool_, name.c_str(), 1);
    if (comparison == kAny) {
        return name_id;
    }
    return pool_rel2id(pool_, name_id, pool_str2id(pool_, version.c_str(), 1), comparison, 1);
}

// One RPM dependency.
Id FilledPool::clause_id(std::string_view clause) const {
    clause = trim(clause);
    if (clause.starts_with('(')) {
        const Id rich = pool_parserpmrichdep(pool_, std::string(clause).c_str());
        if (rich != 0) {
            return rich;
        }
    }
    const Relation relation = parse_rpm_relation(clause);
    return relation_id(relation.name, relation.comparison, relation.version);
}

std::vector<Id> FilledPool::dependencies(std::string_view text) const {
    std::vector<Id> ids;
    if (scheme_ == VersionScheme::kRpm) {
        text = trim(text);
        // What rpm itself must be able to do is between the package and rpm.
        if (!text.empty() && !text.starts_with("rpmlib(")) {
            ids.push_back(clause_id(text));
        }
        return ids;
    }
    for (const std::vector<Relation>& clause : parse_deb_relations(text, architecture_)) {
        const bool satisfied =
            std::any_of(clause.begin(), clause.end(), [&](const Relation& relation) {
                return assumed_.contains(relation.name);
            });
        if (satisfied) {
            continue;
        }
        Id id = 0;
        for (auto it = clause.rbegin(); it != clause.rend(); ++it) {
            const Id left = relation_id(it->name, it->comparison, it->version);
            id = id == 0 ? left : pool_rel2id(pool_, left, id, REL_OR, 1);
        }
        ids.push_back(id);
    }
    return ids;
}

bool FilledPool::is_assumed(Id dependency) const {
    const Reldep* const parts = relation_parts(pool_, dependency);
    const Id name = parts == nullptr ? dependency : parts->name;
    return relation_parts(pool_, name) == nullptr && assumed_.contains(pool_id2str(pool_, name));
}

Id FilledPool::request_dependency(std::string_view text) const {
    const Relation relation = parse_rpm_relation(text);
    return relation_id(relation.name, relation.comparison, relation.version);
}

Offset FilledPool::add_provides(Repo* repo, Offset list, const SolvePackage& package) const {
    for (const std::string& text : package.provides) {
        if (scheme_ == VersionScheme::kRpm) {
            list = repo_addid_dep(repo, list, clause_id(text), 0);
            continue;
        }
        for (const std::vector<Relation>& clause : parse_deb_relations(text, architecture_)) {
            const Relation& relation = clause.front();
            list = repo_addid_dep(
                repo, list, relation_id(relation.name, relation.comparison, relation.version), 0);
        }
    }
    for (const std::string& file : package.files) {
        list = repo_addid_dep(repo, list, pool_str2id(pool_, file.c_str(), 1), 0);
    }
    return list;
}

void FilledPool::add(const SolvePackage& package, std::size_t index, Repo* repo) {
    const Id id = repo_add_solvable(repo);
    packages_.resize(static_cast<std::size_t>(id) + 1, kNoPackage);
    packages_.back() = index;

    Solvable filled{};
    filled.name = pool_str2id(pool_, package.name.c_str(), 1);
    filled.evr = pool_str2id(pool_, package.evr.c_str(), 1);
    filled.arch = pool_str2id(pool_, package.arch.c_str(), 1);
    const Id self = pool_rel2id(pool_, filled.name, filled.evr, REL_EQ, 1);
    filled.dep_provides = repo_addid_dep(repo, add_provides(repo, 0, package), self, 0);
    const auto fill = [&](Offset& list, const std::vector<std::string>& texts, bool negative) {
        for (const std::string& text : texts) {
            for (const Id dependency : dependencies(text)) {
                // A conflict with what is only assumed to be there is no conflict.
                if (!negative || !is_assumed(dependency)) {
                    list = repo_addid_dep(repo, list, dependency, 0);
                }
            }
        }
    };
    fill(filled.dep_requires, package.requires_, false);
    fill(filled.dep_conflicts, package.conflicts, true);
    fill(filled.dep_obsoletes, package.obsoletes, true);
    fill(filled.dep_recommends, package.recommends, false);

    Solvable* const solvable = pool_id2solvable(pool_, id);
    filled.repo = solvable->repo;
    *solvable = filled;
}

// An assumed package takes part as something without needs that provides what the package, where
// it is known, would provide; it never shows in the result.
void FilledPool::add_assumed(const std::vector<SolvePackage>& packages, Repo* repo) {
    for (const std::string& name : assumed_) {
        const Id id = repo_add_solvable(repo);
        Offset provides = repo_addid_dep(repo, 0, pool_str2id(pool_, name.c_str(), 1), 0);
        for (const SolvePackage& package : packages) {
            if (package.name == name) {
                provides = add_provides(repo, provides, package);
                provides = repo_addid_dep(
                    repo, provides, relation_id(package.name, kEqual, package.evr), 0);
            }
        }
        Solvable* const solvable = pool_id2solvable(pool_, id);
        solvable->name = pool_str2id(pool_, fmt::format("assumed:{}", name).c_str(), 1);
        solvable->evr = pool_str2id(pool_, "0", 1);
        solvable->arch = scheme_ == VersionScheme::kRpm ? ARCH_NOARCH : ARCH_ALL;
        solvable->dep_provides = provides;
    }
}

std::string FilledPool::describe(Id id) const {
    const Solvable* const solvable = pool_id2solvable(pool_, id);
    return fmt::format(
        "{} {}", pool_id2str(pool_, solvable->name), pool_id2str(pool_, solvable->evr));
}

}  // namespace tarn::solve
