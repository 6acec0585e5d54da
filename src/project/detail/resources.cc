// SPDX-License-Identifier: MIT
// Repositories that feed builds: what the sets stand for, and which lists of inputs name them.
#include "base/strings.hh"
#include "project/detail/checks.hh"
#include "project/detail/resolve.hh"

#include <algorithm>
#include <set>

namespace tarn::declaration {
namespace {

RpmRepo repo_of(const RpmRepoSet& set, const SubRepo& subrepo) {
    RpmRepo repo;
    repo.name = set.name_prefix + subrepo.name;
    repo.description = set.description;
    repo.kind = subrepo.kind.empty() ? "binary" : subrepo.kind;
    const std::size_t end = set.base_uri.find_last_not_of('/') + 1;
    repo.base_uri = set.base_uri.substr(0, end) + "/" + subrepo.subpath;
    repo.gpg_key = set.gpg_key;
    repo.disable_gpg_check = set.disable_gpg_check;
    repo.arches = set.arches;
    repo.where = set.where;
    return repo;
}

std::string known_or_define(const std::string& name,
                            const std::vector<std::string>& known,
                            std::string_view table) {
    const std::string hint = did_you_mean(name, known);
    return hint.empty() ? fmt::format("define it as [resources.{}.{}]", table, name) : hint;
}

}  // namespace

void Resolver::expand_set(const RpmRepoSet& set) {
    Resources& all = project_.resources;
    const auto made = all.templates.find(set.template_name);
    if (made == all.templates.end()) {
        if (!set.template_name.empty()) {
            complain(set.where,
                     fmt::format("repository set template `{}` is not defined", set.template_name),
                     did_you_mean(set.template_name, keys_of(all.templates)));
        }
        return;
    }
    std::vector<std::string> known;
    for (const SubRepo& subrepo : made->second.subrepos) {
        known.push_back(subrepo.name);
    }
    for (const std::string& wanted : set.subrepos) {
        if (std::find(known.begin(), known.end(), wanted) == known.end()) {
            complain(
                set.where,
                fmt::format("template `{}` has no sub-repository `{}`", set.template_name, wanted),
                did_you_mean(wanted, known));
        }
    }
    std::vector<std::string>& members = all.set_members[set.name];
    for (const SubRepo& subrepo : made->second.subrepos) {
        if (!set.subrepos.empty() && std::find(set.subrepos.begin(),
                                               set.subrepos.end(),
                                               subrepo.name) == set.subrepos.end()) {
            continue;
        }
        RpmRepo repo = repo_of(set, subrepo);
        if (!is_resource_name(repo.name)) {
            complain(set.where,
                     fmt::format("repository set `{}` makes a repository of the name \"{}\", which "
                                 "cannot be one",
                                 set.name,
                                 repo.name),
                     "give the set another `name-prefix`");
            continue;
        }
        const bool taken = all.repos.contains(repo.name) || all.expanded.contains(repo.name);
        if (taken) {
            complain(set.where,
                     fmt::format("repository set `{}` makes a repository `{}`, which there is "
                                 "already",
                                 set.name,
                                 repo.name),
                     "give the set another `name-prefix`");
            continue;
        }
        members.push_back(repo.name);
        all.expanded.emplace(repo.name, std::move(repo));
    }
}

void Resolver::resources() {
    for (const auto& [name, set] : project_.resources.sets) {
        expand_set(set);
    }
    for (const auto& [name, distro] : project_.distros) {
        for (const auto& [version_name, version] : distro.versions) {
            check_inputs(version.rpm_build_inputs, false);
            check_inputs(version.image_build_inputs, true);
        }
    }
}

void Resolver::check_inputs(const std::vector<InputReference>& inputs, bool local_keys) {
    std::set<std::string> seen;
    for (const InputReference& input : inputs) {
        if (!input.repo.empty() && !project_.resources.repos.contains(input.repo) &&
            !project_.resources.expanded.contains(input.repo)) {
            std::vector<std::string> known = keys_of(project_.resources.repos);
            for (const auto& [name, repo] : project_.resources.expanded) {
                known.push_back(name);
            }
            complain(input.where,
                     fmt::format("repository `{}` is not defined", input.repo),
                     known_or_define(input.repo, known, "rpm-repos"));
        }
        if (!input.set.empty() && !project_.resources.sets.contains(input.set)) {
            complain(input.where,
                     fmt::format("repository set `{}` is not defined", input.set),
                     known_or_define(
                         input.set, keys_of(project_.resources.sets), "rpm-repo-sets"));
        }
        for (const RpmRepo* repo : project_.repos({input})) {
            if (!seen.insert(repo->name).second) {
                complain(input.where,
                         fmt::format("repository `{}` is in this list twice", repo->name),
                         "name it once, or the set that holds it");
            }
            if (!local_keys && repo->gpg_key.starts_with("file:")) {
                complain(input.where,
                         fmt::format("repository `{}` has a local `gpg-key`, so builds of packages "
                                     "cannot use it",
                                     repo->name),
                         "give the key as an http or https address");
            }
        }
    }
}

}  // namespace tarn::declaration
