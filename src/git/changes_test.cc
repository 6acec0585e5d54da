// SPDX-License-Identifier: MIT
#include "git/detail/testing.hh"
#include "git/detail/tree_diff.hh"
#include "git/git.hh"

#include <gmock/gmock.h>

#include <random>

namespace tarn::git {
namespace {

using testing::ElementsAre;

using History = std::map<std::string, std::vector<PathChange>>;

History history_of(TestRepository& made, std::string_view directory = "locks") {
    auto history = Repository::open(made.path()).value().changes_below(made.head(), directory);
    EXPECT_TRUE(history.has_value()) << history.error().message;
    return std::move(*history);
}

std::vector<std::string> commits_of(const std::vector<PathChange>& changes) {
    std::vector<std::string> result;
    for (const PathChange& change : changes) {
        result.push_back(change.commit);
    }
    return result;
}

// What the git program says about one path.
std::vector<std::string> log_of(TestRepository& made, const std::string& path) {
    std::vector<std::string> result;
    const std::string log = made.run({"log", "--format=%H", "--", path});
    for (const std::string_view line : split_lines(log)) {
        result.emplace_back(line);
    }
    return result;
}

void expect_as_git(TestRepository& made) {
    const History history = history_of(made);
    EXPECT_FALSE(history.empty());
    for (const auto& [path, changes] : history) {
        EXPECT_EQ(commits_of(changes), log_of(made, "locks/" + path)) << path;
    }
}

TEST(Changes, FollowsALineOfCommits) {
    TestRepository made;
    made.write("locks/b", "1");
    const std::string first = made.commit_file("locks/a", "1");
    const std::string old = made.run({"rev-parse", "HEAD:locks/a"});
    made.commit_file("elsewhere", "1");
    const std::string third = made.commit_file("locks/a", "2");
    const std::string changed = made.run({"rev-parse", "HEAD:locks/a"});
    made.run({"rm", "-q", "locks/b"});
    const std::string fourth = made.commit("Remove b");
    const History history = history_of(made);
    ASSERT_EQ(history.size(), 2U);
    ASSERT_THAT(commits_of(history.at("a")), ElementsAre(third, first));
    EXPECT_EQ(history.at("a")[0].before, old);
    EXPECT_EQ(history.at("a")[0].after, changed);
    EXPECT_EQ(history.at("a")[1].before, "");
    ASSERT_THAT(commits_of(history.at("b")), ElementsAre(fourth, first));
    EXPECT_EQ(history.at("b")[0].after, "");
    EXPECT_TRUE(history_of(made, "none").empty());
    EXPECT_EQ(history_of(made, "").count("locks/a"), 1U);
    expect_as_git(made);
}

TEST(Changes, MergesFollowTheParentTheyAreEqualTo) {
    TestRepository made;
    made.commit_file("locks/a", "1");
    made.commit_file("locks/b", "1");
    made.run({"checkout", "-q", "-b", "side"});
    const std::string side = made.commit_file("locks/a", "2");
    made.run({"checkout", "-q", "main"});
    made.commit_file("locks/b", "2");
    made.tick(60);
    made.run({"merge", "-q", "--no-edit", "side"});
    const History history = history_of(made);
    EXPECT_EQ(history.at("a").front().commit, side);
    expect_as_git(made);
}

TEST(Changes, AMergeThatDiffersFromAllItsParentsCounts) {
    TestRepository made;
    made.commit_file("locks/a", "1");
    made.run({"checkout", "-q", "-b", "side"});
    made.commit_file("locks/a", "2");
    made.run({"checkout", "-q", "main"});
    made.commit_file("locks/a", "3");
    made.run({"merge", "-q", "-s", "ours", "--no-commit", "side"});
    const std::string merge = made.commit_file("locks/a", "both");
    const History history = history_of(made);
    EXPECT_EQ(history.at("a").size(), 4U);
    EXPECT_EQ(history.at("a").front().commit, merge);
    expect_as_git(made);
}

TEST(Changes, FilesBecomeDirectoriesAndModesChange) {
    TestRepository made;
    made.write("locks/x.c", "beside it");
    made.write("locks/same", "1");
    const std::string first = made.commit_file("locks/x", "file");
    made.run({"rm", "-q", "locks/x"});
    const std::string second = made.commit_file("locks/x/below/deep", "file");
    made.run({"update-index", "--chmod=+x", "locks/same"});
    made.tick(60);
    made.run({"commit", "-q", "-m", "mode"});
    const History history = history_of(made);
    EXPECT_THAT(commits_of(history.at("x")), ElementsAre(second, first));
    EXPECT_THAT(commits_of(history.at("x/below/deep")), ElementsAre(second));
    EXPECT_THAT(commits_of(history.at("same")), ElementsAre(made.head(), first));
    EXPECT_EQ(history.at("same")[0].before, history.at("same")[0].after);
    made.run({"checkout", "-q", "-f", "HEAD"});
    expect_as_git(made);
}

// Branches that part, change a few of twelve files, and are merged in four ways.
void grow(TestRepository& made, unsigned seed) {
    std::minstd_rand random(seed);
    const auto pick = [&](unsigned below) { return static_cast<unsigned>(random()) % below; };
    const auto touch = [&] {
        made.write(fmt::format("locks/{}", pick(12)), std::to_string(pick(4)));
    };
    for (unsigned i = 0; i < 12; ++i) {
        made.write(fmt::format("locks/{}", i), "0");
    }
    made.commit("start");
    for (unsigned round = 0; round < 14; ++round) {
        made.run({"checkout", "-q", "-B", "side"});
        for (unsigned i = pick(3); i > 0; --i) {
            touch();
            made.commit("side");
        }
        made.run({"checkout", "-q", "main"});
        for (unsigned i = pick(3); i > 0; --i) {
            touch();
            made.commit("main");
        }
        if (pick(4) != 0) {
            const std::string favour = pick(2) == 0 ? "ours" : "theirs";
            made.tick(60);
            made.run({"merge", "-q", "--no-ff", "--no-commit", "-X", favour, "side"});
            if (pick(3) == 0) {
                touch();
            }
            made.commit("merge");
        }
    }
}

TEST(Changes, GrownHistoriesReadAsGitReadsThem) {
    for (unsigned seed = 1; seed <= 2; ++seed) {
        TestRepository made;
        grow(made, seed);
        SCOPED_TRACE(seed);
        expect_as_git(made);
    }
}

TEST(Changes, OfSomePathsAreAsOfAll) {
    TestRepository made;
    grow(made, 3);
    made.run({"rm", "-q", "locks/1"});
    made.write("locks/1/deep/a", "1");  // in the place of a file, beside "10" and "11"
    made.write("locks/a", "1");
    made.commit("directories");
    made.write("locks/1/deep/a", "2");
    const std::string tip = made.commit("deeper");
    const History all = history_of(made);
    const Paths only = {"1/deep/a", "10", "none", "none/below", "2"};
    const auto some = Repository::open(made.path())->changes_below(tip, "locks", &only);
    ASSERT_TRUE(some.has_value());
    std::vector<std::string> paths;
    for (const auto& [path, changes] : *some) {
        paths.push_back(path);
        EXPECT_EQ(commits_of(changes), commits_of(all.at(path))) << path;
    }
    EXPECT_THAT(paths, ElementsAre("1/deep/a", "10", "2"));
    const Paths none;
    EXPECT_TRUE(Repository::open(made.path())->changes_below(tip, "locks", &none)->empty());
}

// A directory that holds nothing that was asked for need not be there at all.
TEST(Changes, OtherDirectoriesAreNotOpened) {
    TestRepository made;
    made.write("locks/a", "1");
    made.commit_file("other/b", "1");
    made.write("locks/a", "2");
    const std::string tip = made.commit_file("other/b", "2");
    const std::string lost = made.run({"rev-parse", "HEAD:other"});
    ASSERT_TRUE(remove_tree(join_path(made.path(), ".git/objects/" + lost.substr(0, 2) + "/" +
                                                       lost.substr(2)))
                    .has_value());
    const Repository repository = Repository::open(made.path()).value();
    EXPECT_FALSE(repository.changes_below(tip, "").has_value());
    const Paths only = {"locks/a"};
    const auto some = repository.changes_below(tip, "", &only);
    ASSERT_TRUE(some.has_value());
    EXPECT_EQ(some->at("locks/a").size(), 2U);
}

TEST(Changes, MalformedTreesAreRefused) {
    using namespace std::literals;
    detail::TreeEntry entry;
    const std::string id(20, 'x');
    std::string_view text;
    for (const std::string& bad : {"100644 a\0short"s,
                                   "100644 \0"s + id,
                                   "a"s,
                                   "100644"s,
                                   " a\0"s + id,
                                   "100644 a"s + id,
                                   "100648 a\0"s + id,
                                   "77777777 a\0"s + id}) {
        text = bad;
        EXPECT_FALSE(detail::next_entry(text, entry)) << bad;
    }
    const std::string good = "40000 a\0"s + id + "rest";
    text = good;
    EXPECT_TRUE(detail::next_entry(text, entry));
    EXPECT_TRUE(entry.directory());
    EXPECT_EQ(entry.name, "a");
    EXPECT_EQ(text, "rest");
}

}  // namespace
}  // namespace tarn::git
