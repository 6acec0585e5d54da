// SPDX-License-Identifier: MIT
#include "base/compress.hh"
#include "base/parallel.hh"
#include "base/strings.hh"
#include "upstream/debian/detail/date.hh"
#include "upstream/debian/detail/suite.hh"

#include <algorithm>

namespace tarn::debian::detail {
namespace {

constexpr std::uint64_t kIndexLimit = 1ULL << 30;

class Planner {
  public:
    Planner(const Project& project, std::string_view target)
        : project_(project), target_(target) {}

    Result<Plan> run() {
        for (const auto& [name, group] : project_.import_groups) {
            if (!imports_group(group, target_)) {
                continue;
            }
            const auto key = suite_for(group.upstream, fmt::format("import group `{}`", name));
            if (key) {
                plan_.suites[*key].wants_packages = true;
                plan_.group_suite[name] = *key;
            } else {
                errors_.push_back(key.error());
            }
        }
        for (const auto& [name, component] : project_.components) {
            for (const SourceFile& file : component.source_files) {
                if (file.origin_type == "debian" && target_ == "x86_64") {
                    add_source(component, file);
                }
            }
        }
        if (!errors_.empty()) {
            return fail(combine(std::move(errors_)));
        }
        return std::move(plan_);
    }

  private:
    void add_source(const Component& component, const SourceFile& file) {
        DistroReference reference = file.distro;
        if (reference.name.empty()) {
            reference =
                component.upstream.name.empty() ? project_.default_distro : component.upstream;
        }
        const auto key = suite_for(
            reference, fmt::format("source `{}` of component `{}`", file.filename, component.name));
        if (!key) {
            errors_.push_back(key.error());
            return;
        }
        plan_.suites[*key].wanted_sources.push_back(file.package);
        plan_.sources.push_back({&component, &file, *key});
    }

    Result<std::string> suite_for(const DistroReference& reference, const std::string& who) {
        const Distro* const distro = project_.distro(reference);
        const DistroVersion* const version = project_.version(reference);
        if (distro == nullptr || version == nullptr || distro->kind != UpstreamKind::kDebian) {
            return fail(error(ErrorKind::kUsage,
                              "{}: `{}` is not a Debian distro of the project",
                              who,
                              reference.name)
                            .advise("define it under [distros] with kind = \"debian\""));
        }
        std::string key = version->suite;
        const auto taken = plan_.suites.find(key);
        if (taken != plan_.suites.end() && taken->second.version != version) {
            key = fmt::format("{}/{}", reference.name, version->name);
        }
        Suite& suite = plan_.suites[key];
        suite.distro_name = reference.name;
        suite.distro = distro;
        suite.version = version;
        return key;
    }

    const Project& project_;
    std::string_view target_;
    Plan plan_;
    std::vector<Error> errors_;
};

std::vector<std::string> components_of(const DistroVersion& version) {
    return version.components.empty() ? std::vector<std::string>{"main"} : version.components;
}

// One compressed index that has to come.
struct Index {
    Suite* suite = nullptr;
    const IndexFile* file = nullptr;
    bool sources = false;
    std::string plain_url, hash_url;
    std::string text{};
};

class Loader {
  public:
    Loader(const Store& store, const LockRequest& request, Suites& suites, Reporter& reporter)
        : store_(store), request_(request), suites_(suites), reporter_(reporter) {}

    Result<void> run() {
        std::vector<Error> errors;
        for (auto& [key, suite] : suites_) {
            const auto loaded = load_release(suite);
            if (!loaded) {
                errors.push_back(loaded.error());
            }
        }
        if (!errors.empty()) {
            return fail(combine(std::move(errors)));
        }
        for (auto& [key, suite] : suites_) {
            TARN_TRY(add_indexes(suite));
        }
        TARN_TRY(fetch_indexes());
        return parse_indexes();
    }

  private:
    Result<void> load_release(Suite& suite) {
        const Keyring keyring = TARN_TRY(Keyring::load(suite.distro->keyrings));
        suite.release = TARN_TRY(fetch_release(
            store_, request_.mirror, *suite.version, keyring, request_.now, request_.fetch));
        const Release& release = suite.release;
        suite.locked = LockedSuite{suite.distro_name,
                                   suite.version->name,
                                   suite.version->suite,
                                   release.date,
                                   release.valid_until,
                                   release.document,
                                   release.signer,
                                   {}};
        const auto until = parse_date(release.valid_until);
        if (until && *until < request_.now) {
            suite.locked.expired_reason = suite.version->expired_release.reason;
            reporter_.warn(fmt::format("the Release of {} expired on {}; accepted: {}",
                                       suite.version->suite,
                                       release.valid_until,
                                       suite.version->expired_release.reason));
        }
        return {};
    }

    // The smallest form of an index that the Release lists.
    Result<void> add_index(Suite& suite, const std::string& path, bool sources) {
        for (const std::string_view suffix : {".xz", ".gz", ""}) {
            const std::string name = fmt::format("{}{}", path, suffix);
            const IndexFile* const file = suite.release.find(name);
            if (file == nullptr) {
                continue;
            }
            const std::string base =
                fmt::format("{}/dists/{}/", request_.mirror, suite.version->suite);
            Index index{&suite, file, sources, base + name, {}};
            if (suite.release.acquire_by_hash) {
                index.hash_url = fmt::format(
                    "{}{}/by-hash/SHA256/{}", base, parent_path(name), file->digest.hex());
            }
            indexes_.push_back(std::move(index));
            return {};
        }
        return fail(
            ErrorKind::kNotFound, "the Release of {} lists no {}", suite.version->suite, path);
    }

    Result<void> add_indexes(Suite& suite) {
        for (const std::string& component : components_of(*suite.version)) {
            if (suite.wants_packages) {
                TARN_TRY(add_index(
                    suite,
                    fmt::format("{}/binary-{}/Packages", component, request_.architecture),
                    false));
            }
            if (!suite.wanted_sources.empty()) {
                TARN_TRY(add_index(suite, fmt::format("{}/source/Sources", component), true));
            }
        }
        return {};
    }

    // By hash where it is offered; a mirror that keeps none of those has them by name.
    Result<void> fetch_indexes() {
        std::vector<FetchRequest> requests;
        for (const Index& index : indexes_) {
            requests.push_back({index.hash_url.empty() ? index.plain_url : index.hash_url,
                                index.file->digest,
                                what(index)});
        }
        FetchOutcome outcome = fetch(store_, requests, request_.fetch, reporter_);
        std::vector<Error> errors;
        std::vector<FetchRequest> by_name;
        for (const FetchFailure& failure : outcome.failures) {
            const Index& index = indexes_[failure.index];
            if (failure.missing && !index.hash_url.empty()) {
                by_name.push_back({index.plain_url, index.file->digest, what(index)});
            } else {
                errors.push_back(failure.error);
            }
        }
        const FetchOutcome second = fetch(store_, by_name, request_.fetch, reporter_);
        for (const FetchFailure& failure : second.failures) {
            errors.push_back(failure.error);
        }
        if (!errors.empty()) {
            return fail(combine(std::move(errors)));
        }
        return {};
    }

    static std::string what(const Index& index) {
        return fmt::format("index {} of {}", index.file->path, index.suite->version->suite);
    }

    Result<void> parse_index(const Index& index,
                             std::vector<BinaryPackage>& packages,
                             std::vector<SourcePackage>& sources) const {
        const std::string name =
            fmt::format("{}/{}", index.suite->version->suite, index.file->path);
        const MemoryMap bytes = TARN_TRY(store_.map(index.file->digest));
        auto text = decompress(bytes.bytes(), compression_of_name(index.file->path), kIndexLimit);
        if (!text) {
            return fail(std::move(text.error()).context(name));
        }
        if (index.sources) {
            sources = TARN_TRY(parse_sources(*text, name, index.suite->wanted_sources));
        } else {
            packages = TARN_TRY(parse_packages(*text, name));
        }
        return {};
    }

    Result<void> parse_indexes() {
        std::vector<std::vector<BinaryPackage>> packages(indexes_.size());
        std::vector<std::vector<SourcePackage>> sources(indexes_.size());
        TARN_TRY(
            parallel_for(indexes_.size(), request_.jobs, request_.fetch.stop, [&](std::size_t i) {
                return parse_index(indexes_[i], packages[i], sources[i]);
            }));
        for (std::size_t i = 0; i < indexes_.size(); ++i) {
            Suite& suite = *indexes_[i].suite;
            std::move(packages[i].begin(), packages[i].end(), std::back_inserter(suite.packages));
            std::move(sources[i].begin(), sources[i].end(), std::back_inserter(suite.sources));
        }
        return {};
    }

    const Store& store_;
    const LockRequest& request_;
    Suites& suites_;
    Reporter& reporter_;
    std::vector<Index> indexes_;
};

}  // namespace

Result<Plan> plan_suites(const Project& project, std::string_view target) {
    return Planner(project, target).run();
}

Result<void> load_suites(const Store& store,
                         const LockRequest& request,
                         Suites& suites,
                         Reporter& reporter) {
    return Loader(store, request, suites, reporter).run();
}

Error combine(std::vector<Error> errors) {
    Error all = std::move(errors.front());
    for (std::size_t i = 1; i < errors.size(); ++i) {
        Error& other = errors[i];
        all.notes.push_back(std::move(other.message));
        std::move(other.notes.begin(), other.notes.end(), std::back_inserter(all.notes));
        for (std::string& advice : other.help) {
            if (std::find(all.help.begin(), all.help.end(), advice) == all.help.end()) {
                all.help.push_back(std::move(advice));
            }
        }
    }
    return all;
}

}  // namespace tarn::debian::detail
