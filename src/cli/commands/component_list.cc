// SPDX-License-Identifier: MIT
#include "cli/output.hh"

namespace tarn::cli {

CommandSpec component_list() {
    CommandSpec spec;
    spec.path = "component list";
    spec.summary = "List the components of the project";
    spec.run = [](Context& context) -> Result<ExitCode> {
        const Workspace* workspace = TARN_TRY(context.workspace());
        Table table("components",
                    {{"NAME"}, {"SPEC"}, {"OVERLAYS", Align::kRight}, {"SOURCES", Align::kRight}});
        for (const auto& [name, component] : workspace->project().components) {
            table.add({name,
                       component.spec_path.empty() ? "upstream"
                                                   : context.shown(component.spec_path),
                       std::to_string(component.overlays.size()),
                       std::to_string(component.source_files.size())});
        }
        print(table, context.format());
        return ExitCode::kDone;
    };
    return spec;
}

}  // namespace tarn::cli
