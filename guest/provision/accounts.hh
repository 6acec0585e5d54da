// SPDX-License-Identifier: MIT
// Accounts made and amended, whole or not at all.
#pragma once

#include "base/result.hh"

#include "provision/machine.hh"
#include "provision/settings.hh"
#include "provision/tools.hh"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tarn::guest {

struct Account {
    std::string name, gecos, home, primary_group, shell;  // empty: the machine's defaults
    std::vector<std::string> groups;
    std::optional<std::uint32_t> uid;
    bool system = false;
    bool make_home = true;
    bool own_group = true;
    bool make_groups = true;
    bool lock_password = true;
    bool administrator = false;             // must not be root nor a system account
    Secret password;                        // clear text or hash, set in any case
    Secret first_password;                  // set when the account is new
    std::optional<std::uint64_t> expires;   // day since 1970
    std::optional<std::uint64_t> inactive;  // days
    std::vector<std::string> sudo;          // rules, without the name
    std::vector<std::string> keys;          // checked lines of authorized_keys
};

// The account, its groups and home (0700, from /etc/skel), then its keys. One that exists keeps its
// id, home and shell. A name, group or value that cannot be is kUsage.
Result<void> make_account(const Machine& machine, const Tools& tools, const Account& account);

struct GroupWish {
    std::string name;
    std::vector<std::string> members;  // those that exist
};
Result<void> make_groups(const Machine& machine, const std::vector<GroupWish>& groups);

struct PasswordChange {
    std::string user;
    Secret password;  // clear text or hash
};
// `expire`: each must be changed at the first login.
Result<void> set_passwords(const Machine& machine,
                           const std::vector<PasswordChange>& changes,
                           bool expire);

}  // namespace tarn::guest
