// SPDX-License-Identifier: MIT
#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/strings.hh"
#include "cli/output.hh"

namespace tarn::cli {

namespace {

std::vector<std::string> texts(const std::vector<rpm::Dependency>& dependencies) {
    std::vector<std::string> out;
    for (const rpm::Dependency& dependency : dependencies) {
        out.push_back(dependency.to_string());
    }
    return out;
}

nlohmann::ordered_json describe(const DistroPackage& package, const rpm::PackageInfo& info) {
    nlohmann::ordered_json root;
    root["version"] = 1;
    root["nevra"] = package.nevra.to_string();
    root["summary"] = info.meta.summary;
    root["license"] = info.meta.license;
    root["url"] = info.meta.url;
    root["size"] = info.installed_size;
    root["source-rpm"] = info.meta.source_rpm;
    root["origin"] = package.origin.text;
    root["facts"] = package.origin.facts;
    root["provides"] = texts(info.meta.provides);
    root["requires"] = texts(info.meta.requires_);
    nlohmann::ordered_json files = nlohmann::ordered_json::array();
    for (const rpm::PackageFile& file : info.files) {
        files.push_back("/" + file.entry.path);
    }
    root["files"] = std::move(files);
    return root;
}

void print_text(const nlohmann::ordered_json& root) {
    print(root["nevra"].get<std::string>() + "\n");
    for (const char* key : {"summary", "license", "url", "source-rpm", "origin"}) {
        print(fmt::format("  {:<11} {}\n", key, root[key].get<std::string>()));
    }
    print(fmt::format("  {:<11} {}\n", "size", human_size(root["size"].get<std::uint64_t>())));
    for (const auto& [key, value] : root["facts"].items()) {
        if (!value.get<std::string>().empty()) {
            print(fmt::format("  {:<11} {}: {}\n", "", key, value.get<std::string>()));
        }
    }
    for (const char* key : {"provides", "requires", "files"}) {
        print(fmt::format("  {}\n", key));
        for (const auto& each : root[key]) {
            print("    " + each.get<std::string>() + "\n");
        }
    }
}

}  // namespace

CommandSpec package_show() {
    CommandSpec spec;
    spec.path = "package show";
    spec.summary = "Show one package: origin, dependencies, files";
    spec.arguments = {{"PACKAGE", "its name"}};
    spec.run = [](Context& context) -> Result<ExitCode> {
        Workspace* workspace = TARN_TRY(context.workspace());
        const auto all = TARN_TRY(workspace->packages(context.reporter()));
        const std::string name = context.given().value("PACKAGE");
        const auto found = std::find_if(all.begin(), all.end(), [&](const DistroPackage& each) {
            return each.nevra.name == name;
        });
        if (found == all.end()) {
            std::vector<std::string> known;
            for (const DistroPackage& package : all) {
                known.push_back(package.nevra.name);
            }
            return fail(unknown_name("package", name, known));
        }
        const rpm::PackageInfo info =
            TARN_TRY(rpm::read_package(workspace->store(), found->unsigned_rpm));
        const auto root = describe(*found, info);
        if (context.format() == OutputFormat::kJson) {
            print(root.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
        } else {
            print_text(root);
        }
        return ExitCode::kDone;
    };
    return spec;
}

}  // namespace tarn::cli
