// SPDX-License-Identifier: MIT
#include "base/fs.hh"
#include "base/strings.hh"
#include "cli/output.hh"

namespace tarn::cli {

CommandSpec image_list() {
    CommandSpec spec;
    spec.path = "image list";
    spec.summary = "List the images of the project and whether they are built";
    spec.run = [](Context& context) -> Result<ExitCode> {
        const Workspace* workspace = TARN_TRY(context.workspace());
        Table table("images",
                    {{"NAME"}, {"FORMATS"}, {"PACKAGES", Align::kRight}, {"SIZE", Align::kRight}, {"STATE"}, {"DESCRIPTION"}});
        for (const auto& [name, image] : workspace->project().images) {
            const auto manifest = workspace->manifest(name);
            const std::string count = manifest ? std::to_string(manifest->packages.size()) : "";
            const std::string state = manifest ? "built" : "not built";
            table.add({name,
                       join(image.formats, ","),
                       count,
                       manifest ? human_size(manifest->content_bytes) : "",
                       state,
                       image.description},
                      {name,
                       join(image.formats, ","),
                       count,
                       manifest ? std::to_string(manifest->content_bytes) : "",
                       state,
                       image.description});
        }
        print(table, context.format());
        return ExitCode::kDone;
    };
    return spec;
}

}  // namespace tarn::cli
