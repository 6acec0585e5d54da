// SPDX-License-Identifier: MIT
#include "distgit/distgit.hh"

#include "distgit/detail/place.hh"
#include "distgit/detail/testing.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/wait.h>

#include <thread>

namespace tarn::distgit {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Told : public NullReporter {
  public:
    void info(std::string_view line) override { lines.emplace_back(line); }
    std::vector<std::string> lines;
};

class DistGitTest : public testing::Test {
  protected:
    DistGitTest() : store_(*Store::open(server_.path() + "/store")) {
        options_.pause = std::chrono::milliseconds(0);
    }
    std::string cache() const { return server_.path() + "/cache"; }
    // As a new command would.
    DistGit open() { return *DistGit::open(cache(), options_); }
    PackageSource source(const std::string& package, const std::string& branch = "f43") const {
        return {server_.url(package), package, branch};
    }
    std::string host() const { return join_path(cache(), list_directory(cache())->front()); }

    TestDistGit server_;
    Store store_;
    Options options_;
};

TEST_F(DistGitTest, HeadIsFetchedOncePerRun) {
    server_.add_package("acl");
    const auto first = server_.commit("acl", "acl.spec", "1");
    auto run = open();
    EXPECT_EQ(run.resolve(source("acl"), {}), first);
    const auto asked = server_.requests();
    const auto second = server_.commit("acl", "acl.spec", "2");
    EXPECT_EQ(run.resolve(source("acl"), {}), first);
    EXPECT_EQ(server_.requests(), asked);
    EXPECT_EQ(open().resolve(source("acl"), {}), second);
    EXPECT_EQ(server_.requests(), asked + 1);
}

TEST_F(DistGitTest, PinnedCommitThatIsThereIsNotAskedFor) {
    server_.add_package("acl");
    const auto first = server_.commit("acl", "acl.spec", "1");
    server_.commit("acl", "acl.spec", "2");
    EXPECT_EQ(open().resolve(source("acl"), {first, {}}), first);
    EXPECT_EQ(open().resolve(source("acl"), {first.substr(0, 12), {}}), first);
    EXPECT_EQ(server_.requests(), 1U);
    server_.stop();
    EXPECT_EQ(open().resolve(source("acl"), {first, {}}), first);
    EXPECT_EQ(open().resolve(source("acl"), {to_lower(first).substr(0, 7), "1999-01-01T00:00:00Z"}),
              first);
}

TEST_F(DistGitTest, UnknownShortIdSaysWhatWouldDo) {
    server_.add_package("acl");
    server_.commit("acl", "acl.spec", "1");
    const auto id = open().resolve(source("acl"), {"0123456", {}});
    ASSERT_FALSE(id.has_value());
    EXPECT_EQ(id.error().kind, ErrorKind::kNotFound);
    EXPECT_EQ(id.error().message,
              fmt::format("acl: no commit of branch f43 of {} begins with 0123456",
                          server_.url("acl")));
    EXPECT_THAT(id.error().help, Contains(HasSubstr("40 digits")));
}

TEST_F(DistGitTest, SnapshotIsTheFirstOfTheFirstParentsNotYounger) {
    server_.add_package("acl");
    const auto first = server_.commit("acl", "acl.spec", "1");
    const long first_time = server_.time();
    // Merged later, made before: on no first-parent chain.
    server_.git(server_.served("acl"), {"checkout", "-q", "-b", "side"});
    server_.commit("acl", "side", "x");
    const long side_time = server_.time();
    server_.git(server_.served("acl"), {"checkout", "-q", "f43"});
    server_.tick(60);
    server_.git(server_.served("acl"), {"merge", "-q", "--no-ff", "-m", "Merge", "side"});
    const auto merged = server_.git(server_.served("acl"), {"rev-parse", "HEAD"});
    const auto at = [](long time) {
        std::tm parts{};
        const std::time_t seconds = time;
        gmtime_r(&seconds, &parts);
        char text[32];
        std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
        return std::string(text);
    };
    EXPECT_EQ(open().resolve(source("acl"), {{}, at(side_time)}), first);
    EXPECT_EQ(open().resolve(source("acl"), {{}, at(first_time)}), first);
    EXPECT_EQ(open().resolve(source("acl"), {{}, at(server_.time())}), merged);
    EXPECT_EQ(open().resolve(source("acl"), {{}, "2025-01-01T00:00:00+02:00"}), merged);
    EXPECT_EQ(server_.requests(), 1U);  // fetched after all these times
    const auto none = open().resolve(source("acl"), {{}, at(first_time - 1)});
    ASSERT_FALSE(none.has_value());
    EXPECT_THAT(none.error().message, HasSubstr("has no commit at or before 2023-11-14T22:14:19Z"));
}

TEST_F(DistGitTest, SnapshotLaterThanTheLastFetchIsFetchedAgain) {
    server_.add_package("acl");
    const auto first = server_.commit("acl", "acl.spec", "1");
    const CommitChoice far{{}, "2999-01-01T00:00:00Z"};
    EXPECT_EQ(open().resolve(source("acl"), far), first);
    const auto second = server_.commit("acl", "acl.spec", "2");
    EXPECT_EQ(open().resolve(source("acl"), far), second);
}

// Only who says so asks again: the answer to an old snapshot changes when history is rewritten.
TEST_F(DistGitTest, SnapshotsAreAskedForAgainOnDemand) {
    server_.add_package("acl");
    const auto first = server_.commit("acl", "acl.spec", "1");
    const CommitChoice snapshot{{}, "2024-01-01T00:00:00Z"};
    EXPECT_EQ(open().resolve(source("acl"), snapshot), first);
    server_.git(server_.served("acl"), {"commit", "-q", "--amend", "-m", "Other"});
    const auto rewritten = server_.git(server_.served("acl"), {"rev-parse", "HEAD"});
    EXPECT_EQ(open().resolve(source("acl"), snapshot), first);
    EXPECT_EQ(server_.requests(), 1U);
    options_.ask_again = true;
    auto run = open();
    EXPECT_EQ(run.resolve(source("acl"), snapshot), rewritten);
    EXPECT_EQ(run.resolve(source("acl"), snapshot), rewritten);
    EXPECT_EQ(run.resolve(source("acl"), {first, {}}), first) << "a full id is not asked for";
    EXPECT_EQ(server_.requests(), 2U);
    options_.offline = true;
    EXPECT_EQ(open().resolve(source("acl"), snapshot), rewritten);
    EXPECT_EQ(server_.requests(), 2U);
}

TEST_F(DistGitTest, RewrittenBranchKeepsItsLockedCommitsWhileTheServerHasThem) {
    server_.add_package("acl");
    server_.commit("acl", "acl.spec", "1");
    const auto locked = server_.commit("acl", "acl.spec", "2");
    server_.git(server_.served("acl"), {"reset", "-q", "--hard", "HEAD~1"});
    const auto rewritten = server_.commit("acl", "acl.spec", "3");
    EXPECT_EQ(open().resolve(source("acl"), {locked, {}}), locked);
    EXPECT_EQ(open().checkout(store_, source("acl"), locked)->entries().size(), 1U);
    EXPECT_EQ(open().resolve(source("acl"), {}), rewritten);

    const std::string gone(40, '1');
    const auto lost = open().resolve(source("acl"), {gone, {}});
    ASSERT_FALSE(lost.has_value());
    EXPECT_EQ(lost.error().kind, ErrorKind::kNotFound);
    EXPECT_THAT(lost.error().message, HasSubstr("has no commit " + gone + " any more"));
    EXPECT_THAT(lost.error().help, Contains(HasSubstr("tarn component update")));
}

TEST_F(DistGitTest, RewrittenHeadReplacesWhatWasKnown) {
    server_.add_package("acl");
    server_.commit("acl", "acl.spec", "1");
    EXPECT_TRUE(open().resolve(source("acl"), {}).has_value());
    server_.git(server_.served("acl"), {"commit", "-q", "--amend", "-m", "Other"});
    EXPECT_EQ(open().resolve(source("acl"), {}),
              server_.git(server_.served("acl"), {"rev-parse", "HEAD"}));
}

TEST_F(DistGitTest, ContentsComeInOneFurtherRequest) {
    server_.add_package("acl");
    server_.commit("acl", "acl.spec", "old");
    for (const char* name : {"a", "b", "tests/c"}) {
        server_.commit("acl", name, std::string("content of ") + name);
    }
    ASSERT_EQ(::symlink("tests/c", (server_.served("acl") + "/link").c_str()), 0);
    ASSERT_EQ(::chmod((server_.served("acl") + "/a").c_str(), 0755), 0);
    server_.git(server_.served("acl"),
                {"update-index", "--add", "--cacheinfo",
                 "160000,1111111111111111111111111111111111111111,module"});
    server_.git(server_.served("acl"), {"add", "a", "link"});
    server_.git(server_.served("acl"), {"commit", "-q", "-m", "Kinds"});
    const auto tip = *open().resolve(source("acl"), {});
    EXPECT_EQ(server_.requests(), 1U);
    EXPECT_FALSE(git::Repository::open(host())->blob(
        git::Repository::open(host())->find(tip, "b").value()->id));  // history only, so far

    const auto tree = open().checkout(store_, source("acl"), tip);
    ASSERT_TRUE(tree.has_value()) << tree.error().message;
    EXPECT_EQ(server_.requests(), 2U);
    std::vector<std::string> shown;
    for (const TreeEntry& entry : tree->entries()) {
        shown.push_back(fmt::format("{} {:o} {}", entry.path, entry.mode, entry.target));
        EXPECT_EQ(entry.mtime, 0);
    }
    EXPECT_THAT(shown, ElementsAre("a 755 ", "acl.spec 644 ", "b 644 ", "link 777 tests/c",
                                   "tests/c 644 "));
    EXPECT_EQ(store_.read(tree->find("tests/c")->content), "content of tests/c");
    server_.stop();
    EXPECT_EQ(open().checkout(store_, source("acl"), tip)->digest(), tree->digest());
    ASSERT_TRUE(remove_tree(cache()).has_value());  // the store remembers
    EXPECT_EQ(open().checkout(store_, source("acl"), tip)->digest(), tree->digest());
}

TEST_F(DistGitTest, HistoryBringsEveryVersionOfTheFilesNamed) {
    server_.add_package("acl");
    std::vector<std::string> commits;
    for (const char* text : {"one", "two", "three"}) {
        commits.push_back(server_.commit("acl", "acl.spec", text));
        server_.commit("acl", "other", std::string("other ") + text);
    }
    const auto tip = *open().resolve(source("acl"), {});
    const auto repository = open().history(source("acl"), tip, {"acl.spec", "changelog"});
    ASSERT_TRUE(repository.has_value()) << repository.error().message;
    EXPECT_EQ(server_.requests(), 2U);
    EXPECT_EQ(repository->blob((*repository->find(commits[1], "acl.spec"))->id), "two");
    EXPECT_FALSE(repository->blob((*repository->find(tip, "other"))->id).has_value());
    server_.stop();
    EXPECT_TRUE(open().history(source("acl"), tip, {"acl.spec"}).has_value());
}

TEST_F(DistGitTest, ServerWithoutFiltersSendsAllAndIsNamedOnce) {
    for (const char* package : {"acl", "attr"}) {
        server_.add_package(package, false);
        server_.commit(package, "x.spec", package);
    }
    Told told;
    const auto ids =
        open().resolve_all({source("acl"), source("attr")}, {{}, {}}, 2, told);
    ASSERT_TRUE(ids[0].has_value() && ids[1].has_value());
    ASSERT_EQ(told.lines.size(), 1U);
    EXPECT_THAT(told.lines[0], HasSubstr("cannot send history without contents"));
    server_.stop();
    EXPECT_TRUE(open().checkout(store_, source("acl"), *ids[0]).has_value());
}

TEST_F(DistGitTest, EmptyDistGitSaysSo) {
    server_.add_package("acl");
    const auto id = open().resolve(source("acl"), {});
    ASSERT_FALSE(id.has_value());
    EXPECT_EQ(id.error().kind, ErrorKind::kNotFound);
    EXPECT_THAT(id.error().notes, Contains("it is empty: it has no branch at all"));
}

TEST_F(DistGitTest, MissingBranchNamesThoseThere) {
    server_.add_package("acl");
    server_.commit("acl", "acl.spec", "1");
    const auto id = open().resolve(source("acl", "f34"), {});
    ASSERT_FALSE(id.has_value());
    EXPECT_EQ(id.error().message,
              fmt::format("acl: {} has no branch `f34`", server_.url("acl")));
    EXPECT_THAT(id.error().notes, Contains("it has: f43"));
    EXPECT_THAT(open().resolve(source("acl", "f433"), {}).error().help,
                Contains("did you mean `f43`?"));
}

TEST_F(DistGitTest, MissingRepositoryIsNotTriedAgain) {
    const auto id = open().resolve(source("nothing"), {});
    ASSERT_FALSE(id.has_value());
    EXPECT_EQ(id.error().kind, ErrorKind::kNotFound);
    EXPECT_THAT(id.error().message, HasSubstr("is no git repository"));
    EXPECT_EQ(server_.requests(), 1U);
}

TEST_F(DistGitTest, ShallowDistGitIsRefusedAndLeavesNothing) {
    server_.add_package("acl");
    server_.commit("acl", "acl.spec", "1");
    const auto tip = server_.commit("acl", "acl.spec", "2");
    server_.git(server_.path(), {"clone", "-q", "--depth=1", "file://" + server_.served("acl"),
                                 server_.served("cut")});
    const auto id = open().resolve(source("cut"), {});
    ASSERT_FALSE(id.has_value());
    EXPECT_EQ(id.error().message,
              fmt::format("cut: {} does not send the beginning of its history",
                          server_.url("cut")));
    EXPECT_LE(server_.requests(), 2U);  // git may begin to ask for what is missing
    EXPECT_FALSE(git::Repository::open(host())->has(tip));
    EXPECT_EQ(open().resolve(source("acl"), {}), tip);
    EXPECT_EQ(git::Repository::open(host())->ancestors(tip)->size(), 2U);
}

TEST_F(DistGitTest, ManyAtOnceByIndexWithErrorsOfTheirOwn) {
    std::vector<PackageSource> sources;
    std::vector<std::string> expected;
    for (int i = 0; i < 6; ++i) {
        const auto name = fmt::format("package{}", i);
        server_.add_package(name);
        expected.push_back(server_.commit(name, "x.spec", name));
        sources.push_back(source(name));
    }
    sources.push_back(source("absent"));
    sources.push_back({"ext::sh -c x", "x", "f43"});
    sources.push_back(sources.front());
    NullReporter quiet;
    const auto ids =
        open().resolve_all(sources, std::vector<CommitChoice>(sources.size()), 4, quiet);
    for (std::size_t i = 0; i < expected.size(); ++i) {
        EXPECT_EQ(ids[i], expected[i]);
    }
    EXPECT_EQ(ids[6].error().kind, ErrorKind::kNotFound);
    EXPECT_EQ(ids[7].error().kind, ErrorKind::kUsage);
    EXPECT_EQ(ids[8], expected[0]);
    EXPECT_EQ(server_.requests(), 7U);  // the branch named twice was asked for once
}

TEST_F(DistGitTest, TwoProcessesAtOnceAreSafe) {
    for (int i = 0; i < 4; ++i) {
        const auto name = fmt::format("package{}", i);
        server_.add_package(name);
        server_.commit(name, "x.spec", name);
    }
    std::vector<pid_t> children;
    for (int child = 0; child < 2; ++child) {
        const pid_t pid = ::fork();
        if (pid == 0) {
            bool good = true;
            auto dist_git = DistGit::open(cache(), options_);
            for (int i = 0; good && i < 4; ++i) {
                const auto from = source(fmt::format("package{}", i));
                const auto id = dist_git->resolve(from, {});
                good = id && dist_git->checkout(store_, from, *id);
            }
            ::_exit(good ? 0 : 1);
        }
        children.push_back(pid);
    }
    for (const pid_t pid : children) {
        int status = 0;
        ASSERT_EQ(::waitpid(pid, &status, 0), pid);
        EXPECT_EQ(status, 0);
    }
}

TEST_F(DistGitTest, WhatAKillLeftIsClearedAway) {
    server_.add_package("acl");
    const auto first = server_.commit("acl", "acl.spec", "1");
    EXPECT_EQ(open().resolve(source("acl"), {}), first);
    const auto second = server_.commit("acl", "acl.spec", "2");
    const auto place = *detail::place_of(source("acl"));
    const auto left = fmt::format("{}/tarn/{}.fetch", host(), place.key);
    ASSERT_TRUE(make_directories(left + "/refs/tarn").has_value());
    ASSERT_TRUE(write_file_atomic(left + "/refs/tarn/fetched.lock", "").has_value());
    ASSERT_TRUE(write_file_atomic(left + "/HEAD", "rubbish").has_value());
    ASSERT_TRUE(write_file_atomic(host() + "/objects/pack/tmp_pack_x", "half").has_value());
    ASSERT_TRUE(write_file_atomic(join_path(host(), place.ref()), "").has_value());
    EXPECT_EQ(open().resolve(source("acl"), {}), second);
    EXPECT_FALSE(path_exists(left));
}

TEST_F(DistGitTest, WaitingForTheLockCanBeStopped) {
    server_.add_package("acl");
    server_.commit("acl", "acl.spec", "1");
    EXPECT_TRUE(open().resolve(source("acl"), {}).has_value());
    const auto place = *detail::place_of(source("acl"));
    const Fd lock = *open_file(fmt::format("{}/tarn/{}.lock", host(), place.key), O_RDWR);
    ASSERT_EQ(::flock(lock.get(), LOCK_EX), 0);
    std::stop_source stop;
    options_.stop = stop.get_token();
    auto waiting = open();
    std::jthread stopper([&] { stop.request_stop(); });
    const auto id = waiting.resolve(source("acl"), {});
    ASSERT_FALSE(id.has_value());
    EXPECT_EQ(id.error().kind, ErrorKind::kInterrupted);
}

TEST_F(DistGitTest, OfflineAnswersFromWhatIsThereAndSaysWhenItCannot) {
    server_.add_package("acl");
    server_.add_package("attr");
    const auto tip = server_.commit("acl", "acl.spec", "1");
    EXPECT_EQ(open().resolve(source("acl"), {}), tip);
    const auto asked = server_.requests();
    options_.offline = true;
    EXPECT_EQ(open().resolve(source("acl"), {}), tip);
    EXPECT_EQ(open().resolve(source("acl"), {{}, "2024-01-01T00:00:00Z"}), tip);
    for (const auto& result : {open().resolve(source("attr"), {}),
                               open().resolve(source("acl"), {{}, "2999-01-01T00:00:00Z"}),
                               open().resolve(source("acl"), {std::string(40, '2'), {}})}) {
        ASSERT_FALSE(result.has_value());
        EXPECT_EQ(result.error().kind, ErrorKind::kNetwork);
        EXPECT_THAT(result.error().message, HasSubstr("--offline"));
    }
    const auto tree = open().checkout(store_, source("acl"), tip);
    ASSERT_FALSE(tree.has_value());
    EXPECT_THAT(tree.error().message, HasSubstr("1 files of"));
    EXPECT_EQ(server_.requests(), asked);
}

TEST_F(DistGitTest, BadChoicesAreRefusedBeforeAnythingIsAsked) {
    EXPECT_EQ(open().resolve(source("acl"), {"master", {}}).error().kind, ErrorKind::kUsage);
    EXPECT_EQ(open().resolve(source("acl"), {{}, "yesterday"}).error().kind, ErrorKind::kUsage);
    EXPECT_EQ(server_.requests(), 0U);
}

// Every package is its own pack at first; contents that are not there do not matter.
TEST_F(DistGitTest, ManyPacksBecomeFew) {
    std::vector<PackageSource> sources;
    std::vector<std::string> tips;
    for (int i = 0; i < 70; ++i) {
        const auto name = fmt::format("package{}", i);
        server_.add_package(name);
        server_.commit(name, "x.spec", name + " 1");
        tips.push_back(server_.commit(name, "x.spec", name + " 2"));
        sources.push_back({"file://" + server_.served(name), name, "f43"});
    }
    NullReporter quiet;
    const auto ids =
        open().resolve_all(sources, std::vector<CommitChoice>(sources.size()), 2, quiet);
    std::size_t packs = 0;
    const std::vector<std::string> files = *list_directory(host() + "/objects/pack");
    for (const std::string& name : files) {
        packs += name.ends_with(".pack") ? 1U : 0U;
        EXPECT_TRUE(path_exists(host() + "/objects/pack/" + name.substr(0, name.rfind('.')) + ".pack"))
            << name;
    }
    EXPECT_LT(packs, 60U);
    const auto repository = git::Repository::open(host());
    for (std::size_t i = 0; i < sources.size(); ++i) {
        ASSERT_TRUE(ids[i].has_value()) << ids[i].error().message;
        EXPECT_EQ(*ids[i], tips[i]);
        EXPECT_EQ(repository->ancestors(tips[i])->size(), 2U);
    }
    const auto tree = open().checkout(store_, sources[0], tips[0]);
    ASSERT_TRUE(tree.has_value()) << tree.error().message;
    EXPECT_EQ(store_.read(tree->find("x.spec")->content), "package0 2");
    const auto next = server_.commit("package0", "x.spec", "3");
    EXPECT_EQ(open().resolve(sources[0], {}), next);
}

TEST_F(DistGitTest, OfARepositoryOnThisMachineTheHeadIsLookedAtFirst) {
    server_.add_package("acl");
    const auto first = server_.commit("acl", "acl.spec", "1");
    const PackageSource here{"file://" + server_.served("acl"), "acl", "f43"};
    EXPECT_EQ(open().resolve(here, {}), first);
    const char* before = std::getenv("PATH");
    const std::string path = before != nullptr ? before : "";
    ::setenv("PATH", "/nonexistent", 1);  // no git
    const auto again = open().resolve(here, {});
    ::setenv("PATH", path.c_str(), 1);
    EXPECT_EQ(again, first);
    const auto second = server_.commit("acl", "acl.spec", "2");
    EXPECT_EQ(open().resolve(here, {}), second);
}

// A server that accepts and says `answer`, then goes on as `after` says.
class Broken {
  public:
    enum class After { kClose, kWait };
    Broken(std::string answer, After after) : socket_(loopback_socket(port_)) {
        EXPECT_EQ(::listen(socket_.get(), 8), 0);
        thread_ = std::jthread([this, answer, after](std::stop_token stop) {
            std::vector<Fd> open;
            while (!stop.stop_requested()) {
                Fd client(::accept(socket_.get(), nullptr, nullptr));
                if (stop.stop_requested() || !client) {
                    return;
                }
                ++connections_;
                char request[512];
                static_cast<void>(::read(client.get(), request, sizeof request));
                static_cast<void>(write_all(client.get(), answer, "client"));
                if (after == After::kWait) {
                    open.push_back(std::move(client));
                }
            }
        });
    }
    ~Broken() {
        thread_.request_stop();
        ::shutdown(socket_.get(), SHUT_RDWR);
    }
    std::string url() const { return fmt::format("git://127.0.0.1:{}/acl", port_); }
    int connections() const { return connections_; }

  private:
    int port_ = 0;
    Fd socket_;
    std::atomic<int> connections_ = 0;
    std::jthread thread_;
};

TEST_F(DistGitTest, CutOffServerIsTriedAgainThenNamed) {
    const Broken server("000eversion 2\n0015age", Broken::After::kClose);
    const auto id = open().resolve({server.url(), "acl", "f43"}, {});
    ASSERT_FALSE(id.has_value());
    EXPECT_EQ(id.error().kind, ErrorKind::kNetwork);
    EXPECT_THAT(id.error().message, HasSubstr("acl: cannot fetch " + server.url()));
    EXPECT_THAT(id.error().notes, Contains("tried 3 times"));
    EXPECT_EQ(server.connections(), 3);
}

TEST_F(DistGitTest, SilentServerIsGivenUp) {
    const Broken server("", Broken::After::kWait);
    options_.timeout = std::chrono::seconds(1);
    options_.attempts = 1;
    const auto id = open().resolve({server.url(), "acl", "f43"}, {});
    ASSERT_FALSE(id.has_value());
    EXPECT_THAT(id.error().message, HasSubstr("no end after 1 s"));
}

TEST_F(DistGitTest, ServerThatSpeaksRubbishIsAnError) {
    options_.attempts = 1;
    for (const std::string& answer :
         {std::string("HTTP/1.1 200 OK\r\n\r\n"), std::string(100, '\0'), std::string("fffe")}) {
        const Broken server(answer, Broken::After::kClose);
        const auto id = open().resolve({server.url(), "acl", "f43"}, {});
        ASSERT_FALSE(id.has_value());
        EXPECT_EQ(id.error().kind, ErrorKind::kNetwork);
    }
}

TEST_F(DistGitTest, CutOffPackLeavesTheRepositoryUsable) {
    server_.add_package("acl");
    const auto tip = server_.commit("acl", "acl.spec", "1");
    // The server ends in the middle of the pack.
    const auto hook = server_.path() + "/cut";
    ASSERT_TRUE(write_file_atomic(hook, "#!/bin/sh\n\"$@\" | head -c 60\n", 0755).has_value());
    server_.git(server_.path(), {"config", "-f", server_.path() + "/.gitconfig",
                                 "uploadpack.packObjectsHook", hook});
    const auto id = open().resolve(source("acl"), {});
    ASSERT_FALSE(id.has_value());
    EXPECT_EQ(id.error().kind, ErrorKind::kNetwork);
    EXPECT_THAT(*list_directory(host() + "/objects/pack"), IsEmpty());
    ASSERT_TRUE(remove_tree(server_.path() + "/.gitconfig").has_value());
    EXPECT_EQ(open().resolve(source("acl"), {}), tip);
}

}  // namespace
}  // namespace tarn::distgit
