// SPDX-License-Identifier: MIT
#include <algorithm>

#include "base/strings.hh"
#include "cli/output.hh"
#include "cli/selection.hh"

namespace tarn::cli {

CommandSpec component_build() {
    CommandSpec spec;
    spec.path = "component build";
    spec.summary = "Build components from source, each in a sandbox without network";
    spec.details =
        "Without names, every component is built. What was built before from the same inputs is\n"
        "taken from the store. Logs are kept in the project's log directory. With --arch of another\n"
        "architecture: those that can be cross built for it.";
    spec.arguments = {component_arguments()};
    spec.options = selection_options(false);
    spec.options.push_back(architecture_option(Architectures::kOne));
    spec.options.push_back({"--force", "", "build again although nothing changed"});
    spec.run = [](Context& context) -> Result<ExitCode> {
        Workspace* workspace = TARN_TRY(chosen_workspace(context));
        const bool cross = workspace->architecture() != machine_architecture();
        const bool named = !context.given().all("COMPONENT").empty();
        std::vector<std::string> names;
        for (const Component* component : TARN_TRY(selected(context, Nothing::kAll))) {
            const std::vector<std::string>& known = component->build.cross_architectures;
            if (named || !cross ||
                std::find(known.begin(), known.end(), workspace->architecture()) != known.end()) {
                names.push_back(component->name);
            }
        }
        if (names.empty()) {
            return ExitCode::kDone;  // a pattern that matched nothing; a warning said so
        }
        const BuildOutcome outcome = TARN_TRY(
            workspace->build(names, context.given().has("force"), context.reporter()));
        Table table("built", {{"COMPONENT"}, {"PACKAGE"}, {"STATE"}, {"TIME", Align::kRight}});
        for (const BuiltComponent& built : outcome.built) {
            for (const rpm::Nevra& nevra : built.nevras) {
                const std::string state = built.cached ? "cached" : "built";
                table.add({built.name, nevra.to_string(), state, human_time(built.seconds)},
                          {built.name, nevra.to_string(), state, fmt::format("{:.1f}", built.seconds)});
            }
        }
        print(table, context.format());
        for (const BuildFailure& failure : outcome.failures) {
            talk(draw_error(failure.error, false));
        }
        for (const std::string& name : outcome.not_tried) {
            talk(fmt::format("not built: {} (needs a component that failed)\n", name));
        }
        if (outcome.failures.empty()) {
            return ExitCode::kDone;
        }
        return outcome.built.empty() ? ExitCode::kFailed : ExitCode::kPartial;
    };
    return spec;
}

}  // namespace tarn::cli
