// SPDX-License-Identifier: MIT
#include "base/fs.hh"
#include "cli/output.hh"
#include "cli/selection.hh"
#include "workspace/sources.hh"

namespace tarn::cli {

namespace {

Result<ExitCode> run(Context& context) {
    const Given& given = context.given();
    const std::string output = absolute_path(given.value("output-dir"), current_directory());
    if (!given.has("output-dir")) {
        return fail(error(ErrorKind::kUsage, "--output-dir is missing: where the sources go")
                        .advise("for example `-o sources`"));
    }
    if (path_exists(output) && !given.has("force")) {
        const auto names = list_directory(output);
        if (!names || !names->empty()) {
            return fail(error(ErrorKind::kUsage, "{} is there and not empty", context.shown(output))
                            .advise("--force replaces it"));
        }
    }
    const Component* component = TARN_TRY(selected_one(context));
    Workspace* workspace = TARN_TRY(context.workspace());
    for (const std::string& precious : {workspace->project().root, current_directory()}) {
        if (precious == output || precious.starts_with(output == "/" ? output : output + "/")) {
            return fail(error(ErrorKind::kUsage, "{} cannot be replaced: {} lies in it", output,
                              precious)
                            .advise("give the sources a directory of their own"));
        }
    }
    SourcesOptions options;
    options.download = !given.has("skip-sources");
    options.overlays = !given.has("skip-overlays");
    options.release = !given.has("without-git");
    options.allow_no_hashes = given.has("allow-no-hashes");
    options.validate_locks = !given.has("skip-lock-validation");
    if (options.validate_locks) {
        TARN_TRY(check_locks(*workspace, {component}, false));
    }
    const ComponentSources sources =
        TARN_TRY(component_sources(*workspace, *component, options, context.reporter()));
    for (const std::string& warning : sources.warnings) {
        context.reporter().warn(warning);
    }
    const Tree tree = TARN_TRY(
        sources.files.tree(workspace->store(), workspace->project().source_date_epoch));
    // Written beside and exchanged: what is there is the old sources or the new ones.
    TARN_TRY(make_directories(parent_path(output)));
    TempDir beside = TARN_TRY(TempDir::make(parent_path(output)));
    const std::string fresh = join_path(beside.path(), "sources");
    TARN_TRY(write_tree(workspace->store(), tree, fresh));
    TARN_TRY(replace_directory(fresh, output));
    context.reporter().info(fmt::format("{} files in {}", tree.entries().size(),
                                        context.shown(output)));
    return ExitCode::kDone;
}

}  // namespace

CommandSpec component_prepare_sources() {
    CommandSpec spec;
    spec.path = "component prepare-sources";
    spec.summary = "Write the sources of one component, overlays applied, ready to build";
    spec.arguments = {{"COMPONENT", "its name"}};
    spec.options = {{"-o,--output-dir", "DIR", "where they go"},
                    {"-f,--force", "", "replace what is there"},
                    {"--skip-overlays", "", "leave them as upstream has them"},
                    {"--skip-sources", "", "do not download archives"},
                    {"--without-git", "", "do not count releases from the project's history"},
                    {"--allow-no-hashes", "", "compute hashes that are not declared"},
                    {"--skip-lock-validation", "", "go on when the lock is missing or stale"}};
    spec.run = run;
    return spec;
}

}  // namespace tarn::cli
