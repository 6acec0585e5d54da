// SPDX-License-Identifier: MIT
#include <numeric>

#include "base/strings.hh"
#include "cli/output.hh"

namespace tarn::cli {

CommandSpec image_build() {
    CommandSpec spec;
    spec.path = "image build";
    spec.summary = "Compose an image from the published packages";
    spec.details = "Does whatever is missing first: locks nothing, but imports, builds, signs and\n"
                   "publishes. No root and no loop device are needed.";
    spec.arguments = {{"IMAGE", "its name"}};
    spec.options = {{"--force", "", "compose again from the store although nothing changed"}};
    spec.run = [](Context& context) -> Result<ExitCode> {
        Workspace* workspace = TARN_TRY(context.workspace());
        const std::string name = context.given().value("IMAGE");
        const ImageResult result = TARN_TRY(
            workspace->build_image(name, context.given().has("force"), context.reporter()));
        report_times(context, *workspace);
        for (const auto& [stage, seconds] : result.stages) {
            if (context.given().has("verbose")) {
                context.reporter().info(fmt::format("    {:<16} {:.2f} s", stage, seconds));
            }
        }
        Table table("artifacts", {{"ARTIFACT"}, {"STATE"}});
        for (const std::string& path : result.artifacts) {
            table.add({context.shown(path), result.unchanged ? "unchanged" : "built"});
        }
        print(table, context.format());
        context.reporter().info(fmt::format("{}: {} packages, {} of files",
                                            name,
                                            result.manifest.packages.size(),
                                            human_size(result.manifest.content_bytes)));
        return ExitCode::kDone;
    };
    return spec;
}

}  // namespace tarn::cli
