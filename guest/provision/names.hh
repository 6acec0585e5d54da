// SPDX-License-Identifier: MIT
// Which names and paths of a payload are taken; "" when one is, else why it is not.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tarn::guest {

// Of accounts and groups, as shadow-utils takes them on RPM distributions: at most 32 of A-Z a-z
// 0-9 _ . -, not beginning with - or ., not only digits.
std::string why_no_account_name(std::string_view name);

// RFC 1123, with domains: labels of 1 to 63 of a-z 0-9 -, at most 253; Linux takes 64.
std::string why_no_hostname(std::string_view name);

// Absolute, below 4096 bytes, no "..", no control characters, no '/' at its end.
std::string why_no_file_path(std::string_view path);

// What write_files must not touch: the account database, provisioning's own state, and what is no
// file system of files.
std::string why_not_written(std::string_view path);

// "Europe/Berlin".
std::string why_no_timezone(std::string_view name);

// Of one line of a configuration file: no control characters.
bool is_one_line(std::string_view text);

}  // namespace tarn::guest
