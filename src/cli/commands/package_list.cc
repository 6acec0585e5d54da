// SPDX-License-Identifier: MIT
#include <algorithm>

#include "base/strings.hh"
#include "cli/output.hh"

namespace tarn::cli {

CommandSpec package_list() {
    CommandSpec spec;
    spec.path = "package list";
    spec.summary = "List the packages of the distribution and where each comes from";
    spec.options = {{"--built", "", "only those built from source"},
                    {"--imported", "", "only those imported from the upstream"}};
    spec.run = [](Context& context) -> Result<ExitCode> {
        Workspace* workspace = TARN_TRY(context.workspace());
        const auto all = TARN_TRY(workspace->packages(context.reporter()));
        const bool built = context.given().has("built");
        const bool imported = context.given().has("imported");
        Table table("packages", {{"NAME"}, {"VERSION"}, {"ARCH"}, {"ORIGIN"}});
        std::size_t shown = 0;
        std::size_t from_source = 0;
        for (const DistroPackage& package : all) {
            from_source += package.component.empty() ? 0U : 1U;
            if ((built && package.component.empty()) || (imported && !package.component.empty())) {
                continue;
            }
            ++shown;
            table.add({package.nevra.name,
                       package.nevra.evr.to_string(),
                       package.nevra.arch,
                       package.origin.text});
        }
        print(table, context.format());
        context.reporter().info(
            fmt::format("{} packages, {} built from source", shown, from_source));
        return ExitCode::kDone;
    };
    return spec;
}

}  // namespace tarn::cli
