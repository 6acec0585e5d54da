// SPDX-License-Identifier: MIT
// Passwords as crypt(5) strings: yescrypt, with the library's own cost.
#pragma once

#include "base/result.hh"

#include "provision/settings.hh"

#include <string>
#include <string_view>

namespace tarn::guest {

// "$y$...", "$6$...": begins with '$', a known method, and nothing that could break its line.
bool is_password_hash(std::string_view text);

// "" when the clear text can be a password, else why not; never the password. Longer than 72 bytes
// is refused because a method that cuts there would take any end.
std::string why_no_password(std::string_view text);

// A hash stays as it is; clear text is hashed. kUsage, kFailed.
Result<Secret> hash_password(const Secret& password);

// Days since 1970, for shadow(5); nullopt while the clock is obviously wrong.
std::optional<std::uint64_t> today();
// "2027-01-31".
std::optional<std::uint64_t> day_of(std::string_view date);

}  // namespace tarn::guest
