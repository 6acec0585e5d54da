// SPDX-License-Identifier: MIT
#include "distgit/distgit.hh"

#include "base/fs.hh"
#include "base/strings.hh"
#include "distgit/detail/session.hh"

#include <algorithm>
#include <atomic>
#include <map>

namespace tarn::distgit {

using detail::Host;
using detail::Place;
using detail::Session;
using detail::Unfiltered;
using detail::Wanted;

namespace {

// Of a git on the network: it is waited for, not worked for.
constexpr unsigned kFarTransfers = 24;

Failure misses(const SourceMap& map, Span where, std::string message, std::string help) {
    Diagnostic diagnostic;
    diagnostic.primary = where;
    diagnostic.message = message;
    diagnostic.help.push_back(std::move(help));
    Error result = error(ErrorKind::kUsage, "{}", message);
    if (where.begin) {
        result.rendered = draw(diagnostic, map);
        result.message = "this component's upstream cannot be asked";
    } else {
        result.help = std::move(diagnostic.help);
    }
    return fail(std::move(result));
}

Span first_known(std::initializer_list<Span> spans) {
    for (const Span& span : spans) {
        if (span.begin) {
            return span;
        }
    }
    return {};
}

template <class Map>
std::string guess(const std::string& name, const Map& map, std::string otherwise) {
    std::vector<std::string> names;
    for (const auto& [key, value] : map) {
        names.push_back(key);
    }
    std::string result = did_you_mean(name, names);
    return result.empty() ? std::move(otherwise) : result;
}

}  // namespace

Result<PackageSource> package_source(const Project& project, const Component& component,
                                     const SourceMap& map) {
    const DistroReference& upstream = component.upstream;
    const std::string who = fmt::format("component `{}`: ", component.name);
    const Span of_name = first_known({upstream.name_where, upstream.where, component.where});
    const Distro* distro = project.distro(upstream);
    if (distro == nullptr) {
        return upstream.name.empty()
                   ? misses(map, of_name, who + "has no upstream distro",
                            "`spec.upstream-distro` names it, or `default-distro` of the project")
                   : misses(map, of_name, who + fmt::format("no distro `{}`", upstream.name),
                            guess(upstream.name, project.distros,
                                  fmt::format("[distros.{}] defines it", upstream.name)));
    }
    if (distro->dist_git_base_uri.empty()) {
        return misses(map, first_known({distro->where, of_name}),
                      who + fmt::format("distro `{}` has no `dist-git-base-uri`", distro->name),
                      "the address of a package's git repository, with $pkg for its name");
    }
    const std::string name =
        upstream.version.empty() ? distro->default_version : upstream.version;
    const Span of_version = first_known({upstream.version_where, of_name});
    const DistroVersion* version = project.version(upstream);
    if (version == nullptr) {
        return name.empty()
                   ? misses(map, of_version,
                            who + fmt::format("no version of distro `{}` is given", distro->name),
                            "give `version`, or `default-version` of the distro")
                   : misses(map, of_version,
                            who + fmt::format("distro `{}` has no version `{}`", distro->name,
                                              name),
                            guess(name, distro->versions,
                                  fmt::format("[distros.{}.versions] defines them", distro->name)));
    }
    if (version->dist_git_branch.empty()) {
        return misses(map, first_known({version->where, of_version}),
                      who + fmt::format("version `{}` of distro `{}` has no `dist-git-branch`",
                                        name,
                                        distro->name),
                      "the branch of a package's git repository: \"f43\"");
    }
    PackageSource source;
    source.package = component.upstream_name.empty() ? component.name : component.upstream_name;
    source.url = replace_all(distro->dist_git_base_uri, "$pkg", source.package);
    source.branch = version->dist_git_branch;
    const auto place = detail::place_of(source);
    if (!place) {
        return misses(map, first_known({distro->where, of_name}), who + place.error().message,
                      place.error().help.front());
    }
    return source;
}

Result<DistGit> DistGit::open(const std::string& directory, const Options& options) {
    TARN_TRY(make_directories(directory));
    DistGit result;
    result.directory_ = absolute_path(directory, current_directory());
    result.options_ = options;
    result.opened_ = detail::now();
    return result;
}

Result<git::ObjectId> DistGit::resolve(const PackageSource& source, const CommitChoice& choice) {
    const Place place = TARN_TRY(detail::place_of(source));
    Wanted wanted = TARN_TRY(detail::parse_choice(choice));
    Host host = TARN_TRY(Host::open(directory_, place));
    Unfiltered unfiltered;
    Session session(std::move(host), place, std::move(wanted), options_, opened_, unfiltered);
    return session.resolve();
}

std::vector<Result<git::ObjectId>> DistGit::resolve_all(const std::vector<PackageSource>& sources,
                                                        const std::vector<CommitChoice>& choices,
                                                        unsigned jobs, Reporter& reporter) {
    TARN_CHECK(sources.size() == choices.size());
    std::vector<Result<git::ObjectId>> results(
        sources.size(), fail(ErrorKind::kInterrupted, "interrupted"));
    Unfiltered unfiltered;
    std::atomic<std::uint64_t> done = 0;
    const auto one = [&](std::size_t i) -> Result<git::ObjectId> {
        const Place place = TARN_TRY(detail::place_of(sources[i]));
        Wanted wanted = TARN_TRY(detail::parse_choice(choices[i]));
        Host host = TARN_TRY(Host::open(directory_, place));
        Session session(std::move(host), place, std::move(wanted), options_, opened_, unfiltered);
        return session.resolve();
    };
    const bool far = std::any_of(sources.begin(), sources.end(), [](const PackageSource& source) {
        return !source.url.starts_with("file:");
    });
    const unsigned transfers = far ? std::max(jobs * 4, kFarTransfers) : jobs * 2;
    reporter.begin("resolving", sources.size(), "packages");
    // An interruption shows in the results that were not reached.
    static_cast<void>(
        parallel_for(sources.size(), transfers, options_.stop, [&](std::size_t i) -> Result<void> {
            results[i] = one(i);
            reporter.advance(++done, sources[i].package);
            return {};
        }));
    reporter.end();
    for (const std::string& host : *unfiltered.lock()) {
        if (host == "file") {
            continue;  // of this machine: nothing was sent far
        }
        reporter.info(fmt::format(
            "dist-git {} cannot send history without contents: whole repositories were fetched",
            host));
    }
    return results;
}

}  // namespace tarn::distgit
