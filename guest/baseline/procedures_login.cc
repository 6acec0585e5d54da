// SPDX-License-Identifier: MIT
// pam, sudoers, accounts.
#include "base/fs.hh"
#include "base/strings.hh"

#include "baseline/detail/facts.hh"
#include "baseline/detail/procedure.hh"
#include "baseline/detail/sshd.hh"

#include <algorithm>
#include <map>
#include <set>

namespace tarn::guest::baseline {
namespace {

Status passed(bool good) {
    return good ? Status::kPass : Status::kFail;
}

// ---- pam: services, module, type, require, forbid

void collect_pam(const Facts& facts,
                 const std::string& service,
                 const std::string& type,
                 int depth,
                 std::vector<PamLine>& out) {
    if (depth > 16 || out.size() > 4096) {
        return;
    }
    for (const std::string directory : {"/etc/pam.d/", "/usr/lib/pam.d/"}) {
        const std::string path = directory + service;
        const auto text = facts.target.read(path, 1u << 20);
        if (!text) {
            continue;
        }
        for (PamLine& line : parse_pam(*text, path)) {
            const bool all = line.type == "*" || type.empty();
            if (!all && line.type != type) {
                continue;
            }
            if (line.control == "include" || line.control == "substack") {
                collect_pam(
                    facts, line.module, line.type == "*" ? type : line.type, depth + 1, out);
            } else {
                out.push_back(std::move(line));
            }
        }
        return;
    }
}

void judge_pam_line(const Rule& rule,
                    const PamLine& line,
                    const std::string& what,
                    Judgement& out) {
    for (const std::string& word : rule.list("forbid")) {
        const bool has = std::ranges::find(line.arguments, word) != line.arguments.end();
        out.add(passed(!has), what, has ? "has " + word : "without " + word, line.where);
    }
    for (const std::string& word : rule.list("require")) {
        const bool has = std::ranges::any_of(line.arguments, [&](const std::string& argument) {
            return argument == word || argument.starts_with(word + "=");
        });
        out.add(passed(has), what, (has ? "has " : "without ") + word, line.where);
    }
    if (rule.list("forbid").empty() && rule.list("require").empty()) {
        out.add(Status::kPass, what, line.control, line.where);
    }
}

void judge_pam(const Facts& facts, const Rule& rule, Judgement& out) {
    const std::string module = rule.text("module");
    out.expect(module + (rule.list("forbid").empty() ? "" : " without ") +
               join(rule.list("forbid"), ", ") +
               (rule.list("require").empty() ? "" : " with " + join(rule.list("require"), ", ")));
    for (const std::string& service : rule.list("services")) {
        std::vector<PamLine> lines;
        collect_pam(facts, service, rule.text("type"), 0, lines);
        if (lines.empty()) {
            out.add(Status::kNotApplicable, service, "there is no such service");
            continue;
        }
        bool found = false;
        for (const PamLine& line : lines) {
            if (line.module == module) {
                found = true;
                judge_pam_line(rule, line, service, out);
            }
        }
        if (!found) {
            const bool only_forbids = !rule.list("forbid").empty();
            out.add(passed(only_forbids), service, "does not use " + module);
        }
    }
}

// ---- sudoers: default, require, forbid

bool has_word(const std::string& text, const std::string& word) {
    for (const std::string_view part : split(text, ',')) {
        std::string_view one = trim(part);
        one = trim(one.substr(0, one.find_first_of("=+")));
        if (one == word) {
            return true;
        }
    }
    return false;
}

// NOPASSWD is the way of an account that has a key and no password: "locked" in shadow.
bool has_no_password(const Facts& facts, const std::string& name) {
    const auto& shadows = facts.shadows();
    for (const Shadow& shadow : shadows ? *shadows : std::vector<Shadow>()) {
        if (shadow.name == name) {
            return shadow.hash.starts_with('!') || shadow.hash.starts_with('*');
        }
    }
    return false;
}

void judge_sudoers(const Facts& facts, const Rule& rule, Judgement& out) {
    const std::string required = rule.text("require");
    const std::string forbidden = rule.text("forbid");
    out.expect(required.empty() ? "no " + forbidden : "Defaults " + required);
    bool found = false;
    for (const SudoersLine& line : facts.sudoers()) {
        if (!required.empty() && line.defaults) {
            if (has_word(line.text, "!" + required)) {
                out.add(Status::kFail, line.who, line.text, line.where);
            } else if (line.who == "Defaults" && has_word(line.text, required)) {
                out.add(Status::kPass, line.who, line.text, line.where);
                found = true;
            }
        }
        if (!forbidden.empty() && contains(line.text, forbidden)) {
            const bool allowed =
                rule.flag("allow-locked") && !line.defaults && has_no_password(facts, line.who);
            out.add(passed(allowed), line.who, line.text, line.where);
        }
    }
    if (!required.empty() && !found) {
        out.add(Status::kFail, "Defaults", required + " is not set", "/etc/sudoers");
    } else if (out.evidence.empty()) {
        out.add(Status::kPass, "sudoers", "no " + forbidden, "/etc/sudoers");
    }
}

// ---- accounts: check

bool can_log_in(const Account& account) {
    return !account.shell.ends_with("/nologin") && !account.shell.ends_with("/false") &&
           !account.shell.ends_with("/sync") && !account.shell.ends_with("/shutdown") &&
           !account.shell.ends_with("/halt");
}

bool is_system(const Account& account) {
    return account.uid.value_or(0) < 1000 || account.uid.value_or(0) == 65534;
}

bool is_locked(const std::string& hash) {
    return hash.starts_with('!') || hash.starts_with('*');
}

struct Accounts {
    std::vector<Account> accounts;
    std::vector<Shadow> shadows;
    std::vector<Group> groups;
    const Shadow* shadow_of(const std::string& name) const {
        const auto found = std::ranges::find(shadows, name, &Shadow::name);
        return found == shadows.end() ? nullptr : &*found;
    }
};

void no_empty_password(const Facts&, const Rule&, const Accounts& all, Judgement& out) {
    for (const Shadow& shadow : all.shadows) {
        if (shadow.hash.empty()) {
            out.add(Status::kFail, shadow.name, "has an empty password", shadow.where);
        }
    }
}

void root_locked(const Facts&, const Rule&, const Accounts& all, Judgement& out) {
    const Shadow* root = all.shadow_of("root");
    if (root == nullptr || !is_locked(root->hash)) {
        out.add(Status::kFail,
                "root",
                root == nullptr ? "is not in shadow" : "has a password",
                root == nullptr ? "/etc/shadow" : root->where);
    }
}

void only_root_is_zero(const Facts&, const Rule&, const Accounts& all, Judgement& out) {
    bool root = false;
    for (const Account& account : all.accounts) {
        root = root || (account.name == "root" && account.uid == 0u);
        if (account.name != "root" && account.uid == 0u) {
            out.add(Status::kFail, account.name, "has uid 0", account.where);
        }
        if (!account.uid || !account.gid || account.name.empty()) {
            out.add(Status::kFail, account.name, "is no account", account.where);
        }
    }
    if (!root) {
        out.add(Status::kFail, "root", "has not uid 0", "/etc/passwd");
    }
}

template <class Records, class Key>
void no_twins(const Records& records, Key key, const std::string& what, Judgement& out) {
    std::map<std::string, std::string> seen;
    for (const auto& record : records) {
        const std::string value = key(record);
        if (!seen.emplace(value, record.name).second) {
            out.add(Status::kFail,
                    record.name,
                    what + " " + value + " is " + seen[value] + "'s",
                    record.where);
        }
    }
}

void all_unique(const Facts&, const Rule&, const Accounts& all, Judgement& out) {
    const auto name = [](const auto& record) { return record.name; };
    const auto id = [](const auto& number) {
        return number ? fmt::to_string(*number) : std::string("none");
    };
    no_twins(all.accounts, name, "the name", out);
    no_twins(all.groups, name, "the name", out);
    no_twins(all.accounts, [&](const Account& one) { return id(one.uid); }, "uid", out);
    no_twins(all.groups, [&](const Group& one) { return id(one.gid); }, "gid", out);
}

void groups_exist(const Facts&, const Rule&, const Accounts& all, Judgement& out) {
    for (const Account& account : all.accounts) {
        const bool there = std::ranges::any_of(
            all.groups, [&](const Group& group) { return group.gid == account.gid; });
        if (!there) {
            out.add(Status::kFail, account.name, "is of a group that is not there", account.where);
        }
    }
}

void passwords_shadowed(const Facts&, const Rule&, const Accounts& all, Judgement& out) {
    for (const Account& account : all.accounts) {
        if (all.shadow_of(account.name) == nullptr) {
            out.add(Status::kFail, account.name, "is not in shadow", account.where);
        }
    }
}

void system_shells(const Facts&, const Rule&, const Accounts& all, Judgement& out) {
    for (const Account& account : all.accounts) {
        if (account.name == "root" || !is_system(account)) {
            continue;
        }
        const Shadow* shadow = all.shadow_of(account.name);
        if (can_log_in(account)) {
            out.add(Status::kFail, account.name, "has the shell " + account.shell, account.where);
        } else if (shadow != nullptr && !is_locked(shadow->hash)) {
            out.add(Status::kFail, account.name, "is not locked", shadow->where);
        }
    }
}

// Of accounts that have a password: `expect` of the field that `field` names.
void password_ages(const Facts&, const Rule& rule, const Accounts& all, Judgement& out) {
    const std::string field = rule.text("field");
    for (const Shadow& shadow : all.shadows) {
        if (is_locked(shadow.hash) || shadow.hash.empty()) {
            continue;
        }
        const std::optional<long> value = field == "max"    ? shadow.max
                                          : field == "min"  ? shadow.min
                                          : field == "warn" ? shadow.warn
                                                            : shadow.inactive;
        const std::string shown = value ? fmt::to_string(*value) : "not set";
        if (!value || *value < 0 || !rule.expect.met(shown)) {
            out.add(Status::kFail, shadow.name, field + " " + shown, shadow.where);
        }
    }
}

void homes(const Facts& facts, const Rule&, const Accounts& all, Judgement& out) {
    for (const Account& account : all.accounts) {
        if (!can_log_in(account) || (is_system(account) && account.name != "root")) {
            continue;
        }
        const auto home = facts.target.info(account.home, Follow::kYes);
        if (!home || home->kind != FileKind::kDirectory) {
            out.add(Status::kFail, account.name, account.home + " is not there", account.home);
            continue;
        }
        if (home->uid != account.uid || (home->mode & 0027) != 0) {
            out.add(
                Status::kFail,
                account.name,
                fmt::format("{} has mode {:04o}, owner {}", account.home, home->mode, home->uid),
                account.home);
        }
    }
}

void dot_files(const Facts& facts, const Rule&, const Accounts& all, Judgement& out) {
    for (const Account& account : all.accounts) {
        if (!can_log_in(account) || (is_system(account) && account.name != "root")) {
            continue;
        }
        for (const std::string& path : expand(facts.target, account.home + "/.*")) {
            const std::string name = file_name(path);
            const auto info = facts.target.info(path, Follow::kNo);
            if (name == ".netrc" || name == ".rhosts" || name == ".shosts" || name == ".forward") {
                out.add(Status::kFail, account.name, path + " is there", path);
            } else if (info && info->kind == FileKind::kFile && (info->mode & 0022) != 0) {
                out.add(Status::kFail,
                        account.name,
                        fmt::format("{} has mode {:04o}", path, info->mode),
                        path);
            }
        }
    }
}

void authorized_keys(const Facts& facts, const Rule&, const Accounts& all, Judgement& out) {
    for (const Account& account : all.accounts) {
        const std::string path = account.home + "/.ssh/authorized_keys";
        if (!can_log_in(account) || !facts.target.exists(path)) {
            continue;
        }
        for (std::string at = path; !at.empty() && at != "/"; at = parent_path(at)) {
            const auto info = facts.target.info(at, Follow::kNo);
            if (!info) {
                break;
            }
            const bool own = info->uid == account.uid || info->uid == 0;
            const std::uint32_t wrong = at == path ? 0177u : 0022u;
            if (!own || (info->kind != FileKind::kLink && (info->mode & wrong) != 0)) {
                out.add(Status::kFail,
                        account.name,
                        fmt::format("{} has mode {:04o}, owner {}", at, info->mode, info->uid),
                        at);
            }
        }
    }
}

struct AccountCheck {
    std::string_view name, expected;
    void (*judge)(const Facts&, const Rule&, const Accounts&, Judgement&);
};
constexpr AccountCheck kAccountChecks[] = {
    {"no-empty-password", "no account has an empty password", no_empty_password},
    {"root-locked", "root has no password", root_locked},
    {"only-root-is-zero", "only root has uid 0", only_root_is_zero},
    {"unique", "names, uids and gids are given once", all_unique},
    {"groups-exist", "every account's group is there", groups_exist},
    {"shadowed", "every account is in shadow", passwords_shadowed},
    {"system-shells", "system accounts are locked and have no shell", system_shells},
    {"password-ages", "", password_ages},
    {"homes", "homes belong to their accounts, mode 0750 or narrower", homes},
    {"dot-files", "no .netrc, .rhosts, .forward; none that others may write to", dot_files},
    {"authorized-keys", "0600, and nobody else may write on the way to it", authorized_keys},
};

void judge_accounts(const Facts& facts, const Rule& rule, Judgement& out) {
    const std::string name = rule.text("check");
    const auto check = std::ranges::find(kAccountChecks, name, &AccountCheck::name);
    if (check == std::end(kAccountChecks)) {
        out.add(Status::kError, "check", "`" + name + "` is no check of procedure accounts");
        return;
    }
    out.expect(check->expected.empty() ? rule.text("field") + " " + rule.expect.text
                                       : std::string(check->expected));
    const auto& accounts = facts.accounts();
    const auto& shadows = facts.shadows();
    const auto& groups = facts.groups();
    for (const Error* error : {accounts ? nullptr : &accounts.error(),
                               shadows ? nullptr : &shadows.error(),
                               groups ? nullptr : &groups.error()}) {
        if (error != nullptr) {
            out.add(Status::kError, "accounts", error->message);
            return;
        }
    }
    check->judge(facts, rule, {*accounts, *shadows, *groups}, out);
    if (out.evidence.empty()) {
        out.add(Status::kPass,
                "accounts",
                fmt::format("{} looked at", accounts->size()),
                "/etc/passwd");
    }
}

}  // namespace

std::vector<Procedure> login_procedures() {
    return {
        sshd_procedure(),
        {"pam",
         {{"services", true, true},
          {"module", true},
          {"type"},
          {"require", false, true},
          {"forbid", false, true}},
         judge_pam},
        {"sudoers", {{"require"}, {"forbid"}, {"allow-locked"}}, judge_sudoers},
        {"accounts", {{"check", true}, {"field"}}, judge_accounts},
    };
}

}  // namespace tarn::guest::baseline
