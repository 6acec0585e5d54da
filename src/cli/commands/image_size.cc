// SPDX-License-Identifier: MIT
#include "base/fs.hh"
#include "base/strings.hh"
#include "cli/image_artifact.hh"
#include "cli/output.hh"
#include "cli/selection.hh"
#include "inspect/size.hh"

namespace tarn::cli {

namespace {

// One row for each directory of each package.
Table table_of(const inspect::SizeNode& packages) {
    Table out("sizes",
              {{"PACKAGE"}, {"DIRECTORY"}, {"BYTES", Align::kRight}, {"FILES", Align::kRight}});
    for (const inspect::SizeNode& package : packages.children) {
        for (const inspect::SizeNode& directory : package.children) {
            out.add({package.name,
                     directory.name,
                     std::to_string(directory.bytes),
                     std::to_string(directory.files)});
        }
    }
    return out;
}

Result<ExitCode> run_size(Context& context) {
    const Given& given = context.given();
    const auto top = parse_u64(given.value("top", "20"));
    if (!top || *top == 0 || *top > 100'000) {
        return fail(ErrorKind::kUsage, "--top: `{}` is no number of lines", given.value("top"));
    }
    const ImagePlace place = TARN_TRY(find_image(context, given.value("IMAGE")));
    const inspect::System system = TARN_TRY(open_image(context, place));
    inspect::SizeNode packages = inspect::size_tree(system);
    packages.name = place.name;
    for (const auto& [option, draw] :
         {std::pair{"html", &inspect::size_html}, std::pair{"svg", &inspect::size_svg}}) {
        if (given.has(option)) {
            const std::string path = absolute_path(given.value(option), current_directory());
            TARN_TRY(write_file_atomic(path, draw(packages)));
            context.reporter().info("wrote " + context.shown(path));
        }
    }
    if (context.format() == OutputFormat::kJson) {
        print(inspect::size_json(packages));
        return ExitCode::kDone;
    }
    if (context.format() != OutputFormat::kTable) {
        print(table_of(packages), context.format());
        return ExitCode::kDone;
    }
    const inspect::SizeNode directories =
        inspect::directory_tree(system.artifact.tree, place.name, 3);
    print(inspect::size_text(packages, directories, *top, 3));
    return ExitCode::kDone;
}

}  // namespace

CommandSpec image_size() {
    CommandSpec spec;
    spec.path = "image size";
    spec.summary = "Show where an image's bytes are, by package and directory";
    spec.details =
        "Sizes are those of the files, hard links once. The page and the picture are one file\n"
        "each, need no network, and follow the reader's dark or light setting.";
    spec.arguments = {{"IMAGE", "its name, its output directory, or an artifact's file"}};
    spec.options = {architecture_option(Architectures::kOne),
                    {"--top", "N", "so many packages and directories (20)"},
                    {"--html", "FILE", "write a page with a treemap"},
                    {"--svg", "FILE", "write the treemap alone"}};
    spec.run = run_size;
    return spec;
}

}  // namespace tarn::cli
