// SPDX-License-Identifier: MIT
#include "provision/passwd.hh"

#include "base/strings.hh"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>

namespace tarn::guest {
namespace {

constexpr int kLockSeconds = 15;
constexpr std::uint64_t kLimit = 8u << 20;

std::optional<std::uint32_t> number(std::string_view text) {
    const auto value = parse_u64(text);
    if (!value || *value >= UINT32_MAX) {
        return std::nullopt;
    }
    return static_cast<std::uint32_t>(*value);
}

std::uint32_t field_number(const std::vector<std::string>& fields, std::size_t i) {
    return i < fields.size() ? number(fields[i]).value_or(UINT32_MAX) : UINT32_MAX;
}

Result<std::uint32_t> free_number(const std::set<std::uint32_t>& used,
                                  std::uint32_t low,
                                  std::uint32_t high,
                                  bool from_above,
                                  const char* what) {
    if (from_above) {
        for (std::uint32_t id = high; id >= low && id > 0; --id) {
            if (!used.contains(id)) {
                return id;
            }
        }
    } else {
        auto highest = used.upper_bound(high);
        const std::uint32_t last = highest == used.begin() ? 0 : *std::prev(highest);
        const std::uint32_t next = last < low ? low : last + 1;
        if (next <= high) {
            return next;
        }
        for (std::uint32_t id = low; id <= high; ++id) {
            if (!used.contains(id)) {
                return id;
            }
        }
    }
    return fail(
        ErrorKind::kFailed, "no free {} between {} and {} (/etc/login.defs)", what, low, high);
}

}  // namespace

Result<Fd> lock_accounts(const Machine& machine) {
    Fd fd = TARN_TRY(machine.open_path("/etc/.pwd.lock", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    struct flock lock{};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    for (int i = 0; i < kLockSeconds * 20; ++i) {
        if (::fcntl(fd.get(), F_SETLK, &lock) == 0) {
            return fd;
        }
        if (errno != EAGAIN && errno != EACCES && errno != EINTR) {
            return fail(sys_error("lock", "/etc/.pwd.lock"));
        }
        const timespec pause{0, 50'000'000};
        ::nanosleep(&pause, nullptr);
    }
    return fail(error(ErrorKind::kFailed, "the account database is locked by another program")
                    .advise("`fuser /etc/.pwd.lock` says by which"));
}

AccountDefaults AccountDefaults::read(const Machine& machine) {
    AccountDefaults result;
    const std::map<std::string_view, std::uint32_t*> numbers = {
        {"UID_MIN", &result.uid_min},
        {"UID_MAX", &result.uid_max},
        {"SYS_UID_MIN", &result.sys_uid_min},
        {"SYS_UID_MAX", &result.sys_uid_max},
        {"GID_MIN", &result.gid_min},
        {"GID_MAX", &result.gid_max},
        {"SYS_GID_MIN", &result.sys_gid_min},
        {"SYS_GID_MAX", &result.sys_gid_max},
        {"SUB_UID_MIN", &result.sub_min},
        {"SUB_UID_MAX", &result.sub_max},
        {"SUB_UID_COUNT", &result.sub_count},
    };
    const std::string login = machine.read("/etc/login.defs", kLimit).value_or("");
    for (const std::string_view line : split_lines(login)) {
        const auto words = split_words(line);
        const auto found = words.size() >= 2 ? numbers.find(words[0]) : numbers.end();
        const auto value = found != numbers.end() ? number(words[1]) : std::nullopt;
        if (value) {
            *found->second = *value;
        }
    }
    const std::string useradd = machine.read("/etc/default/useradd", kLimit).value_or("");
    for (const std::string_view line : split_lines(useradd)) {
        const std::size_t equals = line.find('=');
        const std::string_view name = trim(line.substr(0, equals));
        const std::string_view value =
            equals == std::string_view::npos ? "" : trim(line.substr(equals + 1));
        if (!value.starts_with('/')) {
            continue;
        }
        if (name == "HOME") {
            result.home = value;
        } else if (name == "SHELL") {
            result.shell = value;
        } else if (name == "SKEL") {
            result.skeleton = value;
        }
    }
    if (!machine.exists(result.shell)) {
        result.shell = machine.exists("/bin/bash") ? "/bin/bash" : "/bin/sh";
    }
    return result;
}

const std::vector<std::string>* AccountDatabase::File::find(std::string_view name) const {
    for (const auto& fields : lines) {
        if (fields.size() > 1 && fields[0] == name) {
            return &fields;
        }
    }
    return nullptr;
}

std::vector<std::string>& AccountDatabase::File::line(std::string_view name, std::size_t count) {
    changed = true;
    for (auto& fields : lines) {
        if (fields.size() > 1 && fields[0] == name) {
            fields.resize(std::max(fields.size(), count));
            return fields;
        }
    }
    lines.emplace_back(count);
    lines.back()[0] = name;
    return lines.back();
}

Result<AccountDatabase::File> AccountDatabase::read_file(const Machine& machine,
                                                         const char* path,
                                                         unsigned mode) {
    File file;
    file.path = path;
    file.mode = mode;
    auto opened = machine.open_path(path, O_PATH);
    if (!opened) {
        if (opened.error().kind == ErrorKind::kNotFound) {
            return file;
        }
        return fail(std::move(opened.error()));
    }
    struct stat info{};
    if (::fstat(opened->get(), &info) != 0) {
        return fail(sys_error("look at", path));
    }
    file.there = true;
    file.mode = info.st_mode & 07777;
    file.owner = {info.st_uid, info.st_gid};
    const std::string text = TARN_TRY(machine.read(path, kLimit));
    for (const std::string_view line : split_lines(text)) {
        const auto fields = split(line, ':');
        file.lines.emplace_back(fields.begin(), fields.end());
    }
    return file;
}

Result<AccountDatabase> AccountDatabase::read(const Machine& machine) {
    AccountDatabase result;
    result.group_ = TARN_TRY(read_file(machine, "/etc/group", 0644));
    result.gshadow_ = TARN_TRY(read_file(machine, "/etc/gshadow", 0));
    result.subuid_ = TARN_TRY(read_file(machine, "/etc/subuid", 0644));
    result.subgid_ = TARN_TRY(read_file(machine, "/etc/subgid", 0644));
    result.shadow_ = TARN_TRY(read_file(machine, "/etc/shadow", 0));
    result.passwd_ = TARN_TRY(read_file(machine, "/etc/passwd", 0644));
    return result;
}

Result<void> AccountDatabase::write(const Machine& machine) const {
    for (const File* file : {&group_, &gshadow_, &subuid_, &subgid_, &shadow_, &passwd_}) {
        if (!file->changed) {
            continue;
        }
        std::string text;
        for (const auto& fields : file->lines) {
            text += join(fields, ":") + "\n";
        }
        const auto written = machine.write(file->path, text, file->mode, file->owner);
        explicit_bzero(text.data(), text.size());
        if (!written) {
            return written;
        }
    }
    return {};
}

std::optional<PasswdEntry> AccountDatabase::user(std::string_view name) const {
    const auto* fields = passwd_.find(name);
    if (fields == nullptr || fields->size() < 7) {
        return std::nullopt;
    }
    const auto uid = number((*fields)[2]);
    const auto gid = number((*fields)[3]);
    if (!uid || !gid) {
        return std::nullopt;
    }
    return PasswdEntry{(*fields)[0], *uid, *gid, (*fields)[4], (*fields)[5], (*fields)[6]};
}

std::optional<std::uint32_t> AccountDatabase::group(std::string_view name) const {
    const auto* fields = group_.find(name);
    return fields == nullptr || fields->size() < 3 ? std::nullopt : number((*fields)[2]);
}

bool AccountDatabase::has_uid(std::uint32_t uid) const {
    return std::any_of(passwd_.lines.begin(), passwd_.lines.end(), [&](const auto& fields) {
        return field_number(fields, 2) == uid;
    });
}

std::optional<std::string> AccountDatabase::name_of_group(std::uint32_t gid) const {
    for (const auto& fields : group_.lines) {
        if (field_number(fields, 2) == gid) {
            return fields[0];
        }
    }
    return std::nullopt;
}

std::string AccountDatabase::password(std::string_view user) const {
    const auto* fields = shadow_.find(user);
    return fields == nullptr ? std::string() : (*fields)[1];
}

void AccountDatabase::add_user(const PasswdEntry& entry) {
    auto& fields = passwd_.line(entry.name, 7);
    fields = {entry.name,
              "x",
              std::to_string(entry.uid),
              std::to_string(entry.gid),
              entry.gecos,
              entry.home,
              entry.shell};
}

void AccountDatabase::add_group(const std::string& name, std::uint32_t gid) {
    auto& fields = group_.line(name, 4);
    fields[1] = "x";
    fields[2] = std::to_string(gid);
    if (gshadow_.there) {
        gshadow_.line(name, 4)[1] = "!";
    }
}

void AccountDatabase::add_member(const std::string& group, const std::string& user) {
    for (File* file : {&group_, &gshadow_}) {
        if (file == &gshadow_ && gshadow_.find(group) == nullptr) {
            continue;
        }
        const auto* there = file->find(group);
        const auto members = there != nullptr && there->size() > 3
                                 ? split((*there)[3], ',')
                                 : std::vector<std::string_view>();
        if (std::find(members.begin(), members.end(), user) != members.end()) {
            continue;
        }
        auto& fields = file->line(group, 4);
        fields[3] += (fields[3].empty() ? "" : ",") + user;
    }
}

void AccountDatabase::set_password(const std::string& user,
                                   const std::string& field,
                                   std::optional<std::uint64_t> last_change) {
    const bool fresh = shadow_.find(user) == nullptr;
    auto& fields = shadow_.line(user, 9);
    fields[1] = field;
    fields[2] = last_change ? std::to_string(*last_change) : std::string();
    if (fresh) {
        fields[3] = "0";
        fields[4] = "99999";
        fields[5] = "7";
    }
}

void AccountDatabase::set_expiry(const std::string& user,
                                 const std::optional<std::uint64_t>& day,
                                 const std::optional<std::uint64_t>& inactive) {
    auto& fields = shadow_.line(user, 9);
    if (day) {
        fields[7] = std::to_string(*day);
    }
    if (inactive) {
        fields[6] = std::to_string(*inactive);
    }
}

void AccountDatabase::add_subordinate_ids(const std::string& user,
                                          const AccountDefaults& defaults) {
    for (File* file : {&subuid_, &subgid_}) {
        if (!file->there || defaults.sub_count == 0 || file->find(user) != nullptr) {
            continue;
        }
        std::uint64_t next = defaults.sub_min;
        for (const auto& fields : file->lines) {
            const std::uint32_t start = field_number(fields, 1);
            const std::uint32_t count = field_number(fields, 2);
            if (start != UINT32_MAX && count != UINT32_MAX) {
                next = std::max<std::uint64_t>(next, std::uint64_t{start} + count);
            }
        }
        if (next + defaults.sub_count - 1 <= defaults.sub_max) {
            auto& fields = file->line(user, 3);
            fields[1] = std::to_string(next);
            fields[2] = std::to_string(defaults.sub_count);
        }
    }
}

Result<std::uint32_t> AccountDatabase::free_uid(const AccountDefaults& defaults,
                                                bool system) const {
    std::set<std::uint32_t> used;
    for (const auto& fields : passwd_.lines) {
        used.insert(field_number(fields, 2));
    }
    return free_number(used,
                       system ? defaults.sys_uid_min : defaults.uid_min,
                       system ? defaults.sys_uid_max : defaults.uid_max,
                       system,
                       "user id");
}

Result<std::uint32_t> AccountDatabase::free_gid(const AccountDefaults& defaults,
                                                bool system,
                                                std::optional<std::uint32_t> wish) const {
    std::set<std::uint32_t> used;
    for (const auto& fields : group_.lines) {
        used.insert(field_number(fields, 2));
    }
    if (wish && !used.contains(*wish)) {
        return *wish;
    }
    return free_number(used,
                       system ? defaults.sys_gid_min : defaults.gid_min,
                       system ? defaults.sys_gid_max : defaults.gid_max,
                       system,
                       "group id");
}

Result<Owner> look_up_owner(const Machine& machine, std::string_view owner) {
    const std::size_t colon = owner.find(':');
    const std::string_view user_name = owner.substr(0, colon);
    const std::string_view group_name =
        colon == std::string_view::npos ? std::string_view() : owner.substr(colon + 1);
    const AccountDatabase database = TARN_TRY(AccountDatabase::read(machine));
    Owner result;
    if (!user_name.empty()) {
        const auto user = database.user(user_name);
        const auto id = user                  ? std::optional(user->uid)
                        : user_name == "root" ? std::optional<std::uint32_t>(0)
                                              : number(user_name);
        if (!id) {
            return fail(ErrorKind::kUsage, "there is no user `{}`", user_name);
        }
        result.uid = *id;
    }
    if (!group_name.empty()) {
        const auto group = database.group(group_name);
        const auto id = group                  ? group
                        : group_name == "root" ? std::optional<std::uint32_t>(0)
                                               : number(group_name);
        if (!id) {
            return fail(ErrorKind::kUsage, "there is no group `{}`", group_name);
        }
        result.gid = *id;
    }
    return result;
}

}  // namespace tarn::guest
