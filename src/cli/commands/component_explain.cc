// SPDX-License-Identifier: MIT
#include "base/strings.hh"
#include "cli/records.hh"
#include "cli/selection.hh"
#include "git/diff.hh"
#include "project/component_lock.hh"
#include "project/dump.hh"
#include "workspace/sources.hh"

namespace tarn::cli {

namespace {

struct StepText {
    std::string what, declared, description, diff;
};

std::string place(const Context& context, const SourceMap& sources, Span where) {
    const Location at = sources.locate(where.begin);
    return at.file.empty() ? std::string()
                           : fmt::format("{}:{}", context.shown(std::string(at.file)), at.line);
}

std::vector<StepText> describe(const Context& context, const SourceMap& sources,
                               const std::vector<RenderStep>& steps) {
    std::vector<StepText> result;
    for (const RenderStep& step : steps) {
        StepText text;
        text.what = step.what;
        if (step.overlay != nullptr) {
            text.declared = place(context, sources, step.overlay->where);
            text.description = step.overlay->description;
        }
        for (const RenderStep::Change& change : step.changes) {
            text.diff += git::unified_diff({change.path, change.before, !change.before.empty()},
                                           {change.path, change.after, !change.after.empty()});
        }
        result.push_back(std::move(text));
    }
    return result;
}

// What the result depends on besides the declaration.
std::vector<std::pair<std::string, std::string>> dependencies(const Context& context,
                                                              const Workspace& workspace,
                                                              const Component& component,
                                                              const ComponentSources& sources) {
    std::vector<std::pair<std::string, std::string>> result;
    if (component.spec_type == SpecType::kLocal) {
        result.emplace_back("spec", context.shown(component.spec_path));
    } else {
        result.emplace_back("upstream commit", sources.upstream_commit);
    }
    if (const auto lock = read_component_lock(workspace.project(), component.name)) {
        result.emplace_back("lock", context.shown(component_lock_path(workspace.project(), component.name)));
        result.emplace_back("fingerprint", lock->input_fingerprint);
        result.emplace_back("manual bumps", std::to_string(lock->manual_bump));
    }
    for (const Overlay& overlay : component.overlays) {
        if (!overlay.source.empty()) {
            result.emplace_back("file", context.shown(overlay.source));
        }
    }
    for (const SourceFile& source : component.source_files) {
        result.emplace_back("source", source.filename +
                                          (source.hash.empty() ? "" : " " + source.hash_type + ":" + source.hash));
    }
    return result;
}

std::string as_json(const std::string& configuration, const std::vector<StepText>& steps,
                    const std::vector<std::pair<std::string, std::string>>& needs) {
    std::vector<std::string> step_items;
    for (const StepText& step : steps) {
        step_items.push_back(fmt::format(
            "\n    {{\"what\": {}, \"declared\": {}, \"description\": {}, \"diff\": {}}}",
            json_string(step.what), json_string(step.declared), json_string(step.description),
            json_string(step.diff)));
    }
    std::vector<std::string> need_items;
    for (const auto& [kind, value] : needs) {
        need_items.push_back(fmt::format("\n    {{\"kind\": {}, \"value\": {}}}",
                                         json_string(kind), json_string(value)));
    }
    return fmt::format("{{\n  \"version\": 1,\n  \"configuration\": {},\n  \"steps\": [{}],\n"
                       "  \"dependsOn\": [{}]\n}}\n",
                       trim(configuration), join(step_items, ","), join(need_items, ","));
}

Result<ExitCode> run(Context& context) {
    const Component* component = TARN_TRY(selected_one(context));
    Workspace* workspace = TARN_TRY(context.workspace());
    SourcesOptions options;
    options.download = false;
    options.keep_steps = true;
    options.validate_locks = !context.given().has("skip-lock-validation");
    const ComponentSources sources =
        TARN_TRY(component_sources(*workspace, *component, options, context.reporter()));
    const auto steps = describe(context, workspace->sources(), sources.steps);
    const auto needs = dependencies(context, *workspace, *component, sources);
    DumpOptions dump;
    dump.origins = true;
    dump.components = {component->name};
    if (context.format() == OutputFormat::kJson) {
        print(as_json(dump_json(workspace->project(), workspace->sources(), dump), steps, needs));
        return ExitCode::kDone;
    }
    print(fmt::format("{}\n\nwhere its configuration comes from\n\n", component->name));
    print(dump_toml(workspace->project(), workspace->sources(), dump));
    print("\nwhat it depends on\n\n");
    for (const auto& [kind, value] : needs) {
        print(fmt::format("  {:<16} {}\n", kind, value));
    }
    print("\nwhat changes its sources\n");
    for (const StepText& step : steps) {
        print(fmt::format("\n  {}{}{}\n", step.what,
                          step.description.empty() ? "" : ": " + step.description,
                          step.declared.empty() ? "" : "  (" + step.declared + ")"));
        for (const std::string_view line : split_lines(step.diff)) {
            print(fmt::format("    {}\n", line));
        }
    }
    if (steps.empty()) {
        print("\n  nothing\n");
    }
    for (const std::string& warning : sources.warnings) {
        context.reporter().warn(warning);
    }
    return ExitCode::kDone;
}

}  // namespace

CommandSpec component_explain() {
    CommandSpec spec;
    spec.path = "component explain";
    spec.summary = "Show where each value of a component comes from and what each overlay changes";
    spec.arguments = {{"COMPONENT", "its name"}};
    spec.options = {{"--skip-lock-validation", "", "go on when the lock is missing or stale"}};
    spec.origins = true;
    spec.run = run;
    return spec;
}

}  // namespace tarn::cli
