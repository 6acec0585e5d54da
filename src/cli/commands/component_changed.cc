// SPDX-License-Identifier: MIT
#include "cli/records.hh"
#include "cli/selection.hh"
#include "workspace/update.hh"

namespace tarn::cli {

namespace {

Result<ExitCode> run(Context& context) {
    const Given& given = context.given();
    const std::string from = given.value("from");
    if (from.empty()) {
        return fail(error(ErrorKind::kUsage, "--from is missing: the commit to compare with")
                        .advise("for example `--from origin/main`"));
    }
    Workspace* workspace = TARN_TRY(context.workspace());
    std::vector<std::string> names;
    const bool narrowed = given.has("COMPONENT") || given.has("component") ||
                          given.has("component-group") || given.has("spec-path");
    if (narrowed) {
        for (const Component* component : TARN_TRY(selected(context, Nothing::kAll))) {
            names.push_back(component->name);
        }
    }
    const auto rows = TARN_TRY(
        changed_components(workspace->project(), from, given.value("to", "HEAD"), names));
    Records records({{"component", "COMPONENT"},
                     {"changeType", "CHANGE"},
                     {"sourcesChange", "SOURCES CHANGE"}});
    Error problems = error(ErrorKind::kFailed, "`sources` changed, the fingerprint did not");
    for (const ChangedRow& row : rows) {
        if (!row.error.empty()) {
            problems.notes.push_back(row.error);
        }
        if (row.change != "unchanged" || !row.error.empty() || given.has("include-unchanged")) {
            records.add({row.component, row.change, row.sources_change});
        }
    }
    records.print(context.format());
    if (!problems.notes.empty()) {
        return fail(std::move(problems).advise("`tarn component update` and render them again"));
    }
    return ExitCode::kDone;
}

}  // namespace

CommandSpec component_changed() {
    CommandSpec spec;
    spec.path = "component changed";
    spec.summary = "List the components whose locks differ between two commits of the project";
    spec.arguments = {component_arguments()};
    spec.options = selection_options(false);
    const std::vector<Option> own = {{"--from", "COMMIT", "compare with this one"},
                                     {"--to", "COMMIT", "compare this one (HEAD)"},
                                     {"--include-unchanged", "", "list those too"}};
    spec.options.insert(spec.options.end(), own.begin(), own.end());
    spec.run = run;
    return spec;
}

}  // namespace tarn::cli
