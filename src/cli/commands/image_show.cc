// SPDX-License-Identifier: MIT
#include <algorithm>

#include "base/fs.hh"
#include "base/strings.hh"
#include "cli/output.hh"
#include "cli/selection.hh"
#include "evidence/evidence.hh"

namespace tarn::cli {

namespace {

Result<ExitCode> show_licenses(Context& context, const Workspace& workspace) {
    const std::string name = context.given().value("IMAGE");
    TARN_TRY(workspace.manifest(name));
    const std::string text = TARN_TRY(
        read_file(join_path(workspace.image_directory(name), name + ".licenses.json")));
    Table table("licenses", {{"PACKAGE"}, {"VERSION"}, {"LICENSE"}, {"DECLARED"}});
    for (const evidence::PackageLicense& one : TARN_TRY(evidence::parse_licenses(text))) {
        table.add({one.name, one.evr, one.license, one.declared});
    }
    print(table, context.format());
    return ExitCode::kDone;
}

}  // namespace

CommandSpec image_show() {
    CommandSpec spec;
    spec.path = "image show";
    spec.summary = "Show what is in a built image, by package, and why";
    spec.arguments = {{"IMAGE", "its name"}};
    spec.options = {architecture_option(Architectures::kOne),
                    {"--by", "ORDER", "order of the packages", {"name", "size"}},
                    {"--licenses", "", "the license of each package instead"}};
    spec.run = [](Context& context) -> Result<ExitCode> {
        const Workspace* workspace = TARN_TRY(chosen_workspace(context, context.given().value("IMAGE")));
        if (context.given().has("licenses")) {
            return show_licenses(context, *workspace);
        }
        Manifest manifest = TARN_TRY(workspace->manifest(context.given().value("IMAGE")));
        if (context.given().value("by", "size") == "size") {
            std::stable_sort(manifest.packages.begin(),
                             manifest.packages.end(),
                             [](const ManifestPackage& a, const ManifestPackage& b) {
                                 return a.size > b.size;
                             });
        }
        Table table("packages",
                    {{"PACKAGE"}, {"VERSION"}, {"SIZE", Align::kRight}, {"%", Align::kRight}, {"ORIGIN"}, {"WHY"}});
        std::size_t built = 0;
        for (const ManifestPackage& package : manifest.packages) {
            built += package.origin.kind == "build" ? 1U : 0U;
            const std::uint64_t share =
                manifest.content_bytes == 0 ? 0 : package.size * 100 / manifest.content_bytes;
            table.add({package.nevra.name,
                       package.nevra.evr.to_string(),
                       human_size(package.size),
                       std::to_string(share),
                       package.origin.text,
                       package.reason},
                      {package.nevra.name,
                       package.nevra.evr.to_string(),
                       std::to_string(package.size),
                       std::to_string(share),
                       package.origin.text,
                       package.reason});
        }
        print(table, context.format());
        context.reporter().info(fmt::format("{} packages, {} built from source, {} of files",
                                            manifest.packages.size(),
                                            built,
                                            human_size(manifest.content_bytes)));
        return ExitCode::kDone;
    };
    return spec;
}

}  // namespace tarn::cli
