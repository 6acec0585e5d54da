// SPDX-License-Identifier: MIT
#include "base/fs.hh"
#include "base/parallel.hh"
#include "cli/image_artifact.hh"
#include "cli/output.hh"
#include "cli/selection.hh"
#include "evidence/evidence.hh"
#include "image/wsl_rules.hh"
#include "inspect/verify.hh"

#include <algorithm>

namespace tarn::cli {

namespace {

using Problems = std::vector<inspect::VerifyProblem>;

Result<Keyring> trusted_keys(Context& context) {
    if (context.given().has("key")) {
        return Keyring::load({absolute_path(context.given().value("key"), current_directory())});
    }
    const Workspace* workspace = TARN_TRY(context.workspace());
    return Keyring::load({join_path(workspace->key_directory(), workspace->key_name() + ".asc")});
}

// The signature, what it was made for, and the files it speaks of beyond those of the manifest.
Result<Problems> verify_provenance(Context& context,
                                   const ImagePlace& place,
                                   const Manifest& manifest) {
    const std::string path = join_path(place.directory, place.name + ".intoto.jsonl");
    const std::string envelope = TARN_TRY(read_file(path, 256ULL << 20));
    const Keyring keyring = TARN_TRY(trusted_keys(context));
    auto verified = evidence::verify_envelope(envelope, keyring);
    if (!verified) {
        return fail(std::move(verified.error()).context(context.shown(path)));
    }
    const evidence::Statement statement = TARN_TRY(evidence::parse_statement(verified->payload));
    auto subjects = statement.subjects;
    std::erase_if(subjects, [&](const auto& subject) {
        return std::ranges::find(manifest.artifacts, subject) != manifest.artifacts.end();
    });
    Problems problems = TARN_TRY(
        inspect::verify_artifacts(place.directory, subjects, context.jobs(), context.stop()));
    if (statement.build_type != evidence::kBuildType) {
        problems.push_back({path, "is of the build type " + statement.build_type});
    }
    context.reporter().info(
        fmt::format("provenance: signed by {} ({}), {} files, made of {} inputs",
                    verified->signer.key_id,
                    verified->signer.user_id,
                    statement.subjects.size(),
                    statement.dependencies));
    return problems;
}

Result<std::string> manifest_text(Context& context, const ImagePlace& place) {
    const bool given = context.given().has("manifest");
    if (place.directory.empty() && !given) {
        return fail(error(ErrorKind::kUsage, "beside {} lies no manifest.json", place.shown)
                        .advise("--manifest names the manifest it was built with"));
    }
    return read_file(given ? absolute_path(context.given().value("manifest"), current_directory())
                           : join_path(place.directory, "manifest.json"),
                     256ULL << 20);
}

// A .wsl file against what WSL asks of one; what it only recommends is told.
Result<Problems> verify_wsl(Context& context, const ImagePlace& place) {
    Problems problems;
    if (!place.artifact.ends_with(".wsl")) {
        return problems;
    }
    for (const WslFinding& finding : TARN_TRY(check_wsl_file(place.artifact))) {
        if (finding.rule->level == WslLevel::kMust) {
            problems.push_back({file_name(place.artifact), finding.to_string()});
        } else {
            context.reporter().warn(finding.to_string());
        }
    }
    return problems;
}

// Digests of the files beside the manifest; of a lone artifact, when the manifest has its name.
Result<Problems> verify_files(Context& context, const ImagePlace& place, const Manifest& manifest) {
    std::vector<std::pair<std::string, std::string>> sums = manifest.artifacts;
    std::string directory = place.directory;
    if (directory.empty()) {
        directory = parent_path(place.artifact);
        const std::string name = file_name(place.artifact);
        std::erase_if(sums, [&](const auto& one) {
            return one.first != name && !one.first.starts_with(name + "/");
        });
    }
    Problems problems =
        TARN_TRY(inspect::verify_artifacts(directory, sums, context.jobs(), context.stop()));
    if (context.given().has("provenance")) {
        if (place.directory.empty()) {
            return fail(ErrorKind::kUsage, "--provenance needs the image's output directory");
        }
        Problems more = TARN_TRY(verify_provenance(context, place, manifest));
        problems.insert(problems.end(), more.begin(), more.end());
    }
    return problems;
}

Result<inspect::VerifyReport> verify_system(Context& context,
                                            const ImagePlace& place,
                                            const std::string& manifest) {
    const inspect::Expected expected = TARN_TRY(inspect::parse_expected(manifest));
    const inspect::System system = TARN_TRY(open_image(context, place));
    inspect::VerifyReport report = inspect::verify(system, expected);
    const Store store = TARN_TRY(context.store());
    for (auto& problem : TARN_TRY(inspect::verify_labels(store, system))) {
        report.problems.push_back(std::move(problem));
    }
    return report;
}

Result<ExitCode> run_verify(Context& context) {
    const ImagePlace place = TARN_TRY(find_image(context, context.given().value("IMAGE")));
    const std::string text = TARN_TRY(manifest_text(context, place));
    const Manifest manifest = TARN_TRY(Manifest::parse(text));
    Problems files;
    Problems wsl;
    inspect::VerifyReport report;
    const auto part = [&](std::size_t i) -> Result<void> {
        if (i == 0) {
            report = TARN_TRY(verify_system(context, place, text));
        } else if (i == 1) {
            files = TARN_TRY(verify_files(context, place, manifest));
        } else {
            wsl = TARN_TRY(verify_wsl(context, place));
        }
        return {};
    };
    TARN_TRY(parallel_for(3, context.jobs(), context.stop(), part));
    for (const Problems& more : {wsl, files}) {
        report.problems.insert(report.problems.begin(), more.begin(), more.end());
    }
    if (context.format() == OutputFormat::kJson) {
        print(inspect::verify_json(report, place.name));
    } else if (context.format() == OutputFormat::kTable) {
        print(inspect::verify_text(report, place.name, context.given().has("added")));
    } else {
        Table table("problems", {{"PATH"}, {"PROBLEM"}});
        for (const inspect::VerifyProblem& problem : report.problems) {
            table.add({problem.path, problem.what});
        }
        print(table, context.format());
    }
    return report.good() ? ExitCode::kDone : ExitCode::kFailed;
}

}  // namespace

CommandSpec image_verify() {
    CommandSpec spec;
    spec.path = "image verify";
    spec.summary = "Check every file of an image against its rpmdb and its manifest";
    spec.details =
        "The image is read back. Files of packages must have the content, mode, owner, link\n"
        "target and capabilities the rpm database in the image says; files of no package must\n"
        "be those the manifest lists as added; any other is a failure. SELinux labels must be\n"
        "those of the policy in the image, a .wsl file must keep the rules of WSL, and every\n"
        "artifact beside the manifest must have its SHA-256.\n"
        "Exit code: 0 all as it should be, 1 not.";
    spec.arguments = {{"IMAGE", "its name, its output directory, or an artifact's file"}};
    spec.options = {architecture_option(Architectures::kOne),
                    {"--provenance", "", "also verify the signed provenance and what it speaks of"},
                    {"--key", "FILE", "OpenPGP public keys that may sign (the project's)"},
                    {"--manifest", "FILE", "the manifest, when it lies elsewhere"},
                    {"--added", "", "list what the image has beyond its packages"}};
    spec.run = run_verify;
    return spec;
}

}  // namespace tarn::cli
