// SPDX-License-Identifier: MIT
#include "base/fs.hh"
#include "base/strings.hh"
#include "cli/image_artifact.hh"
#include "cli/output.hh"
#include "cli/selection.hh"
#include "cli/tree_target.hh"

#include "baseline/config.hh"
#include "baseline/engine.hh"
#include "baseline/report.hh"

#include <algorithm>
#include <ctime>
#include <random>

namespace tarn::cli {

namespace {

namespace baseline = guest::baseline;

constexpr const char* kRules = "/usr/share/tarn/baseline";

// Those that are named, else the image's own, else this machine's.
Result<std::vector<baseline::Rule>> rules_for(Context& context, const TreeTarget& target) {
    if (context.given().has("rules")) {
        return baseline::load_rules(
            absolute_path(context.given().value("rules"), current_directory()));
    }
    if (target.exists(kRules)) {
        return baseline::load_rules(target, kRules);
    }
    auto rules = baseline::load_rules(kRules);
    if (!rules) {
        return fail(error(ErrorKind::kNotFound,
                          "neither the image nor this machine has rules in {}",
                          kRules)
                        .advise("--rules names a directory that has them"));
    }
    return rules;
}

Result<std::string> profile_for(Context& context, const baseline::MachineConfig& config) {
    const std::vector<std::string> names(std::begin(baseline::kProfiles),
                                         std::end(baseline::kProfiles));
    const std::string asked = context.given().value("profile", config.profile);
    const std::string profile = asked.empty() ? "minimal" : asked;
    if (profile != "all" && std::ranges::find(names, profile) == names.end()) {
        return fail(error(ErrorKind::kUsage, "`{}` is no profile", profile)
                        .advise(did_you_mean(profile, names)));
    }
    return profile == "all" ? "" : profile;
}

Result<baseline::AuditOptions> audit_options(Context& context,
                                             const TreeTarget& target,
                                             const std::vector<baseline::Rule>& rules) {
    const baseline::MachineConfig config = TARN_TRY(baseline::load_machine_config(target));
    baseline::AuditOptions options;
    options.profile = TARN_TRY(profile_for(context, config));
    options.rules = context.given().all("rule");
    for (const std::string& id : options.rules) {
        if (std::ranges::find(rules, id, &baseline::Rule::id) == rules.end()) {
            std::vector<std::string> ids;
            for (const baseline::Rule& rule : rules) {
                ids.push_back(rule.id);
            }
            return fail(
                error(ErrorKind::kUsage, "`{}` is no rule", id).advise(did_you_mean(id, ids)));
        }
    }
    options.roles = baseline::detect_roles(target);
    for (const auto& more : {config.roles, context.given().all("role")}) {
        options.roles.insert(options.roles.end(), more.begin(), more.end());
    }
    options.exceptions = config.exceptions;
    options.today = baseline::iso_time(static_cast<std::int64_t>(::time(nullptr))).substr(0, 10);
    return options;
}

std::string drawn(Context& context, const baseline::Report& report) {
    baseline::ReportOptions options;
    options.all = context.given().has("all");
    options.evidence = context.given().has("evidence");
    std::random_device random;
    options.seed = (static_cast<std::uint64_t>(random()) << 32) | random();
    const std::string format = context.given().value("report");
    if (format == "json" || (format.empty() && context.format() == OutputFormat::kJson)) {
        return baseline::report_json(report);
    }
    return format == "sarif"   ? baseline::report_sarif(report, options)
           : format == "oscal" ? baseline::report_oscal(report, options)
           : format == "xccdf" ? baseline::report_xccdf(report, options)
                               : baseline::report_text(report, options);
}

Result<ExitCode> run_check(Context& context) {
    const ImagePlace place = TARN_TRY(find_image(context, context.given().value("IMAGE")));
    const inspect::System system = TARN_TRY(open_image(context, place));
    const Store store = TARN_TRY(context.store());
    const TreeTarget target(store, system, place.name);
    const std::vector<baseline::Rule> rules = TARN_TRY(rules_for(context, target));
    const baseline::AuditOptions options = TARN_TRY(audit_options(context, target, rules));
    baseline::Report report = baseline::audit(target, rules, options);
    report.machine = place.name;
    const bool listing =
        !context.given().has("report") &&
        (context.format() == OutputFormat::kCsv || context.format() == OutputFormat::kMarkdown);
    if (!listing) {
        print(drawn(context, report));
        return report.compliant() ? ExitCode::kDone : ExitCode::kFailed;
    }
    Table table("findings", {{"RULE"}, {"SEVERITY"}, {"STATUS"}, {"REASON"}});
    for (const baseline::Finding& finding : report.findings) {
        table.add({finding.rule->id,
                   std::string(to_string(finding.rule->severity)),
                   std::string(to_string(finding.status)),
                   finding.reason});
    }
    print(table, context.format());
    return report.compliant() ? ExitCode::kDone : ExitCode::kFailed;
}

}  // namespace

CommandSpec image_check() {
    CommandSpec spec;
    spec.path = "image check";
    spec.summary = "Judge an image by the security baseline";
    spec.details =
        "The image is read back and judged by the rules tarn-baseline has in the guest: what is\n"
        "known of a running machine only is judged by what makes it at boot, or is not checked.\n"
        "Profile, roles and exceptions are those of the image's own /usr/lib/tarn/baseline.d and\n"
        "/etc/tarn/baseline.d.\n"
        "Exit code: 0 nothing fails that no exception allows, 1 something does.";
    spec.arguments = {{"IMAGE", "its name, its output directory, or an artifact's file"}};
    spec.options = {
        architecture_option(Architectures::kOne),
        {"--profile", "NAME", "rules to judge by", {"minimal", "azure", "cis-l1", "cis-l2", "all"}},
        {"--rule", "ID", "only this rule", {}, true},
        {"--role", "NAME", "a role the machine will have", {}, true},
        {"--rules", "DIR", "rules to read instead of the image's own"},
        {"--report", "FORMAT", "a report for others", {"json", "sarif", "oscal", "xccdf"}},
        {"--all", "", "rules that pass as well"},
        {"--evidence", "", "everything that was looked at"}};
    spec.run = run_check;
    return spec;
}

}  // namespace tarn::cli
