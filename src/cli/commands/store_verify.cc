// SPDX-License-Identifier: MIT
#include "cli/output.hh"

namespace tarn::cli {

CommandSpec store_verify() {
    CommandSpec spec;
    spec.path = "store verify";
    spec.summary = "Read the whole store and compare everything with its digest";
    spec.run = [](Context& context) -> Result<ExitCode> {
        const Store store = TARN_TRY(context.store());
        const auto problems = TARN_TRY(verify_store(store, context.jobs(), context.stop()));
        Table table("problems", {{"FILE"}, {"PROBLEM"}});
        for (const StoreProblem& problem : problems) {
            table.add({problem.path, problem.what});
        }
        if (!problems.empty() || context.format() != OutputFormat::kTable) {
            print(table, context.format());
        }
        if (problems.empty()) {
            context.reporter().info("the store is sound");
            return ExitCode::kDone;
        }
        return fail(error(ErrorKind::kCorrupt, "{} files of the store are damaged", problems.size())
                        .advise("remove them: what is missing is made or fetched again"));
    };
    return spec;
}

}  // namespace tarn::cli
