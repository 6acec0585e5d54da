// SPDX-License-Identifier: MIT
// Source files that scripts make. What needs a sandbox is skipped where there is none.
#include "workspace/detail/custom_source.hh"

#include "base/hash.hh"
#include "exec/sandbox.hh"
#include "render/pack.hh"
#include "workspace/detail/impl.hh"
#include "workspace/detail/testing.hh"
#include "workspace/sources.hh"

#include <gmock/gmock.h>

#include <set>

namespace tarn {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

// Answers with what it is given; remembers what it was asked.
class FakeExecutor : public Executor {
  public:
    explicit FakeExecutor(const Store& store) : store_(store) {}
    Result<ActionResult> run(const Action& action, const RunOptions&) override {
        asked = action;
        ActionResult result;
        result.exit_code = exit_code;
        result.log = TARN_TRY(store_.put(log));
        std::vector<TreeEntry> entries;
        for (const auto& [path, text] : outputs) {
            TreeEntry entry;
            entry.path = path;
            entry.mode = 0644;
            entry.mtime = 1234567890;
            entry.uid = 1000;
            entry.content = TARN_TRY(store_.put(text));
            entries.push_back(std::move(entry));
        }
        const Tree tree = TARN_TRY(Tree::make(std::move(entries)));
        result.outputs = TARN_TRY(store_.put_tree(tree));
        return result;
    }
    Action asked;
    int exit_code = 0;
    std::string log;
    std::map<std::string, std::string> outputs;

  private:
    const Store& store_;
};

class CustomScriptTest : public testing::Test {
  protected:
    CustomScriptTest() {
        script_.component = "yara";
        script_.filename = "yara.tar.gz";
        script_.script = "gen.sh";
        script_.source_date_epoch = 7;
    }
    Result<Digest> make() { return run_custom_script(store_, executor_, script_, {}); }

    TempDir directory_ = TempDir::make().value();
    Store store_ = Store::open(directory_.path()).value();
    FakeExecutor executor_{store_};
    CustomScript script_;
};

TEST_F(CustomScriptTest, RunsWhereAzldevRunsIt) {
    executor_.outputs = {{"azldev-gen/output/a", "A"}};
    ASSERT_TRUE(make().has_value());
    EXPECT_THAT(executor_.asked.argv, ElementsAre("./gen.sh"));
    EXPECT_EQ(executor_.asked.directory, "/azldev-gen/script");
    EXPECT_THAT(executor_.asked.outputs, ElementsAre("/azldev-gen/output"));
    EXPECT_TRUE(executor_.asked.unprivileged);
    EXPECT_EQ(executor_.asked.environment.at("SOURCE_DATE_EPOCH"), "7");
}

TEST_F(CustomScriptTest, EqualOutputsGiveEqualArchives) {
    executor_.outputs = {{"azldev-gen/output/x-1/b", "B"}, {"azldev-gen/output/x-1/a", "A"}};
    for (const char* name : {"x.tar", "x.tgz", "x.tar.gz", "x.tar.xz", "x.tzst"}) {
        script_.filename = name;
        const auto made = make();
        ASSERT_TRUE(made.has_value()) << made.error().message;
        EXPECT_EQ(make(), *made);
        const std::string bytes = store_.read(*made).value();
        EXPECT_EQ(bytes.starts_with("\x1f\x8b\x08"), std::string_view(name).ends_with("gz")) << name;
        EXPECT_EQ(bytes.find("1234567890"), std::string::npos);
    }
}

TEST_F(CustomScriptTest, AFailureShowsItsLastLinesAndWhatToDo) {
    executor_.exit_code = 6;
    executor_.log = std::string(100, '\n') + "curl: (6) Could not resolve host: example.org\x1b[0m\n";
    const auto made = make();
    ASSERT_FALSE(made.has_value());
    EXPECT_EQ(made.error().kind, ErrorKind::kFailed);
    EXPECT_EQ(made.error().message,
              "component `yara`: the script gen.sh that makes source `yara.tar.gz` failed with exit "
              "code 6");
    EXPECT_LE(made.error().notes.size(), 20U);
    EXPECT_THAT(made.error().notes,
                Contains("| curl: (6) Could not resolve host: example.org?[0m"));
    EXPECT_THAT(made.error().help, Contains(HasSubstr("sandboxes have no network")));
    executor_.exit_code = kTimedOut;
    EXPECT_THAT(make().error().message, HasSubstr("did not end in time"));
}

TEST_F(CustomScriptTest, NothingWrittenIsAnError) {
    executor_.outputs = {{"azldev-gen/script/a", "A"}};
    const auto made = make();
    ASSERT_FALSE(made.has_value());
    EXPECT_THAT(made.error().help, Contains("it must write into /azldev-gen/output"));
}

TEST_F(CustomScriptTest, OnlyArchivesOfKnownNamesArePacked) {
    EXPECT_TRUE(can_pack("a.tar.zst"));
    EXPECT_FALSE(can_pack("a.zip"));
    EXPECT_FALSE(can_pack(".tar"));
    const auto packed = pack_tree(store_, Tree(), "a.tar.bz2");
    ASSERT_FALSE(packed.has_value());
    EXPECT_EQ(packed.error().kind, ErrorKind::kUsage);
}

// ---- of a project ---------------------------------------------------------------------------------

// A package with a shell and a few tools of this machine.
Result<AvailablePackage> tools_package(const Store& store) {
    std::set<std::string> paths;
    Command command;
    command.argv = {"ldd"};
    for (const char* name : {"sh", "cat", "id", "mkdir", "cp"}) {
        const auto program = find_program(name);
        if (!program) {
            return fail(ErrorKind::kNotFound, "this machine has no {}", name);
        }
        paths.insert(*program);
        command.argv.push_back(*program);
    }
    const ProcessResult listed = TARN_TRY(run(command));
    for (const std::string_view line : split_lines(listed.output)) {
        for (const std::string_view word : split_words(line)) {
            if (word.starts_with('/') && !word.ends_with(':')) {
                paths.insert(std::string(word));
            }
        }
    }
    std::vector<TreeEntry> entries;
    for (const std::string& path : paths) {
        TreeEntry entry;
        entry.path = path.substr(1);
        entry.mode = 0755;
        entry.content = TARN_TRY(store.put_file(path));
        entries.push_back(std::move(entry));
    }
    rpm::PackageMeta meta;
    meta.nevra = {"tools", {{}, "1", "1"}, "noarch"};
    meta.summary = meta.description = "tools";
    meta.license = "MIT";
    meta.source_rpm = "tools-1-1.src.rpm";
    meta.provides.push_back(rpm::Dependency::parse("tools = 1-1"));
    const Tree tree = TARN_TRY(Tree::make(std::move(entries)));
    AvailablePackage package;
    package.rpm = TARN_TRY(rpm::write_package(store, meta, tree, {}, {}));
    package.info = TARN_TRY(rpm::read_package(store, package.rpm));
    return package;
}

class CustomSourceTest : public testing::Test {
  protected:
    void declare(const std::string& more, const std::string& build = "base-packages = [\"tools\"]") {
        made_.add_local("own", spec_text("own", "1"));
        made_.write("own/part.txt", "part");
        made_.declare("[build]\n" + build +
                      "\n[components.own]\nspec = { type = \"local\", path = \"own/own.spec\" }\n"
                      "[[components.own.source-files]]\nfilename = \"data.tar\"\n" +
                      more);
    }
    Workspace open(bool with_packages = true) {
        auto workspace = made_.open();
        EXPECT_TRUE(workspace.has_value()) << workspace.error().rendered;
        workspace->impl().imported.emplace();
        workspace->impl().available.emplace();
        if (with_packages) {
            const auto tools = tools_package(workspace->store());
            EXPECT_TRUE(tools.has_value()) << tools.error().message;
            workspace->impl().available->push_back(*tools);
        }
        return std::move(*workspace);
    }
    static Result<SourceSet> sources(Workspace& workspace, bool allow_no_hashes = true) {
        NullReporter quiet;
        SourcesOptions options;
        options.allow_no_hashes = allow_no_hashes;
        const Component& own = workspace.project().components.at("own");
        auto pristine = TARN_TRY(pristine_sources(workspace, own, options));
        TARN_TRY(add_downloads(workspace, own, pristine.files, options, quiet));
        return std::move(pristine.files);
    }
    static std::string said(const Error& error) {
        return error.rendered + error.message + "\n" + join(error.notes, "\n") + "\n" +
               join(error.help, "\n");
    }
    TestProject made_;
};

constexpr std::string_view kScript =
    "#!/bin/sh\nset -e\nmkdir /azldev-gen/output/x-1\n"
    "cp ./part.txt /azldev-gen/output/x-1/part\nid -u > /azldev-gen/output/x-1/user\n";

TEST_F(CustomSourceTest, IsMadeInASandboxAndThenKeptByItsHash) {
    if (const auto probed = probe_sandbox(); !probed) {
        GTEST_SKIP() << probed.error().message;
    }
    const std::string origin = "origin = { type = \"custom\", script = \"gen.sh\", inputs = [\"part.txt\"] }\n";
    declare(origin);
    made_.write("own/gen.sh", std::string(kScript));
    Workspace first = open();
    const auto files = sources(first);
    ASSERT_TRUE(files.has_value()) << said(files.error());
    const std::string tar = files->read("data.tar").value();
    EXPECT_THAT(tar, HasSubstr("x-1/part"));
    EXPECT_THAT(tar, HasSubstr("1000\n")) << "not as root";

    declare("hash-type = \"SHA512\"\nhash = \"" + hash_hex(HashKind::kSha512, tar) + "\"\n" + origin);
    Workspace second = open();
    ASSERT_TRUE(sources(second, false).has_value());
    // From now on neither script nor packages are needed.
    ASSERT_TRUE(remove_tree(made_.path("own/gen.sh")).has_value());
    Workspace third = open(false);
    const auto kept = sources(third, false);
    ASSERT_TRUE(kept.has_value()) << said(kept.error());
    EXPECT_EQ(kept->read("data.tar").value(), tar);
}

TEST_F(CustomSourceTest, AnotherHashThanDeclaredIsAnError) {
    if (const auto probed = probe_sandbox(); !probed) {
        GTEST_SKIP() << probed.error().message;
    }
    declare("hash-type = \"SHA256\"\nhash = \"" + std::string(64, '0') +
            "\"\norigin = { type = \"custom\", script = \"gen.sh\", inputs = [\"part.txt\"] }\n");
    made_.write("own/gen.sh", std::string(kScript));
    Workspace workspace = open();
    const auto files = sources(workspace, false);
    ASSERT_FALSE(files.has_value());
    EXPECT_EQ(files.error().kind, ErrorKind::kCorrupt);
    EXPECT_THAT(said(files.error()), HasSubstr("its script made a file with another hash"));
    EXPECT_THAT(said(files.error()), HasSubstr("declared: SHA256 0000"));
    EXPECT_THAT(said(files.error()), HasSubstr("if that is right, hash = \""));
}

TEST_F(CustomSourceTest, WhatIsMissingIsNamedBeforeAnythingRuns) {
    const auto why = [&](const std::string& origin, const std::string& build) {
        declare(origin, build);
        Workspace workspace = open(false);
        const auto files = sources(workspace);
        return files ? std::string() : said(files.error());
    };
    const std::string root = "base-packages = [\"tools\"]";
    const std::string no_script = why("origin = { type = \"custom\", script = \"gen.sh\" }\n", root);
    EXPECT_THAT(no_script, HasSubstr("tarn.toml:"));
    EXPECT_THAT(no_script, HasSubstr("source `data.tar`: cannot read its script `gen.sh`"));
    EXPECT_THAT(no_script, HasSubstr("/own"));
    made_.write("own/gen.sh", std::string(kScript));
    const std::string no_input =
        why("origin = { type = \"custom\", script = \"gen.sh\", inputs = [\"part.tx\"] }\n", root);
    EXPECT_THAT(no_input, HasSubstr("there is no file `part.tx` for its script"));
    EXPECT_THAT(no_input, HasSubstr("did you mean `part.txt`?"));
    const std::string no_root = why("origin = { type = \"custom\", script = \"gen.sh\" }\n", "");
    EXPECT_THAT(no_root, HasSubstr("this project has no build root"));
    EXPECT_THAT(no_root, HasSubstr("[build] base-packages"));
    const std::string no_package = why(
        "origin = { type = \"custom\", script = \"gen.sh\", mock-packages = [\"cmake\"] }\n", root);
    EXPECT_THAT(no_package, HasSubstr("which no package provides"));
    EXPECT_THAT(no_package, HasSubstr("own (source data.tar)"));
}

TEST_F(CustomSourceTest, WithoutAHashItIsOnlyMadeWhenToldSo) {
    declare("origin = { type = \"custom\", script = \"gen.sh\" }\n");
    Workspace workspace = open(false);
    const auto files = sources(workspace, false);
    ASSERT_FALSE(files.has_value());
    EXPECT_THAT(said(files.error()), HasSubstr("source `data.tar` has no hash"));
}

}  // namespace
}  // namespace tarn
