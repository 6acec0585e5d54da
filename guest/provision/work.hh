// SPDX-License-Identifier: MIT
// What plan() has read, and what its steps make of it.
#pragma once

#include "provision/accounts.hh"
#include "provision/cloud_config.hh"
#include "provision/hostname.hh"
#include "provision/packages.hh"
#include "provision/payload.hh"
#include "provision/settings.hh"
#include "provision/sshd.hh"
#include "provision/sudo.hh"
#include "provision/tools.hh"

#include <optional>
#include <string>
#include <vector>

namespace tarn::guest {

// Everything the steps need, for as long as any of them lives.
struct Work {
    Settings settings;
    Tools tools;
    CloudConfig config;
    std::vector<PayloadPart> scripts;
    std::optional<Account> administrator;
    std::string state;  // directory of the instance
};

// The platform's administrator with what the document says of it; none when nobody could log in.
std::optional<Account> administrator_of(const Work& work, const Machine& machine);

// What can be known to be wrong before anything is done. kUsage.
Result<void> check_settings(const Work& work);
// Files of accounts that are made only after they are written.
void check_owners(const Work& work, const Machine& machine, Problems& problems);

// What an account's step depends on, without its password.
std::string inputs_of(const Account& account);

HostName name_of(const Work& work);
SshdSettings sshd_settings(const Work& work);
SudoRules sudo_rules(const Work& work);
std::vector<GroupWish> without_members(std::vector<GroupWish> groups);
std::vector<PasswordChange> password_changes(const Work& work);
PackageWork package_work(const Work& work);

}  // namespace tarn::guest
