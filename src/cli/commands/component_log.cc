// SPDX-License-Identifier: MIT
#include "base/fs.hh"
#include "cli/output.hh"

namespace tarn::cli {

CommandSpec component_log() {
    CommandSpec spec;
    spec.path = "component log";
    spec.summary = "Print the log of a component's last build";
    spec.arguments = {{"COMPONENT", "its name"}};
    spec.run = [](Context& context) -> Result<ExitCode> {
        const Workspace* workspace = TARN_TRY(context.workspace());
        const std::string name = context.given().value("COMPONENT");
        std::vector<std::string> known;
        for (const auto& [each, component] : workspace->project().components) {
            known.push_back(each);
        }
        if (!workspace->project().components.contains(name)) {
            return fail(unknown_name("component", name, known));
        }
        const std::string path = join_path(workspace->project().log_dir, name + ".log");
        auto text = read_file(path);
        if (!text) {
            return fail(std::move(text.error()).advise(
                fmt::format("`tarn component build {}` builds it and writes the log", name)));
        }
        print(*text);
        return ExitCode::kDone;
    };
    return spec;
}

}  // namespace tarn::cli
