// SPDX-License-Identifier: MIT
#include "cli/output.hh"
#include "project/dump.hh"

namespace tarn::cli {

CommandSpec project_dump() {
    CommandSpec spec;
    spec.path = "project dump";
    spec.summary = "Print the resolved configuration";
    spec.origins = true;
    spec.details = "All files merged, everything inherited filled in.";
    spec.arguments = {{"COMPONENT", "only these", false, true}};
    spec.options = {{"-f,--format", "FORMAT", "how it is written", {"toml", "json"}},
                    {"--origins", "", "say of every value in which file and line it is written"}};
    spec.run = [](Context& context) -> Result<ExitCode> {
        const Workspace* workspace = TARN_TRY(context.workspace());
        DumpOptions options;
        options.origins = context.given().has("origins");
        options.components = context.given().all("COMPONENT");
        std::vector<std::string> known;
        for (const auto& [name, component] : workspace->project().components) {
            known.push_back(name);
        }
        for (const std::string& name : options.components) {
            if (!workspace->project().components.contains(name)) {
                return fail(unknown_name("component", name, known));
            }
        }
        const bool json = context.given().value("format", "toml") == "json" ||
                          (!context.given().has("format") && context.format() == OutputFormat::kJson);
        print(json ? dump_json(workspace->project(), workspace->sources(), options)
                   : dump_toml(workspace->project(), workspace->sources(), options));
        return ExitCode::kDone;
    };
    return spec;
}

CommandSpec project_schema_command() {
    CommandSpec spec;
    spec.path = "project schema";
    spec.summary = "Print a JSON Schema of project files, for editors";
    spec.options = {{"--overlay-document", "", "that of an overlay file instead"}};
    spec.run = [](Context& context) -> Result<ExitCode> {
        print(context.given().has("overlay-document") ? overlay_document_schema()
                                                      : project_schema());
        return ExitCode::kDone;
    };
    return spec;
}

}  // namespace tarn::cli
