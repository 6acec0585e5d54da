// SPDX-License-Identifier: MIT
#include "import/detail/closure.hh"

#include "base/strings.hh"
#include "import/detail/files.hh"

#include <algorithm>

namespace tarn::import {

namespace {

std::string show(const Clause& clause) {
    std::string out;
    for (const Relation& each : clause) {
        out += out.empty() ? "" : " | ";
        out += each.name;
    }
    return out;
}

void push_unique(std::vector<rpm::Dependency>& out, rpm::Dependency dependency) {
    if (std::find(out.begin(), out.end(), dependency) == out.end()) {
        out.push_back(std::move(dependency));
    }
}

}  // namespace

Closure::Closure(const Project& project, const std::vector<std::string>& known)
    : project_(&project), names_(known), known_(known.begin(), known.end()) {
    for (const NameReason& each : project.import_policy.never_import) {
        never_.insert(each.name);
    }
}

std::string Closure::rpm_name(const std::string& name) const {
    const auto rule = project_->imports.find(name);
    return rule == project_->imports.end() || rule->second.name.empty() ? name : rule->second.name;
}

const std::string& Closure::stands_for(const std::string& name) const {
    const auto& choices = project_->import_policy.virtual_packages;
    const auto choice = choices.find(name);
    return choice != choices.end() && has(choice->second) ? choice->second : name;
}

std::string Closure::describe(const std::string& name) const {
    const std::string& chosen = stands_for(name);
    return fmt::format("{}{}{}{}{}",
                       name,
                       never(name) ? "!" : "",
                       has(name) ? "=" : "?",
                       rpm_name(chosen),
                       chosen == name ? "" : ">");
}

bool Translator::dropped(std::string_view debian_name, std::string_view rpm_name) {
    for (const NameReason& each : rule_.drop_requires) {
        if (each.name == debian_name || each.name == rpm_name) {
            used_drops_.insert(each.name);
            return true;
        }
    }
    return false;
}

void Translator::report_unknown(const Clause& clause) {
    Diagnostic diagnostic;
    diagnostic.message =
        fmt::format("`{}` depends on `{}`, which is not imported", rule_.package, show(clause));
    diagnostic.help.push_back(fmt::format(
        "import it with the group that has `{}`; or add it to drop-requires of [imports.{}] or to "
        "never-import of [import-policy], with a reason",
        rule_.package,
        rule_.package));
    std::string similar = did_you_mean(clause.front().name, closure_.names());
    if (!similar.empty()) {
        diagnostic.help.push_back(std::move(similar));
    }
    problems_.add(std::move(diagnostic));
}

void Translator::add_requirement(const Clause& clause, std::vector<rpm::Dependency>& out) {
    std::vector<rpm::Dependency> known;
    bool satisfied = false;  // by something declared as never needed
    for (const Relation& relation : clause) {
        const std::string& chosen = closure_.stands_for(relation.name);
        const std::string name = closure_.rpm_name(chosen);
        if (dropped(relation.name, name) || closure_.never(relation.name)) {
            satisfied = true;
        } else if (closure_.has(chosen)) {
            // The version was one of the virtual name, not of what stands for it.
            const Relation unversioned{chosen, Comparison::kNone, {}};
            push_unique(
                known,
                to_dependency(chosen == relation.name ? relation : unversioned, name, suffix_));
        }
    }
    if (known.size() == 1) {
        push_unique(out, std::move(known.front()));
    } else if (known.size() > 1) {
        std::string rich;
        for (const rpm::Dependency& each : known) {
            rich += rich.empty() ? "(" : " or ";
            rich += each.to_string();
        }
        push_unique(out, {rich + ")", 0, {}});
    } else if (!satisfied) {
        report_unknown(clause);
    }
}

std::vector<rpm::Dependency> Translator::requires_of(const Control& control) {
    std::vector<rpm::Dependency> out;
    for (const Clause& clause : control.depends) {
        add_requirement(clause, out);
    }
    for (const std::string& each : rule_.add_requires) {
        push_unique(out, rpm::Dependency::parse(each));
    }
    return out;
}

std::vector<rpm::Dependency> Translator::conflicts_of(const std::string& package,
                                                      const Control& control) {
    std::vector<rpm::Dependency> out;
    const auto provides_itself = [&](const std::string& name) {
        return name == package ||
               std::any_of(control.provides.begin(),
                           control.provides.end(),
                           [&](const Clause& each) { return each.front().name == name; });
    };
    for (const Clause& clause : control.conflicts) {
        for (const Relation& relation : clause) {
            // "<<" keeps old versions away on upgrades; there are none of them here.
            if (relation.comparison == Comparison::kLess || !closure_.has(relation.name) ||
                provides_itself(relation.name)) {
                continue;
            }
            push_unique(out, to_dependency(relation, closure_.rpm_name(relation.name), suffix_));
        }
    }
    for (const std::string& each : rule_.add_conflicts) {
        push_unique(out, rpm::Dependency::parse(each));
    }
    return out;
}

std::vector<rpm::Dependency> Translator::provides_of(const Control& control) {
    std::vector<rpm::Dependency> out;
    for (const Clause& clause : control.provides) {
        for (const Relation& relation : clause) {
            push_unique(out, to_dependency(relation, closure_.rpm_name(relation.name), suffix_));
        }
    }
    for (const std::string& each : rule_.add_provides) {
        push_unique(out, rpm::Dependency::parse(each));
    }
    return out;
}

std::vector<rpm::Dependency> Translator::file_requires(
    const std::vector<rpm::Dependency>& found, const std::unordered_set<std::string>& own_paths) {
    std::vector<rpm::Dependency> out;
    for (rpm::Dependency each : found) {
        if (each.name.starts_with('/')) {
            each.name = usr_merged(each.name);
            if (!dropped(each.name, each.name) && !closure_.has(each.name) &&
                !own_paths.contains(each.name)) {
                interpreters_.push_back(each.name);
                continue;
            }
        }
        if (!dropped(each.name, each.to_string())) {
            push_unique(out, std::move(each));
        }
    }
    return out;
}

void Translator::warn_about_unused_drops() {
    for (const NameReason& each : rule_.drop_requires) {
        if (!used_drops_.contains(each.name)) {
            problems_.warn(fmt::format(
                "drop-requires `{}` of [imports.{}] drops nothing", each.name, rule_.package));
        }
    }
}

}  // namespace tarn::import
