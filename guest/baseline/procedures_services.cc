// SPDX-License-Identifier: MIT
// unit, audit-rules, audit-state, firewall, sockets, jobs, processes, clock, counters.
#include "base/fs.hh"
#include "base/strings.hh"

#include "baseline/detail/change.hh"
#include "baseline/detail/facts.hh"
#include "baseline/detail/procedure.hh"
#include <sys/timex.h>

#include <algorithm>
#include <set>

namespace tarn::guest::baseline {
namespace {

Status passed(bool good) {
    return good ? Status::kPass : Status::kFail;
}

std::string_view state_name(UnitState state) {
    constexpr std::string_view kNames[] = {"not installed", "disabled", "enabled", "masked"};
    return kNames[static_cast<std::size_t>(state)];
}

// ---- unit: off | any, running

void judge_unit(const Facts& facts, const Rule& rule, Judgement& out) {
    const auto& off = rule.list("off");
    const auto& any = rule.list("any");
    out.expect(off.empty() ? "one is enabled: " + join(any, ", ") : "not enabled");
    for (const std::string& unit : off) {
        const UnitState state = facts.unit_state(unit);
        if (state == UnitState::kEnabled) {
            out.add(Status::kFail, unit, "enabled");
        } else if (facts.target.live() && facts.unit_runs(unit)) {
            out.add(Status::kFail, unit, "runs");
        } else {
            out.add(Status::kPass, unit, std::string(state_name(state)));
        }
    }
    if (any.empty()) {
        return;
    }
    for (const std::string& unit : any) {
        if (facts.unit_state(unit) != UnitState::kEnabled) {
            continue;
        }
        const bool down = rule.flag("running") && facts.target.live() && !facts.unit_runs(unit);
        out.add(passed(!down), unit, down ? "enabled, but does not run" : "enabled");
        return;
    }
    out.add(Status::kFail, join(any, ", "), "none is enabled");
}

std::vector<Change> plan_unit(const Facts& facts, const Rule& rule) {
    std::vector<Change> out;
    for (const std::string& unit : rule.list("off")) {
        if (facts.unit_state(unit) == UnitState::kEnabled || facts.unit_runs(unit)) {
            Change change;
            change.kind = Change::Kind::kMask;
            change.path = "/etc/systemd/system/" + unit;
            change.activate = {{"systemctl", "daemon-reload"}, {"systemctl", "stop", unit}};
            out.push_back(std::move(change));
        }
    }
    return out;
}

// ---- audit-rules: watch, syscalls, perms, rule

bool covers_path(const AuditRule& rule, const std::string& path) {
    if (rule.path.empty() || rule.action == "never") {
        return false;
    }
    const std::string base = rule.path.ends_with('/') ? rule.path : rule.path + "/";
    return rule.path == path || path.starts_with(base);
}

bool has_permissions(const AuditRule& rule, const std::string& wanted) {
    const std::string& has = rule.permissions.empty() ? "rwxa" : rule.permissions;
    return wanted.find_first_not_of(has) == std::string::npos;
}

void judge_audit_set(const Rule& rule,
                     const AuditRules& rules,
                     const std::string& when,
                     Judgement& out) {
    for (const AuditRule& one : rules.rules) {
        if (one.list == "task" && one.action == "never") {
            out.add(Status::kFail, "system calls" + when, "none is audited: never,task", one.where);
            return;
        }
    }
    const std::string permissions = rule.text("permissions", "wa");
    for (const std::string& path : rule.list("watch")) {
        const auto found = std::ranges::find_if(rules.rules, [&](const AuditRule& one) {
            return covers_path(one, path) && has_permissions(one, permissions);
        });
        const bool good = found != rules.rules.end();
        out.add(passed(good),
                path + when,
                good ? "is watched" : "is not watched",
                good ? found->where : "");
    }
    for (const std::string& call : rule.list("syscalls")) {
        const auto found = std::ranges::find_if(rules.rules, [&](const AuditRule& one) {
            return one.path.empty() && one.action == "always" && one.arch != "b32" &&
                   (std::ranges::find(one.syscalls, call) != one.syscalls.end() ||
                    std::ranges::find(one.syscalls, "all") != one.syscalls.end());
        });
        const bool good = found != rules.rules.end();
        out.add(passed(good),
                call + when,
                good ? "is audited" : "is not audited",
                good ? found->where : "");
    }
}

void judge_audit_rules(const Facts& facts, const Rule& rule, Judgement& out) {
    out.expect("audited: " + join(rule.list("watch"), ", ") +
               (rule.list("watch").empty() || rule.list("syscalls").empty() ? "" : ", ") +
               join(rule.list("syscalls"), ", "));
    judge_audit_set(rule, facts.audit_rules(), ", at boot", out);
    if (!facts.target.live()) {
        return;
    }
    const auto& state = facts.audit();
    if (!state) {
        out.add(Status::kError, "the kernel's rules", state.error().message);
        return;
    }
    AuditRules now;
    now.add(state->rules, "kernel");
    judge_audit_set(rule, now, ", now", out);
}

std::vector<Change> plan_audit_rules(const Facts&, const Rule& rule) {
    std::vector<Change> out;
    const auto add = [&](std::string line) {
        Change change;
        change.path = "/etc/audit/rules.d/60-tarn-baseline.rules";
        change.key = line;
        change.value = std::move(line);
        change.mode = 0640;
        change.activate = {{"augenrules", "--load"}};
        out.push_back(std::move(change));
    };
    for (const std::string& path : rule.list("watch")) {
        add(fmt::format("-w {} -p {} -k {}", path, rule.text("permissions", "wa"), rule.id));
    }
    if (const auto& calls = rule.list("syscalls"); !calls.empty()) {
        add(fmt::format("-a always,exit -F arch=b64 -S {} -k {}", join(calls, ","), rule.id));
    }
    return out;
}

// ---- audit-state: field (enabled, lost, backlog-limit), expect

void judge_audit_state(const Facts& facts, const Rule& rule, Judgement& out) {
    const std::string field = rule.text("field");
    out.expect(field + " " + rule.expect.text);
    const auto& state = facts.audit();
    if (!facts.target.live()) {
        const std::string value = field == "enabled"         ? facts.audit_rules().enabled
                                  : field == "backlog-limit" ? facts.audit_rules().backlog
                                                             : "";
        if (value.empty()) {
            out.add(Status::kNotChecked, field, "is known of a running machine only");
        } else {
            out.add(
                passed(rule.expect.met(value)), field + ", at boot", value, "/etc/audit/rules.d");
        }
        return;
    }
    if (!state) {
        out.add(Status::kError, field, state.error().message);
        return;
    }
    const unsigned value = field == "enabled" ? state->enabled
                           : field == "lost"  ? state->lost
                                              : state->backlog_limit;
    out.add(passed(rule.expect.met(fmt::to_string(value))), field, fmt::to_string(value), "kernel");
}

// ---- firewall

void judge_firewall(const Facts& facts, const Rule&, Judgement& out) {
    out.expect("a chain on the input hook whose policy is to drop");
    if (!facts.target.live()) {
        const bool on = facts.unit_state("nftables.service") == UnitState::kEnabled ||
                        facts.unit_state("firewalld.service") == UnitState::kEnabled;
        out.add(on ? Status::kNotChecked : Status::kFail,
                "firewall",
                on ? "is enabled; its rules are known of a running machine only"
                   : "neither nftables.service nor firewalld.service is enabled");
        return;
    }
    const auto policies = facts.target.input_policies();
    if (!policies) {
        out.add(Status::kError, "nf_tables", policies.error().message);
        return;
    }
    const bool drops = std::ranges::find(*policies, "drop") != policies->end();
    out.add(passed(drops),
            "input",
            policies->empty() ? "no chain" : join(*policies, ", "),
            "nf_tables");
}

// ---- sockets: allow

void judge_sockets(const Facts& facts, const Rule& rule, Judgement& out) {
    out.expect("only " + join(rule.list("allow"), ", ") + " and what is bound to loopback");
    if (!facts.target.live()) {
        out.add(Status::kNotChecked, "sockets", "are known of a running machine only");
        return;
    }
    std::set<std::string> seen;
    for (const std::string file : {"tcp", "tcp6", "udp", "udp6"}) {
        const std::string path = "/proc/net/" + file;
        const auto text = facts.target.read(path, 16u << 20);
        if (!text) {
            if (text.error().kind != ErrorKind::kNotFound) {
                out.add(Status::kError, file, text.error().message, path);
            }
            continue;
        }
        for (const ListeningSocket& one : parse_sockets(*text, file.substr(0, 3))) {
            const std::string name = fmt::format("{}/{}", one.port, one.protocol);
            if (one.local || !seen.insert(name).second) {
                continue;
            }
            const auto& allowed = rule.list("allow");
            const bool good = std::ranges::find(allowed, name) != allowed.end();
            out.add(passed(good), name, "is open to others", path);
        }
    }
    if (out.evidence.empty()) {
        out.add(Status::kPass, "sockets", "none is open to others");
    }
}

// ---- jobs: what root runs by cron and timers

void judge_jobs(const Facts& facts, const Rule& rule, Judgement& out) {
    out.expect("known jobs");
    for (const std::string pattern : {"/etc/cron.d/*",
                                      "/etc/cron.hourly/*",
                                      "/etc/cron.daily/*",
                                      "/etc/cron.weekly/*",
                                      "/etc/cron.monthly/*",
                                      "/var/spool/cron/*",
                                      "/var/spool/cron/crontabs/*",
                                      "/etc/systemd/system/*.timer",
                                      "/etc/systemd/system/timers.target.wants/*"}) {
        for (const std::string& path : expand(facts.target, pattern)) {
            const auto& known = rule.list("known");
            if (std::ranges::find(known, file_name(path)) == known.end()) {
                out.add(Status::kInformational, file_name(path), "runs by itself", path);
            }
        }
    }
    if (out.evidence.empty()) {
        out.add(Status::kPass, "jobs", "none that is not known");
    }
}

// ---- processes: contexts that no process may have

void judge_processes(const Facts& facts, const Rule& rule, Judgement& out) {
    out.expect("no process in " + join(rule.list("types"), ", "));
    if (!facts.target.live()) {
        out.add(Status::kNotChecked, "processes", "are known of a running machine only");
        return;
    }
    const auto names = facts.target.list("/proc");
    std::size_t count = 0;
    for (const std::string& name : names ? *names : std::vector<std::string>()) {
        if (!parse_u64(name)) {
            continue;
        }
        const std::string path = "/proc/" + name + "/attr/current";
        const auto context = facts.target.read(path, 4096);
        const auto fields = split(context ? std::string_view(*context) : "", ':');
        count += context ? 1U : 0U;
        for (const std::string& type : rule.list("types")) {
            if (fields.size() > 2 && fields[2] == type) {
                const auto command = facts.target.read("/proc/" + name + "/comm", 4096);
                out.add(Status::kFail,
                        name,
                        std::string(trim(command ? *command : "")) + " runs as " + type,
                        path);
            }
        }
    }
    if (out.evidence.empty()) {
        out.add(count == 0 ? Status::kNotApplicable : Status::kPass,
                "processes",
                fmt::format("{} looked at", count));
    }
}

// ---- clock: the kernel's own view of the time

void judge_clock(const Facts& facts, const Rule& rule, Judgement& out) {
    const auto most = parse_u64(rule.text("milliseconds")).value_or(1000);
    out.expect(fmt::format("kept in step, less than {} ms off", most));
    if (!facts.target.live()) {
        out.add(Status::kNotChecked, "clock", "is known of a running machine only");
        return;
    }
    timex now{};
    const int state = ::adjtimex(&now);
    const long long offset = std::abs(static_cast<long long>(now.offset)) /
                             ((now.status & STA_NANO) != 0 ? 1'000'000 : 1000);
    const bool kept = state != TIME_ERROR && state >= 0 && (now.status & STA_UNSYNC) == 0;
    out.add(passed(kept && offset < static_cast<long long>(most)),
            "clock",
            kept ? fmt::format("{} ms off", offset) : "nothing keeps it in step",
            "adjtimex");
}

// ---- counters: of /proc/net/netstat, told

void judge_counters(const Facts& facts, const Rule& rule, Judgement& out) {
    out.expect("near 0");
    const std::string path = "/proc/net/netstat";
    const auto text = facts.target.read(path, 1u << 20);
    if (!facts.target.live() || !text) {
        out.add(Status::kNotChecked, "counters", "are known of a running machine only");
        return;
    }
    const auto lines = split_lines(*text);
    for (std::size_t i = 0; i + 1 < lines.size(); i += 2) {
        const auto names = split_words(lines[i]);
        const auto values = split_words(lines[i + 1]);
        for (std::size_t at = 1; at < std::min(names.size(), values.size()); ++at) {
            const auto& wanted = rule.list("names");
            if (std::ranges::find(wanted, std::string(names[at])) != wanted.end()) {
                out.add(
                    Status::kInformational, std::string(names[at]), std::string(values[at]), path);
            }
        }
    }
}

}  // namespace

std::vector<Procedure> service_procedures() {
    return {
        {"unit", {{"off", false, true}, {"any", false, true}, {"running"}}, judge_unit, plan_unit},
        {"audit-rules",
         {{"watch", false, true}, {"syscalls", false, true}, {"permissions"}},
         judge_audit_rules,
         plan_audit_rules},
        {"audit-state", {{"field", true}}, judge_audit_state, nullptr, true},
        {"firewall", {}, judge_firewall},
        {"sockets", {{"allow", false, true}}, judge_sockets},
        {"jobs", {{"known", false, true}}, judge_jobs},
        {"processes", {{"types", true, true}}, judge_processes},
        {"clock", {{"milliseconds"}}, judge_clock},
        {"counters", {{"names", true, true}}, judge_counters},
    };
}

}  // namespace tarn::guest::baseline
