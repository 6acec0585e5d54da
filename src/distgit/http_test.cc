// SPDX-License-Identifier: MIT
// Dist-git over http, on loopback: git's own server program behind a small web server, and files alone.
#include "distgit/detail/testing.hh"
#include "distgit/distgit.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>

#include <mutex>
#include <thread>

namespace tarn::distgit {
namespace {

using testing::Contains;
using testing::HasSubstr;

class Told : public NullReporter {
  public:
    void info(std::string_view line) override { lines.emplace_back(line); }
    std::vector<std::string> lines;
};

class HttpDistGit : public testing::Test {
  protected:
    HttpDistGit() : store_(*Store::open(server_.path() + "/store")) {
        ::setenv("no_proxy", "127.0.0.1", 1);
        options_.pause = std::chrono::milliseconds(0);
        port_ = web_.bind_to_any_port("127.0.0.1");
        web_.set_keep_alive_timeout(1);
        const auto smart = [this](const auto& request, auto& response) {
            backend(request, response);
        };
        web_.Get("/smart/.*", smart);
        web_.Post("/smart/.*", smart);
        web_.Get("/files/(.*)", [this](const auto& request, auto& response) {
            note(request.path);
            const auto bytes = read_file(server_.path() + "/srv/rpms/" + request.matches[1].str());
            response.status = bytes ? 200 : 404;
            response.set_content(bytes.value_or(""), "application/octet-stream");
        });
        for (const int status : {401, 403, 404, 500}) {
            web_.Get(fmt::format("/{}/.*", status), [this, status](const auto& request, auto& response) {
                note(request.path);
                response.status = status;
            });
        }
        thread_ = std::thread([this] { web_.listen_after_bind(); });
        while (!web_.is_running()) {
            std::this_thread::yield();
        }
    }
    ~HttpDistGit() override {
        web_.stop();
        thread_.join();
    }
    void note(const std::string& path) {
        const std::lock_guard guard(mutex_);
        asked_.push_back(path);
    }
    std::size_t asked() {
        const std::lock_guard guard(mutex_);
        return asked_.size();
    }
    // As a web server runs a CGI program.
    void backend(const httplib::Request& request, httplib::Response& response) {
        note(request.path);
        const std::size_t question = request.target.find('?');
        Command command;
        command.argv = {"git", "http-backend"};
        command.environment = {
            {"PATH", "/usr/bin:/bin"},
            {"HOME", server_.path()},
            {"GIT_PROJECT_ROOT", server_.path() + "/srv/rpms"},
            {"GIT_HTTP_EXPORT_ALL", "1"},
            {"GIT_PROTOCOL", request.get_header_value("Git-Protocol")},
            {"REQUEST_METHOD", request.method},
            {"PATH_INFO", request.path.substr(std::string_view("/smart").size())},
            {"QUERY_STRING",
             question == std::string::npos ? "" : request.target.substr(question + 1)},
            {"CONTENT_TYPE", request.get_header_value("Content-Type")},
            {"CONTENT_LENGTH", std::to_string(request.body.size())},
            {"HTTP_CONTENT_ENCODING", request.body.starts_with("\x1f\x8b") ? "gzip" : ""},
            {"REMOTE_ADDR", "127.0.0.1"}};
        command.input = request.body;
        const auto result = run(command);
        const std::size_t end = result ? result->output.find("\r\n\r\n") : std::string::npos;
        if (end == std::string::npos) {
            response.status = 500;
            return;
        }
        std::string type = "text/plain";
        response.status = 200;
        for (const std::string_view line : split_lines(result->output.substr(0, end))) {
            if (line.starts_with("Status: ")) {
                response.status = static_cast<int>(parse_u64(line.substr(8, 3)).value_or(500));
            } else if (line.starts_with("Content-Type: ")) {
                type = trim(line.substr(14));
            }
        }
        response.set_content(result->output.substr(end + 4), type);
    }
    PackageSource source(const std::string& kind, const std::string& package) const {
        return {fmt::format("http://127.0.0.1:{}/{}/{}.git", port_, kind, package), package, "f43"};
    }
    DistGit open() { return *DistGit::open(server_.path() + "/cache", options_); }

    TestDistGit server_;
    Store store_;
    Options options_;
    httplib::Server web_;
    int port_ = 0;
    std::thread thread_;
    std::mutex mutex_;
    std::vector<std::string> asked_;
};

TEST_F(HttpDistGit, HistoryThenContents) {
    server_.add_package("acl");
    const auto first = server_.commit("acl", "acl.spec", "old");
    const auto tip = server_.commit("acl", "acl.spec", "new");
    Told told;
    const auto ids = open().resolve_all({source("smart", "acl")}, {{}}, 2, told);
    ASSERT_TRUE(ids[0].has_value()) << ids[0].error().message;
    EXPECT_EQ(*ids[0], tip);
    EXPECT_THAT(told.lines, testing::IsEmpty());
    const auto before = asked();
    for (const auto& [commit, text] : {std::pair(first, "old"), std::pair(tip, "new")}) {
        const auto tree = open().checkout(store_, source("smart", "acl"), commit);
        ASSERT_TRUE(tree.has_value()) << tree.error().message;
        EXPECT_EQ(store_.read(tree->find("acl.spec")->content), text);
    }
    EXPECT_GT(asked(), before) << "contents were left out at first";
    const auto after = asked();
    EXPECT_TRUE(open().checkout(store_, source("smart", "acl"), first).has_value());
    EXPECT_EQ(asked(), after);
}

TEST_F(HttpDistGit, WhatIsNewIsFetchedOverWhatIsThere) {
    server_.add_package("acl");
    server_.commit("acl", "acl.spec", "1");
    ASSERT_TRUE(open().resolve(source("smart", "acl"), {}).has_value());
    const auto tip = server_.commit("acl", "acl.spec", "2");
    EXPECT_EQ(open().resolve(source("smart", "acl"), {}), tip);
    const auto history = open().history(source("smart", "acl"), tip, {"acl.spec"});
    ASSERT_TRUE(history.has_value()) << history.error().message;
    EXPECT_EQ(history->ancestors(tip)->size(), 2U);
}

TEST_F(HttpDistGit, WithoutFiltersAllIsFetchedAndSaid) {
    server_.add_package("acl", false);
    const auto tip = server_.commit("acl", "acl.spec", "1");
    Told told;
    EXPECT_EQ(open().resolve_all({source("smart", "acl")}, {{}}, 2, told)[0], tip);
    EXPECT_THAT(told.lines, Contains(HasSubstr("cannot send history without contents")));
    const auto before = asked();
    EXPECT_TRUE(open().checkout(store_, source("smart", "acl"), tip).has_value());
    EXPECT_EQ(asked(), before);
}

// A server of files knows neither filters nor objects by id.
TEST_F(HttpDistGit, FilesAloneDo) {
    server_.add_package("acl");
    const auto first = server_.commit("acl", "acl.spec", "1");
    const auto tip = server_.commit("acl", "acl.spec", "2");
    server_.git(server_.served("acl"), {"gc", "-q"});
    server_.git(server_.served("acl"), {"update-server-info"});
    PackageSource plain = source("files", "acl");
    plain.url += "/.git";
    Told told;
    const auto ids = open().resolve_all({plain}, {{}}, 2, told);
    ASSERT_TRUE(ids[0].has_value()) << ids[0].error().message;
    EXPECT_EQ(*ids[0], tip);
    EXPECT_THAT(told.lines, Contains(HasSubstr("cannot send history without contents")));
    const auto tree = open().checkout(store_, plain, first);
    ASSERT_TRUE(tree.has_value()) << tree.error().message;
    EXPECT_EQ(store_.read(tree->find("acl.spec")->content), "1");
    const auto later = server_.commit("acl", "acl.spec", "3");
    server_.git(server_.served("acl"), {"update-server-info"});
    const auto again = open().resolve(plain, {});
    ASSERT_TRUE(again.has_value()) << again.error().message;
    EXPECT_EQ(*again, later);
}

TEST_F(HttpDistGit, StatusesBecomeErrorsThatSayWhatToDo) {
    for (const auto& [kind, expected, requests] :
         {std::tuple("401", "refuses access", 1U), std::tuple("403", "refuses access", 1U),
          std::tuple("404", "is no git repository", 1U), std::tuple("500", "cannot fetch", 3U)}) {
        const auto before = asked();
        const auto id = open().resolve(source(kind, "acl"), {});
        ASSERT_FALSE(id.has_value());
        EXPECT_THAT(id.error().message, HasSubstr(expected)) << kind;
        EXPECT_FALSE(id.error().help.empty());
        EXPECT_GE(asked() - before, requests) << kind;
        EXPECT_LE(asked() - before, 2 * requests) << kind;
    }
}

}  // namespace
}  // namespace tarn::distgit
