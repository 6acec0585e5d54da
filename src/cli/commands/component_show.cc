// SPDX-License-Identifier: MIT
#include <nlohmann/json.hpp>

#include "base/strings.hh"
#include "cli/output.hh"

namespace tarn::cli {

namespace {

std::string place(const Context& context, const SourceMap& sources, Span where) {
    const Location at = sources.locate(where.begin);
    return at.file.empty() ? ""
                           : fmt::format("{}:{}", context.shown(std::string(at.file)), at.line);
}

nlohmann::ordered_json describe(const Context& context, const SourceMap& sources,
                                const Component& component) {
    nlohmann::ordered_json root;
    root["version"] = 1;
    root["name"] = component.name;
    root["declared"] = place(context, sources, component.where);
    root["spec"] = component.spec_type == SpecType::kLocal
                       ? context.shown(component.spec_path)
                       : std::string(trim(component.upstream.name + " " + component.upstream.version));
    root["sources"] = nlohmann::ordered_json::array();
    for (const SourceFile& source : component.source_files) {
        root["sources"].push_back({{"file", source.filename},
                                   {"origin", source.origin_type},
                                   {"package", source.package},
                                   {"declared", place(context, sources, source.where)}});
    }
    root["overlays"] = nlohmann::ordered_json::array();
    for (const Overlay& overlay : component.overlays) {
        root["overlays"].push_back({{"type", overlay_type_name(overlay.type)},
                                    {"description", overlay.description},
                                    {"declared", place(context, sources, overlay.where)}});
    }
    root["with"] = component.build.with;
    root["without"] = component.build.without;
    root["defines"] = component.build.defines;
    return root;
}

void print_text(const nlohmann::ordered_json& root) {
    const auto text = [&](const char* key) { return root[key].get<std::string>(); };
    print(fmt::format("{}\n  declared  {}\n  spec      {}\n",
                      text("name"),
                      text("declared"),
                      text("spec")));
    for (const auto& source : root["sources"]) {
        print(fmt::format("  source    {} ({} {})\n",
                          source["file"].get<std::string>(),
                          source["origin"].get<std::string>(),
                          source["package"].get<std::string>()));
    }
    for (const auto& overlay : root["overlays"]) {
        const std::string description = overlay["description"].get<std::string>();
        print(fmt::format("  overlay   {}{}  ({})\n",
                          overlay["type"].get<std::string>(),
                          description.empty() ? "" : ": " + description,
                          overlay["declared"].get<std::string>()));
    }
}

}  // namespace

CommandSpec component_show() {
    CommandSpec spec;
    spec.path = "component show";
    spec.summary = "Show one component: its spec, sources and overlays, and where they are declared";
    spec.arguments = {{"COMPONENT", "its name"}};
    spec.run = [](Context& context) -> Result<ExitCode> {
        const Workspace* workspace = TARN_TRY(context.workspace());
        const std::string name = context.given().value("COMPONENT");
        std::vector<std::string> known;
        for (const auto& [each, component] : workspace->project().components) {
            known.push_back(each);
        }
        const auto found = workspace->project().components.find(name);
        if (found == workspace->project().components.end()) {
            return fail(unknown_name("component", name, known));
        }
        const auto root = describe(context, workspace->sources(), found->second);
        if (context.format() == OutputFormat::kJson) {
            print(root.dump(2) + "\n");
        } else {
            print_text(root);
        }
        return ExitCode::kDone;
    };
    return spec;
}

}  // namespace tarn::cli
