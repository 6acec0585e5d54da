// SPDX-License-Identifier: MIT
#include "base/strings.hh"
#include "cli/output.hh"
#include "cli/selection.hh"

namespace tarn::cli {

CommandSpec repo_publish() {
    CommandSpec spec;
    spec.path = "repo publish";
    spec.summary = "Import, build and sign every package, and publish the repository";
    spec.details = "The new snapshot takes the place of the old one in a single rename; the old one\n"
                   "stays beside it.";
    spec.options = {architecture_option(Architectures::kSeveral)};
    spec.run = [](Context& context) -> Result<ExitCode> {
        Table table("published",
                    {{"SNAPSHOT"}, {"PACKAGES", Align::kRight}, {"SIZE", Align::kRight}, {"STATE"}, {"PATH"}});
        for (Workspace* const workspace : TARN_TRY(chosen_workspaces(context))) {
            const Published published = TARN_TRY(workspace->publish(context.reporter()));
            const std::string state = published.unchanged ? "unchanged" : "new";
            table.add({published.snapshot,
                       std::to_string(published.packages),
                       human_size(published.bytes),
                       state,
                       context.shown(published.path)},
                      {published.snapshot,
                       std::to_string(published.packages),
                       std::to_string(published.bytes),
                       state,
                       context.shown(published.path)});
            report_times(context, *workspace);
        }
        print(table, context.format());
        return ExitCode::kDone;
    };
    return spec;
}

}  // namespace tarn::cli
