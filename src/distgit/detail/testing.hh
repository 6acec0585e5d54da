// SPDX-License-Identifier: MIT
// A dist-git for the tests: repositories made with the git program, served by `git daemon` on loopback,
// which is ended by its process id.
#pragma once

#include "base/fs.hh"
#include "base/process.hh"
#include "base/strings.hh"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace tarn::distgit {

inline Fd loopback_socket(int& port) {
    Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
    port = ntohs(address.sin_port);
    return fd;
}

inline bool answers(int port) {
    const Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    return ::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
}

class TestDistGit {
  public:
    TestDistGit() : directory_(*TempDir::make()) { start(); }
    const std::string& path() const { return directory_.path(); }
    std::string served(const std::string& package) const {
        return fmt::format("{}/srv/rpms/{}.git", path(), package);
    }
    std::string url(const std::string& package) const {
        return fmt::format("git://127.0.0.1:{}/rpms/{}.git", port_, package);
    }

    std::string git(const std::string& directory, std::vector<std::string> arguments,
                    const std::string& input = {}) {
        Command command;
        command.argv = {"git"};
        command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
        const std::string date = fmt::format("{} +0200", time_);
        command.environment = {{"PATH", "/usr/bin:/bin"},
                               {"HOME", path()},
                               {"GIT_CONFIG_NOSYSTEM", "1"},
                               {"GIT_AUTHOR_NAME", "Ann Author"},
                               {"GIT_AUTHOR_EMAIL", "ann@example.com"},
                               {"GIT_COMMITTER_NAME", "Carl Committer"},
                               {"GIT_COMMITTER_EMAIL", "carl@example.com"},
                               {"GIT_AUTHOR_DATE", date},
                               {"GIT_COMMITTER_DATE", date}};
        command.directory = directory;
        command.input = input;
        const auto result = run(command);
        EXPECT_TRUE(result.has_value());
        EXPECT_EQ(result->exit_code, 0) << join(command.argv, " ") << "\n" << result->errors;
        return std::string(trim(result->output));
    }

    // An empty repository with a work tree: the daemon serves it as it is.
    void add_package(const std::string& package, bool filters = true) {
        ASSERT_TRUE(make_directories(served(package)).has_value());
        git(served(package), {"init", "-q", "-b", "f43"});
        git(served(package), {"config", "uploadpack.allowFilter", filters ? "true" : "false"});
    }
    // One file changed, a minute after the last commit; the commit's id.
    std::string commit(const std::string& package, const std::string& file,
                       const std::string& text) {
        time_ += 60;
        const std::string name = join_path(served(package), file);
        EXPECT_TRUE(make_directories(parent_path(name)).has_value());
        EXPECT_TRUE(write_file_atomic(name, text).has_value());
        git(served(package), {"add", "-A"});
        git(served(package), {"commit", "-q", "-m", "Change " + file});
        return git(served(package), {"rev-parse", "HEAD"});
    }
    long time() const { return time_; }
    void tick(long seconds) { time_ += seconds; }

    // How often somebody fetched or listed, so far.
    std::size_t requests() const {
        const std::string log = read_file(path() + "/daemon.log").value_or("");
        std::size_t count = 0;
        for (const auto line : split_lines(log)) {
            count += contains(line, "Request upload-pack") ? 1U : 0U;
        }
        return count;
    }
    void stop() { daemon_.reset(); }

  private:
    void start() {
        ASSERT_TRUE(make_directories(path() + "/srv/rpms").has_value());
        for (int attempt = 0; attempt < 5 && !daemon_; ++attempt) {
            loopback_socket(port_).reset();
            const Fd log = *open_file(path() + "/daemon.log", O_WRONLY | O_CREAT | O_TRUNC);
            Command command;
            // Not through `git`, which would be the daemon's parent and outlive it.
            command.argv = {git_program("git-daemon"), "--listen=127.0.0.1",
                            fmt::format("--port={}", port_), "--base-path=" + path() + "/srv",
                            "--export-all", "--reuseaddr", "--verbose", "--log-destination=stderr"};
            command.environment = {{"PATH", "/usr/bin:/bin"},
                                   {"HOME", path()},
                                   {"GIT_CONFIG_NOSYSTEM", "1"}};
            command.output_fd = log.get();
            command.merge_error = true;
            // A test that crashes leaves no daemon behind.
            command.before_exec = [] { return ::prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 ? 0 : errno; };
            auto child = Child::start(command);
            ASSERT_TRUE(child.has_value()) << child.error().message;
            daemon_ = std::make_unique<Child>(std::move(*child));
            wait_until_it_answers();
        }
        ASSERT_TRUE(daemon_);
    }
    void wait_until_it_answers() {
        for (int i = 0; i < 1000; ++i) {
            if (answers(port_)) {
                return;
            }
            const auto ended = daemon_->poll();
            if (!ended || *ended) {
                daemon_.reset();  // somebody else took the port meanwhile
                return;
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
        daemon_.reset();
    }
    static std::string git_program(const std::string& name) {
        Command command;
        command.argv = {"git", "--exec-path"};
        const auto result = run(command);
        return join_path(trim(result->output), name);
    }

    TempDir directory_;
    int port_ = 0;
    std::unique_ptr<Child> daemon_;
    long time_ = 1'700'000'000;
};

}  // namespace tarn::distgit
