// SPDX-License-Identifier: MIT
#include "solve/detail/explain.hh"

#include "base/strings.hh"

#include <algorithm>
#include <tuple>

extern "C" {
#include <solv/problems.h>
#include <solv/rules.h>
}

namespace tarn::solve {
namespace {

constexpr std::size_t kMaxNotes = 12;

class Explainer {
  public:
    Explainer(const FilledPool& filled, Solver* solver)
        : filled_(filled), pool_(filled.get()), solver_(solver) {}

    Error run() {
        const auto problems = static_cast<int>(solver_problem_count(solver_));
        for (int problem = 1; problem <= problems; ++problem) {
            add_problem(problem);
        }
        Error error{ErrorKind::kFailed, message()};
        error.notes = std::move(notes_);
        if (error.notes.size() > kMaxNotes) {
            const std::size_t left = error.notes.size() - kMaxNotes;
            error.notes.resize(kMaxNotes);
            error.notes.push_back(fmt::format("... and {} more", left));
        }
        return error;
    }

  private:
    struct Info {
        SolverRuleinfo type;
        Id source, target, dependency;
        auto operator<=>(const Info&) const = default;
    };

    void add_problem(Id problem) {
        IdQueue rules;
        solver_findallproblemrules(solver_, problem, rules.raw());
        for (int i = 0; i < rules.size(); ++i) {
            add_rule(rules[i]);
        }
    }

    void add_rule(Id rule) {
        const SolverRuleinfo type = solver_ruleclass(solver_, rule);
        if (type == SOLVER_RULE_JOB) {
            Id what = 0;
            solver_rule2job(solver_, rule, &what);
            add_unique(requested_, what == 0 ? "" : text_of(what));
        }
        IdQueue infos;
        const int count = solver_allruleinfos(solver_, rule, infos.raw());
        for (int i = 0; i < count; ++i) {
            const Info info{static_cast<SolverRuleinfo>(infos[4 * i]),
                            infos[4 * i + 1],
                            infos[4 * i + 2],
                            infos[4 * i + 3]};
            add_unique(notes_, words(info));
        }
    }

    static void add_unique(std::vector<std::string>& list, std::string text) {
        if (!text.empty() && std::find(list.begin(), list.end(), text) == list.end()) {
            list.push_back(std::move(text));
        }
    }

    std::string message() const {
        if (requested_.empty()) {
            return "the requested packages cannot be resolved";
        }
        std::vector<std::string> names;
        for (std::size_t i = 0; i < requested_.size() && i < 3; ++i) {
            names.push_back(fmt::format("`{}`", requested_[i]));
        }
        std::string list = join(names, ", ");
        if (requested_.size() > names.size()) {
            list += fmt::format(" and {} more", requested_.size() - names.size());
        }
        return fmt::format("{} cannot be resolved", list);
    }

    std::string text_of(Id dependency) const { return pool_dep2str(pool_, dependency); }
    std::string package(Id id) const { return filled_.describe(id); }

    // Why nothing provides a dependency: left out, or there in other versions only.
    std::string hint(Id dependency) const {
        Id name = dependency;
        while (const Reldep* const relation = relation_parts(pool_, name)) {
            if (relation->flags > 7) {
                return {};
            }
            name = relation->name;
        }
        if (filled_.excluded().contains(pool_id2str(pool_, name))) {
            return fmt::format(" (`{}` is excluded)", pool_id2str(pool_, name));
        }
        std::vector<std::string> others;
        for (const Id solvable : providers_of(pool_, name)) {
            add_unique(others, package(solvable));
        }
        if (others.empty()) {
            return {};
        }
        others.resize(std::min<std::size_t>(others.size(), 3));
        return fmt::format(" (there is {})", join(others, ", "));
    }

    std::string requires_text(const Info& info) const {
        std::vector<std::string> providers;
        for (const Id solvable : providers_of(pool_, info.dependency)) {
            add_unique(providers, package(solvable));
        }
        std::string from;
        if (providers.size() == 1) {
            from = fmt::format(", which only {} provides", providers.front());
        }
        return fmt::format(
            "{} requires {}{}", package(info.source), text_of(info.dependency), from);
    }

    std::string words(const Info& info) const {
        switch (info.type) {
            case SOLVER_RULE_JOB:
                return {};
            case SOLVER_RULE_JOB_NOTHING_PROVIDES_DEP:
            case SOLVER_RULE_JOB_UNKNOWN_PACKAGE:
                return fmt::format(
                    "nothing provides {}{}", text_of(info.dependency), hint(info.dependency));
            case SOLVER_RULE_PKG_NOT_INSTALLABLE:
                return fmt::format("{} is for another architecture ({})",
                                   package(info.source),
                                   pool_id2str(pool_, pool_id2solvable(pool_, info.source)->arch));
            case SOLVER_RULE_PKG_NOTHING_PROVIDES_DEP:
                return fmt::format("{} requires {}, which nothing provides{}",
                                   package(info.source),
                                   text_of(info.dependency),
                                   hint(info.dependency));
            case SOLVER_RULE_PKG_REQUIRES:
                return requires_text(info);
            case SOLVER_RULE_PKG_SELF_CONFLICT:
                return fmt::format("{} conflicts with itself ({})",
                                   package(info.source),
                                   text_of(info.dependency));
            case SOLVER_RULE_PKG_CONFLICTS:
                return fmt::format("{} conflicts with {}, which {} provides",
                                   package(info.source),
                                   text_of(info.dependency),
                                   package(info.target));
            case SOLVER_RULE_PKG_SAME_NAME:
                return fmt::format("{} and {} cannot be installed together",
                                   package(info.source),
                                   package(info.target));
            case SOLVER_RULE_PKG_OBSOLETES:
            case SOLVER_RULE_PKG_IMPLICIT_OBSOLETES:
                return fmt::format("{} obsoletes {}, which {} provides",
                                   package(info.source),
                                   text_of(info.dependency),
                                   package(info.target));
            default:
                return solver_problemruleinfo2str(
                    solver_, info.type, info.source, info.target, info.dependency);
        }
    }

    const FilledPool& filled_;
    Pool* pool_;
    Solver* solver_;
    std::vector<std::string> requested_;
    std::vector<std::string> notes_;
};

}  // namespace

Error explain(const FilledPool& pool, Solver* solver) {
    return Explainer(pool, solver).run();
}

}  // namespace tarn::solve
