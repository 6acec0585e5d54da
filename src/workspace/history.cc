// SPDX-License-Identifier: MIT
#include "workspace/history.hh"

#include "base/fs.hh"
#include "git/git.hh"
#include "project/component_lock.hh"
#include "workspace/detail/impl.hh"

#include <algorithm>
#include <map>
#include <optional>

namespace tarn {

namespace {

void add_list(std::vector<CustomizationItem>& items,
              const std::string& kind,
              const std::string& key,
              const std::vector<std::string>& values) {
    for (const std::string& value : values) {
        items.push_back({kind, key + "=" + value, {}});
    }
}

// Of the project's repository, for all components at once.
struct TomlHistory {
    std::map<std::string, std::vector<git::PathChange>> changes;  // by path below `top`
    std::map<std::string, std::size_t> declared;                  // components in a file
    std::string top;              // the project's directory, or the work tree's
    std::optional<Error> hidden;  // a shallow clone
};

Result<TomlHistory> toml_history(const Workspace& workspace) {
    TomlHistory history;
    const Project& project = workspace.project();
    for (const auto& [name, component] : project.components) {
        const Location at = workspace.sources().locate(component.where.begin);
        ++history.declared[absolute_path(at.file, current_directory())];
    }
    auto repository = git::Repository::discover(project.root);
    if (!repository) {
        if (repository.error().kind == ErrorKind::kNotFound) {
            return history;
        }
        return fail(std::move(repository.error()));
    }
    const auto head = repository->resolve("HEAD");
    // A file that is included may lie beside the project.
    const bool outside =
        std::any_of(history.declared.begin(), history.declared.end(), [&](const auto& file) {
            return relative_to(file.first, project.root) == file.first;
        });
    history.top = outside ? repository->work_tree() : project.root;
    const auto below = path_in_repository(*repository, history.top);
    if (head && below) {
        git::Paths only;
        for (const auto& [file, count] : history.declared) {
            only.insert(relative_to(file, history.top));
        }
        auto changes = repository->changes_below(*head, *below, &only);
        if (changes) {
            history.changes = std::move(*changes);
        } else if (repository->shallow()) {
            history.hidden = std::move(changes.error());
        } else {
            return fail(std::move(changes.error()));
        }
    }
    return history;
}

void add_toml(ComponentHistory& result,
              const Workspace& workspace,
              const Component& component,
              const TomlHistory& history) {
    const Location at = workspace.sources().locate(component.where.begin);
    const std::string path = absolute_path(at.file, current_directory());
    result.toml_path = relative_to(path, workspace.project().root);
    const auto count = history.declared.find(path);
    result.shared_toml = count != history.declared.end() && count->second > 1;
    if (history.hidden) {
        result.warnings.push_back(history.hidden->message);
    }
    const auto found = history.changes.find(relative_to(path, history.top));
    if (found != history.changes.end()) {
        result.toml_commits = found->second.size();
        if (!found->second.empty()) {
            result.latest_commit = found->second.front().commit;
        }
    }
}

void add_lock(ComponentHistory& result, const Project& project, const LockHistory& locks) {
    const auto lock = read_component_lock(project, result.name);
    if (lock) {
        result.has_lock = true;
        result.has_import = !lock->import_commit.empty();
        result.manual_bump = lock->manual_bump;
    } else if (lock.error().kind != ErrorKind::kNotFound) {
        result.warnings.push_back(lock.error().message);
    }
    const auto revisions = locks.of(result.name);
    if (!revisions) {
        result.warnings.push_back(revisions.error().message);
        return;
    }
    std::string last;
    for (const release::LockRevision& revision : *revisions) {
        if (revision.input_fingerprint == last) {
            continue;
        }
        last = revision.input_fingerprint;
        FingerprintChange change;
        change.project_commit = revision.commit;
        change.author = revision.author;
        change.email = revision.email;
        change.subject = revision.subject;
        change.time = revision.time;
        change.upstream_commit = revision.upstream_commit;
        result.fingerprint_changes.push_back(std::move(change));
    }
    std::reverse(result.fingerprint_changes.begin(), result.fingerprint_changes.end());
}

}  // namespace

std::vector<CustomizationItem> customizations(const Component& component) {
    std::vector<CustomizationItem> items;
    for (const Overlay& overlay : component.overlays) {
        items.push_back(
            {"overlay", std::string(overlay_type_name(overlay.type)), overlay.description});
    }
    add_list(items, "build", "with", component.build.with);
    add_list(items, "build", "without", component.build.without);
    add_list(items, "build", "undefine", component.build.undefines);
    for (const auto& [name, value] : component.build.defines) {
        items.push_back({"build", fmt::format("define {}={}", name, value), {}});
    }
    if (component.build.check_skip) {
        items.push_back({"check", "skip", component.build.check_skip_reason});
    }
    if (!component.release_calculation.empty() && component.release_calculation != "auto") {
        items.push_back({"release", component.release_calculation, {}});
    }
    for (const SourceFile& source : component.source_files) {
        items.push_back({"source", source.filename, source.replace_reason});
    }
    if (!component.upstream_commit.empty()) {
        items.push_back({"spec", "upstream-commit=" + component.upstream_commit, {}});
    }
    if (!component.upstream_name.empty() && component.upstream_name != component.name) {
        items.push_back({"spec", "upstream-name=" + component.upstream_name, {}});
    }
    if (component.spec_type == SpecType::kLocal) {
        items.push_back({"spec", "local", {}});
    }
    if (component.skip_file_filter) {
        items.push_back({"render", "skip-file-filter", {}});
    }
    return items;
}

Result<std::vector<ComponentHistory>> component_history(
    Workspace& workspace, const std::vector<const Component*>& components) {
    const TomlHistory toml = TARN_TRY(toml_history(workspace));
    const LockHistory* locks = TARN_TRY(workspace.impl().locks_so_far());
    std::vector<ComponentHistory> all;
    all.reserve(components.size());
    for (const Component* component : components) {
        ComponentHistory history;
        history.name = component->name;
        history.customizations = customizations(*component);
        add_toml(history, workspace, *component, toml);
        add_lock(history, workspace.project(), *locks);
        all.push_back(std::move(history));
    }
    std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
        return a.customizations.size() != b.customizations.size()
                   ? a.customizations.size() > b.customizations.size()
                   : a.name < b.name;
    });
    return all;
}

}  // namespace tarn
