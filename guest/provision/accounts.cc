// SPDX-License-Identifier: MIT
#include "provision/accounts.hh"

#include "base/fs.hh"
#include "base/strings.hh"

#include "provision/keys.hh"
#include "provision/names.hh"
#include "provision/passwd.hh"
#include "provision/password.hh"
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace tarn::guest {
namespace {

constexpr unsigned kSkeletonDepth = 8;
constexpr const char* kRestorecon = "/usr/sbin/restorecon";

bool is_field(std::string_view text) {
    return is_one_line(text) && text.find(':') == std::string_view::npos;
}

Result<void> check(const Account& account) {
    const auto wrong = [&](std::string_view what) {
        return fail(ErrorKind::kUsage, "the account `{}`: {}", account.name, what);
    };
    if (const std::string why = why_no_account_name(account.name); !why.empty()) {
        return fail(ErrorKind::kUsage, "an account cannot be made: {}", why);
    }
    if (account.administrator && account.name == "root") {
        return wrong("root cannot be the administrator's account");
    }
    for (const std::string& group : account.groups) {
        if (const std::string why = why_no_account_name(group); !why.empty()) {
            return wrong("of a group, " + why);
        }
    }
    if (!is_field(account.gecos) || !is_field(account.home) || !is_field(account.shell)) {
        return wrong("`:` or a control character in its name, home or shell");
    }
    if ((!account.home.empty() && !why_no_file_path(account.home).empty()) ||
        (!account.shell.empty() && !account.shell.starts_with('/'))) {
        return wrong("its home and shell must be absolute paths");
    }
    return {};
}

// Copies what the skeleton has and the home has not. Links and special files are left out.
Result<void> copy_skeleton(const Machine& machine,
                           const std::string& from,
                           const std::string& to,
                           Owner owner,
                           unsigned depth) {
    const auto names = machine.list(from);
    if (!names || depth > kSkeletonDepth) {
        return {};
    }
    for (const std::string& name : *names) {
        const std::string source = join_path(from, name);
        const std::string target = join_path(to, name);
        const auto opened = machine.open_path(source, O_PATH | O_NOFOLLOW);
        struct stat info{};
        if (!opened || ::fstat(opened->get(), &info) != 0) {
            continue;
        }
        const bool there = machine.open_path(target, O_PATH | O_NOFOLLOW).has_value();
        if (S_ISDIR(info.st_mode)) {
            TARN_TRY(machine.make_directory(target, info.st_mode & 0755, owner, Links::kRefuse));
            TARN_TRY(copy_skeleton(machine, source, target, owner, depth + 1));
        } else if (S_ISREG(info.st_mode) && !there) {
            const std::string bytes = TARN_TRY(machine.read(source, 1u << 20));
            TARN_TRY(machine.write(target, bytes, info.st_mode & 0755, owner, Links::kRefuse));
        }
    }
    return {};
}

Result<void> make_home(const Machine& machine,
                       const PasswdEntry& entry,
                       const AccountDefaults& defaults) {
    const Owner owner{entry.uid, entry.gid};
    const std::string parent = parent_path(entry.home);
    if (!parent.empty() && parent != "/") {
        TARN_TRY(machine.make_directory(parent, 0755, Owner{}));
    }
    TARN_TRY(machine.make_directory(entry.home, 0700, owner, Links::kRefuse));
    const Fd home = TARN_TRY(
        machine.open_path(entry.home, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, Links::kRefuse));
    struct stat info{};
    if (::fstat(home.get(), &info) != 0) {
        return fail(sys_error("look at", entry.home));
    }
    const bool ours = info.st_uid == entry.uid;
    // A directory of the system that was named as a home stays as it is.
    if (!ours && info.st_uid == ::geteuid() && !TARN_TRY(machine.list(entry.home)).empty()) {
        return {};
    }
    if (!ours && info.st_uid != ::geteuid()) {
        return fail(ErrorKind::kFailed,
                    "{} is there and belongs to the user id {}, not to {}",
                    entry.home,
                    info.st_uid,
                    entry.name);
    }
    if (!ours && ::fchown(home.get(), entry.uid, entry.gid) != 0 && ::geteuid() == 0) {
        return fail(sys_error("set the owner of", entry.home));
    }
    if (::fchmod(home.get(), 0700) != 0) {
        return fail(sys_error("set the mode of", entry.home));
    }
    return copy_skeleton(machine, defaults.skeleton, entry.home, owner, 0);
}

Result<void> add_groups(AccountDatabase& database,
                        const AccountDefaults& defaults,
                        const Account& account) {
    for (const std::string& group : account.groups) {
        if (!database.group(group)) {
            if (!account.make_groups) {
                return fail(ErrorKind::kUsage,
                            "the account `{}`: there is no group `{}`",
                            account.name,
                            group);
            }
            database.add_group(group,
                               TARN_TRY(database.free_gid(defaults, account.system, std::nullopt)));
        }
        database.add_member(group, account.name);
    }
    return {};
}

Result<std::uint32_t> primary_group(AccountDatabase& database,
                                    const AccountDefaults& defaults,
                                    const Account& account,
                                    std::uint32_t uid) {
    const bool own = account.primary_group.empty() && account.own_group;
    const std::string name = !account.primary_group.empty() ? account.primary_group
                             : own                          ? account.name
                                                            : std::string("users");
    if (const auto gid = database.group(name)) {
        return *gid;
    }
    if (const std::string why = why_no_account_name(name); !why.empty()) {
        return fail(ErrorKind::kUsage, "the account `{}`: {}", account.name, why);
    }
    const std::uint32_t gid = TARN_TRY(database.free_gid(defaults, account.system, uid));
    database.add_group(name, gid);
    return gid;
}

Result<PasswdEntry> add_new(const Machine& machine,
                            AccountDatabase& database,
                            const AccountDefaults& defaults,
                            const Account& account) {
    PasswdEntry entry;
    entry.name = account.name;
    if (account.uid && database.has_uid(*account.uid)) {
        return fail(ErrorKind::kUsage,
                    "the account `{}`: the user id {} is taken",
                    account.name,
                    *account.uid);
    }
    entry.uid = account.uid ? *account.uid : TARN_TRY(database.free_uid(defaults, account.system));
    entry.gid = TARN_TRY(primary_group(database, defaults, account, entry.uid));
    entry.gecos = account.gecos;
    entry.home = account.home.empty() ? join_path(defaults.home, account.name) : account.home;
    entry.shell = account.shell.empty() ? defaults.shell : account.shell;
    if (account.make_home && !account.system) {
        TARN_TRY(make_home(machine, entry, defaults));
    }
    if (!account.system) {
        database.add_subordinate_ids(account.name, defaults);
    }
    return entry;
}

// What becomes of the password field. An account that has no password is locked, whatever was
// asked.
Result<std::string> password_field(const Account& account, const std::string& old, bool is_new) {
    const Secret& wished =
        !account.password.empty() || !is_new ? account.password : account.first_password;
    std::string field = old;
    if (!wished.empty()) {
        const Secret hash = TARN_TRY(hash_password(wished));
        field = hash.reveal();
    }
    const bool none = field.empty() || field == "x";
    if (none) {
        return std::string("!");
    }
    const bool locked = field[0] == '!' || field[0] == '*';
    return account.lock_password && !locked ? "!" + field : field;
}

}  // namespace

Result<void> make_account(const Machine& machine, const Tools& tools, const Account& account) {
    TARN_TRY(check(account));
    const AccountDefaults defaults = AccountDefaults::read(machine);
    PasswdEntry entry;
    {
        const Fd lock = TARN_TRY(lock_accounts(machine));
        AccountDatabase database = TARN_TRY(AccountDatabase::read(machine));
        const auto existing = database.user(account.name);
        if (existing && account.administrator && existing->uid < defaults.uid_min) {
            return fail(ErrorKind::kUsage,
                        "`{}` is an account of the system; the administrator needs another name",
                        account.name);
        }
        if (existing) {
            entry = *existing;
        } else {
            entry = TARN_TRY(add_new(machine, database, defaults, account));
        }
        TARN_TRY(add_groups(database, defaults, account));
        const std::string old = database.password(account.name);
        const std::string field = TARN_TRY(password_field(account, existing ? old : "", !existing));
        if (!existing || field != old) {
            database.set_password(account.name, field, today());
        }
        if (account.expires || account.inactive) {
            database.set_expiry(account.name, account.expires, account.inactive);
        }
        if (!existing) {
            database.add_user(entry);
        }
        TARN_TRY(database.write(machine));
    }
    const bool has_home = machine.open_path(entry.home, O_PATH | O_DIRECTORY).has_value();
    if (!account.keys.empty() && !has_home) {
        TARN_TRY(make_home(machine, entry, defaults));
    }
    TARN_TRY(add_authorized_keys(machine, entry.home, {entry.uid, entry.gid}, account.keys));
    if (machine.is_live() && machine.exists(kRestorecon) &&
        machine.exists("/sys/fs/selinux/enforce")) {
        static_cast<void>(
            tools.run(machine, {{kRestorecon, "-R", "--", entry.home}, {}, false, {}}));
    }
    return {};
}

Result<void> make_groups(const Machine& machine, const std::vector<GroupWish>& groups) {
    const AccountDefaults defaults = AccountDefaults::read(machine);
    const Fd lock = TARN_TRY(lock_accounts(machine));
    AccountDatabase database = TARN_TRY(AccountDatabase::read(machine));
    for (const GroupWish& each : groups) {
        if (const std::string why = why_no_account_name(each.name); !why.empty()) {
            return fail(ErrorKind::kUsage, "a group cannot be made: {}", why);
        }
        if (!database.group(each.name)) {
            database.add_group(each.name,
                               TARN_TRY(database.free_gid(defaults, false, std::nullopt)));
        }
        for (const std::string& member : each.members) {
            if (database.user(member)) {
                database.add_member(each.name, member);
            }
        }
    }
    return database.write(machine);
}

Result<void> set_passwords(const Machine& machine,
                           const std::vector<PasswordChange>& changes,
                           bool expire) {
    std::vector<Secret> hashes;
    for (const PasswordChange& each : changes) {
        hashes.push_back(TARN_TRY(hash_password(each.password)));
    }
    const Fd lock = TARN_TRY(lock_accounts(machine));
    AccountDatabase database = TARN_TRY(AccountDatabase::read(machine));
    for (std::size_t i = 0; i < changes.size(); ++i) {
        if (!database.user(changes[i].user)) {
            return fail(ErrorKind::kUsage,
                        "a password cannot be set: there is no user `{}`",
                        changes[i].user);
        }
        database.set_password(changes[i].user,
                              hashes[i].reveal(),
                              expire ? std::optional<std::uint64_t>(0) : today());
    }
    return database.write(machine);
}

}  // namespace tarn::guest
