// SPDX-License-Identifier: MIT
// SARIF, OSCAL, XCCDF and Azure Machine Configuration.
#include "base/strings.hh"

#include "baseline/report.hh"
#include <nlohmann/json.hpp>

namespace tarn::guest::baseline {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kVersion = "1.0.0";

bool is_problem(const Finding& finding) {
    return finding.status == Status::kFail || finding.status == Status::kError;
}

std::string message_of(const Finding& finding) {
    std::string out = finding.rule->title;
    if (!finding.reason.empty()) {
        out += ": " + finding.reason;
    } else if (!finding.actual.empty()) {
        out += ": " + finding.actual;
    }
    return utf8_text(out);
}

// FNV-1a, 64 bits.
std::uint64_t mix(std::uint64_t hash, std::string_view text) {
    for (const char c : text) {
        hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
    }
    return hash ^ (hash >> 29);
}

// A random UUID (RFC 9562, version 4): the report's random seed, spread over its parts.
std::string uuid(const ReportOptions& options, std::string_view what) {
    const std::uint64_t high = mix(options.seed ^ 0xcbf29ce484222325ULL, what);
    const std::uint64_t low = mix(high ^ 0x9e3779b97f4a7c15ULL, what);
    return fmt::format("{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
                       high >> 32,
                       (high >> 16) & 0xffff,
                       high & 0xfff,
                       0x8000 | ((low >> 48) & 0x3fff),
                       low & 0xffffffffffffULL);
}

// ---- SARIF

const char* sarif_level(const Finding& finding) {
    if (!is_problem(finding)) {
        return "none";
    }
    switch (finding.rule->severity) {
        case Severity::kLow:
            return "note";
        case Severity::kMedium:
            return "warning";
        case Severity::kHigh:
        case Severity::kCritical:
            break;
    }
    return "error";
}

const char* sarif_kind(Status status) {
    switch (status) {
        case Status::kPass:
        case Status::kFixed:
            return "pass";
        case Status::kFail:
            return "fail";
        case Status::kError:
            return "fail";
        case Status::kNotApplicable:
            return "notApplicable";
        case Status::kNotChecked:
            return "open";
        case Status::kInformational:
            return "informational";
    }
    return "review";
}

// "/etc/sysctl.d/60-x.conf:3" as a place in a file; other sources are none.
Json sarif_locations(const std::string& source) {
    if (!source.starts_with('/')) {
        return Json::array();
    }
    const std::size_t colon = source.rfind(':');
    const auto line =
        colon == std::string::npos ? std::nullopt : parse_u64(source.substr(colon + 1));
    std::string uri;
    for (const char c : line ? source.substr(0, colon) : source) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') || c == '/' || c == '.' || c == '_' || c == '-';
        uri += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    Json place = {{"artifactLocation", {{"uri", "file://" + uri}}}};
    if (line && *line > 0) {
        place["region"] = {{"startLine", *line}};
    }
    return Json::array({{{"physicalLocation", std::move(place)}}});
}

Json sarif_rule(const Rule& rule) {
    Json tags = Json::array({rule.section});
    for (const std::string& reference : rule.references) {
        tags.push_back(reference);
    }
    Json out = {{"id", rule.id},
                {"shortDescription", {{"text", rule.title}}},
                {"defaultConfiguration",
                 {{"level",
                   rule.severity == Severity::kLow      ? "note"
                   : rule.severity == Severity::kMedium ? "warning"
                                                        : "error"}}},
                {"properties", {{"tags", std::move(tags)}}}};
    if (!rule.why.empty()) {
        out["fullDescription"] = {{"text", rule.why}};
    }
    if (!rule.remedy.empty()) {
        out["help"] = {{"text", rule.remedy}};
    }
    return out;
}

// ---- OSCAL

Json oscal_observation(const Report& report, const ReportOptions& options, const Finding& finding) {
    Json evidence = Json::array();
    for (const Evidence& one : finding.evidence) {
        evidence.push_back(
            {{"description",
              utf8_text(fmt::format("{}: {}: {}{}",
                                    to_string(one.status),
                                    one.what,
                                    one.actual,
                                    one.source.empty() ? "" : " [" + one.source + "]"))}});
        if (evidence.size() == 64) {
            break;
        }
    }
    Json out = {
        {"uuid", uuid(options, "observation " + finding.rule->id)},
        {"title", finding.rule->title},
        {"description", message_of(finding)},
        {"props",
         Json::array({{{"name", "rule"}, {"value", finding.rule->id}},
                      {{"name", "status"}, {"value", to_string(finding.status)}},
                      {{"name", "severity"}, {"value", to_string(finding.rule->severity)}}})},
        {"methods", Json::array({"TEST"})},
        {"subjects",
         Json::array({{{"subject-uuid", uuid(options, "machine")}, {"type", "component"}}})},
        {"collected", iso_time(report.started)}};
    if (!evidence.empty()) {
        out["relevant-evidence"] = std::move(evidence);
    }
    return out;
}

Json oscal_finding(const ReportOptions& options, const Finding& finding) {
    const bool satisfied = finding.status == Status::kPass || finding.status == Status::kFixed;
    return {
        {"uuid", uuid(options, "finding " + finding.rule->id)},
        {"title", finding.rule->title},
        {"description", message_of(finding)},
        {"target",
         {{"type", "objective-id"},
          {"target-id", "rule_" + finding.rule->id},
          {"status", {{"state", satisfied ? "satisfied" : "not-satisfied"}}}}},
        {"related-observations",
         Json::array({{{"observation-uuid", uuid(options, "observation " + finding.rule->id)}}})}};
}

// ---- XCCDF

std::string xccdf_rule_result(const Report& report, const Finding& finding) {
    const Rule& rule = *finding.rule;
    // The severities of XCCDF end with "high".
    const std::string_view severity =
        rule.severity == Severity::kCritical ? "high" : to_string(rule.severity);
    std::string out = fmt::format(
        "  <rule-result idref=\"xccdf_org.tarn_rule_{}\" time=\"{}\" severity=\"{}\" "
        "weight=\"1.0\">\n    <result>{}</result>\n",
        rule.id,
        iso_time(report.started),
        severity,
        to_string(finding.status));
    if (finding.exception != nullptr && is_problem(finding)) {
        out += fmt::format(
            "    <override time=\"{}T00:00:00Z\" authority=\"{}\">\n"
            "      <old-result>{}</old-result>\n      <new-result>{}</new-result>\n"
            "      <remark>{}</remark>\n    </override>\n",
            finding.exception->expires,
            xml_text(finding.exception->who),
            to_string(finding.status),
            to_string(finding.status),
            xml_text(finding.exception->reason));
    }
    for (const std::string& reference : rule.references) {
        out += fmt::format("    <ident system=\"urn:tarn:reference\">{}</ident>\n",
                           xml_text(reference));
    }
    if (!finding.reason.empty()) {
        out += fmt::format("    <message severity=\"{}\">{}</message>\n",
                           is_problem(finding) ? "error" : "info",
                           xml_text(finding.reason));
    }
    return out + "  </rule-result>\n";
}

// ---- Azure

std::string azure_reason(const Finding& finding) {
    return utf8_text(finding.reason.empty() ? finding.rule->title
                                            : finding.reason + "; expected " + finding.expected);
}

}  // namespace

std::string report_sarif(const Report& report, const ReportOptions& options) {
    Json rules = Json::array();
    Json results = Json::array();
    for (const Finding& finding : report.findings) {
        if (!is_problem(finding) && !options.all) {
            continue;
        }
        rules.push_back(sarif_rule(*finding.rule));
        Json result = {{"ruleId", finding.rule->id},
                       {"ruleIndex", rules.size() - 1},
                       {"kind", sarif_kind(finding.status)},
                       {"level", sarif_level(finding)},
                       {"message", {{"text", message_of(finding)}}}};
        if (Json places = sarif_locations(utf8_text(finding.source)); !places.empty()) {
            result["locations"] = std::move(places);
        }
        if (finding.exception != nullptr) {
            result["suppressions"] = Json::array({{{"kind", "external"},
                                                   {"status", "accepted"},
                                                   {"justification",
                                                    fmt::format("{} ({}, until {})",
                                                                finding.exception->reason,
                                                                finding.exception->who,
                                                                finding.exception->expires)}}});
        }
        results.push_back(std::move(result));
    }
    const Json run = {
        {"tool",
         {{"driver",
           {{"name", "tarn-baseline"}, {"version", kVersion}, {"rules", std::move(rules)}}}}},
        {"invocations",
         Json::array({{{"executionSuccessful", true},
                       {"startTimeUtc", iso_time(report.started)},
                       {"endTimeUtc", iso_time(report.ended)}}})},
        {"results", std::move(results)},
        {"properties",
         {{"profile", report.profile},
          {"target", utf8_text(report.target)},
          {"score", report.score()}}}};
    const Json out = {{"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
                      {"version", "2.1.0"},
                      {"runs", Json::array({run})}};
    return out.dump(2) + "\n";
}

std::string report_oscal(const Report& report, const ReportOptions& options) {
    Json observations = Json::array();
    Json findings = Json::array();
    for (const Finding& finding : report.findings) {
        observations.push_back(oscal_observation(report, options, finding));
        const bool judged = is_problem(finding) || finding.status == Status::kPass ||
                            finding.status == Status::kFixed;
        if (judged) {
            findings.push_back(oscal_finding(options, finding));
        }
    }
    Json result = {{"uuid", uuid(options, "result")},
                   {"title", "Security baseline of " + utf8_text(report.target)},
                   {"description",
                    fmt::format("Profile {}, score {} %.",
                                report.profile.empty() ? "of all rules" : report.profile,
                                report.score())},
                   {"start", iso_time(report.started)},
                   {"end", iso_time(report.ended)},
                   {"local-definitions",
                    {{"components",
                      Json::array({{{"uuid", uuid(options, "machine")},
                                    {"type", "system"},
                                    {"title", utf8_text(report.target)},
                                    {"description", "machine " + utf8_text(report.machine)},
                                    {"status", {{"state", "operational"}}}}})}}},
                   {"reviewed-controls",
                    {{"control-selections", Json::array({{{"include-all", Json::object()}}})}}}};
    if (!observations.empty()) {
        result["observations"] = std::move(observations);
    }
    if (!findings.empty()) {
        result["findings"] = std::move(findings);
    }
    const Json out = {
        {"assessment-results",
         {{"uuid", uuid(options, "document")},
          {"metadata",
           {{"title", "Tarn baseline"},
            {"last-modified", iso_time(report.ended)},
            {"version", kVersion},
            {"oscal-version", "1.0.6"}}},
          {"import-ap",
           {{"href", "urn:tarn:baseline:" + (report.profile.empty() ? "all" : report.profile)}}},
          {"results", Json::array({result})}}}};
    return out.dump(2) + "\n";
}

std::string report_xccdf(const Report& report, const ReportOptions& options) {
    std::string out = fmt::format(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<TestResult xmlns=\"http://checklists.nist.gov/xccdf/1.2\"\n"
        "    id=\"xccdf_org.tarn_testresult_{}\" start-time=\"{}\" end-time=\"{}\" "
        "test-system=\"cpe:/a:tarn:tarn-baseline:{}\" version=\"{}\">\n"
        "  <benchmark href=\"urn:tarn:baseline\" id=\"xccdf_org.tarn_benchmark_baseline\"/>\n"
        "  <title>Security baseline of {}</title>\n",
        uuid(options, "result"),
        iso_time(report.started),
        iso_time(report.ended),
        kVersion,
        kVersion,
        xml_text(report.target));
    if (!report.profile.empty()) {
        out += fmt::format("  <profile idref=\"xccdf_org.tarn_profile_{}\"/>\n", report.profile);
    }
    out += fmt::format("  <target>{}</target>\n",
                       xml_text(report.machine.empty() ? report.target : report.machine));
    for (const Finding& finding : report.findings) {
        out += xccdf_rule_result(report, finding);
    }
    return out + fmt::format(
                     "  <score system=\"urn:xccdf:scoring:flat-unweighted\" "
                     "maximum=\"{}\">{}</score>\n</TestResult>\n",
                     report.count(Status::kPass) + report.count(Status::kFixed) +
                         report.count(Status::kFail) + report.count(Status::kError),
                     report.count(Status::kPass) + report.count(Status::kFixed));
}

std::string report_azure(const Report& report, const ReportOptions& options) {
    Json resources = Json::array();
    for (const Finding& finding : report.findings) {
        const bool judged = is_problem(finding) || finding.status == Status::kPass ||
                            finding.status == Status::kFixed;
        if (!judged) {
            continue;
        }
        const bool good = !is_problem(finding) || finding.exception != nullptr;
        Json reasons = Json::array();
        if (is_problem(finding)) {
            reasons.push_back(
                {{"code", fmt::format("Baseline:{}:{}", finding.rule->section, finding.rule->id)},
                 {"phrase", azure_reason(finding)}});
        }
        resources.push_back({{"complianceStatus", good ? "Compliant" : "NonCompliant"},
                             {"properties", {{"ConfigurationName", finding.rule->id}}},
                             {"reasons", std::move(reasons)}});
    }
    const char* status = report.compliant() ? "Compliant" : "NonCompliant";
    const std::string name = "TarnBaseline" + (report.profile.empty() ? "" : "-" + report.profile);
    const Json out = {
        {"properties",
         {{"complianceStatus", status},
          {"assignment",
           {{"name", name}, {"configuration", {{"name", name}, {"version", kVersion}}}}},
          {"reportId", uuid(options, "report")},
          {"vm", {{"id", options.resource}, {"uuid", utf8_text(report.machine)}}},
          {"details",
           {{"complianceStatus", status},
            {"startTime", iso_time(report.started)},
            {"endTime", iso_time(report.ended)},
            {"jobId", uuid(options, "job")},
            {"operationType", "Consistency"},
            {"resources", std::move(resources)}}}}}};
    return out.dump(2) + "\n";
}

}  // namespace tarn::guest::baseline
