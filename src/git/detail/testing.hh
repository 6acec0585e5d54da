// SPDX-License-Identifier: MIT
// Repositories for the tests, made with the git program; every date and name is fixed.
#pragma once

#include "base/fs.hh"
#include "base/process.hh"
#include "base/strings.hh"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tarn::git {

class TestRepository {
  public:
    TestRepository() : directory_(TempDir::make().value()) {
        run({"init", "-q", "-b", "main", path()});
        run({"config", "user.name", "Nobody"});
    }
    std::string path() const { return join_path(directory_.path(), "repo"); }
    // Another place beside the repository.
    std::string beside(const std::string& name) const { return join_path(directory_.path(), name); }

    // What git prints, without the last newline.
    std::string run(std::vector<std::string> arguments, const std::string& input = {}) {
        Command command;
        command.argv = {"git"};
        for (std::string& argument : arguments) {
            command.argv.push_back(std::move(argument));
        }
        const std::string date = fmt::format("{} +0200", time_);
        command.environment = {{"PATH", "/usr/bin:/bin"},
                               {"HOME", directory_.path()},
                               {"GIT_CONFIG_NOSYSTEM", "1"},
                               {"GIT_AUTHOR_NAME", "Ann Author"},
                               {"GIT_AUTHOR_EMAIL", "ann@example.com"},
                               {"GIT_COMMITTER_NAME", "Carl Committer"},
                               {"GIT_COMMITTER_EMAIL", "carl@example.com"},
                               {"GIT_AUTHOR_DATE", date},
                               {"GIT_COMMITTER_DATE", date}};
        command.directory = is_directory(path()) ? path() : directory_.path();
        command.input = input;
        const auto result = tarn::run(command);
        EXPECT_TRUE(result.has_value());
        EXPECT_EQ(result->exit_code, 0) << join(command.argv, " ") << "\n" << result->errors;
        return std::string(trim(result->output));
    }
    void write(const std::string& name, std::string_view text) {
        const std::string file = join_path(path(), name);
        ASSERT_TRUE(make_directories(parent_path(file)).has_value());
        ASSERT_TRUE(write_file_atomic(file, text).has_value());
    }
    // Everything there is, a minute after the last one.
    std::string commit(const std::string& message) {
        time_ += 60;
        run({"add", "-A"});
        run({"commit", "-q", "--allow-empty", "--cleanup=verbatim", "-F", "-"}, message);
        return head();
    }
    std::string commit_file(const std::string& name, std::string_view text) {
        write(name, text);
        return commit("Change " + name);
    }
    std::string head() { return run({"rev-parse", "HEAD"}); }
    void tick(long seconds) { time_ += seconds; }

  private:
    TempDir directory_;
    long time_ = 1'500'000'000;
};

}  // namespace tarn::git
