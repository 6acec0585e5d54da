// SPDX-License-Identifier: MIT
#include "baseline/engine.hh"

#include "base/strings.hh"

#include "baseline/detail/change.hh"
#include "baseline/detail/facts.hh"
#include "baseline/detail/procedure.hh"

#include <algorithm>
#include <chrono>

namespace tarn::guest::baseline {
namespace {

bool any_of(const std::vector<std::string>& names, const Facts& facts) {
    return std::ranges::any_of(names, [&](const auto& name) { return facts.has_role(name); });
}

// Why a rule is not for this machine; empty when it is.
std::string not_for(const Facts& facts, const Rule& rule) {
    if (!rule.only_roles.empty() && !any_of(rule.only_roles, facts)) {
        return "only for the role " + join(rule.only_roles, " or ");
    }
    for (const std::string& role : rule.unless_roles) {
        if (facts.has_role(role)) {
            return "not for the role " + role;
        }
    }
    if (!rule.needs.empty() && std::ranges::none_of(rule.needs, [&](const std::string& path) {
            return facts.target.exists(path);
        })) {
        return join(rule.needs, " or ") + " is not there";
    }
    return {};
}

void judge(const Facts& facts, const Rule& rule, bool slow, Finding& out) {
    if (std::string why = not_for(facts, rule); !why.empty()) {
        out.status = Status::kNotApplicable;
        out.reason = std::move(why);
        return;
    }
    if (rule.slow && !slow) {
        out.status = Status::kNotChecked;
        out.reason = "takes long and was not asked for";
        return;
    }
    const Procedure* procedure = find_procedure(rule.procedure);
    TARN_CHECK(procedure != nullptr);
    Judgement judgement;
    procedure->judge(facts, rule, judgement);
    judgement.write(out);
    if (rule.informational && out.status != Status::kNotApplicable &&
        out.status != Status::kNotChecked) {
        out.status = Status::kInformational;
    }
    if (out.status == Status::kFail && procedure->plan != nullptr &&
        !procedure->plan(facts, rule).empty()) {
        out.remediation = Remediation::kAvailable;
    }
}

std::int64_t seconds_now() {
    return std::chrono::duration_cast<std::chrono::seconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

}  // namespace

std::vector<const Rule*> select(const std::vector<Rule>& rules, const AuditOptions& options) {
    std::vector<const Rule*> out;
    for (const Rule& rule : rules) {
        const bool named = std::ranges::find(options.rules, rule.id) != options.rules.end();
        const bool by_profile =
            options.rules.empty() &&
            (options.profile.empty() ||
             std::ranges::find(rule.profiles, options.profile) != rule.profiles.end());
        if (named || by_profile) {
            out.push_back(&rule);
        }
    }
    return out;
}

Report audit(const Target& target, const std::vector<Rule>& rules, const AuditOptions& options) {
    using Clock = std::chrono::steady_clock;
    const Facts facts(target, options.roles);
    Report report;
    report.target = target.name();
    report.profile = options.profile;
    report.roles = options.roles;
    report.started = seconds_now();
    for (const Rule* rule : select(rules, options)) {
        const auto start = Clock::now();
        Finding finding;
        finding.rule = rule;
        judge(facts, *rule, options.slow, finding);
        const auto taken =
            std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - start);
        finding.duration_us = static_cast<std::uint64_t>(taken.count());
        for (const Exception& exception : options.exceptions) {
            if (exception.rule == rule->id && exception.expires >= options.today) {
                finding.exception = &exception;
            }
        }
        report.findings.push_back(std::move(finding));
    }
    report.ended = seconds_now();
    return report;
}

}  // namespace tarn::guest::baseline
