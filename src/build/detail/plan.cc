// SPDX-License-Identifier: MIT
#include "build/detail/plan.hh"

#include "base/fs.hh"
#include "base/parallel.hh"
#include "base/strings.hh"
#include "build/detail/failure.hh"
#include "build/detail/root.hh"

#include <algorithm>
#include <utility>

namespace tarn::build {

namespace {

BuildFailure spec_failure(const PlannedComponent& planned, std::string_view log) {
    const std::string& name = planned.component->name;
    const auto lines = spec_errors(log, planned.rendered->spec_name);
    BuildFailure failure;
    failure.name = name;
    failure.section = "spec";
    failure.error.message = lines.empty() ? fmt::format("{}: rpm cannot read the spec", name)
                                          : fmt::format("{}: {}", name, lines.front());
    if (lines.empty()) {
        failure.error.notes = read_log(log, planned.rendered->spec_name).tail;
    } else {
        failure.error.notes.assign(lines.begin() + 1, lines.end());
    }
    if (!planned.component->overlays.empty()) {
        failure.error.help.push_back(
            fmt::format("lines are those of the spec after {} overlay{}: `tarn component show {}`",
                        planned.component->overlays.size(),
                        planned.component->overlays.size() == 1 ? "" : "s",
                        name));
    }
    return failure;
}

Result<void> query_component(const Store& store,
                             Executor& executor,
                             const BuildRequest& request,
                             const Digest& root,
                             PlannedComponent& planned) {
    const QueryActions actions = query_actions(planned.component->name,
                                               planned.rendered->spec_name,
                                               planned.component->build,
                                               root,
                                               planned.tree,
                                               request.project->source_date_epoch,
                                               request.architecture);
    std::vector<std::string> answers;
    for (const Action* action : {&actions.binaries, &actions.sources, &actions.parsed}) {
        RunOptions options;
        options.stop = request.stop;
        const ActionResult result = TARN_TRY(executor.run(*action, options));
        answers.push_back(TARN_TRY(store.read(result.log)));
        if (result.exit_code != 0) {
            planned.failure = spec_failure(planned, answers.back());
            return {};
        }
    }
    planned.query = TARN_TRY(parse_query(answers[0], answers[1], answers[2]));
    return {};
}

Result<PlannedComponent> prepare(const Store& store,
                                 const Component& component,
                                 const Rendered& rendered,
                                 const Digest& macros) {
    PlannedComponent planned;
    planned.component = &component;
    planned.rendered = &rendered;
    const TreeEntry* spec = rendered.sources.find(rendered.spec_name);
    if (spec == nullptr || spec->kind != EntryKind::kFile) {
        return fail(
            ErrorKind::kNotFound, "{}: its sources have no {}", component.name, rendered.spec_name);
    }
    planned.spec = spec->content;
    planned.spec_text = TARN_TRY(store.read(spec->content));
    const Tree tree = TARN_TRY(build_tree(rendered, macros));
    planned.tree = TARN_TRY(store.put_tree(tree));
    return planned;
}

Result<std::vector<bool>> wanted_components(const Plan& plan, const BuildRequest& request) {
    std::vector<bool> wanted(plan.components.size(), request.wanted.empty());
    std::vector<std::string> known;
    for (const auto& planned : plan.components) {
        known.push_back(planned.component->name);
    }
    for (const auto& name : request.wanted) {
        const auto found = std::find(known.begin(), known.end(), name);
        if (found == known.end()) {
            Error missing = error(ErrorKind::kNotFound, "no component `{}`", name);
            if (std::string hint = did_you_mean(name, known); !hint.empty()) {
                missing.help.push_back(std::move(hint));
            }
            return fail(std::move(missing));
        }
        const auto node = static_cast<std::size_t>(found - known.begin());
        wanted[node] = true;
        for (std::size_t need : plan.graph.closure[node]) {
            wanted[need] = true;
        }
    }
    return wanted;
}

}  // namespace

}  // namespace tarn::build

namespace tarn {

Result<std::string> project_macros(const Project& project, const std::string& architecture) {
    const std::string common = join_path(project.root, "buildroot");
    std::vector<std::string> directories = {common};
    if (!architecture.empty()) {
        directories.push_back(join_path(common, architecture));
    }
    std::string text;
    for (const std::string& directory : directories) {
        if (!is_directory(directory)) {
            continue;
        }
        for (const auto& name : TARN_TRY(list_directory(directory))) {
            if (name.starts_with("macros.") && !name.ends_with("~")) {
                text += TARN_TRY(read_file(join_path(directory, name), 1u << 20));
                text += '\n';
            }
        }
    }
    return text;
}

}  // namespace tarn

namespace tarn::build {

Result<Plan> make_plan(const Store& store,
                       Executor& executor,
                       const BuildRequest& request,
                       Reporter& reporter) {
    const std::string macro_text = TARN_TRY(project_macros(*request.project, request.architecture));
    const Digest macros = TARN_TRY(store.put(macro_text));
    Plan plan;
    for (const auto& [component, rendered] : request.components) {
        plan.components.push_back(TARN_TRY(prepare(store, *component, rendered, macros)));
    }
    std::vector<const AvailablePackage*> imported;
    for (const auto& package : request.available) {
        imported.push_back(&package);
    }
    const auto base = TARN_TRY(resolve_remembered(
        store, imported, base_packages(request), "every buildroot"));
    const Digest root = TARN_TRY(root_digest(store, base, request.jobs));
    reporter.begin("reading specs", plan.components.size(), "components");
    auto queried = parallel_for(
        plan.components.size(), request.jobs, request.stop, [&](std::size_t i) -> Result<void> {
            return query_component(store, executor, request, root, plan.components[i]);
        });
    reporter.end();
    TARN_TRY(std::move(queried));
    std::vector<GraphNode> nodes;
    for (const auto& planned : plan.components) {
        nodes.push_back({planned.component->name, &planned.query});
    }
    plan.graph = TARN_TRY(order_components(nodes));
    plan.wanted = TARN_TRY(wanted_components(plan, request));
    return plan;
}

Action rpmbuild_action(const PlannedComponent& planned,
                       const Digest& root,
                       std::int64_t source_date_epoch,
                       const std::string& architecture) {
    Action action;
    action.name = planned.component->name;
    action.argv = {"rpmbuild", "-ba", "--nodeps"};  // the buildroot was solved for it
    if (planned.component->build.check_skip) {
        action.argv.emplace_back("--nocheck");
    }
    const auto options = common_options(planned.component->build, architecture);
    action.argv.insert(action.argv.end(), options.begin(), options.end());
    action.argv.push_back("/build/SPECS/" + planned.rendered->spec_name);
    action.environment = build_environment(source_date_epoch);
    action.directory = "/build";
    action.inputs = {{"/", root, false}, {"/build", planned.tree, true}};
    action.outputs = {"/build/RPMS", "/build/SRPMS"};
    action.timeout_seconds = 4 * 3600;
    return action;
}

std::vector<std::string> base_packages(const BuildRequest& request) {
    std::vector<std::string> names = request.project->build_base_packages;
    if (!request.architecture.empty()) {
        const std::vector<std::string>& cross = request.project->cross_packages;
        names.insert(names.end(), cross.begin(), cross.end());
    }
    return names;
}

Result<AvailablePackage> load_package(const Store& store, const Digest& rpm) {
    return AvailablePackage{rpm, TARN_TRY(rpm::read_package(store, rpm))};
}

}  // namespace tarn::build
