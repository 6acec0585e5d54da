// SPDX-License-Identifier: MIT
#include "cli/output.hh"

namespace tarn::cli {

CommandSpec man_page() {
    CommandSpec spec;
    spec.path = "man";
    spec.summary = "Print the manual page (tarn man | man -l -)";
    spec.run = [](Context&) -> Result<ExitCode> {
        print(man_text());
        return ExitCode::kDone;
    };
    return spec;
}

}  // namespace tarn::cli
