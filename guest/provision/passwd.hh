// SPDX-License-Identifier: MIT
// The account database of shadow-utils, edited whole: passwd(5), shadow(5), group(5), gshadow(5),
// subuid(5), subgid(5). Lines that are not understood stay as they are.
#pragma once

#include "base/fd.hh"
#include "base/result.hh"

#include "provision/machine.hh"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::guest {

// /etc/.pwd.lock as lckpwdf(3) takes it; waits 15 s for another holder. Freed when it goes.
Result<Fd> lock_accounts(const Machine& machine);

struct PasswdEntry {
    std::string name;
    std::uint32_t uid = 0, gid = 0;
    std::string gecos, home, shell;
};

// login.defs(5) and useradd's defaults.
struct AccountDefaults {
    std::uint32_t uid_min = 1000, uid_max = 60000, sys_uid_min = 201, sys_uid_max = 999;
    std::uint32_t gid_min = 1000, gid_max = 60000, sys_gid_min = 201, sys_gid_max = 999;
    std::uint32_t sub_min = 524288, sub_max = 600100000, sub_count = 65536;
    std::string home = "/home", shell = "/bin/bash", skeleton = "/etc/skel";
    static AccountDefaults read(const Machine& machine);
};

class AccountDatabase {
  public:
    // Files that are not there are empty.
    static Result<AccountDatabase> read(const Machine& machine);
    // Those that were changed; passwd last, so that an account is there whole or not at all.
    Result<void> write(const Machine& machine) const;

    std::optional<PasswdEntry> user(std::string_view name) const;
    std::optional<std::uint32_t> group(std::string_view name) const;
    bool has_uid(std::uint32_t uid) const;
    std::optional<std::string> name_of_group(std::uint32_t gid) const;
    std::string password(std::string_view user) const;  // the field of shadow

    void add_user(const PasswdEntry& entry);
    void add_group(const std::string& name, std::uint32_t gid);
    void add_member(const std::string& group, const std::string& user);
    // `last_change`: days since 1970, 0 asks for a new password; nullopt leaves the field empty.
    void set_password(const std::string& user,
                      const std::string& field,
                      std::optional<std::uint64_t> last_change);
    void set_expiry(const std::string& user,
                    const std::optional<std::uint64_t>& day,
                    const std::optional<std::uint64_t>& inactive);
    void add_subordinate_ids(const std::string& user, const AccountDefaults& defaults);

    // The number behind the highest in use, else the lowest free one; system ids from above.
    Result<std::uint32_t> free_uid(const AccountDefaults& defaults, bool system) const;
    Result<std::uint32_t> free_gid(const AccountDefaults& defaults,
                                   bool system,
                                   std::optional<std::uint32_t> wish) const;

  private:
    struct File {
        std::string path;
        std::vector<std::vector<std::string>> lines;  // fields between ':'
        unsigned mode = 0644;
        Owner owner{};
        bool there = false;
        bool changed = false;
        const std::vector<std::string>* find(std::string_view name) const;
        std::vector<std::string>& line(std::string_view name, std::size_t fields);
    };
    static Result<File> read_file(const Machine& machine, const char* path, unsigned mode);

    File group_, gshadow_, subuid_, subgid_, shadow_, passwd_;
};

// "ops:adm", "ops", ":adm" or numbers, by the machine's database. kUsage names who is unknown.
Result<Owner> look_up_owner(const Machine& machine, std::string_view owner);

}  // namespace tarn::guest
