// SPDX-License-Identifier: MIT
#include "base/fs.hh"
#include "base/strings.hh"
#include "project/component_lock.hh"

#include <algorithm>

namespace tarn {
namespace {

bool is_pinned_commit(const Component& component, const ComponentLock& lock) {
    return component.upstream_commit.empty() ||
           to_lower(lock.upstream_commit).starts_with(to_lower(component.upstream_commit));
}

// Why the commit has to be chosen again; empty when it need not.
std::string stale_resolution(const Project& project,
                             const Component& component,
                             const ComponentLock& lock) {
    if (component.upstream_commit.empty() && component.upstream.snapshot.empty()) {
        return "neither snapshot nor upstream-commit: follows the head of its branch";
    }
    if (lock.upstream_commit.empty()) {
        return "the lock has no commit";
    }
    if (!is_pinned_commit(component, lock)) {
        return fmt::format("upstream-commit is {} now", component.upstream_commit);
    }
    if (lock.resolution_input_hash != resolution_hash(project, component)) {
        return "snapshot, distro, branch, dist-git, upstream-name or upstream-commit changed";
    }
    return {};
}

std::string how_to_lock(const std::string& name) {
    return "write it with: tarn component update " + name;
}

void check_lock(const Project& project, const Component& component, std::vector<Error>& errors) {
    auto lock = read_component_lock(project, component.name);
    if (!lock) {
        const bool missing = lock.error().kind == ErrorKind::kNotFound;
        if (missing && component.spec_type == SpecType::kLocal) {
            return;  // nothing of it can move
        }
        if (missing) {
            errors.push_back(error(ErrorKind::kUsage,
                                   "component `{}` has no lock {}",
                                   component.name,
                                   relative_to(component_lock_path(project, component.name),
                                               project.root))
                                 .advise(how_to_lock(component.name)));
        } else {
            errors.push_back(std::move(lock.error())
                                 .context(fmt::format("component `{}`", component.name)));
        }
        return;
    }
    if (component.spec_type != SpecType::kUpstream) {
        return;
    }
    if (lock->upstream_commit.empty()) {
        errors.push_back(
            error(ErrorKind::kUsage, "the lock of component `{}` has no commit", component.name)
                .advise(how_to_lock(component.name)));
    } else if (!is_pinned_commit(component, *lock)) {
        errors.push_back(
            error(ErrorKind::kUsage,
                  "component `{}` is pinned to commit {}, but its lock has {}",
                  component.name,
                  component.upstream_commit,
                  lock->upstream_commit)
                .advise(how_to_lock(component.name)));
    }
}

}  // namespace

Result<FreshnessReport> freshness(const Project& project,
                                  const Component& component,
                                  const ComponentLock* lock) {
    FreshnessReport report;
    if (lock == nullptr) {
        report.state = Freshness::kMissing;
        report.reason = "no lock";
        return report;
    }
    FingerprintInput input;
    input.manual_bump = lock->manual_bump;
    input.release_ver = project.release_ver(component);
    if (component.spec_type == SpecType::kUpstream) {
        report.reason = stale_resolution(project, component, *lock);
        if (!report.reason.empty()) {
            report.state = Freshness::kResolutionStale;
            return report;
        }
        input.source_identity = lock->upstream_commit;
    } else {
        input.source_identity = TARN_TRY(local_source_identity(parent_path(component.spec_path)));
    }
    report.input_fingerprint = TARN_TRY(input_fingerprint(component, input));
    if (report.input_fingerprint != lock->input_fingerprint) {
        report.state = Freshness::kBuildStale;
        report.reason = lock->input_fingerprint.empty() ? "the lock has no fingerprint"
                                                        : "configuration or sources changed";
    }
    return report;
}

std::vector<Error> validate_locks(const Project& project,
                                  const std::vector<const Component*>& components,
                                  bool orphans) {
    std::vector<Error> errors;
    for (const Component* component : components) {
        check_lock(project, *component, errors);
    }
    if (!orphans) {
        return errors;
    }
    auto locked = locked_components(project);
    if (!locked) {
        errors.push_back(std::move(locked.error()));
        return errors;
    }
    for (const std::string& name : *locked) {
        if (!project.components.contains(name)) {
            errors.push_back(
                error(ErrorKind::kUsage,
                      "{} is the lock of no component",
                      relative_to(component_lock_path(project, name), project.root))
                    .advise("remove it: tarn component update -a does"));
        }
    }
    return errors;
}

}  // namespace tarn
