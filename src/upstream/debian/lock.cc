// SPDX-License-Identifier: MIT
// Making a lock, and downloading what it names.
#include "base/strings.hh"
#include "upstream/debian/archive.hh"
#include "upstream/debian/detail/suite.hh"

#include <algorithm>

namespace tarn::debian {
namespace {

constexpr std::size_t kShownMissing = 5;

std::vector<std::string> sorted(std::vector<std::string> names) {
    std::sort(names.begin(), names.end());
    return names;
}

// The reference as the project resolves it; what it means, not how it is written.
void describe_reference(KeyBuilder& key, const Project& project, const DistroReference& reference) {
    const DistroVersion* const version = project.version(reference);
    key.field("distro", reference.name);
    if (version == nullptr) {
        key.field("version", reference.version);
        return;
    }
    key.field("version", version->name)
        .field("suite", version->suite)
        .field("components", version->components)
        .field("accept expired", version->expired_release.accept ? "yes" : "no");
}

void describe_sources(KeyBuilder& key, const Project& project) {
    for (const auto& [name, component] : project.components) {
        for (const SourceFile& file : component.source_files) {
            if (file.origin_type != "debian") {
                continue;
            }
            key.field("source of", name).field("file", file.filename);
            key.field("package", file.package).field("member", file.member);
            key.field("hash type", file.hash_type).field("hash", file.hash);
            DistroReference reference = file.distro;
            if (reference.name.empty()) {
                reference =
                    component.upstream.name.empty() ? project.default_distro : component.upstream;
            }
            describe_reference(key, project, reference);
        }
    }
}

// What the lock names, packages first.
std::vector<const LockedFile*> all_files(const Lock& lock) {
    std::vector<const LockedFile*> files;
    for (const std::vector<LockedFile>* list : {&lock.packages, &lock.sources}) {
        for (const LockedFile& file : *list) {
            files.push_back(&file);
        }
    }
    return files;
}

Error stale(const std::vector<std::string>& missing) {
    Error error{ErrorKind::kNotFound,
                fmt::format("lock is stale: {} is no longer on the mirror", missing.front())};
    if (missing.size() > 1) {
        const std::size_t shown = std::min(missing.size(), kShownMissing);
        error.message = fmt::format("lock is stale: {} and {} more are no longer on the mirror",
                                    missing.front(),
                                    missing.size() - 1);
        for (std::size_t i = 0; i < shown; ++i) {
            error.notes.push_back(fmt::format("{} is gone", missing[i]));
        }
        if (missing.size() > shown) {
            error.notes.push_back(fmt::format("... and {} more", missing.size() - shown));
        }
    }
    error.help.emplace_back("run `tarn lock` to lock again");
    return error;
}

}  // namespace

bool imports_group(const ImportGroup& group, std::string_view target) {
    if (group.architectures.empty()) {
        return !target.starts_with(kCrossPrefix);
    }
    return std::find(group.architectures.begin(), group.architectures.end(), target) !=
           group.architectures.end();
}

Result<void> check_target(const Project& project, std::string_view target) {
    std::vector<std::string> known = project.import_policy.architectures;
    if (known.empty()) {
        known = {"x86_64"};
    }
    const std::string_view architecture =
        target.starts_with(kCrossPrefix) ? target.substr(kCrossPrefix.size()) : target;
    if (std::find(known.begin(), known.end(), architecture) != known.end()) {
        return {};
    }
    return fail(error(ErrorKind::kUsage, "the project does not import {} packages", architecture)
                    .note(fmt::format("it imports {}", join(known, ", ")))
                    .advise(fmt::format("add \"{}\" to architectures of [import-policy]",
                                        architecture)));
}

std::string debian_architecture(std::string_view rpm_architecture) {
    return rpm_architecture == "x86_64"    ? "amd64"
           : rpm_architecture == "aarch64" ? "arm64"
                                           : std::string(rpm_architecture);
}

Digest lock_request_digest(const Project& project, std::string_view target) {
    KeyBuilder key("debian-lock", 1);
    if (target != "x86_64") {
        key.field("target", target);
    }
    for (const auto& [name, group] : project.import_groups) {
        if (!imports_group(group, target)) {
            continue;
        }
        key.field("group", name)
            .field("packages", sorted(group.packages))
            .field("exclude", sorted(group.exclude));
        describe_reference(key, project, group.upstream);
    }
    std::vector<std::string> never;
    for (const NameReason& one : project.import_policy.never_import) {
        never.push_back(one.name);
    }
    key.field("never import", sorted(std::move(never)));
    for (const auto& [name, rule] : project.imports) {
        std::vector<std::string> dropped;
        for (const NameReason& one : rule.drop_requires) {
            dropped.push_back(one.name);
        }
        if (!dropped.empty()) {
            key.field("import", name).field("dropped", sorted(std::move(dropped)));
        }
    }
    for (const auto& [name, chosen] : project.import_policy.virtual_packages) {
        key.field("virtual package", name).field("chosen", chosen);
    }
    if (target == "x86_64") {
        describe_sources(key, project);
    }
    return key.key();
}

Result<Lock> make_lock(const Store& store, const LockRequest& request, Reporter& reporter) {
    TARN_CHECK(request.project != nullptr);
    const Project& project = *request.project;
    TARN_TRY(check_target(project, request.target));
    detail::Plan plan = TARN_TRY(detail::plan_suites(project, request.target));
    TARN_TRY(detail::load_suites(store, request, plan.suites, reporter));

    auto packages = detail::solve_groups(project, plan, request.architecture);
    auto sources = detail::find_sources(plan);
    if (!packages || !sources) {
        std::vector<Error> errors;
        if (!packages) {
            errors.push_back(std::move(packages.error()));
        }
        if (!sources) {
            errors.push_back(std::move(sources.error()));
        }
        return fail(detail::combine(std::move(errors)));
    }
    Lock lock;
    lock.request = lock_request_digest(project, request.target);
    for (const auto& [key, suite] : plan.suites) {
        lock.suites[key] = suite.locked;
    }
    lock.packages = std::move(*packages);
    lock.sources = std::move(*sources);
    return lock;
}

Result<void> fetch_locked(const Store& store,
                          const Lock& lock,
                          const std::string& mirror,
                          const FetchOptions& options,
                          Reporter& reporter) {
    const std::vector<const LockedFile*> files = all_files(lock);
    std::vector<FetchRequest> requests;
    for (const LockedFile* const file : files) {
        requests.push_back({fmt::format("{}/{}", mirror, file->path),
                            file->digest,
                            fmt::format("{} {}", file->package, file->version)});
    }
    const FetchOutcome outcome = fetch(store, requests, options, reporter);
    std::vector<std::string> missing;
    std::vector<Error> errors;
    for (const FetchFailure& failure : outcome.failures) {
        if (failure.missing) {
            missing.push_back(requests[failure.index].what);
        } else {
            errors.push_back(failure.error);
        }
    }
    if (!missing.empty()) {
        return fail(stale(missing));
    }
    if (!errors.empty()) {
        // One cause, such as a full disk, meets many files: said once.
        const std::size_t count = errors.size();
        Error first = std::move(errors.front());
        if (count > 1 && first.kind != ErrorKind::kInterrupted) {
            first.notes.push_back(
                fmt::format("{} of {} files did not come", count, requests.size()));
        }
        return fail(std::move(first));
    }
    return {};
}

}  // namespace tarn::debian
