// SPDX-License-Identifier: MIT
#include "base/strings.hh"
#include "cli/output.hh"

namespace tarn::cli {

CommandSpec repo_publish() {
    CommandSpec spec;
    spec.path = "repo publish";
    spec.summary = "Import, build and sign every package, and publish the repository";
    spec.details = "The new snapshot takes the place of the old one in a single rename; the old one\n"
                   "stays beside it.";
    spec.run = [](Context& context) -> Result<ExitCode> {
        Workspace* workspace = TARN_TRY(context.workspace());
        const Published published = TARN_TRY(workspace->publish(context.reporter()));
        Table table("published",
                    {{"SNAPSHOT"}, {"PACKAGES", Align::kRight}, {"SIZE", Align::kRight}, {"STATE"}, {"PATH"}});
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
        print(table, context.format());
        report_times(context, *workspace);
        return ExitCode::kDone;
    };
    return spec;
}

}  // namespace tarn::cli
