// SPDX-License-Identifier: MIT
#include "cli/output.hh"

namespace tarn::cli {

CommandSpec image_inject() {
    CommandSpec spec;
    spec.path = "image inject";
    spec.summary = "Take signatures of boot programs back that were made elsewhere";
    spec.details =
        "Every signature is checked first: that the program is the one that was exported, and\n"
        "that the certificate of [secure-boot] made it. They go to `signatures` of [secure-boot].";
    spec.arguments = {{"DIRECTORY", "what `tarn image export-unsigned` wrote, signed"}};
    spec.run = [](Context& context) -> Result<ExitCode> {
        const Workspace* workspace = TARN_TRY(context.workspace());
        const std::size_t count =
            TARN_TRY(workspace->inject_signatures(context.given().value("DIRECTORY")));
        context.reporter().info(
            fmt::format("{} {} taken into {}",
                        count,
                        count == 1 ? "signature" : "signatures",
                        context.shown(workspace->boot_key_source().signatures)));
        return ExitCode::kDone;
    };
    return spec;
}

}  // namespace tarn::cli
