// SPDX-License-Identifier: MIT
// /etc/passwd, group, shadow, gshadow (passwd(5), group(5), shadow(5)), and the owners of files
// resolved through them.
#pragma once

#include "base/result.hh"
#include "store/tree.hh"

#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace tarn::image {

struct AccountFiles {
    std::string passwd, group, shadow, gshadow;
};

// What systemd-sysusers starts from: what the packages bring, else a master file, else root alone.
AccountFiles initial_accounts(std::string_view passwd, std::string_view group);

// Every account has a shadow entry and is locked there; no password is left in passwd or group.
// Lines keep their order. kCorrupt for lines that are none. `day`: of the last change, since 1970.
Result<AccountFiles> lock_accounts(AccountFiles files, std::int64_t day);

struct AccountIds {
    std::map<std::string, std::uint32_t, std::less<>> users, groups;
};
Result<AccountIds> parse_ids(const AccountFiles& files);

// Names replaced by numbers everywhere. Unknown names: kFailed, listing each with a file and what
// `owner_of` says of the file ("package chrony-4.8-1.x86_64").
Result<Tree> resolve_owners(const Tree& tree,
                            const AccountIds& ids,
                            const std::function<std::string(const TreeEntry&)>& owner_of);

}  // namespace tarn::image
