// SPDX-License-Identifier: MIT
#include "cli/output.hh"

namespace tarn::cli {

CommandSpec completion() {
    CommandSpec spec;
    spec.path = "completion";
    spec.summary = "Print the completion script for bash";
    spec.details = "Put this into ~/.bashrc: source <(tarn completion)";
    spec.run = [](Context&) -> Result<ExitCode> {
        print(bash_completion());
        return ExitCode::kDone;
    };
    return spec;
}

}  // namespace tarn::cli
