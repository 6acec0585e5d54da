// SPDX-License-Identifier: MIT
#include "base/strings.hh"
#include "cli/output.hh"

namespace tarn::cli {

CommandSpec store_gc() {
    CommandSpec spec;
    spec.path = "store gc";
    spec.summary = "Remove from the store what was not used lately";
    spec.options = {{"--days", "N", "keep what was used in the last N days (30)"},
                    {"-n,--dry-run", "", "only say what would be removed"}};
    spec.run = [](Context& context) -> Result<ExitCode> {
        const auto days = parse_u64(context.given().value("days", "30"));
        if (!days || *days > 36500) {
            return fail(ErrorKind::kUsage, "--days: {} is no number of days", context.given().value("days"));
        }
        const Store store = TARN_TRY(context.store());
        const bool dry = context.given().has("dry-run");
        const GcResult result = TARN_TRY(collect_garbage(
            store, static_cast<std::int64_t>(*days * 86400), dry ? DryRun::kYes : DryRun::kNo));
        Table table("gc", {{"REMOVED", Align::kRight}, {"SIZE", Align::kRight}, {"KEPT", Align::kRight}});
        table.add({std::to_string(result.removed_files),
                   human_size(result.removed_bytes),
                   std::to_string(result.kept_files)},
                  {std::to_string(result.removed_files),
                   std::to_string(result.removed_bytes),
                   std::to_string(result.kept_files)});
        print(table, context.format());
        if (dry) {
            context.reporter().info("dry run: nothing was removed");
        }
        return ExitCode::kDone;
    };
    return spec;
}

}  // namespace tarn::cli
