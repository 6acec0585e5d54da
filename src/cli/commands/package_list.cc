// SPDX-License-Identifier: MIT
#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "base/fs.hh"
#include "base/strings.hh"
#include "cli/records.hh"
#include "project/publish.hh"

namespace tarn::cli {

namespace {

// Packages and the component each is built from.
using Sources = std::map<std::string, std::string>;

// [{"packageName": ..., "sourcePackageName": ...}]: what a build was seen to produce.
Result<Sources> read_rpm_file(const std::string& path) {
    const std::string text = TARN_TRY(read_file(path, 256ULL << 20));
    const auto wrong = [&](const std::string& what) {
        return fail(error(ErrorKind::kUsage, "{}: {}", path, what)
                        .advise("expected [{\"packageName\": \"bash\", \"sourcePackageName\": \"bash\"}, ...]"));
    };
    const auto root = nlohmann::json::parse(text, nullptr, false);
    if (!root.is_array()) {
        return wrong(root.is_discarded() ? "is no JSON" : "is no array");
    }
    Sources sources;
    for (const auto& item : root) {
        if (!item.is_object() || !item.contains("packageName") || !item["packageName"].is_string() ||
            !item.contains("sourcePackageName") || !item["sourcePackageName"].is_string()) {
            return wrong(fmt::format("element {} is not of that shape", sources.size() + 1));
        }
        const std::string name = item["packageName"];
        const std::string source = item["sourcePackageName"];
        const auto [known, fresh] = sources.emplace(name, source);
        if (!fresh && known->second != source) {
            return wrong(fmt::format("package `{}` is claimed by both `{}` and `{}`", name,
                                     known->second, source));
        }
    }
    return sources;
}

// Every declared package; which component speaks of it, unless the RPM file knows better.
Result<Sources> declared(const Project& project, const PublishRules& rules) {
    Sources sources;
    for (const std::string& package : rules.packages()) {
        sources.emplace(package, std::string());
    }
    for (const auto& [name, component] : project.components) {
        for (const auto& [package, publish] : component.packages) {
            std::string& owner = sources[package];
            if (!owner.empty()) {
                return fail(ErrorKind::kUsage, "package `{}` is claimed by two components: `{}` and `{}`",
                            package, owner, name);
            }
            owner = name;
        }
    }
    return sources;
}

void add_debug_packages(Sources& sources) {
    Sources more;
    for (const auto& [package, component] : sources) {
        if (is_debug_package_name(package)) {
            continue;
        }
        more.emplace(package + "-debuginfo", component);
        if (!component.empty()) {
            more.emplace(component + "-debugsource", component);
        }
    }
    sources.merge(more);
}

struct Wanted {
    std::vector<std::string> patterns;
    bool all = false;
    bool wants(const std::string& name) const {
        return all || std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
                   return glob_match(pattern, name);
               });
    }
};

Result<ExitCode> list_declared(Context& context) {
    const Given& given = context.given();
    const Workspace* workspace = TARN_TRY(context.workspace());
    const Project& project = workspace->project();
    const PublishRules rules(project);
    const std::string rpm_file = given.value("rpm-file");
    Sources sources = TARN_TRY(declared(project, rules));
    std::map<std::string, bool> source_packages;
    if (!rpm_file.empty()) {
        for (const auto& [package, source] : TARN_TRY(read_rpm_file(rpm_file))) {
            sources[package] = source;
            source_packages[source] = true;
        }
    }
    if (given.has("synthesize-debug-packages")) {
        add_debug_packages(sources);
    }
    Wanted wanted{given.all("package"), given.has("all") || !rpm_file.empty()};
    wanted.all = wanted.all && wanted.patterns.empty();
    Records records({{"packageName", "PACKAGE"},
                     {"type", "TYPE"},
                     {"packageGroups", "PACKAGE GROUPS"},
                     {"componentGroups", "COMPONENT GROUPS"},
                     {"component", "COMPONENT"},
                     {"publishChannel", "CHANNEL"}});
    const auto component_of = [&](const std::string& name) -> const Component* {
        const auto found = project.components.find(name);
        return found == project.components.end() ? nullptr : &found->second;
    };
    for (const auto& [package, owner] : sources) {
        if (wanted.wants(package)) {
            const Component* component = component_of(owner);
            records.add({package, "rpm", rules.groups_of(package),
                         component == nullptr ? std::vector<std::string>{} : component->groups, owner,
                         rules.channel(component, package)});
        }
    }
    for (const auto& [source, unused] : source_packages) {
        const Component* component = component_of(source);
        if (wanted.wants(source) && component != nullptr) {
            records.add({source, "srpm", std::vector<std::string>{}, component->groups, source,
                         component->publish.srpm_channel});
        }
    }
    records.print(context.format());
    return ExitCode::kDone;
}

Result<ExitCode> list_made(Context& context) {
    Workspace* workspace = TARN_TRY(context.workspace());
    const auto all = TARN_TRY(workspace->packages(context.reporter()));
    const bool built = context.given().has("built");
    const bool imported = context.given().has("imported");
    Table table("packages", {{"NAME"}, {"VERSION"}, {"ARCH"}, {"ORIGIN"}});
    std::size_t shown = 0;
    std::size_t from_source = 0;
    for (const DistroPackage& package : all) {
        from_source += package.component.empty() ? 0U : 1U;
        if ((built && package.component.empty()) || (imported && !package.component.empty())) {
            continue;
        }
        ++shown;
        table.add({package.nevra.name,
                   package.nevra.evr.to_string(),
                   package.nevra.arch,
                   package.origin.text});
    }
    print(table, context.format());
    context.reporter().info(fmt::format("{} packages, {} built from source", shown, from_source));
    return ExitCode::kDone;
}

}  // namespace

CommandSpec package_list() {
    CommandSpec spec;
    spec.path = "package list";
    spec.summary = "List the packages of the distribution, or how packages are to be published";
    spec.details =
        "Without -a, -p or --rpm-file: every package the distribution is made of, and where it comes\n"
        "from. With one of them: the packages that groups and components declare, with their channels.";
    spec.options = {
        {"--built", "", "only those built from source"},
        {"--imported", "", "only those imported from the upstream"},
        {"-a,--all,--all-packages", "", "every declared package"},
        {"-p,--package", "PATTERN", "declared packages by name or pattern", {}, true},
        {"--rpm-file", "FILE", "JSON array of {packageName, sourcePackageName}: also these packages"},
        {"--synthesize-debug-packages", "", "also their debuginfo and debugsource packages"}};
    spec.run = [](Context& context) -> Result<ExitCode> {
        const Given& given = context.given();
        const bool channels = given.has("all") || given.has("package") || given.has("rpm-file") ||
                              given.has("synthesize-debug-packages");
        return channels ? list_declared(context) : list_made(context);
    };
    return spec;
}

}  // namespace tarn::cli
