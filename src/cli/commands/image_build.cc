// SPDX-License-Identifier: MIT
#include <numeric>

#include "base/strings.hh"
#include "cli/output.hh"
#include "cli/selection.hh"

namespace tarn::cli {

namespace {

Result<void> build_one(Context& context, Workspace& workspace, Table& table) {
    const std::string name = context.given().value("IMAGE");
    const ImageResult result = TARN_TRY(
        workspace.build_image(name, context.given().has("force"), context.reporter()));
    report_times(context, workspace);
    for (const auto& [stage, seconds] : result.stages) {
        if (context.given().has("verbose")) {
            context.reporter().info(fmt::format("    {:<16} {:.2f} s", stage, seconds));
        }
    }
    for (const std::string& path : result.artifacts) {
        table.add({context.shown(path), result.unchanged ? "unchanged" : "built"});
    }
    context.reporter().info(fmt::format("{}{}: {} packages, {} of files",
                                        name,
                                        context.given().has("arch")
                                            ? " for " + workspace.architecture()
                                            : "",
                                        result.manifest.packages.size(),
                                        human_size(result.manifest.content_bytes)));
    return {};
}

}  // namespace

CommandSpec image_build() {
    CommandSpec spec;
    spec.path = "image build";
    spec.summary = "Compose an image from the published packages";
    spec.details = "Does whatever is missing first: locks nothing, but imports, builds, signs and\n"
                   "publishes. No root and no loop device are needed, and no program of the image\n"
                   "is run: every architecture is composed on any machine.";
    spec.arguments = {{"IMAGE", "its name"}};
    spec.options = {architecture_option(Architectures::kSeveral),
                    {"--force", "", "compose again from the store although nothing changed"}};
    spec.run = [](Context& context) -> Result<ExitCode> {
        Table table("artifacts", {{"ARTIFACT"}, {"STATE"}});
        const auto all =
            TARN_TRY(chosen_workspaces(context, context.given().value("IMAGE")));
        for (Workspace* const workspace : all) {
            TARN_TRY(build_one(context, *workspace, table));
        }
        print(table, context.format());
        return ExitCode::kDone;
    };
    return spec;
}

}  // namespace tarn::cli
