// SPDX-License-Identifier: MIT
#include "base/fs.hh"
#include "cli/records.hh"
#include "cli/selection.hh"
#include "workspace/render_specs.hh"
#include "workspace/sources.hh"

namespace tarn::cli {

namespace {

ExitCode render_exit(const Context& context, const RenderSpecsOutcome& outcome) {
    const Given& given = context.given();
    std::size_t failed = 0;
    bool changed = !outcome.stale.empty();
    for (const RenderRow& row : outcome.rows) {
        failed += row.status == "ok" ? 0U : 1U;
        changed = changed || row.changed;
    }
    if (failed != 0 && (!context.compatible() || given.has("fail-on-error"))) {
        return failed == outcome.rows.size() || context.compatible() ? ExitCode::kFailed
                                                                     : ExitCode::kPartial;
    }
    return given.has("check-only") && changed ? ExitCode::kFailed : ExitCode::kDone;
}

void report(Context& context, const RenderSpecsOutcome& outcome) {
    Records records({{"component", "COMPONENT"},
                     {"outputDir", "DIRECTORY"},
                     {"status", "STATUS"},
                     {"changed", "CHANGED"},
                     {"error", ""}});
    std::size_t failed = 0;
    std::size_t changed = 0;
    for (const RenderRow& row : outcome.rows) {
        records.add({row.component, context.shown(row.output_directory), row.status, row.changed,
                     row.error.message});
        failed += row.status == "error" ? 1U : 0U;
        changed += row.changed ? 1U : 0U;
        if (row.status == "error") {
            talk(draw_error(row.error, false));
        }
    }
    for (const std::string& warning : outcome.warnings) {
        context.reporter().warn(warning);
    }
    for (const std::string& path : outcome.stale) {
        context.reporter().info("belongs to no component: " + context.shown(path));
    }
    records.print(context.format());
    context.reporter().info(fmt::format(
        "{} components, {} changed, {} failed", outcome.rows.size(), changed, failed));
}

Result<ExitCode> run(Context& context) {
    const Given& given = context.given();
    RenderSpecsRequest request;
    request.components = TARN_TRY(selected(context, Nothing::kError));
    Workspace* workspace = TARN_TRY(context.workspace());
    request.check_only = given.has("check-only");
    request.clean_stale = given.has("clean-stale");
    request.validate_locks = !given.has("skip-lock-validation");
    request.release = !given.has("without-git");
    if (given.has("output-dir")) {
        request.output_directory = absolute_path(given.value("output-dir"), current_directory());
        request.overwrite = given.has("force");
    }
    if (request.clean_stale && !given.has("all")) {
        return fail(ErrorKind::kUsage, "--clean-stale needs --all: what is stale is known only then");
    }
    if (request.clean_stale && given.has("output-dir") && !given.has("force")) {
        return fail(ErrorKind::kUsage, "--clean-stale in another directory needs --force");
    }
    if (request.validate_locks) {
        TARN_TRY(check_locks(*workspace, request.components, given.has("all")));
    }
    const RenderSpecsOutcome outcome =
        TARN_TRY(render_specs(*workspace, request, context.reporter()));
    report(context, outcome);
    return render_exit(context, outcome);
}

}  // namespace

CommandSpec component_render() {
    CommandSpec spec;
    spec.path = "component render";
    spec.summary = "Write the specs of components with their overlays applied";
    spec.details =
        "Writes <rendered-specs-dir>/<letter>/<component>/ with the spec, `sources` and the files the\n"
        "spec refers to. A component that fails leaves RENDER_FAILED there; the others go on.";
    spec.arguments = {component_arguments()};
    spec.options = selection_options(true);
    const std::vector<Option> own = {
             {"-o,--output-dir", "DIR", "write here instead"},
             {"-f,--force", "", "overwrite what is in that directory"},
             {"--clean-stale", "", "remove directories of components that are gone (with --all)"},
             {"--check-only", "", "write nothing; exit code 1 when something would change"},
             {"--fail-on-error", "", "exit code 1 on failure also under --compat"},
             {"--without-git", "", "do not count releases from the project's history"}};
    spec.options.insert(spec.options.end(), own.begin(), own.end());
    spec.run = run;
    return spec;
}

}  // namespace tarn::cli
