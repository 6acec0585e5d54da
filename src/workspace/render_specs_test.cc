// SPDX-License-Identifier: MIT
#include "workspace/render_specs.hh"

#include "workspace/detail/testing.hh"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

namespace tarn {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string local(const std::string& name) {
    return fmt::format("[components.'{}']\nspec = {{ type = \"local\", path = \"{}/{}.spec\" }}\n",
                       name,
                       name,
                       name);
}

class RenderSpecs : public testing::Test {
  protected:
    RenderSpecs() {
        made_.declare(local("one") + local("two"));
        made_.add_local("one", spec_text("one", "1"));
        made_.add_local("two", spec_text("two", "1"));
    }
    RenderSpecsOutcome render(RenderSpecsRequest request = {}) {
        auto outcome = made_.render(std::move(request));
        EXPECT_TRUE(outcome.has_value()) << outcome.error().message;
        return outcome ? std::move(*outcome) : RenderSpecsOutcome{};
    }
    // Rendered, and noted as such.
    void render_and_settle() {
        TestProject::settle();
        render();
        TestProject::settle();
        render();
    }
    std::vector<bool> changed(const RenderSpecsOutcome& outcome) {
        std::vector<bool> result;
        for (const RenderRow& row : outcome.rows) {
            EXPECT_EQ(row.status, "ok") << row.error.rendered << row.error.message;
            result.push_back(row.changed);
        }
        return result;
    }
    std::vector<std::string> names_in(const std::string& directory) {
        return list_directory(made_.path(directory)).value_or(std::vector<std::string>{});
    }

    TestProject made_;
};

TEST_F(RenderSpecs, UnchangedIsKnownFromTheIndex) {
    TestProject::settle();
    EXPECT_THAT(changed(render()), ElementsAre(true, true));
    EXPECT_THAT(made_.rendered("one"), HasSubstr("Release: 1\n"));
    // What was written just before the index might change without its times telling.
    const auto second = render();
    EXPECT_EQ(second.from_index, 0U);
    EXPECT_THAT(changed(second), ElementsAre(false, false));
    TestProject::settle();
    render();
    const auto third = render();
    EXPECT_EQ(third.from_index, 2U);
    EXPECT_THAT(changed(third), ElementsAre(false, false));
}

TEST_F(RenderSpecs, AnEditThatKeepsSizeAndTimeIsSeen) {
    render_and_settle();
    ASSERT_EQ(render().from_index, 2U);
    const std::string spec = made_.path("one/one.spec");
    struct stat status{};
    ASSERT_EQ(::stat(spec.c_str(), &status), 0);
    {
        const Fd file = open_file(spec, O_WRONLY).value();
        const std::string text = spec_text("one", "2");
        ASSERT_EQ(::pwrite(file.get(), text.data(), text.size(), 0),
                  static_cast<ssize_t>(text.size()));
    }
    const timespec times[2] = {status.st_atim, status.st_mtim};
    ASSERT_EQ(::utimensat(AT_FDCWD, spec.c_str(), times, 0), 0);
    const auto outcome = render();
    EXPECT_THAT(changed(outcome), ElementsAre(true, false));
    EXPECT_EQ(outcome.from_index, 1U);
    EXPECT_THAT(made_.rendered("one"), HasSubstr("Release: 2\n"));
}

TEST_F(RenderSpecs, WhatSomebodyDidToTheOutputIsUndone) {
    made_.declare(local("one") + local("a+b"));
    made_.add_local("a+b", spec_text("a+b", "1"));
    render_and_settle();
    made_.write("specs/o/one/one.spec", "other");
    ASSERT_EQ(::unlink(made_.path("specs/a/a%2Bb").c_str()), 0);
    EXPECT_THAT(changed(render()), ElementsAre(true, true));
    EXPECT_THAT(made_.rendered("one"), HasSubstr("Name: one"));
    EXPECT_EQ(read_symlink(made_.path("specs/a/a%2Bb")).value_or(""), "a+b");
}

TEST_F(RenderSpecs, WhatTheFingerprintCoversIsNoticed) {
    render_and_settle();
    made_.declare(local("one") + local("two") + "build.defines = { x = \"1\" }\n");
    const auto outcome = render();
    EXPECT_THAT(changed(outcome), ElementsAre(false, true));
    EXPECT_EQ(outcome.from_index, 1U);
}

TEST_F(RenderSpecs, CheckOnlyWritesNothing) {
    RenderSpecsRequest request;
    request.check_only = true;
    EXPECT_THAT(changed(render(request)), ElementsAre(true, true));
    EXPECT_FALSE(path_exists(made_.path("specs")));
    render();
    EXPECT_THAT(changed(render(request)), ElementsAre(false, false));
}

TEST_F(RenderSpecs, AFailureLeavesAMarkerAndTheOthersGoOn) {
    render();
    made_.declare(local("one") + "[[components.one.overlays]]\ntype = \"spec-remove-tag\"\n" +
                  "tag = \"Nonesuch\"\n" + local("two"));
    made_.add_local("two", spec_text("two", "7"));
    RenderSpecsRequest check;
    check.check_only = true;
    const auto would = render(check);
    EXPECT_EQ(would.rows[0].status, "error");
    EXPECT_TRUE(would.rows[0].changed);
    EXPECT_THAT(names_in("specs/o/one"), ElementsAre("one.spec"));
    const auto outcome = render();
    EXPECT_EQ(outcome.rows[0].status, "error");
    EXPECT_THAT(outcome.rows[0].error.rendered, HasSubstr("tarn.toml:"));
    EXPECT_EQ(outcome.rows[1].status, "ok");
    EXPECT_THAT(names_in("specs/o/one"), ElementsAre("RENDER_FAILED"));
    EXPECT_THAT(made_.read("build/logs/render/one.log"), HasSubstr("Nonesuch"));
    EXPECT_THAT(made_.rendered("two"), HasSubstr("Release: 7"));
    const auto again = render();
    EXPECT_EQ(again.rows[0].status, "error");
    EXPECT_FALSE(again.rows[0].changed);
    made_.declare(local("one") + local("two"));
    EXPECT_THAT(changed(render()), ElementsAre(true, false));
    EXPECT_THAT(names_in("specs/o/one"), ElementsAre("one.spec"));
}

TEST_F(RenderSpecs, CleanStaleRemovesWhatIsNoComponents) {
    render();
    made_.write("specs/g/gone/gone.spec", "x");
    RenderSpecsRequest request;
    request.clean_stale = true;
    request.check_only = true;
    EXPECT_THAT(render(request).stale, ElementsAre(made_.path("specs/g/gone")));
    EXPECT_TRUE(path_exists(made_.path("specs/g/gone")));
    request.check_only = false;
    EXPECT_THAT(render(request).stale, ElementsAre(made_.path("specs/g/gone")));
    EXPECT_FALSE(path_exists(made_.path("specs/g")));
    EXPECT_TRUE(path_exists(made_.path("specs/o/one")));
    request.output_directory = made_.path();
    const auto refused = made_.render(request);
    ASSERT_FALSE(refused.has_value());
    EXPECT_THAT(refused.error().message, HasSubstr("the project lies in it"));
}

TEST_F(RenderSpecs, AnotherDirectoryIsOverwrittenOnlyWhenAsked) {
    RenderSpecsRequest request;
    request.output_directory = made_.beside("out");
    request.overwrite = false;
    EXPECT_THAT(changed(render(request)), ElementsAre(true, true));
    made_.add_local("one", spec_text("one", "2"));
    const auto refused = render(request);
    EXPECT_EQ(refused.rows[0].status, "error");
    EXPECT_THAT(refused.rows[0].error.message, HasSubstr("is there and differs"));
    EXPECT_THAT(read_file(made_.beside("out/o/one/one.spec")).value_or(""),
                HasSubstr("Release: 1"));
    request.overwrite = true;
    EXPECT_THAT(changed(render(request)), ElementsAre(true, false));
}

// A limit on the size of files stands for a disk that is full.
TEST_F(RenderSpecs, AFullDiskLeavesWhatWasThere) {
    render();
    made_.add_local(
        "one", spec_text("one", "2", replace_all(std::string(30'000, 'x'), "x", "0123456789\n")));
    ASSERT_NE(std::signal(SIGXFSZ, SIG_IGN), SIG_ERR);
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
    rlimit low = before;
    low.rlim_cur = 100'000;
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &low), 0);
    const auto outcome = made_.render();
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
    ASSERT_TRUE(outcome.has_value()) << outcome.error().message;
    EXPECT_EQ(outcome->rows[0].status, "error");
    EXPECT_THAT(outcome->rows[0].error.message, HasSubstr("one.spec"));
    EXPECT_EQ(outcome->rows[1].status, "ok");
    EXPECT_THAT(names_in("specs/o/one"), ElementsAre("one.spec"));
    EXPECT_THAT(made_.rendered("one"), HasSubstr("Release: 1\n"));
    EXPECT_THAT(names_in("specs/o"), ElementsAre("one"));
    EXPECT_THAT(changed(render()), ElementsAre(true, false));
}

TEST_F(RenderSpecs, KilledAtAnyMomentEveryDirectoryIsWhole) {
    std::string declared;
    const auto name = [](int i) { return fmt::format("c{:02}", i); };
    for (int i = 0; i < 40; ++i) {
        declared += local(name(i));
        made_.add_local(name(i), spec_text(name(i), "0", "Source0: a\n"));
    }
    made_.declare(declared);
    render();
    for (int round = 1; round <= 6; ++round) {
        for (int i = 0; i < 40; ++i) {
            made_.add_local(name(i), spec_text(name(i), std::to_string(round)));
        }
        const pid_t child = ::fork();
        ASSERT_GE(child, 0);
        if (child == 0) {
            const auto outcome = made_.render();
            ::_exit(outcome ? 0 : 1);
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(round * 4));
        ASSERT_EQ(::kill(child, SIGKILL), 0);
        ASSERT_EQ(::waitpid(child, nullptr, 0), child);
        for (int i = 0; i < 40; ++i) {
            EXPECT_THAT(made_.rendered(name(i)), HasSubstr("%description\nd\n")) << name(i);
        }
        RenderSpecsRequest request;
        request.clean_stale = true;
        render(request);
        EXPECT_EQ(names_in("specs/c").size(), 40U);
        EXPECT_THAT(made_.rendered("c39"), HasSubstr(fmt::format("Release: {}\n", round)));
    }
}

TEST_F(RenderSpecs, AnInterruptionEndsTheCommand) {
    std::stop_source stop;
    stop.request_stop();
    WorkspaceOptions options;
    options.stop = stop.get_token();
    const auto outcome = made_.render({}, options);
    ASSERT_FALSE(outcome.has_value());
    EXPECT_EQ(outcome.error().kind, ErrorKind::kInterrupted);
    EXPECT_THAT(names_in("specs"), IsEmpty());
}

TEST_F(RenderSpecs, ADistGitThatDoesNotAnswerWipesNothing) {
    made_.declare("[components.up]\nspec = { type = \"upstream\" }\n");
    made_.commit_upstream("up", "up.spec", spec_text("up", "1"), "Import");
    const auto updated = made_.update();
    ASSERT_TRUE(updated.has_value()) << updated.error().rendered << updated.error().message;
    EXPECT_THAT(changed(render()), ElementsAre(true));
    ASSERT_TRUE(remove_tree(made_.beside("store")).has_value());
    ASSERT_TRUE(remove_tree(made_.package("up")).has_value());
    ASSERT_TRUE(remove_tree(made_.path("build")).has_value());
    const auto outcome = render();
    EXPECT_EQ(outcome.rows[0].status, "error");
    EXPECT_THAT(names_in("specs/u/up"), testing::Not(IsEmpty()));
}

TEST_F(RenderSpecs, AFileNamedByTheMacroFileIsKept) {
    made_.declare(local("one") + "build.defines = { fix = \"right\" }\n");
    made_.add_local("one", "Patch0: %{fix}.patch\n" + spec_text("one", "1"));
    made_.write("one/right.patch", "p");
    made_.write("one/other.patch", "p");
    render();
    EXPECT_THAT(names_in("specs/o/one"), ElementsAre("one.spec", "one.tarn.macros", "right.patch"));
}

TEST_F(RenderSpecs, StrictModeWarnsAlsoOfWhatTheIndexKnows) {
    made_.add_local("one", spec_text("one", "1", "%build\nmake\nmake\n"));
    made_.declare(local("one") +
                  "[[components.one.overlays]]\ntype = \"spec-search-replace\"\n"
                  "regex = \"make\"\nreplacement = \"ninja\"\n");
    render_and_settle();
    EXPECT_THAT(render().warnings, IsEmpty());
    WorkspaceOptions options;
    options.strict = true;
    for (int run = 0; run < 3; ++run) {
        const auto outcome = made_.render({}, options);
        ASSERT_TRUE(outcome.has_value()) << outcome.error().message;
        EXPECT_THAT(outcome->warnings, ElementsAre(HasSubstr("2 lines")));
        EXPECT_EQ(outcome->from_index, run > 0 ? 1U : 0U);
        TestProject::settle();
    }
}

}  // namespace
}  // namespace tarn
