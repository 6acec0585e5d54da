// SPDX-License-Identifier: MIT
#include "baseline/report.hh"

#include "base/fs.hh"
#include "base/process.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cstdlib>
#include <set>

namespace tarn::guest::baseline {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

Rule rule(const std::string& id, Severity severity) {
    Rule out;
    out.id = id;
    out.title = "title of " + id;
    out.section = "B1";
    out.references = {"CIS 3.3.10"};
    out.severity = severity;
    out.why = "because <of> & \"this\"";
    return out;
}

struct Sample {
    std::vector<Rule> rules = {rule("good", Severity::kLow),
                               rule("bad", Severity::kCritical),
                               rule("broken", Severity::kMedium),
                               rule("na", Severity::kHigh),
                               rule("later", Severity::kHigh),
                               rule("told", Severity::kLow),
                               rule("fixed", Severity::kLow),
                               rule("allowed", Severity::kMedium)};
    Exception exception{"allowed", "an old client", "ops", "2027-01-31", "x.toml:1"};
    Report report;

    Sample() {
        report.target = "/";
        report.machine = "5c1e3a0e-0000-4000-8000-000000000001";
        report.profile = "azure";
        report.started = 1793491200;
        report.ended = 1793491201;
        const Status all[] = {Status::kPass,
                              Status::kFail,
                              Status::kError,
                              Status::kNotApplicable,
                              Status::kNotChecked,
                              Status::kInformational,
                              Status::kFixed,
                              Status::kFail};
        for (std::size_t i = 0; i < rules.size(); ++i) {
            Finding finding;
            finding.rule = &rules[i];
            finding.status = all[i];
            finding.expected = "1";
            finding.actual = "0 <&> \x1b[31m \xff";
            finding.source = i == 1 ? "/etc/sysctl.d/a b.conf:3" : "kernel";
            finding.reason = finding.status == Status::kPass ? "" : "it is 0 <&> \x01 \xff";
            finding.evidence = {{"what", finding.status, finding.actual, finding.source, {}}};
            finding.duration_us = 12;
            report.findings.push_back(std::move(finding));
        }
        report.findings[7].exception = &exception;
    }
};

TEST(Report, CountsAndScore) {
    const Sample sample;
    EXPECT_EQ(sample.report.score(), 40u);  // 2 of 5
    EXPECT_EQ(sample.report.excepted(), 1u);
    EXPECT_FALSE(sample.report.compliant());
    EXPECT_EQ(Report().score(), 100u);
    EXPECT_TRUE(Report().compliant());
}

TEST(Report, TextIsForPeople) {
    const Sample sample;
    ReportOptions options;
    options.evidence = true;
    const std::string text = report_text(sample.report, options);
    EXPECT_EQ(text.find('\x1b'), std::string::npos);
    EXPECT_EQ(text.find('\xff'), std::string::npos);
    const std::string path = std::string(TARN_SOURCE_DIR) + "/tests/golden/baseline/report.txt";
    if (std::getenv("TARN_ACCEPT") != nullptr) {
        ASSERT_TRUE(make_directories(parent_path(path)));
        ASSERT_TRUE(write_file_atomic(path, text));
    }
    EXPECT_EQ(read_file(path).value_or("none"), text);
}

TEST(Report, JsonHasTheWholeModel) {
    const Sample sample;
    const Json json = Json::parse(report_json(sample.report));
    ASSERT_EQ(json["findings"].size(), 8u);
    const Json& bad = json["findings"][1];
    EXPECT_EQ(bad["status"], "fail");
    EXPECT_EQ(bad["severity"], "critical");
    EXPECT_EQ(bad["remediation"], "none");
    EXPECT_EQ(bad["duration_us"], 12);
    EXPECT_EQ(bad["evidence"][0]["source"], "/etc/sysctl.d/a b.conf:3");
    EXPECT_EQ(json["findings"][7]["exception"]["who"], "ops");
    EXPECT_EQ(json["score"], 40);
}

TEST(Report, SarifHasFailuresAndWithAllEveryKind) {
    const Sample sample;
    ReportOptions options;
    Json run = Json::parse(report_sarif(sample.report, options))["runs"][0];
    ASSERT_EQ(run["results"].size(), 3u);
    EXPECT_EQ(run["results"][0]["level"], "error");
    EXPECT_EQ(run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
              "file:///etc/sysctl.d/a%20b.conf");
    EXPECT_EQ(run["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"], 3);
    EXPECT_EQ(run["results"][2]["suppressions"][0]["kind"], "external");
    options.all = true;
    run = Json::parse(report_sarif(sample.report, options))["runs"][0];
    std::set<std::string> kinds;
    for (const Json& result : run["results"]) {
        kinds.insert(result["kind"].get<std::string>());
        // SARIF 3.27.10: a level other than "none" is a failure's.
        EXPECT_EQ(result["level"] == "none", result["kind"] != "fail");
        EXPECT_EQ(run["tool"]["driver"]["rules"][result["ruleIndex"].get<std::size_t>()]["id"],
                  result["ruleId"]);
    }
    EXPECT_EQ(kinds,
              (std::set<std::string>{"pass", "fail", "notApplicable", "open", "informational"}));
}

TEST(Report, OscalKnowsTwoStatesAndKeepsTheRestInObservations) {
    const Sample sample;
    const Json results = Json::parse(report_oscal(sample.report, {}))["assessment-results"];
    const Json& result = results["results"][0];
    EXPECT_EQ(result["observations"].size(), 8u);
    EXPECT_EQ(result["findings"].size(), 5u);
    std::set<std::string> ids;
    for (const Json& observation : result["observations"]) {
        ids.insert(observation["uuid"].get<std::string>());
    }
    EXPECT_EQ(ids.size(), 8u);
    for (const Json& finding : result["findings"]) {
        EXPECT_TRUE(ids.contains(
            finding["related-observations"][0]["observation-uuid"].get<std::string>()));
    }
    ReportOptions other;
    other.seed = 1;
    EXPECT_NE(report_oscal(sample.report, {}), report_oscal(sample.report, other));
}

TEST(Report, AzureAllowsWhatAnExceptionAllows) {
    const Sample sample;
    const Json json = Json::parse(report_azure(sample.report, {}));
    const Json& resources = json["properties"]["details"]["resources"];
    ASSERT_EQ(resources.size(), 5u);
    EXPECT_EQ(json["properties"]["complianceStatus"], "NonCompliant");
    EXPECT_EQ(resources[0]["complianceStatus"], "Compliant");
    EXPECT_EQ(resources[1]["reasons"][0]["code"], "Baseline:B1:bad");
    EXPECT_EQ(resources[4]["complianceStatus"], "Compliant");
}

TEST(Report, XmlHoldsNothingThatXmlCannot) {
    EXPECT_EQ(xml_text("a<b>&\"c\x01\xff\n"), "a&lt;b&gt;&amp;&quot;c?\xef\xbf\xbd\n");
    EXPECT_EQ(xml_text("\xef\xbf\xbe"), "?");
    // Too long, a surrogate, beyond Unicode: a replacement for each byte.
    EXPECT_EQ(utf8_text("\xc0\xaf\xed\xa0\x80\xf4\x90\x80\x80ok\xc3\xa4").substr(27), "ok\xc3\xa4");
    EXPECT_EQ(iso_time(1793491200), "2026-11-01T00:00:00Z");
}

// The published schemas, where TARN_REPORT_SCHEMAS names a directory that has them:
// sarif-schema-2.1.0.json, oscal_assessment-results_schema.json, xccdf_1.2.xsd (with what it
// imports).
class ReportSchema : public ::testing::TestWithParam<std::pair<std::string, std::string>> {};

Result<ProcessResult> validate(const std::string& schema, const std::string& document) {
    Command command;
    if (schema.ends_with(".xsd")) {
        command.argv = {"xmllint", "--nonet", "--noout", "--schema", schema, document};
    } else {
        command.argv = {"python3",
                        "-c",
                        "import json,sys,jsonschema\n"
                        // Unicode classes are not of Python's patterns.
                        "t=open(sys.argv[1]).read().replace(r'\\\\p{L}',r'[^\\\\W\\\\d_]')\n"
                        "s=json.loads(t.replace(r'\\\\p{N}',r'\\\\d'))\n"
                        "v=jsonschema.validators.validator_for(s)(s)\n"
                        "e=[str(x.message)[:300] for x in v.iter_errors(json.load(open("
                        "sys.argv[2])))]\n"
                        "print('\\n'.join(e[:5]))\n"
                        "sys.exit(1 if e else 0)\n",
                        schema,
                        document};
    }
    command.merge_error = true;
    return run(command);
}

TEST_P(ReportSchema, IsWhatTheFormatSays) {
    const char* directory = std::getenv("TARN_REPORT_SCHEMAS");
    if (directory == nullptr) {
        GTEST_SKIP() << "TARN_REPORT_SCHEMAS names no directory of the published schemas";
    }
    const auto [name, schema] = GetParam();
    const Sample sample;
    ReportOptions options;
    options.all = true;
    options.seed = 42;
    const auto temporary = TempDir::make();
    ASSERT_TRUE(temporary);
    const std::string path = join_path(temporary->path(), name);
    for (const Report& report : {sample.report, Report()}) {
        const std::string text = name == "sarif"   ? report_sarif(report, options)
                                 : name == "oscal" ? report_oscal(report, options)
                                                   : report_xccdf(report, options);
        // XCCDF wants at least one rule.
        if (name == "xccdf" && report.findings.empty()) {
            continue;
        }
        ASSERT_TRUE(write_file_atomic(path, text));
        const auto result = validate(join_path(directory, schema), path);
        ASSERT_TRUE(result) << result.error().message;
        EXPECT_EQ(result->exit_code, 0) << result->output << text.substr(0, 3000);
    }
}

INSTANTIATE_TEST_SUITE_P(All,
                         ReportSchema,
                         ::testing::Values(std::pair("sarif", "sarif-schema-2.1.0.json"),
                                           std::pair("oscal",
                                                     "oscal_assessment-results_schema.json"),
                                           std::pair("xccdf", "xccdf_1.2.xsd")),
                         [](const auto& each) { return each.param.first; });

}  // namespace
}  // namespace tarn::guest::baseline
