// SPDX-License-Identifier: MIT
#include "base/fs.hh"
#include "base/strings.hh"
#include "cli/output.hh"
#include "cli/selection.hh"

namespace tarn::cli {

namespace {

void print_report(const Context& context, const BootReport& report) {
    if (context.format() == OutputFormat::kJson) {
        print(report.to_json());
        return;
    }
    std::vector<std::string> phases;
    for (const BootPhase& phase : report.phases) {
        phases.push_back(fmt::format("{} {:.1f}", phase.name, phase.seconds));
    }
    Table table("checks", {{"CHECK"}, {"RESULT"}, {"DETAIL"}});
    for (const BootCheck& check : report.checks) {
        table.add({check.name,
                   check.skipped ? "skipped"
                   : check.passed ? "passed"
                                  : "FAILED",
                   check.detail});
    }
    print(table, context.format());
    context.reporter().info("console and report are in " +
                            context.shown(parent_path(report.console_log)));
    if (report.provisioned_seconds > 0) {
        context.reporter().info(
            fmt::format("reported ready to the platform after {:.1f} s", report.provisioned_seconds));
    }
    context.reporter().info(
        fmt::format("ready in {:.1f} s ({})", report.ready_seconds, join(phases, ", ")));
}

}  // namespace

CommandSpec image_boot() {
    CommandSpec spec;
    spec.path = "image boot";
    spec.summary = "Boot a built image under QEMU, on this terminal or as a test";
    spec.details =
        "The image itself is never written. The machine has no network but a namespace of its own, with\n"
        "the platform that `tarn vm metadata` emulates: it is provisioned as in a cloud.\n"
        "Without --test you are logged in as root on the console; Ctrl-A X leaves.";
    spec.arguments = {{"IMAGE", "its name"}};
    spec.options = {architecture_option(Architectures::kOne),
                    {"--test", "", "check the machine from inside and print a report"},
                    {"--metadata", "FILE", "what the machine is told it is: a scenario of one instance"},
                    {"--no-metadata", "", "leave the emulated platform out"},
                    {"--memory", "MIB", "memory of the machine (2048)"},
                    {"--cpus", "N", "processors of the machine (2)"},
                    {"--timeout", "SECONDS", "give up after so long (900)"}};
    spec.run = [](Context& context) -> Result<ExitCode> {
        const Given& given = context.given();
        const Workspace* workspace = TARN_TRY(chosen_workspace(context, context.given().value("IMAGE")));
        BootRequest request = TARN_TRY(workspace->boot_request(given.value("IMAGE")));
        const auto number = [&](const std::string& name, unsigned otherwise) -> Result<unsigned> {
            const auto value = parse_u64(given.value(name, std::to_string(otherwise)));
            if (!value || *value == 0 || *value > 1'000'000) {
                return fail(ErrorKind::kUsage, "--{}: {} is no usable number", name, given.value(name));
            }
            return static_cast<unsigned>(*value);
        };
        request.memory_mib = TARN_TRY(number("memory", 2048));
        request.cpus = TARN_TRY(number("cpus", 2));
        request.timeout_seconds = TARN_TRY(number("timeout", 900));
        if (given.has("metadata") && given.has("no-metadata")) {
            return fail(ErrorKind::kUsage, "--metadata and --no-metadata exclude each other");
        }
        request.metadata = !given.has("no-metadata");
        if (given.has("metadata")) {
            request.metadata_file = absolute_path(given.value("metadata"), current_directory());
        }
        request.stop = context.stop();
        if (!given.has("test")) {
            const int code = TARN_TRY(boot_interactive(request, context.reporter()));
            return code == 0 ? ExitCode::kDone : ExitCode::kFailed;
        }
        const BootReport report = TARN_TRY(boot_test(request, context.reporter()));
        print_report(context, report);
        return report.passed() ? ExitCode::kDone : ExitCode::kFailed;
    };
    return spec;
}

}  // namespace tarn::cli
