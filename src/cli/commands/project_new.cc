// SPDX-License-Identifier: MIT
#include "base/fs.hh"
#include "cli/output.hh"
#include "project/dump.hh"

namespace tarn::cli {

namespace {

Result<ExitCode> make_project(Context& context, const std::string& directory) {
    for (const char* name : {"tarn.toml", "azldev.toml"}) {
        const std::string path = join_path(directory, name);
        if (path_exists(path)) {
            return fail(ErrorKind::kUsage, "there is a project already: {}", context.shown(path));
        }
    }
    TARN_TRY(make_directories(directory));
    const std::string ignored = join_path(directory, ".gitignore");
    if (!path_exists(ignored)) {
        TARN_TRY(write_file_atomic(ignored, gitignore_skeleton()));
    }
    const std::string file = join_path(directory, "tarn.toml");
    TARN_TRY(write_file_atomic(file, project_skeleton(file_name(directory))));
    context.reporter().info(fmt::format("made {}", context.shown(file)));
    return ExitCode::kDone;
}

}  // namespace

CommandSpec project_new() {
    CommandSpec spec;
    spec.path = "project new";
    spec.summary = "Make a directory with an empty project";
    spec.arguments = {{"PATH", "the directory; its name becomes the project's"}};
    spec.run = [](Context& context) -> Result<ExitCode> {
        return make_project(context,
                            absolute_path(context.given().value("PATH"), current_directory()));
    };
    return spec;
}

CommandSpec project_init() {
    CommandSpec spec;
    spec.path = "project init";
    spec.summary = "Make an empty project in this directory";
    spec.run = [](Context& context) -> Result<ExitCode> {
        return make_project(
            context, absolute_path(context.given().value("directory", "."), current_directory()));
    };
    return spec;
}

}  // namespace tarn::cli
