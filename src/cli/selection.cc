// SPDX-License-Identifier: MIT
#include "cli/selection.hh"

#include "base/fs.hh"

namespace tarn::cli {

std::vector<Option> selection_options(bool locks) {
    std::vector<Option> options = {
        {"-p,--component", "PATTERN", "components by name or pattern (* ? [...])", {}, true},
        {"-g,--component-group,--group", "GROUP", "the members of a component group", {}, true},
        {"-s,--spec-path", "FILE", "the component of a spec file", {}, true},
        {"-a,--all,--all-components", "", "every component"},
    };
    if (locks) {
        options.push_back({"--skip-lock-validation", "", "go on when locks are missing or stale"});
    }
    return options;
}

Argument component_arguments() {
    return {"COMPONENT", "names or patterns", false, true};
}

Result<std::vector<const Component*>> selected(Context& context, Nothing nothing) {
    const Given& given = context.given();
    Selection selection;
    selection.names = given.all("COMPONENT");
    for (const std::string& pattern : given.all("component")) {
        selection.names.push_back(pattern);
    }
    selection.groups = given.all("component-group");
    for (const std::string& path : given.all("spec-path")) {
        selection.spec_paths.push_back(absolute_path(path, current_directory()));
    }
    selection.all = given.has("all");
    selection.listed_members = !context.compatible();
    if (selection.empty() && nothing == Nothing::kAll) {
        selection.all = true;
    }
    if (selection.empty() && !context.compatible()) {
        return fail(error(ErrorKind::kUsage, "no component was named")
                        .advise("give names or patterns, or -a for every component"));
    }
    const Workspace* workspace = TARN_TRY(context.workspace());
    Selected found = TARN_TRY(select_components(workspace->project(), selection));
    for (const std::string& warning : found.warnings) {
        context.reporter().warn(warning);
    }
    return std::move(found.components);
}

Result<const Component*> selected_one(Context& context) {
    const Workspace* workspace = TARN_TRY(context.workspace());
    Selection selection;
    selection.names = {context.given().value("COMPONENT")};
    const Selected found = TARN_TRY(select_components(workspace->project(), selection));
    if (found.components.size() != 1) {
        return fail(error(ErrorKind::kUsage, "`{}` means {} components, not one",
                          selection.names.front(), found.components.size())
                        .advise("`tarn component list` lists them"));
    }
    return found.components.front();
}

Option architecture_option(Architectures how_many) {
    std::vector<std::string> words = {"x86_64", "aarch64"};
    if (how_many == Architectures::kSeveral) {
        words.emplace_back("all");
    }
    return {"--arch", "ARCH", "architecture (this machine's)", std::move(words)};
}

Result<std::vector<Workspace*>> chosen_workspaces(Context& context, const std::string& image) {
    Workspace* const machine = TARN_TRY(context.workspace());
    const std::string given = context.given().value("arch");
    const auto found = machine->project().images.find(image);
    const std::string declared =
        found == machine->project().images.end() ? "" : found->second.architecture;
    std::vector<std::string> names = {given};
    if (given == "all") {
        names = machine->project().import_policy.architectures;
    }
    if ((given == "all" || given.empty()) && !declared.empty()) {
        names = {declared};
    }
    if (names.empty() || names.front().empty()) {
        names = {machine->architecture()};
    }
    std::vector<Workspace*> out;
    for (const std::string& name : names) {
        out.push_back(TARN_TRY(machine->at(name)));
    }
    return out;
}

Result<Workspace*> chosen_workspace(Context& context, const std::string& image) {
    const std::vector<Workspace*> all = TARN_TRY(chosen_workspaces(context, image));
    return all.front();
}

}  // namespace tarn::cli
