// SPDX-License-Identifier: MIT
// %if and %endif as the declaration format counts them: by the first word of a line, wherever.
#pragma once

#include "spec/document.hh"

#include <optional>
#include <string_view>
#include <vector>

namespace tarn::overlay {

enum class Condition { kNone, kOpen, kElse, kClose };
Condition condition_of(std::string_view line);
int condition_step(std::string_view line);  // +1, -1 or 0

struct ConditionPair {
    std::size_t open = 0, close = 0;  // lines
};
struct Conditions {
    std::vector<ConditionPair> pairs;            // by closing line
    std::optional<std::size_t> unbalanced_line;  // then pairs is incomplete
};
Conditions pair_conditions(const std::vector<std::string>& lines);

}  // namespace tarn::overlay
