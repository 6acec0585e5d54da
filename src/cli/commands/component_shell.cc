// SPDX-License-Identifier: MIT
#include "cli/output.hh"

namespace tarn::cli {

CommandSpec component_shell() {
    CommandSpec spec;
    spec.path = "component shell";
    spec.summary = "Enter the sandbox a component failed to build in";
    spec.arguments = {{"COMPONENT", "its name"}};
    spec.run = [](Context& context) -> Result<ExitCode> {
        Workspace* workspace = TARN_TRY(context.workspace());
        const int code = TARN_TRY(workspace->component_shell(context.given().value("COMPONENT")));
        return static_cast<ExitCode>(code);
    };
    return spec;
}

}  // namespace tarn::cli
