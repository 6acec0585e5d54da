// SPDX-License-Identifier: MIT
// Wrong declarations and what is said about them: whole projects as tests/golden/project/<case>/in/
// and err.exp, and single mistakes as tests/golden/project/<case>.txt, with these settings:
//     permissive: yes         strict: yes         as the options of the command line
//     start: DIRECTORY        config-file: FILE   user-file: FILE
//     then: locks             all locks are looked at, as before a build
//     then: fingerprints      every component gets its fingerprint; its commit is in `commit: ...`
//     then: select            components are selected by select:, select-group: and select-spec:
#include "base/golden_test.hh"

#include "project/component_lock.hh"
#include "project/select.hh"

#include <cstdlib>

namespace tarn {
namespace {

const std::string kDirectories = golden::directory_of("project");

std::vector<std::string> directories() {
    auto names = list_directory(kDirectories).value_or(std::vector<std::string>{});
    std::erase_if(names, [](const std::string& name) {
        return !is_directory(join_path(kDirectories, name));
    });
    return names;
}

std::string load_errors(const std::string& directory) {
    SourceMap sources;
    Diagnostics diagnostics(sources);
    LoadOptions options;
    options.start = directory;
    options.shown_from = directory;
    const auto project = load_project(options, sources, diagnostics);
    if (project) {
        return "no error\n";
    }
    return diagnostics.draw(1000) + "error: " + project.error().message + "\n";
}

class GoldenProject : public testing::TestWithParam<std::string> {};

TEST_P(GoldenProject, SaysWhatIsWrong) {
    const std::string directory = join_path(kDirectories, GetParam());
    const std::string expected_file = join_path(directory, "err.exp");
    const std::string actual = load_errors(join_path(directory, "in"));
    EXPECT_NE(actual, "no error\n");
    EXPECT_EQ(actual.find(TARN_SOURCE_DIR), std::string::npos) << "a path of this machine";
    if (std::getenv("TARN_ACCEPT") != nullptr) {
        ASSERT_TRUE(write_file_atomic(expected_file, actual).has_value());
    }
    EXPECT_EQ(actual,
              read_file(expected_file).value_or("no err.exp; accept it with TARN_ACCEPT=1"));
}

INSTANTIATE_TEST_SUITE_P(Cases, GoldenProject, testing::ValuesIn(directories()), golden::test_name);

// ---- single mistakes ----------------------------------------------------------------------------

std::string said_of_locks(const Project& project) {
    std::vector<const Component*> components;
    for (const auto& [name, component] : project.components) {
        components.push_back(&component);
    }
    std::string said;
    for (const Error& error : validate_locks(project, components, true)) {
        said += golden::printed(error);
    }
    return said;
}

std::string said_of_fingerprints(const Project& project, const std::string& commit) {
    std::string said;
    for (const auto& [name, component] : project.components) {
        const auto made = input_fingerprint(component, {commit, 0, "43"});
        said += made ? name + " has one\n" : golden::printed(made.error());
    }
    return said;
}

std::string said_of_selection(const Project& project, const golden::Case& given) {
    Selection selection;
    selection.names = given.settings("select");
    selection.groups = given.settings("select-group");
    selection.spec_paths = given.settings("select-spec");
    selection.listed_members = given.settings("only-found").empty();
    const auto selected = select_components(project, selection);
    if (!selected) {
        return golden::printed(selected.error());
    }
    std::string said;
    for (const std::string& warning : selected->warnings) {
        said += "warning: " + warning + "\n";
    }
    return said;
}

std::string said_of(const golden::Case& given, const std::string& directory) {
    SourceMap sources;
    Diagnostics diagnostics(sources);
    LoadOptions options;
    options.start = join_path(directory, given.setting("start"));
    options.shown_from = directory;
    options.permissive = !given.settings("permissive").empty();
    options.strict = !given.settings("strict").empty();
    for (const std::string& file : given.settings("config-file")) {
        options.config_files.push_back(join_path(directory, file));
    }
    if (const std::string file = given.setting("user-file"); !file.empty()) {
        options.user_file = join_path(directory, file);
    }
    const auto project = load_project(options, sources, diagnostics);
    if (!project) {
        return golden::printed(project.error());
    }
    std::string said = diagnostics.draw();
    const std::string then = given.setting("then");
    if (then == "locks") {
        said += said_of_locks(*project);
    } else if (then == "fingerprints") {
        said += said_of_fingerprints(*project, given.setting("commit"));
    }
    if (then == "select") {
        said += said_of_selection(*project, given);
    }
    return said;
}

class GoldenMistake : public testing::TestWithParam<std::string> {};

TEST_P(GoldenMistake, SaysWhatIsWrong) {
    const golden::Case given("project", GetParam());
    const TempDir directory = TempDir::make().value();
    given.write_to(directory.path());
    given.expect(said_of(given, directory.path()), directory.path());
}

INSTANTIATE_TEST_SUITE_P(Cases,
                         GoldenMistake,
                         testing::ValuesIn(golden::cases("project")),
                         golden::test_name);

}  // namespace
}  // namespace tarn
