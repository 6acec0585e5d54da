// SPDX-License-Identifier: MIT
#include "cli/output.hh"
#include "cli/records.hh"
#include "cli/selection.hh"
#include "workspace/update.hh"

namespace tarn::cli {

namespace {

constexpr std::size_t kShown = 20;  // failures

Result<ExitCode> run(Context& context) {
    const Given& given = context.given();
    UpdateRequest request;
    request.components = TARN_TRY(selected(context, Nothing::kError));
    Workspace* workspace = TARN_TRY(context.workspace());
    request.bump = given.has("bump");
    request.check_only = given.has("check-only");
    request.force = given.has("force-recalculate");
    request.prune_orphans = given.has("all");
    const UpdateOutcome outcome =
        TARN_TRY(update_components(*workspace, request, context.reporter()));
    Records records({{"component", "COMPONENT"},
                     {"upstreamCommit", "COMMIT"},
                     {"previousCommit", "BEFORE"},
                     {"changed", "CHANGED"},
                     {"skipped", ""},
                     {"skipReason", "REASON"},
                     {"error", ""}});
    std::size_t changed = 0;
    std::size_t failed = 0;
    const bool table = context.format() == OutputFormat::kTable;
    const bool every = context.format() == OutputFormat::kJson || given.has("verbose");
    for (const UpdateRow& row : outcome.rows) {
        changed += row.changed ? 1U : 0U;
        failed += row.problem ? 1U : 0U;
        if (row.problem && failed <= kShown) {
            talk(draw_error(*row.problem, false));
        }
        // A table of what would have been written says little when nothing was.
        if (table ? every || (row.changed && !outcome.failed)
                  : every || row.changed || row.problem) {
            records.add({row.component, row.upstream_commit, row.previous_commit, row.changed,
                         row.skipped, row.skip_reason, row.error});
        }
    }
    if (!records.empty() || !table) {
        records.print(context.format());
    }
    for (const std::string& name : outcome.pruned) {
        context.reporter().info(fmt::format("{} lock of `{}`, which is no component any more",
                                            request.check_only ? "stale:" : "removed:", name));
    }
    if (outcome.failed) {
        Error all = error(ErrorKind::kFailed, "{} of {} components could not be updated", failed,
                          outcome.rows.size());
        if (failed > kShown) {
            all.notes.push_back(fmt::format("the first {} are shown; -O json has all", kShown));
        }
        return fail(std::move(all).note("no lock was written"));
    }
    context.reporter().info(fmt::format("{} of {} locks {}", changed, outcome.rows.size(),
                                        request.check_only ? "would change" : "changed"));
    const bool differs = changed != 0 || !outcome.pruned.empty();
    return request.check_only && differs ? ExitCode::kFailed : ExitCode::kDone;
}

}  // namespace

CommandSpec component_update() {
    CommandSpec spec;
    spec.path = "component update";
    spec.summary = "Choose the upstream commit of components and write their locks";
    spec.details =
        "A lock is kept when nothing that decides the commit changed. If one component fails, no lock is\n"
        "written. With --all, locks of components that are gone are removed.";
    spec.arguments = {component_arguments()};
    spec.options = selection_options(false);
    const std::vector<Option> own = {
        {"--bump", "", "count one more rebuild"},
        {"--check-only", "", "write nothing; exit code 1 when a lock would change"},
        {"--force-recalculate", "", "choose every commit again"}};
    spec.options.insert(spec.options.end(), own.begin(), own.end());
    spec.run = run;
    return spec;
}

}  // namespace tarn::cli
