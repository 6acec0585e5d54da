// SPDX-License-Identifier: MIT
// A libsolv pool filled for one question. It is made anew for each: what is favoured, excluded or
// assumed decides where a package is put, and a pool cannot be taken back.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

extern "C" {
#include <solv/pool.h>
#include <solv/queue.h>
#include <solv/repo.h>
}

#include "solve/solve.hh"

namespace tarn::solve {

using NameSet = std::set<std::string, std::less<>>;

class IdQueue {
  public:
    IdQueue() { queue_init(&queue_); }
    IdQueue(const IdQueue&) = delete;
    IdQueue& operator=(const IdQueue&) = delete;
    ~IdQueue() { queue_free(&queue_); }
    Queue* raw() { return &queue_; }
    int size() const { return queue_.count; }
    Id operator[](int i) const { return queue_.elements[i]; }
    void push(Id id) { queue_push(&queue_, id); }
    void push2(Id a, Id b) { queue_push2(&queue_, a, b); }

  private:
    Queue queue_{};
};

// The parts of a dependency with a version or an operator; nullptr for a bare name. (libsolv marks
// those Ids by the sign bit; its macros mix signed and unsigned.)
inline const Reldep* relation_parts(const Pool* pool, Id dependency) {
    return dependency >= 0 ? nullptr
                           : pool->rels + (static_cast<std::uint32_t>(dependency) & 0x7fffffffU);
}

// The solvables that provide a dependency, in the order of their Ids.
inline std::vector<Id> providers_of(Pool* pool, Id dependency) {
    std::vector<Id> solvables;
    const Id offset = static_cast<Id>(pool_whatprovides(pool, dependency));
    for (const Id* id = pool->whatprovidesdata + offset; *id != 0; ++id) {
        solvables.push_back(*id);
    }
    return solvables;
}

inline constexpr std::size_t kNoPackage = static_cast<std::size_t>(-1);

class FilledPool {
  public:
    FilledPool(VersionScheme scheme,
               const std::string& architecture,
               const std::vector<SolvePackage>& packages,
               const SolveRequest& request);
    FilledPool(const FilledPool&) = delete;
    FilledPool& operator=(const FilledPool&) = delete;
    ~FilledPool();

    Pool* get() const { return pool_; }
    VersionScheme scheme() const { return scheme_; }
    const NameSet& assumed() const { return assumed_; }
    const NameSet& excluded() const { return excluded_; }
    // Of a solvable; kNoPackage for a helper that stands for an assumed package.
    std::size_t package_of(Id solvable) const {
        return packages_[static_cast<std::size_t>(solvable)];
    }
    // The dependencies a text names, one for each clause; none when all are taken as satisfied.
    std::vector<Id> dependencies(std::string_view text) const;
    // One requested thing: "name", "name = evr", a file or a provide.
    Id request_dependency(std::string_view text) const;
    // "bash 5.3-2"
    std::string describe(Id solvable) const;

  private:
    void add(const SolvePackage& package, std::size_t index, Repo* repo);
    void add_assumed(const std::vector<SolvePackage>& packages, Repo* repo);
    Offset add_provides(Repo* repo, Offset list, const SolvePackage& package) const;
    Id relation_id(const std::string& name, int comparison, const std::string& version) const;
    Id clause_id(std::string_view clause) const;
    bool is_assumed(Id dependency) const;
    Repo* repo_for(int priority);

    VersionScheme scheme_;
    std::string architecture_;
    Pool* pool_;
    NameSet assumed_;
    NameSet excluded_;
    std::vector<std::pair<int, Repo*>> repos_;
    std::vector<std::size_t> packages_;
};

// Debian's `a | b` means: rather a. libsolv knows no such order, so the closure is walked once by
// that rule and what it takes is favoured. Adds jobs.
void prefer_first_alternatives(const FilledPool& pool,
                               const std::vector<Id>& requested,
                               IdQueue& jobs);

}  // namespace tarn::solve
