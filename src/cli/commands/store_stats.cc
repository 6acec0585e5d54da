// SPDX-License-Identifier: MIT
#include "base/strings.hh"
#include "cli/output.hh"

namespace tarn::cli {

CommandSpec store_stats_command() {
    CommandSpec spec;
    spec.path = "store stats";
    spec.summary = "Show what the store holds";
    spec.run = [](Context& context) -> Result<ExitCode> {
        const Store store = TARN_TRY(context.store());
        const StoreStats stats = TARN_TRY(store_stats(store));
        Table table("store", {{"WHAT"}, {"COUNT", Align::kRight}, {"SIZE", Align::kRight}});
        table.add({"blobs", std::to_string(stats.blobs), human_size(stats.blob_bytes)},
                  {"blobs", std::to_string(stats.blobs), std::to_string(stats.blob_bytes)});
        table.add({"results", std::to_string(stats.results), ""});
        table.add({"roots", std::to_string(stats.roots), ""});
        table.add({"temporary", std::to_string(stats.temporary), ""});
        table.add({"on disk", "", human_size(stats.allocated_bytes)},
                  {"on disk", "", std::to_string(stats.allocated_bytes)});
        print(table, context.format());
        context.reporter().info(context.shown(store.directory()));
        return ExitCode::kDone;
    };
    return spec;
}

}  // namespace tarn::cli
