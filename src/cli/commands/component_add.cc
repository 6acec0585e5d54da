// SPDX-License-Identifier: MIT
#include "base/fs.hh"
#include "base/strings.hh"
#include "cli/output.hh"
#include "project/dump.hh"

namespace tarn::cli {

namespace {

Result<ExitCode> run(Context& context) {
    const Workspace* workspace = TARN_TRY(context.workspace());
    const Project& project = workspace->project();
    const std::vector<std::string> names = context.given().all("COMPONENT");
    std::vector<std::string> taken;
    for (const std::string& name : names) {
        if (project.components.contains(name)) {
            taken.push_back(name);
        }
        if (name.empty() || name.find('/') != std::string::npos || name == "." || name == "..") {
            return fail(ErrorKind::kUsage, "`{}` is no name of a component", name);
        }
    }
    if (!taken.empty()) {
        return fail(ErrorKind::kUsage, "already declared: {}", join(taken, ", "));
    }
    const std::string text = TARN_TRY(read_file(project.file));
    TARN_TRY(write_file_atomic(project.file, append_components(text, names)));
    context.reporter().info(
        fmt::format("added {} to {}", join(names, ", "), context.shown(project.file)));
    return ExitCode::kDone;
}

}  // namespace

CommandSpec component_add() {
    CommandSpec spec;
    spec.path = "component add";
    spec.summary = "Declare components in the project's own file";
    spec.arguments = {{"COMPONENT", "names", true, true}};
    spec.run = run;
    return spec;
}

}  // namespace tarn::cli
