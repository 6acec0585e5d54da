// SPDX-License-Identifier: MIT
#include "base/parallel.hh"
#include "cli/image_artifact.hh"
#include "cli/output.hh"
#include "cli/selection.hh"
#include "inspect/diff.hh"

namespace tarn::cli {

namespace {

constexpr std::size_t kShown = 40;

Table table_of(const inspect::ImageDiff& diff) {
    Table out("differences", {{"SECTION"}, {"NAME"}, {"CHANGE"}, {"BEFORE"}, {"AFTER"}});
    for (const inspect::Section& section : diff.sections) {
        for (const inspect::Difference& one : section.differences) {
            out.add({section.name,
                     one.name,
                     std::string(change_name(one.change)),
                     one.before,
                     one.after});
        }
    }
    return out;
}

Result<ExitCode> run_diff(Context& context) {
    const Given& given = context.given();
    std::vector<ImagePlace> places;
    for (const char* argument : {"BEFORE", "AFTER"}) {
        places.push_back(TARN_TRY(find_image(context, given.value(argument))));
    }
    std::vector<inspect::System> systems(places.size());
    const auto open = [&](std::size_t i) -> Result<void> {
        systems[i] = TARN_TRY(open_image(context, places[i]));
        return {};
    };
    TARN_TRY(parallel_for(places.size(), context.jobs(), context.stop(), open));
    const inspect::ImageDiff diff = inspect::compare(systems[0], systems[1]);
    const std::size_t limit = given.has("all") ? 0 : kShown;
    switch (context.format()) {
        case OutputFormat::kJson:
            print(inspect::diff_json(diff));
            break;
        case OutputFormat::kMarkdown:
            print(inspect::diff_markdown(diff, limit));
            break;
        case OutputFormat::kCsv:
            print(table_of(diff), OutputFormat::kCsv);
            break;
        case OutputFormat::kTable:
            print(inspect::diff_text(diff, limit));
            break;
    }
    return diff.same() ? ExitCode::kDone : ExitCode::kFailed;
}

}  // namespace

CommandSpec image_diff() {
    CommandSpec spec;
    spec.path = "image diff";
    spec.summary = "Compare two images: packages, files, units, settings, privileges, ports";
    spec.details =
        "Both are read back from what was written, nothing is mounted. Each is an image of\n"
        "the project by name, an output directory, or a file: raw, fixed VHD, OCI layout,\n"
        "docker-archive, tar (.wsl). Times of files do not count. Ports are those that units\n"
        "which are on declare: sockets' Listen settings, sshd_config, and the usual ones of a\n"
        "few known services, which are marked so.\n"
        "Exit code: 0 the same, 1 different.";
    spec.arguments = {{"BEFORE", "an image"}, {"AFTER", "an image"}};
    spec.options = {architecture_option(Architectures::kOne),
                    {"--all", "", "every difference, not 40 of each section"}};
    spec.run = run_diff;
    return spec;
}

}  // namespace tarn::cli
