// SPDX-License-Identifier: MIT
// sshd: option, expect, deny, seconds, set.
#include "base/fs.hh"
#include "base/strings.hh"

#include "baseline/detail/change.hh"
#include "baseline/detail/facts.hh"
#include "baseline/detail/sshd.hh"

#include <algorithm>

namespace tarn::guest::baseline {
namespace {

struct Default {
    std::string_view keyword, value;
};
// What sshd (OpenSSH 10) takes when nothing is said.
constexpr Default kDefaults[] = {
    {"permitrootlogin", "prohibit-password"},
    {"passwordauthentication", "yes"},
    {"kbdinteractiveauthentication", "yes"},
    {"permitemptypasswords", "no"},
    {"permituserenvironment", "no"},
    {"hostbasedauthentication", "no"},
    {"ignorerhosts", "yes"},
    {"usepam", "no"},
    {"strictmodes", "yes"},
    {"maxauthtries", "6"},
    {"maxsessions", "10"},
    {"maxstartups", "10:30:100"},
    {"logingracetime", "120"},
    {"clientaliveinterval", "0"},
    {"clientalivecountmax", "3"},
    {"loglevel", "INFO"},
    {"banner", "none"},
    {"x11forwarding", "no"},
    {"allowtcpforwarding", "yes"},
    {"allowagentforwarding", "yes"},
    {"disableforwarding", "no"},
    {"gssapiauthentication", "no"},
    {"permittunnel", "no"},
    {"ciphers",
     "chacha20-poly1305@openssh.com,aes128-gcm@openssh.com,aes256-gcm@openssh.com,aes128-ctr,"
     "aes192-ctr,aes256-ctr"},
    {"macs",
     "umac-64-etm@openssh.com,umac-128-etm@openssh.com,hmac-sha2-256-etm@openssh.com,"
     "hmac-sha2-512-etm@openssh.com,hmac-sha1-etm@openssh.com,umac-64@openssh.com,"
     "umac-128@openssh.com,hmac-sha2-256,hmac-sha2-512,hmac-sha1"},
    {"kexalgorithms",
     "mlkem768x25519-sha256,sntrup761x25519-sha512,sntrup761x25519-sha512@openssh.com,"
     "curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,ecdh-sha2-nistp384,"
     "ecdh-sha2-nistp521"},
};

std::string_view default_of(std::string_view keyword) {
    const auto found = std::ranges::find(kDefaults, keyword, &Default::keyword);
    return found == std::end(kDefaults) ? std::string_view() : found->value;
}

// "1h30m" in seconds (sshd_config(5), TIME FORMATS); nullopt when it is none.
std::optional<std::uint64_t> seconds_of(std::string_view text) {
    std::uint64_t total = 0;
    std::string digits;
    for (std::size_t i = 0; i <= text.size(); ++i) {
        const char c = i < text.size() ? text[i] : 's';
        if (c >= '0' && c <= '9') {
            digits.push_back(c);
            continue;
        }
        if (digits.empty()) {
            if (i == text.size() && i > 0) {
                break;  // it ended with a unit
            }
            return std::nullopt;
        }
        const auto value = parse_u64(digits);
        const std::string_view units = "smhdw";
        constexpr std::uint64_t kSeconds[] = {1, 60, 3600, 86400, 604800};
        const std::size_t unit = units.find(static_cast<char>(c | 0x20));
        if (!value || unit == std::string_view::npos || *value > 1'000'000'000) {
            return std::nullopt;
        }
        total += *value * kSeconds[unit];
        digits.clear();
    }
    return total;
}

std::string canonical(std::string keyword) {
    if (keyword == "challengeresponseauthentication" || keyword == "skeyauthentication") {
        return "kbdinteractiveauthentication";
    }
    return keyword == "dsaauthentication" ? "pubkeyauthentication" : keyword;
}

}  // namespace

std::vector<std::string> sshd_algorithms(std::string_view value, std::string_view keyword) {
    std::vector<std::string> out;
    const auto defaults = split(default_of(keyword), ',');
    const char sign = value.empty() ? ' ' : value[0];
    if (sign == '+' || sign == '-' || sign == '^') {
        value.remove_prefix(1);
    }
    const auto given = split(value, ',');
    if (sign == '-') {
        for (const std::string_view one : defaults) {
            const bool taken = std::ranges::any_of(
                given, [&](const std::string_view pattern) { return glob_match(pattern, one); });
            if (!taken) {
                out.emplace_back(one);
            }
        }
        return out;
    }
    if (sign == '+' || sign == '^') {
        out.assign(defaults.begin(), defaults.end());
    }
    for (const std::string_view one : given) {
        out.emplace_back(trim(one));
    }
    return out;
}

SshdValue sshd_value(const std::vector<SshdOption>& options, const std::string& keyword) {
    SshdValue out;
    bool found = false;
    for (const SshdOption& option : options) {
        if (canonical(option.keyword) != keyword) {
            continue;
        }
        const bool global = option.match.empty() || to_lower(option.match) == "all";
        if (!global) {
            // A Match block may say otherwise for some; first match wins among all of them.
            out.elsewhere.push_back(option);
        } else if (!found) {
            found = true;
            out.value = option.value;
            out.where = option.where;
        }
    }
    if (!found) {
        out.value = std::string(default_of(keyword));
        out.where = "sshd's default";
        out.is_default = true;
    }
    return out;
}

namespace {

Status judge_value(const Rule& rule,
                   const std::string& keyword,
                   std::string value,
                   std::string& shown) {
    shown = value;
    if (!rule.list("deny").empty()) {
        std::vector<std::string> denied;
        for (const std::string& one : sshd_algorithms(value, keyword)) {
            const bool bad = std::ranges::any_of(
                rule.list("deny"),
                [&](const std::string& pattern) { return glob_match(pattern, one); });
            if (bad) {
                denied.push_back(one);
            }
        }
        shown = denied.empty() ? value : "has " + join(denied, ", ");
        return denied.empty() ? Status::kPass : Status::kFail;
    }
    if (rule.flag("seconds")) {
        const auto seconds = seconds_of(value);
        if (!seconds) {
            return Status::kFail;
        }
        value = fmt::to_string(*seconds);
    }
    if (keyword == "maxstartups" && value.find(':') == std::string::npos) {
        value += ":100:" + value;  // "10" alone is a hard limit
    }
    return rule.expect.met(value) ? Status::kPass : Status::kFail;
}

void judge_sshd(const Facts& facts, const Rule& rule, Judgement& out) {
    const std::string option = rule.text("option");
    const std::string keyword = to_lower(option);
    out.expect(rule.list("deny").empty() ? option + " " + rule.expect.text
                                         : option + " without " + join(rule.list("deny"), ", "));
    const auto& options = facts.sshd();
    if (!options) {
        const bool installed = facts.target.exists("/usr/sbin/sshd");
        out.add(status_of(options.error(), installed ? Status::kError : Status::kNotApplicable),
                option,
                options.error().message,
                "/etc/ssh/sshd_config");
        return;
    }
    const SshdValue value = sshd_value(*options, keyword);
    std::string shown;
    const Status status = judge_value(rule, keyword, value.value, shown);
    out.add(status, option, shown.empty() ? "not set" : shown, value.where);
    for (const SshdOption& other : value.elsewhere) {
        const Status here = judge_value(rule, keyword, other.value, shown);
        if (here != Status::kPass) {
            out.add(here, option + ", for " + other.match, shown, other.where);
        }
    }
}

std::vector<Change> plan_sshd(const Facts& facts, const Rule& rule) {
    const std::string value = preferred(rule);
    if (value.empty()) {
        return {};
    }
    Change change;
    change.path = "/etc/ssh/sshd_config.d/00-tarn-baseline.conf";
    change.key = rule.text("option");
    change.value = change.key + " " + value;
    change.mode = 0600;
    change.check = {"sshd", "-t"};
    const std::string unit =
        facts.unit_state("ssh.service") != UnitState::kMissing ? "ssh.service" : "sshd.service";
    change.activate.push_back({"systemctl", "try-reload-or-restart", unit});
    return {change};
}

}  // namespace

Procedure sshd_procedure() {
    return {"sshd",
            {{"option", true}, {"deny", false, true}, {"seconds"}, {"set"}},
            judge_sshd,
            plan_sshd};
}

}  // namespace tarn::guest::baseline
