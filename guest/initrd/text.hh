// SPDX-License-Identifier: MIT
// Small text helpers of the initrd; std alone, so that the static program stays small.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::initrd {

std::vector<std::string_view> words(std::string_view line);
std::vector<std::string_view> lines(std::string_view text);
std::string lower(std::string_view text);
// Decimal digits only; `otherwise` for anything else or more than 9 digits.
long number(std::string_view text, long otherwise);

// Shell glob as in modules.alias: '*', '?', '[a-z]' and '[!a-z]'; '*' matches '/' too.
bool glob(std::string_view pattern, std::string_view text);

// Module names with '-' as '_', the way the kernel compares them.
std::string module_name(std::string_view name);

}  // namespace tarn::initrd
