// SPDX-License-Identifier: MIT
#include "cli/records.hh"
#include "cli/selection.hh"
#include "project/dump.hh"

namespace tarn::cli {

namespace {

std::string spec_of(const Context& context, const Component& component) {
    if (component.spec_type == SpecType::kLocal) {
        return context.shown(component.spec_path);
    }
    const DistroReference& upstream = component.upstream;
    return upstream.name.empty() ? "upstream" : upstream.name + " " + upstream.version;
}

Result<ExitCode> run(Context& context) {
    const auto components = TARN_TRY(selected(context, Nothing::kAll));
    const Workspace* workspace = TARN_TRY(context.workspace());
    if (context.format() == OutputFormat::kJson) {
        print(dump_components_json(workspace->project(), components, workspace->sources()));
        return ExitCode::kDone;
    }
    Records records({{"name", "NAME"},
                     {"spec", "SPEC"},
                     {"overlays", "OVERLAYS", Align::kRight},
                     {"sources", "SOURCES", Align::kRight}});
    for (const Component* component : components) {
        records.add({component->name, spec_of(context, *component),
                     std::uint64_t{component->overlays.size()},
                     std::uint64_t{component->source_files.size()}});
    }
    records.print(context.format());
    return ExitCode::kDone;
}

}  // namespace

CommandSpec component_list() {
    CommandSpec spec;
    spec.path = "component list";
    spec.summary = "List the components of the project";
    spec.details = "Without names, all of them. As JSON: the resolved configuration of each.";
    spec.arguments = {component_arguments()};
    spec.options = selection_options(false);
    spec.run = run;
    return spec;
}

}  // namespace tarn::cli
