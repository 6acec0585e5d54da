// SPDX-License-Identifier: MIT
// Judges a target by rules.
#pragma once

#include "baseline/finding.hh"
#include "baseline/rule.hh"
#include "baseline/target.hh"

#include <functional>
#include <string>
#include <vector>

namespace tarn::guest::baseline {

struct AuditOptions {
    std::string profile;             // empty: every rule
    std::vector<std::string> rules;  // only these, whatever the profile
    std::vector<std::string> roles;
    bool slow = true;   // rules that walk file systems or run rpm
    std::string today;  // "2026-11-21": exceptions end by it
    std::vector<Exception> exceptions;
};

// The rules that an option set selects, in their order.
std::vector<const Rule*> select(const std::vector<Rule>& rules, const AuditOptions& options);

// `rules` and `options` outlive the report. Never fails as a whole.
Report audit(const Target& target, const std::vector<Rule>& rules, const AuditOptions& options);

}  // namespace tarn::guest::baseline
