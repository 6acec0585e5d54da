// SPDX-License-Identifier: MIT
// One rule, judged on a machine in memory.
#pragma once

#include "baseline/engine.hh"
#include "baseline/fake_target.hh"
#include <gtest/gtest.h>

namespace tarn::guest::baseline {

// The rule outlives its finding.
struct Judged {
    std::vector<Rule> rules;
    Report report;
    const Finding& finding() const { return report.findings.at(0); }
    std::string status() const { return std::string(to_string(finding().status)); }
};

inline Judged judge(const Target& target, const std::string& body, AuditOptions options = {}) {
    Judged out;
    auto rules =
        parse_rules("[[rule]]\nid = \"r\"\ntitle = \"t\"\nsection = \"A1\"\n" + body, "test.toml");
    EXPECT_TRUE(rules) << (rules ? "" : rules.error().message);
    if (rules) {
        out.rules = std::move(*rules);
        out.report = audit(target, out.rules, options);
    }
    return out;
}

inline std::string status(const Target& target, const std::string& body) {
    return judge(target, body).status();
}

}  // namespace tarn::guest::baseline
