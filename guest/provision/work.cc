// SPDX-License-Identifier: MIT
#include "provision/work.hh"

#include "base/strings.hh"

#include "provision/names.hh"
#include "provision/passwd.hh"
#include "provision/password.hh"

#include <algorithm>
#include <set>

namespace tarn::guest {
namespace {

constexpr const char* kAllowAll = "ALL=(ALL) NOPASSWD:ALL";

// Whom `default` means: the platform's administrator, else one named after the distribution.
std::string default_user(const Settings& settings,
                         const CloudConfig& config,
                         const Machine& machine) {
    if (!settings.user.empty()) {
        return settings.user;
    }
    if (config.user && !config.user->name.empty()) {
        return config.user->name;
    }
    for (const char* path : {"/etc/os-release", "/usr/lib/os-release"}) {
        const std::string text = machine.read(path, 65536).value_or("");
        for (const std::string_view line : split_lines(text)) {
            const std::string id = replace_all(std::string(line), "\"", "");
            if (id.starts_with("ID=") && why_no_account_name(id.substr(3)).empty()) {
                return id.substr(3);
            }
        }
    }
    return "tarn";
}

}  // namespace

std::string inputs_of(const Account& account) {
    std::string inputs = join({account.name,
                               account.gecos,
                               account.home,
                               account.shell,
                               account.primary_group,
                               account.lock_password ? "locked" : "open",
                               account.password.empty() ? "" : "password"},
                              "|");
    for (const auto* list : {&account.groups, &account.keys}) {
        inputs += "|" + join(*list, ",");
    }
    return inputs;
}

std::optional<Account> administrator_of(const Work& work, const Machine& machine) {
    const Settings& settings = work.settings;
    const CloudConfig& config = work.config;
    const bool wanted = !settings.user.empty() || config.user || !settings.ssh_keys.empty() ||
                        !config.administrator_keys.empty() ||
                        !config.administrator_password.empty();
    if (!wanted) {
        return std::nullopt;
    }
    Account account = config.user ? *config.user : Account();
    account.name = default_user(settings, config, machine);
    account.administrator = true;
    for (const char* group : {"wheel", "sudo", "adm", "systemd-journal"}) {
        const auto database = AccountDatabase::read(machine);
        if (database && database->group(group)) {
            account.groups.emplace_back(group);
        }
    }
    if (account.sudo.empty()) {
        account.sudo = {kAllowAll};
    }
    for (const auto* keys : {&settings.ssh_keys, &config.administrator_keys}) {
        for (const std::string& key : *keys) {
            if (std::find(account.keys.begin(), account.keys.end(), key) == account.keys.end()) {
                account.keys.push_back(key);
            }
        }
    }
    if (!settings.password.empty()) {
        account.password = settings.password;
        account.lock_password = false;
    }
    return account;
}

Result<void> check_settings(const Work& work) {
    const Settings& settings = work.settings;
    if (work.administrator) {
        const std::string& name = work.administrator->name;
        const std::string why = name == "root" ? "root cannot be it" : why_no_account_name(name);
        if (!why.empty()) {
            return fail(ErrorKind::kUsage, "the administrator's account cannot be made: {}", why);
        }
    }
    if (!settings.password.empty() && !is_password_hash(settings.password.reveal())) {
        const std::string why = why_no_password(settings.password.reveal());
        if (!why.empty()) {
            return fail(ErrorKind::kUsage, "the administrator's password: {}", why);
        }
    }
    if (!settings.hostname.empty() && !why_no_hostname(settings.hostname).empty()) {
        return fail(ErrorKind::kUsage,
                    "the machine's name is none: {}",
                    why_no_hostname(settings.hostname));
    }
    return {};
}

void check_owners(const Work& work, const Machine& machine, Problems& problems) {
    std::set<std::string> made;
    for (const Account& each : work.config.users) {
        made.insert(each.name);
    }
    if (work.administrator) {
        made.insert(work.administrator->name);
    }
    for (const FileToWrite& file : work.config.files) {
        const std::string user = file.owner.substr(0, file.owner.find(':'));
        // A file that is there was written on an earlier boot, whoever has gone since.
        if (file.defer || !made.contains(user) || look_up_owner(machine, file.owner) ||
            machine.exists(file.path)) {
            continue;
        }
        problems.push_back({Problem::Weight::kRefused,
                            file.mark,
                            static_cast<unsigned>(std::min<std::size_t>(file.path.size(), 80)),
                            fmt::format("`{}` cannot belong to {} yet", file.path, file.owner),
                            "files are written before accounts are made: add `defer: true`",
                            false});
    }
}

HostName name_of(const Work& work) {
    const CloudConfig& config = work.config;
    const bool own = !config.hostname.empty() || !config.fqdn.empty();
    HostName name =
        host_name(own ? config.hostname : work.settings.hostname, config.fqdn, config.prefer_fqdn);
    name.write_file = config.write_hostname_file;
    return name;
}

SshdSettings sshd_settings(const Work& work) {
    return {work.config.ssh_pwauth.value_or(!work.settings.disable_password_authentication),
            !work.config.disable_root.value_or(true)};
}

SudoRules sudo_rules(const Work& work) {
    SudoRules rules;
    if (work.administrator) {
        rules.emplace_back(work.administrator->name, work.administrator->sudo);
    }
    for (const Account& each : work.config.users) {
        if (!each.sudo.empty()) {
            rules.emplace_back(each.name, each.sudo);
        }
    }
    return rules;
}

std::vector<GroupWish> without_members(std::vector<GroupWish> groups) {
    for (GroupWish& each : groups) {
        each.members.clear();
    }
    return groups;
}

std::vector<PasswordChange> password_changes(const Work& work) {
    std::vector<PasswordChange> changes = work.config.passwords;
    if (work.administrator && !work.config.administrator_password.empty()) {
        changes.push_back({work.administrator->name, work.config.administrator_password});
    }
    return changes;
}

PackageWork package_work(const Work& work) {
    const CloudConfig& config = work.config;
    return {
        config.package_update, config.package_upgrade, config.reboot_if_required, config.packages};
}

}  // namespace tarn::guest
