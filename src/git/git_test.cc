// SPDX-License-Identifier: MIT
#include "git/git.hh"

#include "git/detail/testing.hh"

#include <gmock/gmock.h>

#include <algorithm>

namespace tarn::git {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Repository open(const TestRepository& made) {
    auto repository = Repository::open(made.path());
    EXPECT_TRUE(repository.has_value()) << repository.error().message;
    return std::move(*repository);
}

std::vector<std::string> ids(const std::vector<Commit>& commits) {
    std::vector<std::string> result;
    for (const Commit& commit : commits) {
        result.push_back(commit.id);
    }
    return result;
}

std::string all_advice(const Error& error) {
    return join(error.help, "\n");
}

TEST(Git, ReadsACommit) {
    TestRepository made;
    made.write("a", "text");
    const std::string first = made.commit("Subject of\ntwo lines\n\nBody.\n");
    const std::string second = made.commit_file("a", "other");
    const Repository repository = open(made);
    const Commit commit = repository.commit(second).value();
    EXPECT_EQ(commit.id, second);
    EXPECT_THAT(commit.parents, ElementsAre(first));
    EXPECT_EQ(commit.tree, made.run({"rev-parse", "HEAD^{tree}"}));
    EXPECT_EQ(commit.author, "Ann Author");
    EXPECT_EQ(commit.author_email, "ann@example.com");
    EXPECT_EQ(commit.committer, "Carl Committer");
    EXPECT_EQ(commit.committer_email, "carl@example.com");
    EXPECT_EQ(commit.author_time, 1'500'000'120);
    EXPECT_EQ(commit.committer_time, 1'500'000'120);
    EXPECT_EQ(commit.author_offset, 120);
    EXPECT_EQ(commit.message, "Change a");
    const Commit root = repository.commit(first).value();
    EXPECT_EQ(root.subject(), "Subject of two lines");
    EXPECT_EQ(root.message, "Subject of\ntwo lines\n\nBody.\n");
    EXPECT_TRUE(root.parents.empty());
}

TEST(Git, ConvertsTheEncodingACommitNames) {
    TestRepository made;
    made.write("a", "text");
    made.run({"add", "-A"});
    made.run({"-c", "i18n.commitEncoding=ISO-8859-1", "commit", "-q", "-F", "-"}, "Caf\xe9\n");
    EXPECT_EQ(open(made).commit(made.head()).value().message, "Café\n");
    made.run(
        {"-c", "i18n.commitEncoding=no-such-thing", "commit", "-q", "--allow-empty", "-F", "-"},
        "Caf\xe9\n");
    EXPECT_EQ(open(made).commit(made.head()).value().message, "Caf\xe9\n");
}

TEST(Git, SubjectSkipsLeadingBlankLinesAndTrailingBlanks) {
    Commit commit;
    commit.message = " \n\nOne  \n two\t\n \nBody";
    EXPECT_EQ(commit.subject(), "One  two");
    commit.message = "";
    EXPECT_EQ(commit.subject(), "");
}

TEST(Git, ResolvesNames) {
    TestRepository made;
    const std::string first = made.commit_file("a", "1");
    made.run({"tag", "-a", "-m", "note", "v1"});
    const std::string second = made.commit_file("a", "2");
    const Repository repository = open(made);
    EXPECT_EQ(repository.resolve("HEAD").value(), second);
    EXPECT_EQ(repository.resolve("main").value(), second);
    EXPECT_EQ(repository.resolve("refs/heads/main").value(), second);
    EXPECT_EQ(repository.resolve("v1").value(), first);
    EXPECT_EQ(repository.resolve("HEAD~1").value(), first);
    EXPECT_EQ(repository.resolve("main^").value(), first);
    EXPECT_EQ(repository.resolve(first).value(), first);
    EXPECT_EQ(repository.resolve(first.substr(0, 7)).value(), first);
}

TEST(Git, SaysWhichNameWasMeant) {
    TestRepository made;
    made.commit_file("a", "1");
    const Repository repository = open(made);
    const auto wrong = repository.resolve("mein");
    ASSERT_FALSE(wrong.has_value());
    EXPECT_EQ(wrong.error().kind, ErrorKind::kNotFound);
    EXPECT_THAT(all_advice(wrong.error()), HasSubstr("`main`"));
    for (const std::string_view name : {"",
                                        "no\nname",
                                        "~",
                                        "HEAD~999",
                                        "HEAD^{tree}",
                                        "abc",
                                        "0123456789012345678901234567890123456789",
                                        "-x",
                                        "a..b"}) {
        EXPECT_FALSE(repository.resolve(name).has_value()) << name;
    }
    EXPECT_FALSE(repository.resolve(std::string_view("a\0b", 3)).has_value());
    EXPECT_FALSE(repository.resolve(made.run({"rev-parse", "HEAD:a"})).has_value());
}

TEST(Git, UnbornHeadHasNoCommit) {
    const TestRepository made;
    const Repository repository = open(made);
    const auto head = repository.resolve("HEAD");
    ASSERT_FALSE(head.has_value());
    EXPECT_EQ(head.error().kind, ErrorKind::kNotFound);
    EXPECT_THAT(head.error().message, HasSubstr("no commit yet"));
}

TEST(Git, OpensABareRepositoryAndTheTopOfAWorkTree) {
    TestRepository made;
    made.commit_file("below/a", "1");
    const Repository repository = open(made);
    EXPECT_EQ(repository.work_tree(), made.path());
    EXPECT_EQ(repository.git_directory(), made.path() + "/.git");
    EXPECT_FALSE(repository.shallow());
    made.run({"clone", "-q", "--bare", made.path(), made.beside("bare")});
    const auto bare = Repository::open(made.beside("bare"));
    ASSERT_TRUE(bare.has_value());
    EXPECT_EQ(bare->work_tree(), "");
    EXPECT_EQ(bare->git_directory(), made.beside("bare"));
    EXPECT_FALSE(bare->dirty_paths().has_value());
    EXPECT_EQ(Repository::open(made.path() + "/below").error().kind, ErrorKind::kNotFound);
    EXPECT_EQ(Repository::discover(made.path() + "/below").value().work_tree(), made.path());
    EXPECT_EQ(Repository::discover(made.beside("nowhere")).error().kind, ErrorKind::kNotFound);
}

TEST(Git, OpensALinkedWorkTree) {
    TestRepository made;
    const std::string first = made.commit_file("a", "1");
    made.run({"worktree", "add", "-q", made.beside("linked"), "-b", "side"});
    const auto linked = Repository::open(made.beside("linked"));
    ASSERT_TRUE(linked.has_value());
    EXPECT_EQ(linked->work_tree(), made.beside("linked"));
    EXPECT_EQ(linked->resolve("HEAD").value(), first);
    EXPECT_THAT(linked->dirty_paths().value(), ElementsAre());
}

TEST(Git, OpensAPartialCloneAndNamesWhatItLacks) {
    TestRepository made;
    made.commit_file("a", "1");
    const std::string blob = made.run({"rev-parse", "HEAD:a"});
    made.run({"config", "uploadpack.allowFilter", "true"});
    made.run({"clone",
              "-q",
              "--filter=blob:none",
              "--bare",
              "file://" + made.path(),
              made.beside("partial")});
    const auto partial = Repository::open(made.beside("partial"));
    ASSERT_TRUE(partial.has_value()) << partial.error().message;
    EXPECT_FALSE(partial->has(blob));
    EXPECT_EQ(partial->find(made.head(), "a").value()->id, blob);
    const auto content = partial->blob(blob);
    ASSERT_FALSE(content.has_value());
    EXPECT_EQ(content.error().kind, ErrorKind::kNotFound);
    EXPECT_THAT(content.error().message, HasSubstr(blob));
}

TEST(Git, FindsAndLists) {
    TestRepository made;
    made.write("z", "last");
    made.write("dir/sub/x", "deep");
    made.write("dir/a", "file");
    made.write("dir.c", "between");
    ASSERT_TRUE(make_symlink("a", made.path() + "/dir/link").has_value());
    made.write("dir/tool", "#!/bin/sh\n");
    made.run({"add", "-A"});
    made.run({"update-index", "--chmod=+x", "dir/tool"});
    made.run({"update-index",
              "--add",
              "--cacheinfo",
              "160000,1111111111111111111111111111111111111111,module"});
    made.run({"commit", "-q", "-m", "all kinds"});
    const Repository repository = open(made);
    const std::string head = made.head();
    std::vector<std::string> paths;
    const std::vector<Entry> entries = repository.list(head).value();
    for (const Entry& entry : entries) {
        paths.push_back(entry.path + ":" + std::to_string(static_cast<int>(entry.type)));
    }
    EXPECT_THAT(
        paths,
        ElementsAre(
            "dir.c:0", "dir/a:0", "dir/link:2", "dir/sub/x:0", "dir/tool:1", "module:4", "z:0"));
    EXPECT_EQ(repository.list(head, "dir/sub/").value().at(0).path, "x");
    EXPECT_EQ(repository.list(head, "z").error().kind, ErrorKind::kNotFound);
    EXPECT_EQ(repository.list(head, "none").error().kind, ErrorKind::kNotFound);
    const Entry entry = repository.find(head, "dir/a").value().value();
    EXPECT_EQ(repository.blob(entry.id).value(), "file");
    EXPECT_EQ(repository.find(head, "dir").value()->type, EntryType::kDirectory);
    EXPECT_EQ(repository.find(head, "").value()->type, EntryType::kDirectory);
    EXPECT_FALSE(repository.find(head, "dir/none").value().has_value());
    EXPECT_FALSE(repository.find(head, "z/below").value().has_value());
    EXPECT_FALSE(repository.find(head, "/z").value().has_value());
}

TEST(Git, BlobsHaveALimitAndAType) {
    TestRepository made;
    made.commit_file("a", "12345");
    const Repository repository = open(made);
    const std::string blob = made.run({"rev-parse", "HEAD:a"});
    EXPECT_TRUE(repository.has(blob));
    EXPECT_EQ(repository.blob(blob, 5).value(), "12345");
    EXPECT_THAT(repository.blob(blob, 4).error().message, HasSubstr("5 bytes"));
    EXPECT_EQ(repository.blob(made.head()).error().kind, ErrorKind::kCorrupt);
    EXPECT_EQ(repository.blob("abc").error().kind, ErrorKind::kUsage);
    EXPECT_FALSE(repository.has("abc"));
    EXPECT_FALSE(repository.commit(blob).has_value());
}

TEST(Git, DamagedObjectsAreCorrupt) {
    TestRepository made;
    made.commit_file("a", "12345");
    const std::string blob = made.run({"rev-parse", "HEAD:a"});
    const std::string file =
        made.path() + "/.git/objects/" + blob.substr(0, 2) + "/" + blob.substr(2);
    ASSERT_TRUE(write_file_atomic(file, "not zlib at all").has_value());
    EXPECT_EQ(open(made).blob(blob).error().kind, ErrorKind::kCorrupt);
    const std::string other = made.run({"hash-object", "-w", "--stdin"}, "other");
    const std::string from =
        made.path() + "/.git/objects/" + other.substr(0, 2) + "/" + other.substr(2);
    const std::string lie = read_file(from).value();
    ASSERT_TRUE(write_file_atomic(file, lie).has_value());
    EXPECT_FALSE(open(made).blob(blob).has_value()) << "content of another id";
}

TEST(Git, BrokenRepositoriesAreRefused) {
    TestRepository made;
    const std::string first = made.commit_file("a", "1");
    ASSERT_TRUE(write_file_atomic(made.path() + "/.git/HEAD", "nonsense").has_value());
    EXPECT_FALSE(
        Repository::open(made.path())
            .and_then([](const Repository& repository) { return repository.resolve("HEAD"); })
            .has_value());
    ASSERT_TRUE(make_directories(made.beside("linked")).has_value());
    ASSERT_TRUE(write_file_atomic(made.beside("linked") + "/.git", "gitdir: /nowhere").has_value());
    EXPECT_FALSE(Repository::open(made.beside("linked")).has_value());
    ASSERT_TRUE(write_file_atomic(made.beside("linked") + "/.git", "\n").has_value());
    EXPECT_FALSE(Repository::open(made.beside("linked")).has_value());
}

TEST(Git, AMissingParentIsAnError) {
    TestRepository made;
    const std::string first = made.commit_file("a", "1");
    const std::string second = made.commit_file("a", "2");
    const std::string file =
        made.path() + "/.git/objects/" + first.substr(0, 2) + "/" + first.substr(2);
    ASSERT_TRUE(remove_tree(file).has_value());
    const Repository repository = open(made);
    const auto chain = repository.first_parents(second);
    ASSERT_FALSE(chain.has_value());
    EXPECT_EQ(chain.error().kind, ErrorKind::kNotFound);
    EXPECT_THAT(chain.error().message, HasSubstr(first));
    EXPECT_FALSE(repository.ancestors(second).has_value());
    EXPECT_FALSE(repository.changes_below(second, "").has_value());
}

// Ten directories that each are the one below ten times: 10^10 files of a few hundred bytes.
TEST(Git, TreesThatMultiplyEndWithAnError) {
    TestRepository made;
    std::string id = made.run({"hash-object", "-w", "--stdin"}, "x");
    std::string kind = "100644 blob ";
    for (int level = 0; level < 10; ++level) {
        std::string tree;
        for (char name = 'a'; name <= 'j'; ++name) {
            tree += kind + id + "\t" + name + "\n";
        }
        id = made.run({"mktree"}, tree);
        kind = "040000 tree ";
    }
    const std::string commit = made.run({"commit-tree", "-m", "bomb", id});
    const Repository repository = open(made);
    EXPECT_EQ(repository.list(commit).error().kind, ErrorKind::kCorrupt);
    EXPECT_EQ(repository.changes_below(commit, "").error().kind, ErrorKind::kCorrupt);
}

TEST(Git, FirstParentsLeaveMergedBranchesOut) {
    TestRepository made;
    const std::string first = made.commit_file("a", "1");
    made.run({"checkout", "-q", "-b", "side"});
    const std::string side = made.commit_file("b", "1");
    made.run({"checkout", "-q", "main"});
    const std::string second = made.commit_file("a", "2");
    made.tick(60);
    made.run({"merge", "-q", "--no-edit", "side"});
    const std::string merge = made.head();
    const Repository repository = open(made);
    EXPECT_THAT(ids(repository.first_parents(merge).value()), ElementsAre(merge, second, first));
    EXPECT_THAT(ids(repository.first_parents(merge, second).value()), ElementsAre(merge, second));
    EXPECT_THAT(ids(repository.ancestors(merge).value()), ElementsAre(merge, second, side, first));
    const auto wrong = repository.first_parents(merge, side);
    ASSERT_FALSE(wrong.has_value());
    EXPECT_EQ(wrong.error().kind, ErrorKind::kNotFound);
    EXPECT_THAT(wrong.error().message, HasSubstr(side));
}

TEST(Git, AncestorsComeAfterChildrenWhateverTheClockSays) {
    TestRepository made;
    const std::string first = made.commit_file("a", "1");
    made.tick(-100000);
    const std::string second = made.commit_file("a", "2");
    EXPECT_THAT(ids(open(made).ancestors(second).value()), ElementsAre(second, first));
}

TEST(Git, ShallowClonesSayThatHistoryIsCut) {
    TestRepository made;
    const std::string first = made.commit_file("locks/a", "1");
    made.commit_file("locks/a", "2");
    const std::string third = made.commit_file("locks/b", "1");
    made.run({"clone", "-q", "--depth", "2", "file://" + made.path(), made.beside("shallow")});
    const auto shallow = Repository::open(made.beside("shallow"));
    ASSERT_TRUE(shallow.has_value());
    EXPECT_TRUE(shallow->shallow());
    const std::vector<Commit> chain = shallow->first_parents(third).value();
    ASSERT_EQ(chain.size(), 2U);
    EXPECT_THAT(chain.back().parents, ElementsAre(first));
    EXPECT_EQ(shallow->ancestors(third).value().size(), 2U);
    const auto to_first = shallow->first_parents(third, first);
    ASSERT_FALSE(to_first.has_value());
    EXPECT_THAT(to_first.error().message, HasSubstr("shallow clone"));
    const auto changes = shallow->changes_below(third, "locks");
    ASSERT_FALSE(changes.has_value());
    EXPECT_THAT(changes.error().message, HasSubstr("shallow clone"));
    EXPECT_THAT(all_advice(changes.error()), HasSubstr("--unshallow"));
    EXPECT_TRUE(shallow->changes_below(third, "elsewhere").has_value());
}

TEST(Git, DirtyPathsAreChangedRemovedStagedAndUntracked) {
    TestRepository made;
    made.write(".gitignore", "*.o\n");
    made.write("in/same", "1");
    made.write("in/changed", "1");
    made.write("in/removed", "1");
    made.commit_file("out/changed", "1");
    EXPECT_THAT(open(made).dirty_paths().value(), ElementsAre());
    made.write("in/changed", "22");
    made.write("in/new/file", "1");
    made.write("in/x.o", "1");
    made.write("out/changed", "22");
    made.write("staged", "1");
    made.run({"rm", "-q", "in/removed"});
    made.run({"add", "staged"});
    EXPECT_THAT(open(made).dirty_paths().value(),
                ElementsAre("in/changed", "in/new/file", "in/removed", "out/changed", "staged"));
    EXPECT_THAT(open(made).dirty_paths("in/").value(),
                ElementsAre("in/changed", "in/new/file", "in/removed"));
}

}  // namespace
}  // namespace tarn::git
