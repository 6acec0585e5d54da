// SPDX-License-Identifier: MIT
#include "base/strings.hh"
#include "cli/output.hh"
#include "cli/selection.hh"

namespace tarn::cli {

namespace {

void add_rows(Table& table, const std::string& target, const Lock& lock) {
    for (const auto& [name, suite] : lock.suites) {
        std::uint64_t count = 0;
        std::uint64_t bytes = 0;
        for (const LockedFile& file : lock.packages) {
            if (file.suite == name) {
                ++count;
                bytes += file.digest.size;
            }
        }
        table.add({name, target, suite.date, std::to_string(count), human_size(bytes)},
                  {name, target, suite.date, std::to_string(count), std::to_string(bytes)});
    }
}

}  // namespace

CommandSpec lock_command() {
    CommandSpec spec;
    spec.path = "lock";
    spec.summary = "Resolve every package against the upstream and write the lock";
    spec.details = "The lock names every file by digest: what is built from it is the same on every\n"
                   "machine and day. Keep it in version control.";
    spec.options = {architecture_option(Architectures::kSeveral)};
    spec.run = [](Context& context) -> Result<ExitCode> {
        Table table("suites",
                    {{"SUITE"},
                     {"FOR"},
                     {"DATE"},
                     {"PACKAGES", Align::kRight},
                     {"SIZE", Align::kRight}});
        for (Workspace* const workspace : TARN_TRY(chosen_workspaces(context))) {
            for (Workspace* const each : TARN_TRY(workspace->locked_together())) {
                const Lock* lock = TARN_TRY(each->make_lock(context.reporter()));
                add_rows(table, each->architecture(), *lock);
                context.reporter().info("wrote " + context.shown(each->lock_path()));
            }
        }
        print(table, context.format());
        return ExitCode::kDone;
    };
    return spec;
}

}  // namespace tarn::cli
