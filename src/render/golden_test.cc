// SPDX-License-Identifier: MIT
// Components that cannot be rendered, and what is said about them: tests/golden/render/<case>/in
// and err.exp, and single mistakes as tests/golden/render/<case>.txt, with these settings:
//     permissive: yes  strict: yes  allow-no-hashes: yes
//     archives: no            as when nothing is fetched
//     spec: NAME              the spec as it is called among the sources
//     link: a -> b            a link among the sources
//     tree: NAME              the component is written into a directory of rendered specs
// The file "x.tar/dir/file" of a case is the member dir/file of the archive x.tar, and
// "x.tar/link -> target" a link in it.
#include "base/golden_test.hh"
#include "render/detail/archive.hh"
#include "render/render.hh"
#include "render/rendered_tree.hh"

#include <cstdlib>

namespace tarn {
namespace {

const std::string kDirectories = golden::directory_of("render");

std::vector<std::string> directories() {
    auto names = list_directory(kDirectories).value_or(std::vector<std::string>{});
    std::erase_if(names, [](const std::string& name) {
        return !is_directory(join_path(kDirectories, name));
    });
    return names;
}

class GoldenComponents : public testing::TestWithParam<std::string> {};

TEST_P(GoldenComponents, SayWhyTheyCannotBeRendered) {
    const std::string directory = join_path(kDirectories, GetParam());
    const TempDir temporary = TempDir::make().value();
    const Store store = Store::open(join_path(temporary.path(), "store")).value();
    SourceMap sources;
    Diagnostics diagnostics(sources);
    LoadOptions options;
    options.start = join_path(directory, "in");
    options.shown_from = options.start;
    const auto project = load_project(options, sources, diagnostics);
    ASSERT_TRUE(project.has_value()) << diagnostics.draw();
    std::string said;
    for (const auto& [name, component] : project->components) {
        RenderRequest request;
        request.component = &component;
        request.wording = &project->render;
        request.map = &sources;
        const auto made = render_component(store, request, {}, 0);
        ASSERT_FALSE(made.has_value()) << name;
        said += golden::printed(made.error());
    }
    const std::string expected = join_path(directory, "err.exp");
    if (std::getenv("TARN_ACCEPT") != nullptr) {
        ASSERT_TRUE(write_file_atomic(expected, said).has_value());
    }
    EXPECT_EQ(said, read_file(expected).value_or("no err.exp; accept it with TARN_ACCEPT=1"));
}

INSTANTIATE_TEST_SUITE_P(Cases,
                         GoldenComponents,
                         testing::ValuesIn(directories()),
                         golden::test_name);

// ---- single mistakes ----------------------------------------------------------------------------

// Everything of the case but its declarations, archives packed.
SourceSet sources_of(const golden::Case& given) {
    SourceSet set;
    std::map<std::string, overlay::Archive> archives;
    for (const auto& file : given.files()) {
        const std::size_t ending = file.name.find(".tar/");
        if (ending != std::string::npos) {
            const std::string member = file.name.substr(ending + 5);
            const std::size_t arrow = member.find(" -> ");
            auto& members = archives[file.name.substr(0, ending + 4)].members;
            if (arrow == std::string::npos) {
                members[member] = {EntryKind::kFile, 0644, file.text};
            } else {
                members[member.substr(0, arrow)] = {
                    EntryKind::kSymlink, 0777, "", member.substr(arrow + 4)};
            }
        } else if (!file.name.ends_with(".toml")) {
            set.add(file.name, file.text, 0);
        }
    }
    for (const auto& [name, archive] : archives) {
        set.add(name, overlay::write_archive(archive).value(), 0);
    }
    return set;
}

std::string said_of(const golden::Case& given, const std::string& directory) {
    SourceMap map;
    Diagnostics diagnostics(map);
    LoadOptions options;
    options.start = directory;
    options.shown_from = directory;
    options.permissive = !given.settings("permissive").empty();
    const auto project = load_project(options, map, diagnostics);
    if (!project) {
        return golden::printed(project.error());
    }
    std::string said = diagnostics.draw();
    for (const auto& [name, component] : project->components) {
        SourceSet sources = sources_of(given);
        RenderRequest request;
        request.component = &component;
        request.wording = &project->render;
        request.map = &map;
        request.pristine_spec_name = given.setting("spec");
        request.archives_present = given.setting("archives") != "no";
        request.allow_no_hashes = !given.settings("allow-no-hashes").empty();
        request.strict = !given.settings("strict").empty();
        const auto made = prepare_sources(sources, request);
        if (!made) {
            said += golden::printed(made.error());
            continue;
        }
        for (const std::string& warning : made->warnings) {
            said += (contains(warning, "\n") ? "" : "warning: ") + warning + "\n";
        }
        if (const std::string tree = given.setting("tree"); !tree.empty()) {
            const auto written =
                write_rendered(join_path(directory, tree), name, sources, false);
            said += written ? "" : golden::printed(written.error());
        }
    }
    return said;
}

class GoldenOverlay : public testing::TestWithParam<std::string> {};

TEST_P(GoldenOverlay, SaysWhatIsWrong) {
    const golden::Case given("render", GetParam());
    const TempDir directory = TempDir::make().value();
    given.write_to(directory.path());
    given.expect(said_of(given, directory.path()), directory.path());
}

INSTANTIATE_TEST_SUITE_P(Cases,
                         GoldenOverlay,
                         testing::ValuesIn(golden::cases("render")),
                         golden::test_name);

}  // namespace
}  // namespace tarn
