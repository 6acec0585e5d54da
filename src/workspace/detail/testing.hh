// SPDX-License-Identifier: MIT
// For the tests: a project in a git repository, and a dist-git beside it that is reached by
// file://. Every date and name is fixed.
#pragma once

#include "base/fs.hh"
#include "base/process.hh"
#include "base/strings.hh"
#include "workspace/render_specs.hh"
#include "workspace/update.hh"
#include "workspace/workspace.hh"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

namespace tarn {

class TestProject {
  public:
    TestProject() : directory_(TempDir::make().value()) {
        EXPECT_TRUE(make_directories(path()).has_value());
        git(path(), {"init", "-q", "-b", "main"});
    }
    std::string path(const std::string& name = {}) const {
        return join_path(join_path(directory_.path(), "project"), name);
    }
    std::string package(const std::string& name) const {
        return join_path(directory_.path(), "dist/" + name);
    }
    std::string beside(const std::string& name) const { return join_path(directory_.path(), name); }

    std::string git(const std::string& directory, std::vector<std::string> arguments) {
        Command command;
        command.argv = {"git"};
        command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
        const std::string date = fmt::format("{} +0000", time_);
        command.environment = {{"PATH", "/usr/bin:/bin"},
                               {"HOME", directory_.path()},
                               {"GIT_CONFIG_NOSYSTEM", "1"},
                               {"GIT_AUTHOR_NAME", "Ann Author"},
                               {"GIT_AUTHOR_EMAIL", "ann@example.com"},
                               {"GIT_COMMITTER_NAME", "Carl Committer"},
                               {"GIT_COMMITTER_EMAIL", "carl@example.com"},
                               {"GIT_AUTHOR_DATE", date},
                               {"GIT_COMMITTER_DATE", date}};
        command.directory = directory;
        const auto result = tarn::run(command);
        EXPECT_TRUE(result.has_value());
        EXPECT_EQ(result->exit_code, 0) << join(command.argv, " ") << "\n" << result->errors;
        return std::string(trim(result->output));
    }
    static void write_at(const std::string& file, const std::string& text) {
        ASSERT_TRUE(make_directories(parent_path(file)).has_value());
        ASSERT_TRUE(write_file_atomic(file, text).has_value());
    }
    void write(const std::string& name, const std::string& text) const {
        write_at(path(name), text);
    }
    std::string read(const std::string& name) const { return read_file(path(name)).value_or(""); }

    // The project's file: what every test needs, then `more`.
    void declare(const std::string& more) const {
        write("tarn.toml",
              fmt::format(R"(
[project]
default-distro = {{ name = "fedora" }}
[default-component-config]
spec = {{ upstream-distro = {{ name = "fedora" }} }}
[distros.fedora]
default-version = "43"
dist-git-base-uri = "file://{}/$pkg"
[distros.fedora.versions.43]
release-ver = "43"
dist-git-branch = "f43"
)",
                          directory_.path() + "/dist") +
                  more);
    }
    void add_local(const std::string& name, const std::string& text) const {
        write(name + "/" + name + ".spec", text);
    }
    // A day after the last commit.
    std::string commit(const std::string& message) {
        time_ += 86400;
        git(path(), {"add", "-A"});
        git(path(), {"commit", "-q", "--allow-empty", "-m", message});
        return git(path(), {"rev-parse", "HEAD"});
    }
    std::string commit_upstream(const std::string& name,
                                const std::string& file,
                                const std::string& text,
                                const std::string& message) {
        time_ += 86400;
        if (!path_exists(package(name))) {
            EXPECT_TRUE(make_directories(package(name)).has_value());
            git(package(name), {"init", "-q", "-b", "f43"});
            git(package(name), {"config", "uploadpack.allowFilter", "true"});
            git(package(name), {"config", "uploadpack.allowAnySHA1InWant", "true"});
        }
        write_at(join_path(package(name), file), text);
        git(package(name), {"add", "-A"});
        git(package(name), {"commit", "-q", "--allow-empty", "-m", message});
        return git(package(name), {"rev-parse", "HEAD"});
    }

    Result<Workspace> open(WorkspaceOptions options = {}) const {
        NullReporter quiet;
        if (options.directory.empty()) {
            options.directory = path();
        }
        options.store_directory = beside("store");
        options.network_retries = 1;
        options.jobs = 2;
        return Workspace::open(options, quiet);
    }
    static std::vector<const Component*> all(const Workspace& workspace) {
        std::vector<const Component*> components;
        for (const auto& [name, component] : workspace.project().components) {
            components.push_back(&component);
        }
        return components;
    }
    Result<RenderSpecsOutcome> render(RenderSpecsRequest request = {},
                                      const WorkspaceOptions& options = {}) const {
        NullReporter quiet;
        Workspace workspace = TARN_TRY(open(options));
        request.components = all(workspace);
        return render_specs(workspace, request, quiet);
    }
    Result<UpdateOutcome> update(UpdateRequest request = {}) const {
        NullReporter quiet;
        Workspace workspace = TARN_TRY(open());
        request.components = all(workspace);
        return update_components(workspace, request, quiet);
    }
    std::string rendered(const std::string& component) const {
        return read(fmt::format("specs/{}/{}/{}.spec", component[0], component, component));
    }
    // Until what was written is older than one tick of a file system's clock.
    static void settle() { std::this_thread::sleep_for(std::chrono::milliseconds(80)); }

  private:
    TempDir directory_;
    long time_ = 1'700'000'000;
};

inline std::string spec_text(const std::string& name,
                             const std::string& release,
                             const std::string& rest = {}) {
    return "Name: " + name + "\nVersion: 1\nRelease: " + release +
           "\nSummary: s\nLicense: MIT\n\n%description\nd\n" + rest;
}

}  // namespace tarn
