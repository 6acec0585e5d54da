// SPDX-License-Identifier: MIT
#include "baseline/report.hh"

#include "base/strings.hh"

#include <nlohmann/json.hpp>

#include <ctime>

namespace tarn::guest::baseline {
namespace {

using Json = nlohmann::ordered_json;

// The length of a UTF-8 sequence at the start; 0 when there is none (RFC 3629).
std::size_t sequence(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char first = byte(0);
    const std::size_t length = first < 0x80   ? 1
                               : first < 0xc2 ? 0
                               : first < 0xe0 ? 2
                               : first < 0xf0 ? 3
                               : first < 0xf5 ? 4
                                              : 0;
    if (length == 0 || text.size() < length) {
        return 0;
    }
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xc0) != 0x80) {
            return 0;
        }
    }
    const bool bad = (first == 0xe0 && byte(1) < 0xa0) || (first == 0xed && byte(1) > 0x9f) ||
                     (first == 0xf0 && byte(1) < 0x90) || (first == 0xf4 && byte(1) > 0x8f);
    return bad ? 0 : length;
}

Json evidence_json(const std::vector<Evidence>& evidence) {
    Json out = Json::array();
    for (const Evidence& one : evidence) {
        Json item = {{"what", utf8_text(one.what)},
                     {"status", to_string(one.status)},
                     {"actual", utf8_text(one.actual)}};
        if (!one.source.empty()) {
            item["source"] = utf8_text(one.source);
        }
        if (!one.parts.empty()) {
            item["parts"] = evidence_json(one.parts);
        }
        out.push_back(std::move(item));
    }
    return out;
}

Json finding_json(const Finding& finding) {
    const Rule& rule = *finding.rule;
    Json out = {{"rule", rule.id},
                {"title", rule.title},
                {"section", rule.section},
                {"references", rule.references},
                {"severity", to_string(rule.severity)},
                {"status", to_string(finding.status)},
                {"expected", utf8_text(finding.expected)},
                {"actual", utf8_text(finding.actual)},
                {"source", utf8_text(finding.source)},
                {"reason", utf8_text(finding.reason)},
                {"remediation", to_string(finding.remediation)},
                {"duration_us", finding.duration_us}};
    if (finding.exception != nullptr) {
        out["exception"] = {{"reason", finding.exception->reason},
                            {"who", finding.exception->who},
                            {"expires", finding.exception->expires}};
    }
    out["evidence"] = evidence_json(finding.evidence);
    return out;
}

std::string printable(std::string_view text) {
    std::string out = utf8_text(text);
    for (char& c : out) {  // nothing of a file reaches the terminal as a command
        c = static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
    }
    return out;
}

void add_evidence(std::string& out, const std::vector<Evidence>& evidence, std::size_t depth) {
    for (const Evidence& one : evidence) {
        out += fmt::format("{:{}}{:<13} {}: {}",
                           "",
                           4 + 2 * depth,
                           to_string(one.status),
                           printable(one.what),
                           printable(one.actual));
        if (!one.source.empty() && one.source != one.what) {
            out += "  [" + printable(one.source) + "]";
        }
        out += "\n";
        add_evidence(out, one.parts, depth + 1);
    }
}

bool is_problem(const Finding& finding) {
    return finding.status == Status::kFail || finding.status == Status::kError;
}

}  // namespace

std::string iso_time(std::int64_t seconds) {
    const std::time_t time = static_cast<std::time_t>(seconds);
    std::tm parts{};
    ::gmtime_r(&time, &parts);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
                       parts.tm_year + 1900,
                       parts.tm_mon + 1,
                       parts.tm_mday,
                       parts.tm_hour,
                       parts.tm_min,
                       parts.tm_sec);
}

std::string utf8_text(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const std::size_t length = sequence(text);
        if (length == 0) {
            out += "\xef\xbf\xbd";
            text.remove_prefix(1);
        } else {
            out += text.substr(0, length);
            text.remove_prefix(length);
        }
    }
    return out;
}

std::string xml_text(std::string_view text) {
    std::string out;
    for (const char c : utf8_text(text)) {
        switch (c) {
            case '&':
                out += "&amp;";
                break;
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '"':
                out += "&quot;";
                break;
            default:
                out += static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n' ? '?' : c;
        }
    }
    // U+FFFE and U+FFFF are characters of Unicode and none of XML.
    out = replace_all(std::move(out), "\xef\xbf\xbe", "?");
    return replace_all(std::move(out), "\xef\xbf\xbf", "?");
}

std::string report_text(const Report& report, const ReportOptions& options) {
    std::string out;
    for (const Finding& finding : report.findings) {
        const bool shown = is_problem(finding) || options.all || finding.status == Status::kFixed ||
                           finding.remediation == Remediation::kNeedsReboot;
        if (!shown) {
            continue;
        }
        const Rule& rule = *finding.rule;
        out += fmt::format("{:<13} {:<8} {}: {}\n",
                           to_string(finding.status),
                           to_string(rule.severity),
                           rule.id,
                           rule.title);
        if (!finding.reason.empty()) {
            out += fmt::format("    {}", printable(finding.reason));
            if (is_problem(finding) && !finding.expected.empty()) {
                out += fmt::format("; expected {}", printable(finding.expected));
            }
            out += "\n";
        }
        if (finding.exception != nullptr) {
            out += fmt::format("    allowed until {} by {}: {}\n",
                               finding.exception->expires,
                               printable(finding.exception->who),
                               printable(finding.exception->reason));
        }
        if (finding.remediation == Remediation::kNeedsReboot) {
            out += "    takes effect with the next boot\n";
        }
        if (options.evidence) {
            add_evidence(out, finding.evidence, 0);
        }
    }
    out += fmt::format(
        "{}{}: {} rules: {} pass, {} fail ({} allowed), {} error, {} fixed, "
        "{} notapplicable, {} notchecked, {} informational; score {} %\n",
        printable(report.target),
        report.profile.empty() ? "" : ", profile " + report.profile,
        report.findings.size(),
        report.count(Status::kPass),
        report.count(Status::kFail),
        report.excepted(),
        report.count(Status::kError),
        report.count(Status::kFixed),
        report.count(Status::kNotApplicable),
        report.count(Status::kNotChecked),
        report.count(Status::kInformational),
        report.score());
    return out;
}

std::string report_json(const Report& report) {
    Json findings = Json::array();
    for (const Finding& finding : report.findings) {
        findings.push_back(finding_json(finding));
    }
    const Json out = {{"target", utf8_text(report.target)},
                      {"machine", utf8_text(report.machine)},
                      {"profile", report.profile},
                      {"roles", report.roles},
                      {"started", iso_time(report.started)},
                      {"ended", iso_time(report.ended)},
                      {"score", report.score()},
                      {"compliant", report.compliant()},
                      {"findings", std::move(findings)}};
    return out.dump(2) + "\n";
}

}  // namespace tarn::guest::baseline
