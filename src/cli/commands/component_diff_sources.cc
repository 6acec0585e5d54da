// SPDX-License-Identifier: MIT
#include <set>

#include "base/fs.hh"
#include "cli/output.hh"
#include "cli/selection.hh"
#include "git/diff.hh"
#include "workspace/sources.hh"

namespace tarn::cli {

namespace {

Result<std::string> difference(const SourceSet& before, const SourceSet& after) {
    std::set<std::string> paths;
    for (const SourceSet* set : {&before, &after}) {
        for (const std::string& path : set->paths()) {
            paths.insert(path);
        }
    }
    std::string out;
    for (const std::string& path : paths) {
        const bool was = before.has(path);
        const bool is = after.has(path);
        // Equal content is not read: archives are big.
        if (was && is) {
            const auto& a = before.items().at(path);
            const auto& b = after.items().at(path);
            const bool untouched = !a.bytes && !b.bytes && a.disk == b.disk &&
                                   a.entry.content == b.entry.content;
            if (untouched || a.entry.kind != EntryKind::kFile) {
                continue;
            }
        }
        const std::string old_text = was ? TARN_TRY(before.read(path)) : std::string();
        const std::string new_text = is ? TARN_TRY(after.read(path)) : std::string();
        out += git::unified_diff({path, old_text, was}, {path, new_text, is});
    }
    return out;
}

Result<ExitCode> run(Context& context) {
    const Component* component = TARN_TRY(selected_one(context));
    Workspace* workspace = TARN_TRY(context.workspace());
    SourcesOptions options;
    options.download = !context.given().has("skip-sources");
    options.release = !context.given().has("without-git");
    options.validate_locks = !context.given().has("skip-lock-validation");
    if (options.validate_locks) {
        TARN_TRY(check_locks(*workspace, {component}, false));
    }
    PristineSources pristine = TARN_TRY(pristine_sources(*workspace, *component, options));
    TARN_TRY(add_downloads(*workspace, *component, pristine.files, options, context.reporter()));
    SourceSet before = pristine.files;
    const std::string spec = component->name + ".spec";
    if (pristine.spec_name != spec) {
        before.rename(pristine.spec_name, spec);
    }
    const ComponentSources after =
        TARN_TRY(prepared_sources(*workspace, *component, std::move(pristine), options));
    for (const std::string& warning : after.warnings) {
        context.reporter().warn(warning);
    }
    const std::string text = TARN_TRY(difference(before, after.files));
    const std::string file = context.given().value("output-file");
    if (file.empty()) {
        print(text);
    } else {
        TARN_TRY(write_file_atomic(absolute_path(file, current_directory()), text));
    }
    return ExitCode::kDone;
}

}  // namespace

CommandSpec component_diff_sources() {
    CommandSpec spec;
    spec.path = "component diff-sources";
    spec.summary = "Show what overlays and release change of a component's sources, as a diff";
    spec.arguments = {{"COMPONENT", "its name"}};
    spec.options = {{"--output-file", "FILE", "write the diff here"},
                    {"--skip-sources", "", "do not download archives"},
                    {"--without-git", "", "do not count releases from the project's history"},
                    {"--skip-lock-validation", "", "go on when the lock is missing or stale"}};
    spec.run = run;
    return spec;
}

}  // namespace tarn::cli
