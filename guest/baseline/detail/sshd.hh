// SPDX-License-Identifier: MIT
// What sshd takes for an option, from its parsed configuration.
#pragma once

#include "baseline/detail/parsers.hh"
#include "baseline/detail/procedure.hh"

#include <string>
#include <string_view>
#include <vector>

namespace tarn::guest::baseline {

struct SshdValue {
    std::string value, where;
    bool is_default = false;
    std::vector<SshdOption> elsewhere;  // what Match blocks say of it
};
// `keyword` in lower case. The first that is said counts.
SshdValue sshd_value(const std::vector<SshdOption>& options, const std::string& keyword);

// A list of algorithms with its "+", "-" or "^" applied to the defaults.
std::vector<std::string> sshd_algorithms(std::string_view value, std::string_view keyword);

Procedure sshd_procedure();

}  // namespace tarn::guest::baseline
