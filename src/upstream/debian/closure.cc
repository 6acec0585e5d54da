// SPDX-License-Identifier: MIT
// Which packages an import group needs.
#include "base/strings.hh"
#include "solve/solve.hh"
#include "upstream/debian/detail/suite.hh"

#include <algorithm>
#include <set>

namespace tarn::debian::detail {
namespace {

using NameSet = std::set<std::string, std::less<>>;

struct Origin {
    const std::string* suite = nullptr;
    const BinaryPackage* package = nullptr;
    int priority = 0;
};

class Closure {
  public:
    Closure(const Project& project, const Plan& plan, const std::string& architecture)
        : project_(project), plan_(plan), architecture_(architecture) {}

    Result<std::vector<LockedFile>> run() {
        const std::string main = main_suite();
        // Groups over the main suite first: the others prefer what those have taken.
        for (const bool over_main : {true, false}) {
            for (const auto& [name, key] : plan_.group_suite) {
                if ((key == main) == over_main) {
                    solve_group(project_.import_groups.at(name), key, main);
                }
            }
        }
        check_one_suite_each();
        if (!errors_.empty()) {
            return fail(combine(std::move(errors_)));
        }
        std::vector<LockedFile> files;
        for (auto& [where, file] : taken_) {
            files.push_back(std::move(file));
        }
        return files;
    }

  private:
    // The suite most packages are named from; among equals the default distro's, then the first by
    // name.
    std::string main_suite() const {
        const DistroVersion* const preferred = project_.version(project_.default_distro);
        std::map<std::string, std::size_t> named;
        for (const auto& [name, key] : plan_.group_suite) {
            named[key] += project_.import_groups.at(name).packages.size();
        }
        const auto rank = [&](const auto& suite) {
            const bool is_preferred = plan_.suites.at(suite.first).version == preferred;
            return std::pair(suite.second, is_preferred);
        };
        const auto most =
            std::max_element(named.begin(), named.end(), [&](const auto& a, const auto& b) {
                return rank(a) < rank(b);
            });
        return most == named.end() ? std::string() : most->first;
    }

    // A group over another suite gets from there what it names; what else it needs comes from the
    // main suite wherever that will do, so that one system fits together.
    std::vector<Origin> candidates(const ImportGroup& group,
                                   const std::string& key,
                                   const std::string& main) const {
        std::vector<Origin> origins;
        const auto& [own_key, own] = *plan_.suites.find(key);
        for (const BinaryPackage& package : own.packages) {
            origins.push_back({&own_key, &package, 0});
        }
        if (key == main) {
            return origins;
        }
        const auto& [main_key, main_suite] = *plan_.suites.find(main);
        const NameSet named(group.packages.begin(), group.packages.end());
        for (const BinaryPackage& package : main_suite.packages) {
            if (!named.contains(package.package)) {
                origins.push_back({&main_key, &package, 1});
            }
        }
        return origins;
    }

    SolvePackage solvable(const Origin& origin) const {
        const BinaryPackage& package = *origin.package;
        SolvePackage out;
        out.priority = origin.priority;
        out.name = package.package;
        out.evr = package.version;
        out.arch = package.architecture;
        for (const std::string* list : {&package.pre_depends, &package.depends}) {
            if (std::string wanted = without_dropped(package.package, *list); !wanted.empty()) {
                out.requires_.push_back(std::move(wanted));
            }
        }
        for (const std::string* list : {&package.conflicts, &package.breaks}) {
            if (!list->empty()) {
                out.conflicts.push_back(*list);
            }
        }
        if (!package.provides.empty()) {
            out.provides.push_back(package.provides);
        }
        return out;
    }

    // A relation field without the members that the package's import rule drops; a clause goes when
    // no member of it is left.
    std::string without_dropped(const std::string& package, const std::string& relations) const {
        const auto rule = project_.imports.find(package);
        if (rule == project_.imports.end() || rule->second.drop_requires.empty()) {
            return relations;
        }
        NameSet dropped;
        for (const NameReason& each : rule->second.drop_requires) {
            dropped.insert(each.name);
        }
        std::vector<std::string> clauses;
        for (const std::string_view clause : split(relations, ',')) {
            std::vector<std::string> members;
            for (const std::string_view member : split(clause, '|')) {
                const std::string_view text = trim(member);
                const std::string name(text.substr(0, text.find_first_of(" (:[")));
                if (!dropped.contains(name)) {
                    members.emplace_back(text);
                }
            }
            if (!members.empty()) {
                clauses.push_back(join(members, " | "));
            }
        }
        return join(clauses, ", ");
    }

    SolveRequest request_for(const ImportGroup& group) const {
        SolveRequest request;
        request.install = group.packages;
        request.exclude = group.exclude;
        for (const auto& [name, chosen] : project_.import_policy.virtual_packages) {
            request.favor.push_back(chosen);
        }
        for (const auto& [where, file] : taken_) {
            request.favor.push_back(file.package);
        }
        for (const NameReason& never : project_.import_policy.never_import) {
            request.assume_provided.push_back(never.name);
        }
        return request;
    }

    void solve_group(const ImportGroup& group, const std::string& key, const std::string& main) {
        const std::vector<Origin> origins = candidates(group, key, main);
        Universe universe(VersionScheme::kDeb, architecture_);
        for (const Origin& origin : origins) {
            universe.add(solvable(origin));
        }
        auto solved = universe.solve(request_for(group));
        if (!solved) {
            errors_.push_back(std::move(solved.error())
                                  .context(fmt::format("import group `{}` ({})",
                                                       group.name,
                                                       plan_.suites.at(key).version->suite)));
            return;
        }
        for (const SolvedPackage& one : *solved) {
            const Origin& origin = origins[one.index];
            take(group.name, *origin.suite, *origin.package, one.reason);
        }
    }

    void take(const std::string& group,
              const std::string& suite,
              const BinaryPackage& package,
              const std::string& reason) {
        const auto [place, fresh] = taken_.try_emplace({suite, package.package});
        LockedFile& file = place->second;
        if (fresh) {
            file = LockedFile{suite,
                              package.package,
                              package.version,
                              package.architecture,
                              package.filename,
                              package.digest,
                              {},
                              reason};
        } else if (reason == "requested") {
            file.reason = reason;
        }
        file.groups.push_back(group);
        std::sort(file.groups.begin(), file.groups.end());
    }

    void check_one_suite_each() {
        std::map<std::string, const LockedFile*> by_name;
        for (const auto& [where, file] : taken_) {
            const auto [known, fresh] = by_name.emplace(file.package, &file);
            if (fresh) {
                continue;
            }
            const LockedFile& first = *known->second;
            errors_.push_back(
                error(ErrorKind::kFailed, "`{}` would be imported from two suites", file.package)
                    .note(said_by(first))
                    .note(said_by(file))
                    .advise(
                        "name it in one import group only, or take both groups from one suite"));
        }
    }

    static std::string said_by(const LockedFile& file) {
        return fmt::format("{} {} from {}: import group `{}`, {}",
                           file.package,
                           file.version,
                           file.suite,
                           join(file.groups, "`, `"),
                           file.reason);
    }

    const Project& project_;
    const Plan& plan_;
    std::string architecture_;
    std::map<std::pair<std::string, std::string>, LockedFile> taken_;  // (suite, package)
    std::vector<Error> errors_;
};

// "jq_1.8.1.orig.tar.gz", but neither its signature nor "jq_1.8.1.orig-docs.tar.gz".
bool is_orig_tarball(std::string_view name) {
    return contains(name, ".orig.tar.") && !name.ends_with(".asc") && !name.ends_with(".sig");
}

const std::pair<std::string, Digest>* member_of(const SourcePackage& source,
                                                const std::string& member) {
    const bool orig = member.empty() || member == "orig";
    for (const auto& file : source.files) {
        if (orig ? is_orig_tarball(file.first) : file.first == member) {
            return &file;
        }
    }
    return nullptr;
}

Result<LockedFile> find_source(const Suite& suite, const WantedSource& wanted) {
    const SourceFile& file = *wanted.file;
    const std::string who =
        fmt::format("source `{}` of component `{}`", file.filename, wanted.component->name);
    const SourcePackage* newest = nullptr;
    for (const SourcePackage& source : suite.sources) {
        if (source.package == file.package &&
            (newest == nullptr ||
             compare_evr(VersionScheme::kDeb, source.version, newest->version) > 0)) {
            newest = &source;
        }
    }
    if (newest == nullptr) {
        return fail(error(ErrorKind::kNotFound,
                          "{}: {} has no source package `{}`",
                          who,
                          suite.version->suite,
                          file.package)
                        .advise("name the source package, which may be called otherwise than "
                                "the binary package"));
    }
    const auto* const member = member_of(*newest, file.member);
    if (member == nullptr) {
        Error none = error(ErrorKind::kNotFound,
                           "{}: {} {} has no file `{}`",
                           who,
                           newest->package,
                           newest->version,
                           file.member.empty() ? "orig" : file.member);
        for (const auto& [name, digest] : newest->files) {
            none.notes.push_back(fmt::format("it has {}", name));
        }
        return fail(std::move(none).advise("set `member` to one of these"));
    }
    if (!file.hash.empty() && to_lower(file.hash_type) != "sha256") {
        return fail(error(ErrorKind::kUsage, "{}: its hash is {}", who, file.hash_type)
                        .advise("a Debian index can be compared with SHA256 only"));
    }
    if (!file.hash.empty() &&
        to_lower(file.hash) != member->second.hex()) {
        return fail(error(ErrorKind::kFailed, "{}: the archive has another file", who)
                        .note(fmt::format("declared SHA-256 {}", file.hash))
                        .note(fmt::format("{} {} has {} with {}",
                                          newest->package,
                                          newest->version,
                                          member->first,
                                          member->second.hex()))
                        .advise("review the new version, then declare its hash"));
    }
    return LockedFile{wanted.suite,
                      newest->package,
                      newest->version,
                      "source",
                      fmt::format("{}/{}", newest->directory, member->first),
                      member->second,
                      {},
                      fmt::format("source of {}", wanted.component->name)};
}

}  // namespace

Result<std::vector<LockedFile>> solve_groups(const Project& project,
                                             const Plan& plan,
                                             const std::string& architecture) {
    return Closure(project, plan, architecture).run();
}

Result<std::vector<LockedFile>> find_sources(const Plan& plan) {
    std::map<std::pair<std::string, std::string>, LockedFile> files;  // (suite, path)
    std::vector<Error> errors;
    for (const WantedSource& wanted : plan.sources) {
        auto found = find_source(plan.suites.at(wanted.suite), wanted);
        if (found) {
            files.try_emplace({found->suite, found->path}, std::move(*found));
        } else {
            errors.push_back(std::move(found.error()));
        }
    }
    if (!errors.empty()) {
        return fail(combine(std::move(errors)));
    }
    std::vector<LockedFile> sorted;
    for (auto& [where, file] : files) {
        sorted.push_back(std::move(file));
    }
    return sorted;
}

}  // namespace tarn::debian::detail
