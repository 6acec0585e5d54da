// SPDX-License-Identifier: MIT
// Reports of an audit, in the formats that others read.
#pragma once

#include "baseline/finding.hh"

#include <cstdint>
#include <string>

namespace tarn::guest::baseline {

struct ReportOptions {
    bool all = false;        // passes too, where a format's readers take them for problems
    bool evidence = false;   // text: every thing that was looked at
    std::uint64_t seed = 0;  // of the identifiers that a format wants; random for each report
    std::string resource;    // the machine's id on the platform, "/subscriptions/..."
};

std::string report_text(const Report& report, const ReportOptions& options);
std::string report_json(const Report& report);
// SARIF 2.1.0 (OASIS). Failures and errors; with `all` every rule, by `kind`.
std::string report_sarif(const Report& report, const ReportOptions& options);
// OSCAL 1.0.6 assessment results (NIST), JSON.
std::string report_oscal(const Report& report, const ReportOptions& options);
// XCCDF 1.2 TestResult (NIST IR 7275).
std::string report_xccdf(const Report& report, const ReportOptions& options);
// Report of Azure Machine Configuration (guestConfigurationAssignments/reports).
std::string report_azure(const Report& report, const ReportOptions& options);

// "2026-11-21T22:00:00Z"
std::string iso_time(std::int64_t seconds);
// Text as XML may hold it: markup escaped, characters that XML has not replaced.
std::string xml_text(std::string_view text);
// Bytes that are no UTF-8 replaced.
std::string utf8_text(std::string_view text);

}  // namespace tarn::guest::baseline
