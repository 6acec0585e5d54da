// SPDX-License-Identifier: MIT
#include "base/strings.hh"
#include "cli/output.hh"

namespace tarn::cli {

CommandSpec lock_command() {
    CommandSpec spec;
    spec.path = "lock";
    spec.summary = "Resolve every package against the upstream and write the lock";
    spec.details = "The lock names every file by digest: what is built from it is the same on every\n"
                   "machine and day. Keep it in version control.";
    spec.run = [](Context& context) -> Result<ExitCode> {
        Workspace* workspace = TARN_TRY(context.workspace());
        const Lock* lock = TARN_TRY(workspace->make_lock(context.reporter()));
        Table table("suites",
                    {{"SUITE"}, {"DATE"}, {"PACKAGES", Align::kRight}, {"SIZE", Align::kRight}});
        for (const auto& [name, suite] : lock->suites) {
            std::uint64_t count = 0;
            std::uint64_t bytes = 0;
            for (const LockedFile& file : lock->packages) {
                if (file.suite == name) {
                    ++count;
                    bytes += file.digest.size;
                }
            }
            table.add({name, suite.date, std::to_string(count), human_size(bytes)},
                      {name, suite.date, std::to_string(count), std::to_string(bytes)});
        }
        print(table, context.format());
        context.reporter().info("wrote " + context.shown(workspace->lock_path()));
        return ExitCode::kDone;
    };
    return spec;
}

}  // namespace tarn::cli
