// SPDX-License-Identifier: MIT
#include "base/fs.hh"
#include "project/detail/resolve.hh"

#include <cstdlib>

namespace tarn {
namespace {

// Read before the project's own file.
constexpr std::string_view kDefaultConfig = R"(
[resources.rpm-repo-set-templates.azl-standard]
description = "Base and SDK packages with their debug and source packages"
subrepos = [
    { name = "base", subpath = "base/$basearch", kind = "binary" },
    { name = "base-debug", subpath = "base/debuginfo/$basearch", kind = "debug" },
    { name = "base-src", subpath = "base/srpms", kind = "source" },
    { name = "sdk", subpath = "sdk/$basearch", kind = "binary" },
    { name = "sdk-debug", subpath = "sdk/debuginfo/$basearch", kind = "debug" },
    { name = "sdk-src", subpath = "sdk/srpms", kind = "source" },
]

[resources.rpm-repo-set-templates.koji-dist-repo]
description = "The layout of Koji's dist repositories"
subrepos = [
    { name = "binary", subpath = "$basearch", kind = "binary" },
    { name = "debug", subpath = "$basearch/debug", kind = "debug" },
    { name = "source", subpath = "src", kind = "source" },
]
)";

void set_directories(Project& project) {
    const auto fill = [&](std::string& path, std::string_view name) {
        if (path.empty()) {
            path = join_path(project.root, name);
        }
    };
    fill(project.log_dir, "build/logs");
    fill(project.work_dir, "build/work");
    fill(project.output_dir, "out");
    fill(project.rendered_specs_dir, "specs");
    fill(project.lock_dir, "locks");
    fill(project.key_dir, "keys");
}

}  // namespace

std::string default_user_file() {
    const char* config = std::getenv("XDG_CONFIG_HOME");
    if (config != nullptr && config[0] == '/') {
        return join_path(config, "tarn/config.toml");
    }
    const char* home = std::getenv("HOME");
    if (home != nullptr && home[0] == '/') {
        return join_path(home, ".config/tarn/config.toml");
    }
    return {};
}

std::optional<std::string> find_project_file(const std::string& start) {
    std::string directory = absolute_path(start.empty() ? "." : start, current_directory());
    while (true) {
        for (std::string_view name : {"tarn.toml", "azldev.toml"}) {
            std::string path = join_path(directory, name);
            if (path_exists(path) && !is_directory(path)) {
                return path;
            }
        }
        const std::string parent = parent_path(directory);
        if (parent.empty() || parent == directory) {
            return std::nullopt;
        }
        directory = parent;
    }
}

Result<Project> load_project(const LoadOptions& options,
                             SourceMap& sources,
                             Diagnostics& diagnostics) {
    const auto file = find_project_file(options.start);
    if (!file) {
        return fail(
            error(ErrorKind::kUsage,
                  "there is no tarn.toml (or azldev.toml) in {} or above it",
                  absolute_path(options.start.empty() ? "." : options.start, current_directory()))
                .advise("go to a project, or name one with -C DIRECTORY"));
    }
    declaration::FileReader files(
        sources,
        diagnostics,
        options.shown_from.empty() ? current_directory() : options.shown_from,
        options.permissive,
        options.strict);
    if (options.origins) {
        files.record_origins();
    }
    if (options.default_config) {
        files.read_text("<defaults>", std::string(kDefaultConfig));
    }
    files.read_root(*file, {});
    if (!options.user_file.empty() && path_exists(options.user_file)) {
        files.read_root(options.user_file, {});
    }
    for (const std::string& extra : options.config_files) {
        const std::string path = absolute_path(extra, current_directory());
        if (path_exists(path)) {
            files.read_root(path, {});
        } else {
            diagnostics.error({},
                              "there is no configuration file " + files.shown(path),
                              "--config-file takes paths relative to the current directory");
        }
    }
    Project project =
        declaration::Resolver(
            files, diagnostics, options.permissive, options.strict, options.architecture)
            .resolve();
    project.file = *file;
    project.root = parent_path(*file);
    set_directories(project);
    TARN_TRY(diagnostics.checkpoint());
    return project;
}

}  // namespace tarn
