// SPDX-License-Identifier: MIT
#include "cli/output.hh"

namespace tarn::cli {

CommandSpec key_enroll() {
    CommandSpec spec;
    spec.path = "key enroll";
    spec.summary = "Write what makes machines trust the Secure Boot key";
    spec.details =
        "PK, KEK and db as authenticated updates (.auth) and signature lists (.esl), the\n"
        "certificate (.cer), and a variable store for OVMF that has them and nothing else.";
    spec.arguments = {{"DIRECTORY", "where the files go"}};
    spec.run = [](Context& context) -> Result<ExitCode> {
        const Workspace* workspace = TARN_TRY(context.workspace());
        Table table("files", {{"FILE"}});
        for (const std::string& name :
             TARN_TRY(workspace->export_enrollment(context.given().value("DIRECTORY")))) {
            table.add({name});
        }
        print(table, context.format());
        return ExitCode::kDone;
    };
    return spec;
}

}  // namespace tarn::cli
